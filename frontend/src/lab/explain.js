// The card under the terminal that says in Korean what an error of docker means.

import { announce, make } from "../dom.js";
import { insertButton } from "./insert.js";
import { words } from "./words.js";

/** Fill `card` from {title, cause, show, next}; plain text only, as parts of it come out of the terminal. */
export function showExplanation(card, { id, title, cause, show, next }) {
  const close = make("button", { type: "button", class: "ghost lab-dismiss", "aria-label": words.dismiss, title: words.dismiss }, "×");
  close.addEventListener("click", () => (card.hidden = true));
  const parts = [make("header", {}, make("b", {}, title), close)];
  if (cause) parts.push(make("p", {}, ...withCode(cause)));
  if (show) parts.push(make("p", { class: "lab-show" }, make("code", {}, show), " ", insertButton(() => show, show)));
  if (next) parts.push(make("p", {}, ...withCode(next)));
  card.replaceChildren(...parts);
  card.dataset.explanation = id ?? "";
  card.hidden = false;
  announce([title, cause, next].filter(Boolean).join(" ").replaceAll("`", ""));
}

/** A sentence with what stands between backticks as code. */
function withCode(text) {
  return text.split("`").map((part, index) => (index % 2 ? make("code", {}, part) : part)).filter((part) => part !== "");
}
