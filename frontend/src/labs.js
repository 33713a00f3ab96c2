// The lab beside a page. Its own script, with the terminal, comes only when there is a lab to show.

import { all, make } from "./dom.js";
import { words } from "./words.js";

let wanted = false; // the learner pressed for a lab: its terminal gets the keyboard
let module = null; // of the lab script, once it has come

export function startLabs(root) {
  document.body.classList.toggle("with-lab", document.querySelector("[data-lab]") !== null);
  for (const lab of all(root, "[data-lab]")) show(lab);
}

export function listenForLabs() {
  document.addEventListener("submit", ({ target }) => target.matches("form[data-lab-start]") && (wanted = true), true);
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-lab-goto]") || !module) return;
    event.preventDefault();
    module.focusLab();
  });
  // A lab that was closed leaves the whole width to the page.
  document.addEventListener("naru:lab-closed", () => document.body.classList.remove("with-lab"));
}

async function show(lab) {
  try {
    module = await import(lab.dataset.labSrc);
  } catch {
    const place = lab.querySelector("[data-terminals]");
    place?.replaceChildren(make("p", { class: "notice", role: "alert" }, words.labScriptLost));
    return;
  }
  module.showLab(lab, { focus: wanted });
  if (lab.dataset.live === "true") wanted = false;
}
