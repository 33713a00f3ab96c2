// The card over the terminal that says in Korean what an error of a command means. It takes no room from the terminal:
// another size would make full-screen programs draw anew, without what they have just said.

import { announce, make } from "../dom.js";
import { insertButton } from "./insert.js";
import { words } from "./words.js";

const GAP = 8; // pixels between the card and the stage's end

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

/** Keep the card off the line of the cursor: at the stage's lower end, or at its upper one. `box` is the cursor line's. */
export function placeExplanation(card, box) {
  if (card.hidden || !box) return;
  const stage = card.parentElement.getBoundingClientRect();
  const height = card.offsetHeight + GAP;
  const hides = { bottom: box.bottom > stage.bottom - height, top: box.top < stage.top + height };
  if (hides[card.dataset.side ?? "bottom"]) card.dataset.side = hides.bottom ? "top" : "bottom";
}

/** A sentence with what stands between backticks as code. */
function withCode(text) {
  return text.split("`").map((part, index) => (index % 2 ? make("code", {}, part) : part)).filter((part) => part !== "");
}
