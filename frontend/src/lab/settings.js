// What a learner chose about terminals, kept by this browser.

const SIZES = { least: 10, usual: 14, most: 24 };

const read = (name) => {
  try {
    return localStorage.getItem(`naru:terminal:${name}`);
  } catch {
    return null; // forbidden: then choices last as long as the page
  }
};
const keep = (name, text) => {
  try {
    localStorage.setItem(`naru:terminal:${name}`, text);
  } catch {
    // as above
  }
};
const bounded = (pixels) => Math.min(SIZES.most, Math.max(SIZES.least, Math.round(pixels)));

export const settings = {
  size: bounded(Number(read("size")) || SIZES.usual),
  reader: read("reader") === "on",

  /** The text size after `step` pixels more or fewer, in pixels. */
  resize(step) {
    this.size = bounded(this.size + step);
    keep("size", String(this.size));
    return this.size;
  },

  toggleReader() {
    this.reader = !this.reader;
    keep("reader", this.reader ? "on" : "off");
    return this.reader;
  },
};
