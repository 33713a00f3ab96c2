// The code editor (CodeMirror 6), loaded when an exercise comes near.

import { closeBrackets, closeBracketsKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { json } from "@codemirror/lang-json";
import { python } from "@codemirror/lang-python";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, indentOnInput, indentUnit, StreamLanguage, syntaxHighlighting } from "@codemirror/language";
import { dockerFile } from "@codemirror/legacy-modes/mode/dockerfile";
import { shell } from "@codemirror/legacy-modes/mode/shell";
import { EditorState, Prec } from "@codemirror/state";
import {
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { classHighlighter } from "@lezer/highlight";

const LANGUAGES = {
  python: () => [python(), indentUnit.of("    ")],
  yaml: () => [yaml(), indentUnit.of("  ")],
  json: () => [json(), indentUnit.of("  ")],
  dockerfile: () => [StreamLanguage.define(dockerFile), indentUnit.of("    ")],
  shell: () => [StreamLanguage.define(shell), indentUnit.of("  ")],
};

// Only what must differ from CodeMirror's own defaults; colours live in the style sheet, by class name.
const look = EditorView.theme({
  "&": { color: "inherit", backgroundColor: "transparent" },
  ".cm-scroller": { fontFamily: "inherit", lineHeight: "inherit" },
  ".cm-content": { caretColor: "currentColor" },
  ".cm-line": { padding: "0 1rem 0 0.75rem" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "transparent" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "rgb(90 160 160 / 0.3)" },
  "&.cm-focused .cm-nonmatchingBracket": { backgroundColor: "rgb(200 80 70 / 0.3)" },
});

/**
 * An editor in `parent`. onChange(text) after every change, also by setText; onEscape() when the learner
 * wants out. `nonce` allows the style element that CodeMirror makes. Returns {setText, focus, measure}.
 */
export function createEditor({ parent, text, selection, language, editable, label, describedBy, nonce, onChange, onEscape }) {
  const attributes = { "aria-label": label, spellcheck: "false", autocapitalize: "off" };
  if (describedBy) attributes["aria-describedby"] = describedBy;
  if (!editable) attributes["aria-readonly"] = "true";
  const escape = [{ key: "Escape", run: () => (onEscape(), true) }];
  const writing = editable
    ? [
        history(),
        indentOnInput(),
        closeBrackets(),
        highlightActiveLine(),
        highlightActiveLineGutter(),
        keymap.of([...closeBracketsKeymap, ...historyKeymap, indentWithTab]),
      ]
    : EditorState.readOnly.of(true);
  // CodeMirror counts a line end as one character, as a textarea's selection does.
  const state = EditorState.create({
    doc: text,
    selection: { anchor: selection[0], head: selection[1] },
    extensions: [
      nonce ? EditorView.cspNonce.of(nonce) : [],
      Prec.highest(keymap.of(escape)),
      lineNumbers(),
      highlightSpecialChars(),
      bracketMatching(),
      EditorState.tabSize.of(4),
      writing,
      keymap.of(defaultKeymap),
      LANGUAGES[language]?.() ?? [],
      syntaxHighlighting(classHighlighter),
      look,
      EditorState.phrases.of({ "Control character": "제어 문자" }),
      EditorView.contentAttributes.of(attributes),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) onChange(update.state.doc.toString());
      }),
    ],
  });
  const view = new EditorView({ state, parent });
  return {
    setText: (next) =>
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next }, selection: { anchor: 0 } }),
    focus: () => view.focus(),
    measure: () => view.requestMeasure(),
  };
}
