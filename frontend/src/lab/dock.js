// One live lab on the page: its terminals, and what the server says through them.
// The head and the checks are the server's fragments; they are swapped beside the terminals, which stay.

import { all, announce, make } from "../dom.js";
import { followPage } from "./colours.js";
import { Connection } from "./connection.js";
import { runCountdown } from "./countdown.js";
import { placeExplanation, showExplanation } from "./explain.js";
import { addInsertButtons, insertInto } from "./insert.js";
import { LabMap } from "./map.js";
import { copyText } from "../copy.js";
import { Screen } from "./screen.js";
import { showState } from "./state.js";
import { Tabs } from "./tabs.js";
import { makeFinder, makeTools } from "./tools.js";
import { words } from "./words.js";

const MOST_TERMINALS = 4;
const REFETCH_MS = 150; // several terminals tell of the same change
const FIT_MS = 80;
const FLASH_MS = 4000;
const FREE_MS = 15_000; // a request that hangs must not keep the button
const HEAD_MS = 60_000; // typing puts the end off: the time that is left is asked now and then

export class Dock {
  constructor(element) {
    this.element = element;
    this.id = element.dataset.labId;
    this.over = false;
    this.wantsAnew = false;
    this.shells = new Map(); // number -> {screen, line, panel}
    this.shown = 0;
    // Which terminal is on which host; what stands in the terminals' place goes when it is built.
    this.labels = new Map(all(element, "template[data-terminal]").map(({ dataset }) => [Number(dataset.number), dataset.label]));
    this.build();
    this.unfollow = followPage(() => this.dress());
    this.countdown = runCountdown(element, () => this.refetch());
    this.sizes = new ResizeObserver(() => this.fitSoon());
    this.sizes.observe(this.stage);
    this.heads = setInterval(() => document.visibilityState === "visible" && this.ask("[data-lab-head]"), HEAD_MS);
    element.addEventListener("keydown", (event) => this.onKey(event));
    const first = Math.max(1, Number(this.place.dataset.openAtFirst) || 1);
    for (let number = 1; number <= first; number += 1) this.add(number);
    this.choose(1, false);
    insertInto(this);
    document.fonts?.ready.then(() => this.fit());
  }

  build() {
    this.place = this.element.querySelector("[data-terminals]");
    this.card = this.element.querySelector("[data-explain]");
    this.tabs = new Tabs({
      most: MOST_TERMINALS,
      on: {
        choose: (number, focus = true) => this.choose(number, focus),
        add: () => this.choose(this.add(this.firstFree())),
        close: (number) => this.close(number),
      },
    });
    this.stuck = make("button", { type: "button", class: "lab-stuck", title: words.stuckWhy }, words.stuck);
    this.stuck.addEventListener("click", () => this.free());
    this.stage = make("div", { class: "lab-stage" });
    this.finder = makeFinder({
      on: {
        find: (text, options) => this.current?.screen.find(text, options),
        end: () => {
          this.current?.screen.endFind();
          this.current?.screen.focus();
        },
      },
    });
    const { row, help } = makeTools({ on: { find: () => this.finder.open(), dress: () => this.dress() } });
    this.help = help;
    this.tools = row;
    help.id = `${this.element.id}-help`;
    const bar = make("div", { class: "lab-bar" }, this.tabs.element, this.stuck);
    this.place.replaceChildren(bar, this.stage, this.finder.form, row);
    this.stage.append(this.card);
    this.map = new LabMap(this);
  }

  get current() {
    return this.shells.get(this.shown);
  }

  firstFree() {
    let number = 1;
    while (this.shells.has(number)) number += 1;
    return number;
  }

