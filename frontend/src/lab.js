// Labs in the page, loaded when there is one: terminals on the right of a wide page, a sheet on a narrow one.

import { Dock } from "./lab/dock.js";
import { addInsertButtons } from "./lab/insert.js";
import { dressSheet } from "./lab/sheet.js";
import { announce } from "./dom.js";
import { words } from "./lab/words.js";

const docks = new Map(); // [data-lab] element -> Dock
let wanted = false; // the learner asked for this lab: its terminal gets the keyboard when it comes

document.addEventListener("htmx:load", ({ detail }) => {
  forgetGone();
  for (const [element, dock] of docks) if (element.contains(detail.elt)) dock.refresh(detail.elt);
  addInsertButtons(detail.elt);
});
document.addEventListener("click", ({ target }) => {
  const closer = target.closest?.("[data-lab-close]");
  if (closer) closeLab(closer.closest("[data-lab]"));
  target.closest?.("[data-lab-dismiss]")?.parentElement.remove();
});

/** Show a lab that has come into the page; known ones are left as they are. */
export function showLab(element, { focus = false } = {}) {
  wanted ||= focus;
  forgetGone();
  dressSheet(element);
  for (const button of element.querySelectorAll("[data-lab-close]")) button.hidden = false;
  if (element.dataset.live !== "true" || docks.has(element) || !element.isConnected) return;
  const dock = new Dock(element);
  docks.set(element, dock);
  dock.refresh(element);
  if (!wanted) return;
  wanted = false;
  if (document.activeElement === document.body || element.contains(document.activeElement)) dock.focus();
  announce(words.connected);
}

/** The keyboard to the terminal of the lab that is open. */
export function focusLab() {
  for (const dock of docks.values()) dock.focus();
}

function forgetGone() {
  for (const [element, dock] of docks) {
    if (element.isConnected) continue;
    dock.dispose();
    docks.delete(element);
  }
}

function closeLab(element) {
  element.remove();
  forgetGone();
  document.dispatchEvent(new CustomEvent("naru:lab-closed"));
}
