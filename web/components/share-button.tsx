/** Copies a link that carries the workflow. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { LONGEST_LINK, packWorkflow } from "../lib/share.ts";
import { ENTRY } from "../lib/sources.ts";
import { address } from "../state/router.ts";
import { chosenTask, fieldTexts, sources } from "../state/workflow.ts";
import { Icon } from "./icons.tsx";

/** The button, and what became of it. */
export function ShareButton(): JSX.Element {
  const [note, setNote] = useState<string | undefined>(undefined);
  const [link, setLink] = useState<string | undefined>(undefined);
  const share = async (): Promise<void> => {
    const task = chosenTask.value;
    const { [ENTRY]: source = "", ...files } = sources.value;
    const text = await packWorkflow({ source, files, task, texts: fieldTexts.get(task) ?? {} });
    const url = new URL(address(["share", text]), location.href).href;
    if (url.length > LONGEST_LINK) return setNote("The workflow is too large for a link.");
    setLink(undefined);
    try {
      await navigator.clipboard.writeText(url);
      setNote("Link copied");
    } catch {
      // Without the permission the user copies it.
      setNote("Copy this link:");
      setLink(url);
    }
  };
  return (
    <>
      <span class="share-note" role="status">
        {note}
        {link !== undefined && (
          <input
            readOnly
            class="share-link"
            aria-label="Link to the workflow"
            value={link}
            onFocus={(event) => event.currentTarget.select()}
          />
        )}
      </span>
      <button type="button" class="button quiet" onClick={() => void share()}>
        <Icon name="share" /> Share
      </button>
    </>
  );
}
