/** The files of the workflow in the editor: which is shown, and how they are added, renamed and removed. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ENTRY, fileNames, nameProblem } from "../lib/sources.ts";
import { addSource, openFile, removeSource, renameSource, showFile, sources } from "../state/workflow.ts";
import { Icon } from "./icons.tsx";

/** What is being asked about. */
type Question = "add" | "rename" | "remove" | undefined;

/** The tabs. */
export function FileTabs(): JSX.Element {
  const [question, setQuestion] = useState<Question>(undefined);
  const names = fileNames(sources.value);
  const open = openFile.value;
  const end = (): void => setQuestion(undefined);
  return (
    <div class="file-tabs">
      <div class="file-tab-list" role="tablist" aria-label="Files of the workflow">
        {names.map((name, i) => (
          <button
            key={name}
            type="button"
            role="tab"
            aria-selected={name === open}
            tabIndex={name === open ? 0 : -1}
            class="file-tab mono"
            onClick={() => {
              end();
              showFile(name);
            }}
            onKeyDown={(event) => {
              const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
              if (step === undefined) return;
              const next = names[(i + step + names.length) % names.length]!;
              showFile(next);
              const tabs = event.currentTarget.parentElement!.children;
              (tabs[names.indexOf(next)] as HTMLElement).focus();
            }}
          >
            {name}
          </button>
        ))}
      </div>
      {question === undefined && (
        <button type="button" class="button quiet small" onClick={() => setQuestion("add")}>
          <span aria-hidden="true">+</span>
          <span class="visually-hidden">Add a file</span>
        </button>
      )}
      {question === undefined && open !== ENTRY && (
        <>
          <span class="spacer" />
          <button type="button" class="button quiet small" onClick={() => setQuestion("rename")}>
            Rename
          </button>
          <button type="button" class="button quiet small" onClick={() => setQuestion("remove")}>
            <Icon name="trash" /> <span class="visually-hidden">Remove</span>
          </button>
        </>
      )}
      {question === "add" && <NameForm initial="" action="Add" onName={addSource} onEnd={end} />}
      {question === "rename" && <NameForm initial={open} action="Rename" onName={renameSource} onEnd={end} />}
      {question === "remove" && (
        <span class="toolbar">
          <span>Remove {open}?</span>
          <button
            type="button"
            class="button danger small"
            onClick={() => {
              end();
              removeSource();
            }}
          >
            Remove it
          </button>
          <button type="button" class="button small" onClick={end}>
            Keep it
          </button>
        </span>
      )}
    </div>
  );
}

function NameForm({
  initial,
  action,
  onName,
  onEnd,
}: {
  initial: string;
  action: string;
  onName: (name: string) => void;
  onEnd: () => void;
}): JSX.Element {
  const [name, setName] = useState(initial);
  const [problem, setProblem] = useState<string | undefined>(undefined);
  return (
    <form
      class="toolbar"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        const { [initial]: _, ...others } = sources.value;
        const found = nameProblem(name.trim(), others);
        setProblem(found);
        if (found !== undefined) return;
        onEnd();
        onName(name.trim());
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape") onEnd();
      }}
    >
      <input
        type="text"
        aria-label="Name of the file"
        aria-invalid={problem !== undefined}
        placeholder="helper.ts"
        autocomplete="off"
        spellcheck={false}
        value={name}
        ref={(element) => {
          if (element !== null && document.activeElement === document.body) element.focus();
        }}
        onInput={(event) => setName(event.currentTarget.value)}
      />
      <button type="submit" class="button small">
        {action}
      </button>
      <button type="button" class="button quiet small" onClick={onEnd}>
        Cancel
      </button>
      {problem !== undefined && (
        <span class="field-error" role="alert">
          {problem}
        </span>
      )}
    </form>
  );
}
