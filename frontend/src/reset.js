// 처음 상태로: asks first, then puts every editable file back to its starter text.

import { all, announce } from "./dom.js";
import { setText } from "./editors.js";
import { words } from "./words.js";

const dialog = () => document.querySelector("dialog[data-reset-dialog]");
let asking = null; // the form that the open dialog is about

export function showResets(root) {
  if (!dialog()) return;
  for (const button of all(root, "[data-reset]")) {
    if (button.closest("form")?.querySelector("[data-starter]")) button.hidden = false;
  }
}

export function listenForReset() {
  document.addEventListener("click", ({ target }) => {
    const button = target.closest?.("[data-reset]");
    if (button) {
      asking = button.closest("form");
      dialog().showModal();
    } else if (target.closest?.("[data-reset-dialog] [data-confirm]")) {
      dialog().close();
      reset(asking);
    } else if (target.closest?.("[data-reset-dialog] [data-cancel]")) dialog().close();
  });
}

function reset(form) {
  if (!form?.isConnected) return;
  for (const starter of form.querySelectorAll("[data-starter]")) {
    const field = starter.closest("[data-file]").querySelector("textarea:not([data-starter])");
    if (field.value !== starter.value) setText(field, starter.value);
  }
  announce(words.reset);
}
