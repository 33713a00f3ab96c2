// Small helpers that every part uses.

/** All matches inside root, root itself included. */
export function all(root, selector) {
  const inside = [...root.querySelectorAll(selector)];
  return root.matches?.(selector) ? [root, ...inside] : inside;
}

/** make("button", {type: "button", class: "x"}, "text" or nodes…) */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

let counter = 0;

/** The element's id, made up where it has none. */
export function idOf(element) {
  if (!element.id) element.id = `naru-${++counter}`;
  return element.id;
}

/** A random UUID; randomUUID itself exists only under TLS and on localhost. */
export function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** Say a text through the page's live region; the same text twice is said twice. */
export function announce(text) {
  const region = document.querySelector("[data-announcer]");
  if (!region || !text) return;
  region.textContent = "";
  setTimeout(() => {
    region.textContent = text;
  }, 60);
}

export const prefersStillness = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

// What in a form is the answer: not the CSRF field, the token, or the button.
const NOT_ANSWER = new Set(["csrfmiddlewaretoken", "token", "action"]);

/** The answer in a form as [name, text] pairs, in order. */
export function answerOf(form) {
  return [...new FormData(form)].filter(([name, value]) => !NOT_ANSWER.has(name) && typeof value === "string");
}

/** Tell everyone who listens to a form's field that a script changed it. */
export function changed(field) {
  field.dispatchEvent(new Event("input", { bubbles: true }));
}
