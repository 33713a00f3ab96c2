// Text that comes by an input method: Korean syllables, dead keys, keyboards of phones.
//
// xterm guesses what was typed from key presses and timers, and doubles or loses a syllable where a browser
// orders them otherwise. Here only the text field counts: a composition is sent once, when it ends, as the
// field then holds it; everything else that no key press has sent is sent when the field changes.

const PROCESSED = 229; // key code of a press that the input method has taken
const MODIFIERS = new Set(["Shift", "Control", "Alt", "Meta", "CapsLock", "HangulMode", "HanjaMode", "Process"]);
const DELETE = "\x7f";

/** Take over the text field of an opened terminal. send(text) gets what was typed. */
export function takeInput(terminal, { send }) {
  const field = terminal.textarea;
  const host = terminal.element;
  const shown = document.createElement("div");
  shown.className = "composing";
  shown.setAttribute("aria-hidden", "true");
  shown.hidden = true;
  host.append(shown);

  let composing = false;
  let sentByKey = null; // what xterm has sent for this key press itself
  let before = 0; // characters of the field before what is being typed …
  let after = 0; // … and behind it

  const mark = () => {
    before = field.selectionStart;
    after = field.value.length - field.selectionEnd;
  };
  const typed = () => field.value.slice(before, Math.max(before, field.value.length - after));
  const sendTyped = (fallback = "") => {
    const text = typed() || fallback;
    mark();
    if (text) send(text.replace(/\r?\n/g, "\r"));
  };
  const place = () => {
    const screen = host.querySelector(".xterm-screen");
    const { cursorX, cursorY, viewportY, baseY } = terminal.buffer.active;
    const wide = screen.clientWidth / terminal.cols;
    const high = screen.clientHeight / terminal.rows;
    const left = Math.min(cursorX, terminal.cols - 1) * wide;
    shown.style.left = `${screen.offsetLeft + left}px`;
    shown.style.top = `${screen.offsetTop + (cursorY + baseY - viewportY) * high}px`;
    shown.style.maxWidth = `${screen.clientWidth - left}px`;
    shown.style.font = `${terminal.options.fontSize}px/${high}px ${terminal.options.fontFamily}`;
  };
  const end = (text) => {
    if (!composing) return;
    composing = false;
    shown.hidden = true;
    sendTyped(text);
  };

  const handlers = {
    keydown(event) {
      sentByKey = null;
      if (event.keyCode === PROCESSED || MODIFIERS.has(event.key)) {
        event.stopPropagation(); // the field will tell
        if (!composing && event.keyCode === PROCESSED && field.selectionStart !== field.selectionEnd) field.value = "";
        return;
      }
      if (!composing) return;
      // A key that the input method let pass: the syllable goes first. Leaving the field ends it.
      field.blur();
      field.focus({ preventScroll: true });
      end("");
    },
    compositionstart(event) {
      event.stopPropagation();
      composing = true;
      mark();
      shown.textContent = "";
    },
    compositionupdate(event) {
      event.stopPropagation();
      shown.textContent = event.data;
      shown.hidden = !event.data;
      place();
      terminal.scrollToBottom();
    },
    compositionend(event) {
      event.stopPropagation();
      end(event.data);
    },
    beforeinput(event) {
      if (!composing) mark();
      if (!composing && event.inputType === "deleteContentBackward" && sentByKey === null) {
        event.preventDefault();
        send(DELETE);
      }
    },
    input(event) {
      event.stopPropagation();
      if (composing || event.isComposing) return;
      const sent = sentByKey !== null && (event.data === null || event.data === sentByKey);
      if (sent || event.inputType.startsWith("delete")) mark();
      else sendTyped();
    },
  };
  for (const [name, handle] of Object.entries(handlers)) {
    host.addEventListener(name, (event) => event.target === field && handle(event), true);
  }
  terminal.onKey(({ key }) => {
    sentByKey = key;
    setTimeout(() => (sentByKey = null)); // what the press itself puts into the field comes before that
  });
}
