// Files of an exercise: tabs, and the code editor that takes a textarea's place when it comes near.
// The textarea stays in the form and always holds the text, so everything else works on plain fields.

import { all, changed, idOf, make } from "./dom.js";
import { words } from "./words.js";

const NEAR = "600px";
const AFTER_COMPOSING_MS = 60;

const boxes = new WeakMap(); // [data-editor] element -> Box
const editors = new WeakMap(); // textarea -> what createEditor returned

const near = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) if (isIntersecting) boxes.get(target).load();
  },
  { rootMargin: NEAR },
);

export function startEditors(root) {
  for (const element of all(root, "[data-editor]")) {
    if (!boxes.has(element)) boxes.set(element, new Box(element));
  }
}

/** Put a text into a file's field, whether the editor has come or not. */
export function setText(textarea, text) {
  const editor = editors.get(textarea);
  if (editor) editor.setText(text);
  else {
    textarea.value = text;
    changed(textarea);
  }
}

const fieldOf = (panel) => panel.querySelector("textarea:not([data-starter])");
const nonce = () => document.querySelector("meta[name=csp-nonce]")?.content ?? "";

class Box {
  constructor(element) {
    this.element = element;
    this.panels = all(element, "[data-file]");
    this.shown = 0;
    this.tabs = this.panels.length > 1 ? this.makeTabs() : [];
    this.help = element.closest("[data-exercise]")?.querySelector("[data-escape-help]");
    element.addEventListener("focusin", () => this.load(), { once: true });
    near.observe(element);
  }

  load() {
    near.unobserve(this.element);
    this.module ??= import(this.element.dataset.editorSrc);
    return this.module.then(
      ({ createEditor }) => {
        this.createEditor = createEditor;
        this.mountShown();
      },
      () => {
        // The textareas go on working. A later touch asks again.
        this.module = undefined;
        this.element.addEventListener("focusin", () => this.load(), { once: true });
      },
    );
  }

  mountShown() {
    const panel = this.panels[this.shown];
    const textarea = fieldOf(panel);
    if (!this.createEditor || !panel.isConnected || editors.has(textarea)) return;
    if (textarea.dataset.composing !== undefined) return; // asked again when the syllable is finished
    this.mount(panel, textarea);
  }

  mount(panel, textarea) {
    const focused = document.activeElement === textarea;
    const editable = panel.dataset.editable === "true";
    const holder = make("div", { class: "code-editor" });
    textarea.after(holder);
    const editor = this.createEditor({
      parent: holder,
      text: textarea.value,
      selection: focused ? [textarea.selectionStart, textarea.selectionEnd] : [0, 0],
      language: panel.dataset.language,
      editable,
      label: panel.dataset.path,
      describedBy: this.help && editable ? idOf(this.help) : "",
      nonce: nonce(),
      onChange: (text) => {
        textarea.value = text;
        changed(textarea);
      },
      onEscape: () => this.leave(),
    });
    editors.set(textarea, editor);
    textarea.hidden = true;
    panel.querySelector("label")?.addEventListener("click", () => editor.focus());
    if (this.help && editable) this.help.hidden = false;
    if (focused) editor.focus();
  }

  /** Out of the editor by keyboard, to what comes next in the work. */
  leave() {
    const exercise = this.element.closest("[data-exercise]");
    exercise?.querySelector("[data-grade], .actions a, .actions button:not([hidden])")?.focus();
  }

  makeTabs() {
    const list = make("div", { class: "tabs", role: "tablist", "aria-label": words.files });
    const tabs = this.panels.map((panel, place) => {
      const tab = make("button", { type: "button", role: "tab", "aria-controls": idOf(panel) }, panel.dataset.path);
      const lock = document.querySelector("template[data-lock-icon]");
      if (panel.dataset.editable !== "true" && lock) tab.append(" ", lock.content.cloneNode(true));
      panel.setAttribute("role", "tabpanel");
      panel.setAttribute("aria-labelledby", idOf(tab));
      panel.querySelector("label")?.classList.add("visually-hidden");
      tab.addEventListener("click", () => this.show(place));
      return tab;
    });
    list.append(...tabs);
    list.addEventListener("keydown", (event) => this.moveBy(event));
    this.element.prepend(list);
    this.tabs = tabs;
    this.show(0);
    return tabs;
  }

  moveBy(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const last = this.tabs.length - 1;
    const places = {
      ArrowRight: this.shown === last ? 0 : this.shown + 1,
      ArrowLeft: this.shown === 0 ? last : this.shown - 1,
      Home: 0,
      End: last,
    };
    if (!Object.hasOwn(places, event.key)) return;
    event.preventDefault();
    this.show(places[event.key]);
    this.tabs[this.shown].focus();
  }

  show(shown) {
    this.shown = shown;
    this.tabs.forEach((tab, place) => {
      tab.setAttribute("aria-selected", String(place === shown));
      tab.tabIndex = place === shown ? 0 : -1;
      this.panels[place].hidden = place !== shown;
    });
    this.mountShown();
    editors.get(fieldOf(this.panels[shown]))?.measure();
  }
}

// A textarea must not be replaced in the middle of a syllable.
document.addEventListener("compositionstart", ({ target }) => {
  if (target.matches("[data-editor] textarea")) target.dataset.composing = "";
});
document.addEventListener("compositionend", ({ target }) => {
  if (!target.matches("[data-editor] textarea")) return;
  setTimeout(() => {
    delete target.dataset.composing;
    boxes.get(target.closest("[data-editor]"))?.mountShown();
  }, AFTER_COMPOSING_MS);
});
