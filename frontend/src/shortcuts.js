// Ctrl+Enter (Cmd+Enter) grades from anywhere in an exercise, also while a syllable is being composed.

const SETTLE_MS = 40; // editors take in the finished syllable a moment after compositionend
const COMMIT_MS = 250; // an input method that does not end its syllable by then is asked to by blur
const AGAIN_MS = 500; // some input methods send the same key press twice

let composing = null; // the element in which a syllable is being composed
let waiting = false;
let lastPress = -AGAIN_MS;

export function listenForShortcuts() {
  document.addEventListener("compositionstart", ({ target }) => (composing = target), true);
  document.addEventListener("compositionend", () => (composing = null), true);
  document.addEventListener("keydown", onKey, true);
}

function onKey(event) {
  const enter = event.code === "Enter" || event.code === "NumpadEnter" || event.key === "Enter";
  if (!enter || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
  const button = event.target.closest?.("[data-exercise]")?.querySelector("[data-grade]");
  if (!button) return;
  event.preventDefault();
  event.stopPropagation();
  if (event.repeat || waiting || event.timeStamp - lastPress < AGAIN_MS) return;
  lastPress = event.timeStamp;
  if (composing || event.isComposing) whenComposed(() => button.click());
  else button.click();
}

/** Run once the syllable under way is in the text. */
function whenComposed(go) {
  waiting = true;
  const finish = () => {
    clearTimeout(patience);
    document.removeEventListener("compositionend", finish, true);
    setTimeout(() => {
      waiting = false;
      go();
    }, SETTLE_MS);
  };
  const patience = setTimeout(() => {
    const element = document.activeElement;
    element?.blur(); // ends the composition, keeping its text
    element?.focus({ preventScroll: true });
    if (waiting) finish();
  }, COMMIT_MS);
  document.addEventListener("compositionend", finish, true);
}
