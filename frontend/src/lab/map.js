// 한눈에 보기: what the lab is made of, drawn by the server, above the terminal or in its place.
// It is fetched when it is opened and again when the lab has changed; focus, scrolling and folds stay.

import { announce, idOf, make } from "../dom.js";
import { words } from "./words.js";

const PAUSE_MS = 700; // a cluster under way changes all the time
const AGAIN_MS = 5000;
const ANSWER_MS = 15_000; // a request that hangs must not keep the next one waiting

export class LabMap {
  /** `dock`: the Dock that it stands in; it has its stage already. */
  constructor(dock) {
    this.dock = dock;
    this.shape = "closed"; // closed | split | whole
    this.html = "";
    this.said = null;
    this.pane = make("div", { class: "lab-map", role: "region", "aria-label": words.map, tabindex: "0", hidden: true });
    this.toggle = make("button", { type: "button", class: "lab-map-toggle", "aria-expanded": "false", "aria-controls": idOf(this.pane) }, words.map);
    this.widen = make("button", { type: "button", class: "lab-tool lab-map-whole", "aria-pressed": "false", title: words.mapWholeWhy, hidden: true }, words.mapWhole);
    this.toggle.addEventListener("click", () => this.show(this.shape === "closed" ? "split" : "closed"));
    this.widen.addEventListener("click", () => this.show(this.shape === "whole" ? "split" : "whole"));
    // Whoever wants the terminal gets it back.
    dock.element.addEventListener("naru:lab-wanted", () => this.makeRoom());
    dock.tabs.element.addEventListener("click", () => this.makeRoom(), true);
    const body = make("div", { class: "lab-body" });
    dock.stage.before(body);
    body.append(this.pane, dock.stage);
    dock.tabs.element.after(this.widen, this.toggle);
  }

  show(shape) {
    if (shape === this.shape) return;
    const opens = this.shape === "closed";
    this.shape = shape;
    this.dock.place.dataset.map = shape;
    this.pane.hidden = this.widen.hidden = shape === "closed";
    this.toggle.setAttribute("aria-expanded", String(shape !== "closed"));
    this.widen.setAttribute("aria-pressed", String(shape === "whole"));
    if (opens) this.ask();
  }

  makeRoom() {
    if (this.shape === "whole") this.show("split");
    if (this.shape === "split" && !this.dock.stage.getClientRects().length) this.show("closed");
  }

  /** Fetch it unless nobody sees it; one at a time, and not too often. */
  async ask() {
    if (this.shape === "closed" || this.dock.over) return;
    if (this.asking) {
      this.stale = true;
      return;
    }
    this.asking = true;
    this.stale = false;
    const arrived = await this.load();
    this.pausing = setTimeout(() => {
      this.asking = false;
      if (this.stale || !arrived) this.ask();
    }, arrived ? PAUSE_MS : AGAIN_MS);
  }

  async load() {
    if (!this.html) this.pane.replaceChildren(make("p", { class: "map-summary", role: "status" }, words.mapComing));
    try {
      const options = { headers: { "HX-Request": "true" }, credentials: "same-origin", signal: AbortSignal.timeout(ANSWER_MS) };
      const reply = await fetch(this.dock.element.dataset.mapUrl, options);
      if (!reply.ok) throw new Error(reply.statusText);
      this.put(await reply.text());
      return true;
    } catch {
      if (!this.html) this.pane.replaceChildren(make("p", { class: "map-summary bad", role: "status" }, words.mapLost));
      return false;
    }
  }

  put(html) {
    if (html === this.html) return;
    this.html = html;
    const { pane } = this;
    const [top, left] = [pane.scrollTop, pane.scrollLeft];
    const focused = pane.contains(document.activeElement) ? document.activeElement : null;
    const place = focused && focusables(pane).indexOf(focused);
    const kept = [...pane.querySelectorAll("[id]")].map(({ id, open, scrollLeft }) => ({ id, open, scrollLeft }));
    const parsed = new DOMParser().parseFromString(html, "text/html");
    pane.replaceChildren(...parsed.body.childNodes);
    for (const { id, open, scrollLeft } of kept) {
      const same = pane.querySelector(`#${CSS.escape(id)}`);
      if (!same) continue;
      if (open) same.open = true;
      same.scrollLeft = scrollLeft;
    }
    pane.scrollTop = top;
    pane.scrollLeft = left;
    if (focused && focused !== pane) (focusables(pane)[place] ?? pane).focus({ preventScroll: true });
    const { announcement } = pane.querySelector("[data-lab-map]")?.dataset ?? {};
    if (announcement && announcement !== this.said) announce(announcement);
    this.said = announcement || this.said;
  }

  dispose() {
    clearTimeout(this.pausing);
    this.shape = "closed";
  }
}

const focusables = (root) => [...root.querySelectorAll("summary, [tabindex]")];
