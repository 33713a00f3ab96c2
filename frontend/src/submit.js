// Handing in: one press, one submission, and a sentence where the server could not be reached.

import { answerOf, make, uuid } from "./dom.js";
import { awaitResult, forgetResult, slotOf } from "./results.js";
import { words } from "./words.js";

const POLL_AGAIN_FIRST_MS = 2000;
const POLL_AGAIN_LAST_MS = 30_000;

const busy = new WeakSet();
const sent = new WeakMap(); // form -> the answer that went out under its present token
const pollWait = new WeakMap(); // slot -> how long the next attempt to ask again waits

const isForm = (element) => element instanceof HTMLFormElement && element.hasAttribute("hx-post");
const isPoll = (element) => element instanceof Element && element.matches(".result[hx-get]");

export function listenForSubmissions() {
  document.addEventListener("click", holdBusyButtons, true);
  document.addEventListener("submit", beforeSubmit, true);
  document.addEventListener("htmx:beforeRequest", ({ detail }) => isForm(detail.elt) && begin(detail.elt));
  document.addEventListener("htmx:afterRequest", afterRequest);
  for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
    document.addEventListener(name, ({ detail }) => fail(detail.elt, detail.xhr?.status ?? 0));
  }
  // A page that comes back from the browser's memory has nothing under way.
  addEventListener("pageshow", ({ persisted }) => persisted && document.querySelectorAll("form").forEach(end));
}

function holdBusyButtons(event) {
  if (!event.target.closest?.("button[aria-disabled=true]")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}

function beforeSubmit(event) {
  const form = event.target;
  if (!isForm(form)) return;
  if (busy.has(form)) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  const token = form.querySelector("[data-token]");
  if (!token) return;
  // The same answer under the same token is the same submission, so a press after a lost reply counts once.
  const answer = JSON.stringify([event.submitter?.value ?? "grade", answerOf(form)]);
  if (sent.has(form) && sent.get(form) !== answer) token.value = uuid();
  sent.set(form, answer);
}

function begin(form) {
  busy.add(form);
  for (const button of form.querySelectorAll("button:not([type=button])")) button.setAttribute("aria-disabled", "true");
  const slot = slotOf(form);
  slot?.setAttribute("aria-busy", "true");
  if (slot) awaitResult(slot);
}

function end(form) {
  if (!busy.delete(form)) return;
  for (const button of form.querySelectorAll("button[aria-disabled]")) button.removeAttribute("aria-disabled");
  slotOf(form)?.removeAttribute("aria-busy");
}

function afterRequest({ detail }) {
  const { elt, xhr } = detail;
  const status = xhr?.status ?? 0;
  const slot = elt instanceof Element ? slotOf(elt) : null;
  if (isForm(elt)) {
    end(elt);
    const token = elt.querySelector("[data-token]");
    if (token && status >= 200 && status < 500) {
      token.value = uuid();
      sent.delete(elt);
    }
  }
  if (slot && status >= 200 && status < 400) {
    clearFault(slot);
    pollWait.delete(slot);
  }
}

function fail(element, status) {
  const slot = element instanceof Element ? slotOf(element) : null;
  if (!slot) return;
  if (isForm(element)) {
    forgetResult(slot);
    showFault(slot, status === 0 ? words.unreachable : status === 404 ? words.gone : words.serverFault);
  } else if (isPoll(element)) {
    const lost = status >= 400 && status < 500;
    showFault(slot, lost ? words.pollLost : words.pollFailed);
    if (!lost) pollAgain(element, slot);
  }
}

function pollAgain(result, slot) {
  const wait = pollWait.get(slot) ?? POLL_AGAIN_FIRST_MS;
  pollWait.set(slot, Math.min(wait * 2, POLL_AGAIN_LAST_MS));
  const ask = () => {
    clearTimeout(timer);
    removeEventListener("online", ask);
    if (!result.isConnected) return;
    window.htmx.ajax("GET", result.getAttribute("hx-get"), { source: result, target: result, swap: "outerHTML" });
  };
  const timer = setTimeout(ask, wait);
  addEventListener("online", ask);
}

function showFault(slot, text) {
  const shown = slot.querySelector("[data-fault]");
  if (shown?.textContent === text) return;
  clearFault(slot);
  const fault = make("div", { class: "result broken", role: "alert", "data-fault": true });
  slot.prepend(fault);
  // Filled once it stands in the page: some screen readers miss an alert that arrives full.
  fault.append(make("header", { class: "verdict" }, make("div", {}, make("p", {}, text))));
}

const clearFault = (slot) => slot.querySelectorAll("[data-fault]").forEach((fault) => fault.remove());
