// What happens when a result arrives: it is said once, brought into view if it is not, and its clock runs.

import { all, announce, prefersStillness } from "./dom.js";
import { words } from "./words.js";

const awaited = new WeakSet(); // slots whose next result answers a press
const said = new WeakMap(); // slot -> what was announced last
const started = new WeakMap(); // time element -> when it began, in milliseconds

/** Where results of an element's exercise stand; on a page of one result, what holds it. */
export function slotOf(element) {
  return (
    element.closest(".result-slot") ??
    element.closest("[data-exercise]")?.querySelector(".result-slot") ??
    element.closest(".result")?.parentElement ??
    null
  );
}

/** A press was sent: whatever comes next is news, even in the same words as before. */
export const awaitResult = (slot) => awaited.add(slot);
export const forgetResult = (slot) => awaited.delete(slot);

export function listenForResults() {
  document.addEventListener("htmx:load", ({ detail }) => {
    if (detail.elt === document.body) return; // the page itself: nothing has just arrived
    for (const result of all(detail.elt, ".result")) arrive(result);
  });
  setInterval(tick, 1000);
  addEventListener("DOMContentLoaded", tick);
}

function arrive(result) {
  tick();
  const slot = slotOf(result);
  if (!slot || result.matches("[data-fault]")) return;
  const fresh = awaited.delete(slot);
  const text = result.dataset.announcement ?? "";
  if (text && (fresh || said.get(slot) !== text)) announce(text);
  said.set(slot, text);
  if (fresh) reveal(result);
}

function reveal(result) {
  const box = result.getBoundingClientRect();
  const bottom = document.documentElement.clientHeight;
  const headVisible = box.top >= 0 && box.top < bottom - 64;
  if (headVisible) return;
  const fits = box.height < bottom * 0.7;
  result.scrollIntoView({ block: fits ? "nearest" : "start", behavior: prefersStillness() ? "auto" : "smooth" });
}

function tick() {
  const now = Date.now();
  for (const clock of document.querySelectorAll("[data-elapsed]")) {
    if (!started.has(clock)) started.set(clock, now - Number(clock.dataset.sinceSeconds || 0) * 1000);
    const seconds = Math.max(0, Math.floor((now - started.get(clock)) / 1000));
    clock.textContent = words.elapsed(Math.floor(seconds / 60), seconds % 60);
  }
}
