/** The editor of a workflow's source. */
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { BuildPlace } from "../lib/errors.ts";
import { createEditor, type Editor } from "./editor-setup.ts";

/** What the editor shows, and whom it tells. */
export interface SourceEditorProps {
  readonly text: string;
  /** Changes when the text was set by something else than the editor. What the user types is never put back. */
  readonly revision?: number;
  readonly label: string;
  readonly problem: BuildPlace | undefined;
  readonly readOnly?: boolean;
  readonly onEdit?: (text: string) => void;
  readonly onRun?: () => void;
}

/** CodeMirror, in a shadow tree: it makes its styles at run time, which the page's policy allows there only. */
export function SourceEditor(props: SourceEditorProps): JSX.Element {
  const host = useRef<HTMLDivElement>(null);
  const editor = useRef<Editor>(undefined);
  const latest = useRef(props);
  latest.current = props;
  useEffect(() => {
    const { text, label, readOnly = false } = latest.current;
    editor.current = createEditor(host.current!, {
      text,
      label,
      readOnly,
      onEdit: (changed) => latest.current.onEdit?.(changed),
      onRun: () => latest.current.onRun?.(),
    });
    return () => editor.current?.destroy();
  }, []);
  useEffect(() => editor.current?.setText(latest.current.text), [props.revision]);
  useEffect(() => editor.current?.setProblem(props.problem), [props.problem]);
  return <div class="editor" ref={host} />;
}
