// "터미널에 넣기" beside commands: puts them on the line of the shown terminal, for the learner to run.

import { all, announce, make } from "../dom.js";
import { words } from "./words.js";

let target = null; // the dock whose terminal takes commands

/** Give the page's commands buttons that insert into `dock`; null takes the buttons away. */
export function insertInto(dock) {
  target = dock;
  document.body.classList.toggle("can-insert", dock !== null);
  if (dock) addInsertButtons(document);
}

export function addInsertButtons(root) {
  if (!target) return;
  for (const code of all(root, ".prose pre code, .prompt pre code")) if (code.querySelector(".gp")) dressSession(code);
  for (const code of all(root, ".facts-table code[data-copy]")) {
    const frame = code.closest(".copy-host") ?? code.parentElement;
    if (!frame.querySelector(".insert")) frame.append(insertButton(() => code.textContent, code.textContent));
  }
}

export function insertButton(command, name) {
  const button = make("button", { type: "button", class: "insert", "aria-label": words.insertName(name.split("\n")[0]) }, words.insert);
  button.addEventListener("click", () => {
    if (target) target.insert(command());
    else announce(words.noTerminal);
  });
  return button;
}

/** A session as Pygments marks it: prompts (.gp) begin commands, output (.go) ends them. */
function dressSession(code) {
  if (code.querySelector(".insert")) return;
  for (const { command, last } of commandsOf(code)) {
    const button = insertButton(() => command, command);
    // Before the line's end, so that it stands beside the command and not under it.
    if (last.nodeType === Node.TEXT_NODE && last.data.endsWith("\n")) {
      last.splitText(last.data.replace(/\n+$/, "").length);
    }
    last.after(button);
  }
}

/** [{command, last: the node in which it ends}] */
function commandsOf(code) {
  const found = [];
  let open = null;
  const close = () => {
    const command = open?.text.replace(/\s+$/, "");
    if (command) found.push({ command, last: open.last });
    open = null;
  };
  for (const node of [...code.childNodes]) {
    if (node.nodeType === Node.ELEMENT_NODE && node.matches(".gp")) {
      const continues = open && /^\s*>\s*$/.test(node.textContent) && /\\\s*$/.test(open.text);
      if (!continues) {
        close();
        open = { text: "", last: null };
      }
    } else if (node.nodeType === Node.ELEMENT_NODE && node.matches(".go")) close();
    else if (open && node.textContent) {
      open.text += node.textContent;
      if (node.textContent.trim()) open.last = node;
    }
  }
  close();
  return found;
}
