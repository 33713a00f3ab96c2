// One terminal's screen: xterm with what a learner's keys, pastes and eyes need.

import { FitAddon } from "@xterm/addon-fit";
import { SearchAddon } from "@xterm/addon-search";
import { Unicode11Addon } from "@xterm/addon-unicode11";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { Terminal } from "@xterm/xterm";

import { prefersStillness } from "../dom.js";
import { coloursOfPage, searchMarks } from "./colours.js";
import { takeInput } from "./ime.js";
import { allowCellStyles, withNonce } from "./nonce.js";
import { settings } from "./settings.js";
import { words } from "./words.js";

const SCROLLBACK = 5000; // lines
// Not of this machine: what a lab serves cannot be reached from the learner's browser.
const LINKS = /https?:\/\/(?!localhost\b|127\.|0\.0\.0\.0|10\.|172\.|192\.168\.|[^\s/]*\.naru\b|[^\s/.]+[:/])[^\s"'!*(){}|\\^<>`]*[^\s"':,.!?{}|\\^~[\]`()<>]/i;
// Ends what full-screen programs switched on: mouse, hidden cursor, colours, line drawing, application keys.
const CALM = "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1004l\x1b[?2004l\x1b[?25h\x1b[?1l\x1b[?7h\x1b>\x1b[0m\x1b(B\x1b[!p";

allowCellStyles();

const openLink = (event, address) => {
  if (LINKS.test(address) && confirm(words.openLink(address))) window.open(address, "_blank", "noopener,noreferrer");
};

/** Without what could pose as the end of the paste or as a key. */
const harmless = (text) => text.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g, "");

/**
 * A terminal in `parent`. on.data(text or bytes) gets what was typed, on.copy() and on.leave(back) and on.find() the keys
 * for them, on.size(columns, rows) each new size, on.cursor() when the cursor may stand on another line.
 */
export class Screen {
  constructor(parent, { describedBy, label, on }) {
    this.parent = parent;
    this.replaying = 0;
    this.terminal = new Terminal({
      allowProposedApi: true, // Unicode widths and the marks of the search
      cursorBlink: !prefersStillness(),
      fontFamily: getComputedStyle(document.documentElement).getPropertyValue("--mono").trim() || "monospace",
      fontSize: settings.size,
      lineHeight: 1.25,
      linkHandler: { activate: openLink },
      minimumContrastRatio: 4.5,
      screenReaderMode: settings.reader,
      scrollback: SCROLLBACK,
      theme: coloursOfPage(),
    });
    this.fitting = new FitAddon();
    this.search = new SearchAddon();
    this.terminal.loadAddon(this.fitting);
    this.terminal.loadAddon(this.search);
    this.terminal.loadAddon(new Unicode11Addon());
    this.terminal.loadAddon(new WebLinksAddon(openLink, { urlRegex: LINKS }));
    this.terminal.unicode.activeVersion = "11"; // as glibc counts: Hangul and emoji take two cells
    withNonce(() => this.terminal.open(parent));
    const field = this.terminal.textarea;
    field.setAttribute("aria-label", label);
    field.setAttribute("aria-describedby", describedBy);
    takeInput(this.terminal, { send: (text) => this.terminal.input(text, true) });
    this.terminal.onData((text) => this.replaying || on.data(text));
    this.terminal.onBinary((text) => this.replaying || on.data(Uint8Array.from(text, (byte) => byte.charCodeAt(0))));
    this.terminal.onResize(({ cols, rows }) => on.size(cols, rows));
    this.terminal.onRender(() => on.cursor());
    this.terminal.attachCustomKeyEventHandler((event) => this.onKey(event, on));
    this.terminal.element.addEventListener("paste", (event) => this.onPaste(event), true);
  }

  /** False: xterm leaves the key alone. */
  onKey(event, on) {
    if (event.type !== "keydown") return true;
    const plain = !event.ctrlKey && !event.altKey && !event.metaKey;
    const both = event.ctrlKey && event.shiftKey && !event.altKey && !event.metaKey;
    let act = null;
    if (event.code === "F6" && plain) act = () => on.leave(event.shiftKey);
    else if (both && event.code === "KeyC") act = on.copy;
    else if (both && event.code === "KeyF") act = on.find;
    else if (both && event.code === "KeyV") return false; // the browser pastes
    if (!act) return true;
    event.preventDefault();
    act();
    return false;
  }

  onPaste(event) {
    event.preventDefault();
    event.stopPropagation();
    this.paste(event.clipboardData?.getData("text/plain") ?? "");
  }

  /** As typed at once, without running it where the shell knows pastes. */
  paste(text) {
    this.terminal.paste(harmless(text));
  }

  /** Put a command on the line and leave it there. Returns whether all of it fitted. */
  insert(command) {
    const lines = harmless(command).replace(/\s+$/, "");
    const whole = this.terminal.modes.bracketedPasteMode || !lines.includes("\n");
    this.terminal.paste(whole ? lines : lines.split("\n")[0]);
    return whole;
  }

  /** Show bytes; `done` runs once they are on the screen. */
  write(bytes, done) {
    this.terminal.write(bytes, done);
  }

  /** What comes next, `bytes` long, has been on the screen before: programs that asked then are not answered again. */
  startReplay(bytes) {
    this.terminal.reset();
    this.replaying = bytes;
  }

  replayed(bytes) {
    this.replaying = Math.max(0, this.replaying - bytes);
  }

  /** As a shell wants it, whatever a program left behind. */
  calm() {
    if (this.terminal.buffer.active.type === "alternate") this.terminal.write("\x1b[?1049l");
    this.terminal.write(CALM);
    this.terminal.scrollToBottom();
  }

  fit() {
    if (this.parent.clientWidth < 40 || this.parent.clientHeight < 20) return;
    this.fitting.fit();
  }

  dress() {
    this.terminal.options.theme = coloursOfPage();
    this.terminal.options.fontSize = settings.size;
    this.terminal.options.screenReaderMode = settings.reader;
    this.fit();
  }

  find(text, { back = false, typing = false } = {}) {
    const options = { decorations: searchMarks(), incremental: typing };
    return back ? this.search.findPrevious(text, options) : this.search.findNext(text, options);
  }

  endFind() {
    this.search.clearDecorations();
    this.terminal.clearSelection();
  }

  /** Where the line of the cursor stands in the window: {top, bottom}; null while it is scrolled out of sight. */
  get cursorLine() {
    const { baseY, cursorY, viewportY } = this.terminal.buffer.active;
    const row = baseY + cursorY - viewportY;
    const rows = this.terminal.element.querySelector(".xterm-rows")?.getBoundingClientRect();
    if (!rows || row >= this.terminal.rows) return null;
    const height = rows.height / this.terminal.rows;
    return { top: rows.top + row * height, bottom: rows.top + (row + 1) * height };
  }

  get selection() {
    return this.terminal.getSelection();
  }

  focus() {
    this.terminal.focus();
  }

  dispose() {
    this.terminal.dispose();
  }
}
