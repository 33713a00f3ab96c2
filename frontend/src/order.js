// An order question as a list whose items move by buttons. Without this script it is one select a place.

import { announce, changed, make } from "./dom.js";
import { words } from "./words.js";

const arrow = (direction) => make("span", { "aria-hidden": "true" }, direction === "up" ? "↑" : "↓");

export function sortByButtons(list) {
  if ("sorted" in list.dataset) return;
  const selects = [...list.querySelectorAll("select")];
  if (!selects.length) return;
  list.dataset.sorted = "";
  const offered = [...selects[0].options].filter(({ value }) => value);
  // A half-filled list keeps what was chosen, then takes the rest as offered.
  const chosen = [...new Set(selects.map(({ value }) => value).filter(Boolean))];
  const byValue = new Map(offered.map((option) => [option.value, option]));
  const inOrder = [...chosen.filter((value) => byValue.has(value)), ...offered.map(({ value }) => value)];
  const items = [...new Set(inOrder)].map((value) => item(list, selects[0].name, byValue.get(value)));
  list.replaceChildren(...items);
  markEnds(list);
}

function item(list, name, option) {
  const text = option.textContent.trim();
  const up = make("button", { type: "button", class: "move", "aria-label": words.moveUp(text) }, arrow("up"));
  const down = make("button", { type: "button", class: "move", "aria-label": words.moveDown(text) }, arrow("down"));
  const field = make("input", { type: "hidden", name, value: option.value });
  const element = make("li", { class: "order-item" }, make("span", { class: "order-text" }, text), up, down, field);
  up.addEventListener("click", () => move(list, element, -1, up));
  down.addEventListener("click", () => move(list, element, 1, down));
  return element;
}

function move(list, element, step, button) {
  const other = step < 0 ? element.previousElementSibling : element.nextElementSibling;
  if (!other) return;
  if (step < 0) other.before(element);
  else other.after(element);
  markEnds(list);
  button.focus(); // moving an element takes the focus away
  const items = [...list.children];
  const text = element.querySelector(".order-text").textContent;
  announce(words.movedTo(text, items.indexOf(element) + 1, items.length));
  changed(element.querySelector("input"));
}

/** The first cannot go up nor the last down; both buttons stay where the focus may be. */
function markEnds(list) {
  [...list.children].forEach((element, place, { length }) => {
    const [up, down] = element.querySelectorAll("button");
    for (const [button, stuck] of [[up, place === 0], [down, place === length - 1]]) {
      if (stuck) button.setAttribute("aria-disabled", "true");
      else button.removeAttribute("aria-disabled");
    }
  });
}
