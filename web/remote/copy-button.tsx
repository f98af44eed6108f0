/** Puts a text into the clipboard. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";

/** The button, which says what became of it. */
export function CopyButton({ text, label }: { text: string; label: string }): JSX.Element {
  const [note, setNote] = useState("");
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setNote("Copied");
    } catch {
      setNote("The browser does not allow it; copy it by hand.");
    }
  };
  return (
    <>
      <button type="button" class="button" onClick={() => void copy()}>
        {label}
      </button>
      <span role="status">{note}</span>
    </>
  );
}
