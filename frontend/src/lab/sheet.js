// On a narrow page the lab is a sheet over its lower end: folded to its head, half the page, or all of it.

import { make } from "../dom.js";
import { words } from "./words.js";

const narrow = matchMedia("(max-width: 1180px)");

let shape = "half"; // kept while fragments come and go

/** Two buttons in the lab's frame; safe to run again. A page of the lab's own has no sheet. */
export function dressSheet(lab) {
  const dock = lab.closest("[data-lab-dock]");
  if (!dock || dock.matches(".whole-page") || lab.querySelector(":scope > .lab-sheet")) return;
  const fold = make("button", { type: "button", class: "lab-tool lab-fold" });
  const whole = make("button", { type: "button", class: "lab-tool lab-whole" });
  const show = (next) => {
    shape = next;
    dock.dataset.sheet = shape;
    fold.textContent = shape === "folded" ? words.unfold : words.fold;
    fold.setAttribute("aria-expanded", String(shape !== "folded"));
    whole.textContent = shape === "whole" ? words.part : words.whole;
    whole.setAttribute("aria-pressed", String(shape === "whole"));
    // On a sheet the checks would leave no room for the terminal: they begin folded.
    const steps = lab.querySelector("[data-lab-steps]");
    if (steps && narrow.matches && shape !== "whole") steps.open = false;
  };
  fold.addEventListener("click", () => show(shape === "folded" ? "half" : "folded"));
  whole.addEventListener("click", () => show(shape === "whole" ? "half" : "whole"));
  lab.addEventListener("naru:lab-wanted", () => shape === "folded" && show("half"));
  lab.prepend(make("div", { class: "lab-sheet" }, whole, fold));
  show(shape);
}
