// The one script of every page. It adds comfort to pages that work without it.

import { all } from "./dom.js";
import { followReading } from "./contents.js";
import { addCopyButtons } from "./copy.js";
import { startDrafts } from "./drafts.js";
import { startEditors } from "./editors.js";
import { listenForLabs, startLabs } from "./labs.js";
import { sortByButtons } from "./order.js";
import { listenForResults } from "./results.js";
import { listenForReset, showResets } from "./reset.js";
import { listenForShortcuts } from "./shortcuts.js";
import { listenForSubmissions } from "./submit.js";
import { keepSwapsInThePage } from "./swaps.js";
import { listenForTheme } from "./theme.js";

/** Everything that works on elements; safe to run again over what it has seen. */
function dress(root) {
  for (const form of all(root, "form[data-answer]")) {
    startDrafts(form); // first: it may put an unsaved answer back into plain fields
  }
  for (const list of all(root, "ol[data-order]")) sortByButtons(list);
  startEditors(root);
  showResets(root);
  addCopyButtons(root);
  startLabs(root);
}

listenForShortcuts();
listenForSubmissions();
listenForResults();
listenForReset();
listenForTheme();
listenForLabs();
keepSwapsInThePage();

const start = () => {
  dress(document);
  followReading();
  document.addEventListener("htmx:load", (event) => dress(event.detail.elt));
};
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start, { once: true });
else start();
