// The contents beside a lesson: the part that is being read stands out, and stays in sight.

const READING_LINE = 140; // pixels from the top: a heading above it has begun to be read

export function followReading() {
  const contents = document.querySelector("nav.toc");
  if (!contents) return;
  const parts = [];
  for (const link of contents.querySelectorAll("a[href^='#']")) {
    const heading = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (heading) parts.push({ link, heading });
  }
  let shown;
  const mark = () => {
    const begun = parts.filter(({ heading }) => heading.getBoundingClientRect().top <= READING_LINE);
    const now = begun.at(-1)?.link;
    if (now === shown) return;
    shown?.removeAttribute("aria-current");
    shown?.closest("li").classList.remove("now");
    shown = now;
    if (!now) return;
    const item = now.closest("li");
    now.setAttribute("aria-current", "true");
    item.classList.add("now");
    const seen = item.offsetTop >= contents.scrollTop && item.offsetTop + item.offsetHeight <= contents.scrollTop + contents.clientHeight;
    if (!seen) contents.scrollTop = item.offsetTop - contents.clientHeight / 2;
  };
  let waiting = false;
  const soon = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      mark();
    });
  };
  addEventListener("scroll", soon, { passive: true });
  addEventListener("resize", soon);
  mark();
}
