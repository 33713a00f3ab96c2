// Copy buttons on code, and a tab stop on code that scrolls sideways.

import { all, announce, make } from "./dom.js";
import { words } from "./words.js";

const SHOWN_MS = 2000;
const dressed = new WeakSet();

const watchWidth = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const scrolls = target.scrollWidth > target.clientWidth;
    if (scrolls && !target.hasAttribute("tabindex")) {
      target.tabIndex = 0;
      target.dataset.scrolls = "";
    } else if (!scrolls && "scrolls" in target.dataset) {
      target.removeAttribute("tabindex");
      delete target.dataset.scrolls;
    }
  }
});

export function addCopyButtons(root) {
  for (const code of all(root, ".prose pre, .prompt pre, [data-copy]")) {
    if (dressed.has(code)) continue;
    dressed.add(code);
    const button = make("button", { type: "button", class: "copy", "aria-label": words.copyName }, words.copy);
    button.addEventListener("click", () => copy(code, button));
    const frame = make("div", { class: "copy-host" });
    code.replaceWith(frame);
    frame.append(code, button);
  }
  for (const code of all(root, "pre")) watchWidth.observe(code);
}

/** What a learner would type: of a terminal session the commands alone, without prompts and output. */
function textOf(code) {
  const commands = code.cloneNode(true);
  for (const part of commands.querySelectorAll(".insert")) part.remove(); // the lab's buttons beside commands
  if (!commands.querySelector(".gp")) return commands.textContent;
  for (const part of commands.querySelectorAll(".gp, .go")) part.remove();
  return commands.textContent.replace(/\n{2,}/g, "\n").replace(/^\n/, "");
}

async function copy(code, button) {
  const done = await copyText(textOf(code).replace(/\n$/, ""));
  button.textContent = done ? words.copied : words.copyFailed;
  announce(button.textContent);
  setTimeout(() => {
    button.textContent = words.copy;
  }, SHOWN_MS);
}

/** Into the clipboard, also where the page came over plain HTTP. Returns whether it went well. */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text); // absent where the page came over plain HTTP from another machine
    return true;
  } catch {
    return writeBySelection(text);
  }
}

function writeBySelection(text) {
  const before = document.activeElement;
  const field = make("textarea", { class: "visually-hidden", readonly: true });
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  before?.focus?.({ preventScroll: true });
  return done;
}
