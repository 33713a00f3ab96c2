// The time that a lab has left, ticking on the page.

import { words } from "./words.js";

const ends = new WeakMap(); // time element -> when it reaches nothing, in milliseconds of performance.now()

/** Start `tick`ing all countdowns in an element; over() once when one reaches nothing. Returns what ends it. */
export function runCountdown(element, over) {
  const tick = () => {
    for (const clock of element.querySelectorAll("[data-countdown]")) {
      if (!ends.has(clock)) ends.set(clock, performance.now() + Number(clock.dataset.seconds || 0) * 1000);
      const left = Math.max(0, Math.ceil((ends.get(clock) - performance.now()) / 1000));
      const text = words.minutesLeft(Math.floor(left / 60), left % 60);
      if (clock.textContent !== text) clock.textContent = text;
      clock.classList.toggle("short", left < 300);
      if (left === 0 && !clock.dataset.over) {
        clock.dataset.over = "true";
        over();
      }
    }
  };
  tick();
  const timer = setInterval(tick, 1000);
  return { tick, stop: () => clearInterval(timer) };
}