  add(number) {
    const label = this.labels.get(number) || words.terminal(number);
    const panel = make("div", { class: "lab-panel", "data-number": number });
    const canvas = make("div", { class: "lab-screen" });
    const note = make("div", { class: "lab-note", role: "status", hidden: true });
    panel.append(canvas, note);
    this.stage.append(panel);
    this.tabs.add(number, label, panel);
    this.tabs.choose(number); // xterm measures its letters, for which it must be seen
    const shell = { panel, note, label };
    shell.screen = new Screen(canvas, {
      describedBy: this.help.id,
      label,
      on: {
        data: (typed) => shell.line.type(typed),
        size: () => shell.line?.resize(),
        cursor: () => shell === this.current && this.placeCard(),
        copy: () => this.copy(),
        find: () => this.finder.open(),
        leave: (back) => this.leave(back),
      },
    });
    shell.screen.search.onDidChangeResults(({ resultIndex, resultCount }) => this.finder.tell(resultIndex + 1, resultCount));
    shell.screen.fit();
    this.shells.set(number, shell);
    this.reconnect(shell, number);
    return number;
  }

  /** A new line for a terminal, in place of the one that it had. */
  reconnect(shell, number) {
    const { screen } = shell;
    shell.line?.close();
    shell.line = new Connection({
      url: this.element.dataset.terminalsUrl,
      number,
      token: () => this.token(),
      size: () => [screen.terminal.cols, screen.terminal.rows],
      on: {
        hello: (replay) => screen.startReplay(replay),
        bytes: (bytes, shown) =>
          screen.write(bytes, () => {
            screen.replayed(bytes.length);
            shown();
          }),
        message: (frame) => this.hear(frame),
        over: (text) => this.end(text),
        state: (state, text) => {
          this.tabs.tell(number, state);
          panelState(shell, state, text, () => {
            this.reconnect(shell, number);
            screen.focus();
          });
          if (state === "refused") this.refetch();
        },
      },
    });
  }

  token() {
    return this.element.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
  }

  hear(frame) {
    if (frame.type === "changed") this.refetch();
    else if (frame.type === "explain") this.explain(frame);
    else if (frame.type === "warning") this.warn(frame.message);
  }

  /** Keep the explanation away from the line one types in. */
  placeCard() {
    placeExplanation(this.card, this.current?.screen.cursorLine);
  }

  explain(frame) {
    showExplanation(this.card, frame);
    this.placeCard();
  }

  /** Ask for the head and the checks anew; the terminals are not touched. */
  refetch() {
    clearTimeout(this.refetching);
    this.refetching = setTimeout(() => {
      this.ask("[data-lab-head], [data-lab-checks]");
      this.map.ask();
    }, REFETCH_MS);
  }

  ask(parts) {
    for (const part of this.element.querySelectorAll(parts)) window.htmx.trigger(part, "changed");
  }

  warn(message) {
    let warning = this.element.querySelector("[data-lab-warning]");
    if (!warning) {
      warning = make("p", { class: "lab-warning", role: "alert", "data-lab-warning": true });
      this.place.before(warning);
    }
    warning.textContent = message;
    this.refetch();
  }

  end(message) {
    if (this.over) return;
    this.over = true;
    insertInto(null);
    this.element.querySelector("[data-lab-warning]")?.remove();
    this.element.classList.add("over");
    const text = message || words.over;
    for (const shell of this.shells.values()) {
      shell.line.close();
      shell.screen.calm();
      shell.screen.terminal.options.disableStdin = true;
      shell.screen.terminal.options.cursorBlink = false;
      panelState(shell, "over", text, () => this.startAnew());
    }
    announce(text);
    this.refetch();
  }

  /** The head's own form starts a lab; a press that comes before the head has it waits for it. */
  startAnew() {
    const form = this.element.querySelector("form[data-lab-start]");
    this.wantsAnew = !form;
    if (form) form.requestSubmit();
    else this.ask("[data-lab-head]");
  }

  choose(number, focus = true) {
    this.shown = number;
    this.tabs.choose(number);
    this.fit();
    this.placeCard();
    if (focus) this.current?.screen.focus();
  }

