// The content security policy of a page takes no style that a script writes as text. xterm writes some:
// <style> elements, which the page's nonce allows, and style attributes on the cells of a line.
// Its option `documentOverride` reaches neither all of the one nor any of the other.

const nonce = () => document.querySelector("meta[name=csp-nonce]")?.content ?? "";

/** Run `open`, in which xterm makes every <style> element it will ever write to; each gets the nonce. */
export function withNonce(open) {
  const create = document.createElement;
  document.createElement = (tag, options) => {
    const element = create.call(document, tag, options);
    if (tag === "style") element.nonce = nonce();
    return element;
  };
  try {
    open();
  } finally {
    delete document.createElement; // the own property; the class of documents has the real one
  }
}

/** Let spans, which the cells are, take a style attribute by way of the style object; the policy allows that. */
export function allowCellStyles() {
  HTMLSpanElement.prototype.setAttribute = function (name, value) {
    if (name === "style") this.style.cssText = value;
    else Element.prototype.setAttribute.call(this, name, value);
  };
}
