// The row of tabs over the terminals: choose, add, close; arrow keys move as in any list of tabs.

import { idOf, make } from "../dom.js";
import { words } from "./words.js";

export class Tabs {
  /** on.choose(number), on.add(), on.close(number) */
  constructor({ most, on }) {
    this.on = on;
    this.most = most;
    this.items = new Map(); // number -> {tab, item, panel}
    this.list = make("div", { class: "lab-tabs-list", role: "tablist", "aria-label": words.terminals });
    this.adder = make("button", { type: "button", class: "lab-add", "aria-label": words.addTerminal, title: words.addTerminal }, "+");
    this.adder.addEventListener("click", () => on.add());
    this.list.addEventListener("keydown", (event) => this.move(event));
    this.element = make("div", { class: "lab-tabs" }, this.list, this.adder);
  }

  get numbers() {
    return [...this.items.keys()];
  }

  add(number, label, panel) {
    const tab = make("button", { type: "button", role: "tab", "aria-controls": idOf(panel) }, label);
    const closer = make("button", { type: "button", class: "lab-close", tabindex: "-1", "aria-label": words.closeTerminal(label), title: words.closeTerminal(label) }, "×");
    const item = make("span", { class: "lab-tab", role: "presentation" }, tab, closer);
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", idOf(tab));
    tab.addEventListener("click", () => this.on.choose(number));
    closer.addEventListener("click", () => this.on.close(number));
    this.list.append(item);
    this.items.set(number, { tab, item, panel, closer });
    this.dress();
  }

  remove(number) {
    this.items.get(number)?.item.remove();
    this.items.delete(number);
    this.dress();
  }

  dress() {
    this.adder.hidden = this.items.size >= this.most;
    for (const { closer } of this.items.values()) closer.hidden = this.items.size < 2;
  }

  choose(chosen) {
    this.chosen = chosen;
    for (const [number, { tab, item, panel, closer }] of this.items) {
      const is = number === chosen;
      tab.setAttribute("aria-selected", String(is));
      tab.tabIndex = is ? 0 : -1;
      closer.tabIndex = is ? 0 : -1;
      item.classList.toggle("chosen", is);
      panel.hidden = !is;
    }
  }

  focus() {
    this.items.get(this.chosen)?.tab.focus();
  }

  /** A word after the tab's name, for what does not go as it should; nothing for all is well. */
  tell(number, state) {
    const tab = this.items.get(number)?.tab;
    if (tab) tab.dataset.state = state;
  }

  move(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !event.target.matches("[role=tab]")) return;
    const numbers = this.numbers;
    const place = numbers.indexOf(this.chosen);
    const next = {
      ArrowRight: numbers[(place + 1) % numbers.length],
      ArrowLeft: numbers[(place + numbers.length - 1) % numbers.length],
      Home: numbers[0],
      End: numbers.at(-1),
    }[event.key];
    if (event.key === "Delete" && numbers.length > 1) {
      event.preventDefault();
      this.on.close(this.chosen);
      this.focus();
    } else if (next !== undefined) {
      event.preventDefault();
      this.on.choose(next, false);
      this.focus();
    }
  }
}