  close(number) {
    const shell = this.shells.get(number);
    if (!shell || this.shells.size < 2) return;
    shell.line.close();
    shell.screen.dispose();
    shell.panel.remove();
    this.shells.delete(number);
    this.tabs.remove(number);
    if (this.shown === number) this.choose(this.tabs.numbers.at(-1));
  }

  async free() {
    const { screen } = this.current;
    const headers = { "X-CSRFToken": this.token(), Accept: "application/json" };
    const url = `${this.element.dataset.terminalsUrl}${this.shown}/free/`;
    this.stuck.setAttribute("aria-disabled", "true");
    let message = words.notFreed;
    try {
      const signal = AbortSignal.timeout(FREE_MS);
      const reply = await fetch(url, { method: "POST", headers, credentials: "same-origin", signal });
      message = (await reply.json()).message ?? message;
    } catch {
      // the sentence above says so
    }
    this.stuck.removeAttribute("aria-disabled");
    screen.calm();
    screen.focus();
    this.flash(message);
  }

  /** A sentence over the shown terminal for a while. */
  flash(text) {
    const { panel, note } = this.current;
    if (panel.dataset.state !== "open") return;
    note.replaceChildren(text);
    note.hidden = false;
    clearTimeout(this.flashing);
    this.flashing = setTimeout(() => panel.dataset.state === "open" && (note.hidden = true), FLASH_MS);
  }

  insert(command) {
    this.element.dispatchEvent(new CustomEvent("naru:lab-wanted", { bubbles: true }));
    const whole = this.current.screen.insert(command);
    this.current.screen.focus();
    if (whole) announce(words.inserted);
    else this.flash(words.firstLine);
  }

  async copy() {
    const text = this.current.screen.selection;
    if (text) this.flash((await copyText(text)) ? words.copied : words.copyFailed);
    this.current.screen.focus();
  }

  /** Out of the terminal by keyboard: on to the tools, or back to the tabs. */
  leave(back) {
    if (back) this.tabs.focus();
    else if (this.finder.form.hidden) this.tools.querySelector("button").focus();
    else this.finder.open();
    announce(words.left);
  }

  onKey(event) {
    if (event.code !== "F6" || event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    this.map.makeRoom();
    this.current?.screen.focus();
  }

  fitSoon() {
    clearTimeout(this.fitting);
    this.fitting = setTimeout(() => this.fit(), FIT_MS);
  }

  fit() {
    this.current?.screen.fit();
  }

  dress() {
    for (const { screen } of this.shells.values()) screen.dress();
  }

  /** New fragments came: their clocks run, their commands can be inserted. */
  refresh(root) {
    this.countdown.tick();
    addInsertButtons(root);
    for (const button of this.element.querySelectorAll("[data-lab-close]")) button.hidden = false;
    showState(this.element);
    if (this.wantsAnew && this.element.querySelector("form[data-lab-start]")) this.startAnew();
  }

  focus() {
    this.current?.screen.focus();
  }

  dispose() {
    clearTimeout(this.refetching);
    clearTimeout(this.fitting);
    clearTimeout(this.flashing);
    clearInterval(this.heads);
    this.map.dispose();
    this.countdown.stop();
    this.unfollow();
    this.sizes.disconnect();
    insertInto(null);
    for (const { line, screen } of this.shells.values()) {
      line.close();
      screen.dispose();
    }
    this.shells.clear();
  }
}

/** What lies over a terminal that is not connected, and the way on from there. */
function panelState({ panel, note }, state, text, goOn) {
  panel.dataset.state = state;
  const says = { connecting: words.connecting, lost: words.lost, open: "" }[state] ?? (text || words.refused);
  note.hidden = !says;
  note.replaceChildren(says);
  const way = { refused: words.again, over: words.fresh }[state];
  if (!way) return;
  const button = make("button", { type: "button", class: "primary" }, way);
  button.addEventListener("click", goOn);
  note.append(" ", button);
}
