// Small tools under the terminal: find, text size, screen reader, help for the keyboard.

import { announce, make } from "../dom.js";
import { settings } from "./settings.js";
import { words } from "./words.js";

const tool = (name, face, act, more = {}) => {
  const button = make("button", { type: "button", class: "lab-tool", "aria-label": name, title: name, ...more }, face);
  button.addEventListener("click", act);
  return button;
};

/** Returns the row of tools and the sentence that says how to get out of a terminal. on.find(), on.dress(). */
export function makeTools({ on }) {
  const resize = (step) => {
    announce(words.size(settings.resize(step)));
    on.dress();
  };
  const reader = tool(words.reader, words.reader, () => {
    const is = settings.toggleReader();
    reader.setAttribute("aria-pressed", String(is));
    announce(is ? words.readerOn : words.readerOff);
    on.dress();
  }, { "aria-pressed": String(settings.reader) });
  const help = make("p", { class: "lab-help" }, make("kbd", {}, "F6"), ` ${words.wayOut}`);
  const row = make(
    "div",
    { class: "lab-tools", role: "toolbar", "aria-label": words.tools },
    help,
    tool(words.findIn, words.find, () => on.find()),
    tool(words.smaller, "가−", () => resize(-1), { class: "lab-tool small" }),
    tool(words.larger, "가+", () => resize(1)),
    reader,
  );
  return { row, help };
}

/** The search bar of a lab: it searches the terminal that is shown. on.find(text, {back, typing}), on.end(). */
export function makeFinder({ on }) {
  const field = make("input", { type: "search", "aria-label": words.findIn, autocomplete: "off", spellcheck: "false" });
  const count = make("span", { class: "lab-found", role: "status" });
  const form = make(
    "form",
    { class: "lab-finder", role: "search", hidden: true },
    field,
    count,
    tool(words.previous, "↑", () => on.find(field.value, { back: true })),
    make("button", { class: "lab-tool", "aria-label": words.next, title: words.next }, "↓"),
    tool(words.closeFind, "×", () => finder.close()),
  );
  field.addEventListener("input", () => on.find(field.value, { typing: true, back: true })); // the newest first
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    on.find(field.value, {});
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.isComposing) finder.close();
    else if (event.key === "Enter" && event.shiftKey && !event.isComposing) {
      event.preventDefault();
      on.find(field.value, { back: true });
    }
  });
  const finder = {
    form,
    open() {
      form.hidden = false;
      field.focus();
      field.select();
    },
    close() {
      form.hidden = true;
      count.textContent = "";
      on.end();
    },
    tell(place, total) {
      count.textContent = field.value ? words.found(place, total) : "";
    },
  };
  return finder;
}
