/** CodeMirror with what a workflow needs of it. */
import { javascript } from "@codemirror/lang-javascript";
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, setDiagnostics } from "@codemirror/lint";
import { EditorState, Prec } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { basicSetup } from "codemirror";
import type { BuildPlace } from "../lib/errors.ts";

/** An editor that is on the page. */
export interface Editor {
  /** Replaces the text, if it is another. */
  setText(text: string): void;
  /** Marks where a build failed, or nothing. */
  setProblem(problem: BuildPlace | undefined): void;
  destroy(): void;
}

/** Options of {@link createEditor}. */
export interface EditorOptions {
  readonly text: string;
  readonly label: string;
  readonly readOnly: boolean;
  readonly onEdit: (text: string) => void;
  readonly onRun: () => void;
}

const highlighting = HighlightStyle.define([
  { tag: [tags.comment, tags.docComment], color: "var(--code-comment)" },
  {
    tag: [tags.keyword, tags.operatorKeyword, tags.modifier, tags.controlKeyword],
    color: "var(--code-keyword)",
  },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], color: "var(--code-string)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--code-number)" },
  { tag: [tags.typeName, tags.className, tags.namespace], color: "var(--code-type)" },
  {
    tag: [tags.function(tags.variableName), tags.function(tags.propertyName)],
    color: "var(--code-function)",
  },
]);

const theme = EditorView.theme({
  "&": { height: "100%", fontSize: "13px", backgroundColor: "var(--surface)", color: "var(--text)" },
  // The element around it shows the focus, as the gutter would cover half of an outline.
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55" },
  ".cm-content": { caretColor: "var(--text)", padding: "8px 0" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-gutters": { backgroundColor: "var(--surface)", color: "var(--muted)", border: "none" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--hover)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    background: "var(--selection)",
  },
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": { backgroundColor: "var(--selection)" },
  ".cm-selectionMatch": { backgroundColor: "var(--selection)" },
  ".cm-panels, .cm-tooltip": {
    backgroundColor: "var(--raised)",
    color: "var(--text)",
    border: "1px solid var(--border)",
  },
  ".cm-foldPlaceholder": { backgroundColor: "var(--hover)", color: "var(--muted)", border: "none" },
  ".cm-lint-marker": { width: "0.9em", height: "0.9em" },
  ".cm-gutter-lint": { width: "1.2em" },
});

/** Puts an editor into the shadow tree of an element. */
export function createEditor(host: HTMLElement, options: EditorOptions): Editor {
  const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  let isSetting = false;
  const run = (): boolean => {
    options.onRun();
    return true;
  };
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: options.text,
      extensions: [
        Prec.highest(keymap.of([{ key: "Mod-Enter", run }])),
        basicSetup,
        lintGutter(),
        javascript({ typescript: true }),
        syntaxHighlighting(highlighting),
        theme,
        EditorState.readOnly.of(options.readOnly),
        EditorState.tabSize.of(2),
        EditorView.contentAttributes.of({ "aria-label": options.label, tabindex: "0" }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged && !isSetting) options.onEdit(update.state.doc.toString());
        }),
      ],
    }),
  });
  view.scrollDOM.tabIndex = -1;
  return {
    setText(text) {
      if (text === view.state.doc.toString()) return;
      isSetting = true;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
      isSetting = false;
    },
    setProblem(problem) {
      view.dispatch(
        setDiagnostics(view.state, problem === undefined ? [] : [diagnostic(view.state, problem)]),
      );
    },
    destroy: () => view.destroy(),
  };
}

function diagnostic(
  { doc }: EditorState,
  { line, column, text }: BuildPlace,
): { from: number; to: number; severity: "error"; message: string } {
  const at = doc.line(Math.min(Math.max(line, 1), doc.lines));
  const from = Math.min(at.from + column - 1, at.to);
  return { from, to: Math.min(from + 1, at.to), severity: "error", message: text };
}
