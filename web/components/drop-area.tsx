/** A place for files and folders: drop them, or choose them in a dialogue. */
import type { ComponentChildren, JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import type { PickedItem } from "../../src/browser/engine-api.ts";
import { errorText } from "../lib/errors.ts";
import { chooseFiles, chooseFolder, droppedItems, itemsOfInput } from "../lib/given.ts";
import { keepsCopies, setKeepsCopies, takeItems } from "../state/files.ts";
import { Icon } from "./icons.tsx";

/** What a place takes. */
export type Taken = "file" | "files" | "folder" | "all";

const HINTS: Readonly<Record<Taken, string>> = {
  file: "or drop it here",
  files: "or drop them here",
  folder: "or drop it here",
  all: "or drop them here",
};

/** The place. What it surrounds is shown above its buttons. */
export function DropArea({
  takes,
  folder,
  onTaken,
  label,
  class: className,
  more,
  children,
}: {
  takes: Taken;
  /** Folder of the storage to copy to. Without it the user decides whether there is to be a copy. */
  folder?: string | undefined;
  /** Told the paths of what was taken. */
  onTaken?: (paths: readonly string[]) => void;
  label: string;
  class: string;
  /** Further ways to a file. */
  more?: ComponentChildren;
  children?: ComponentChildren;
}): JSX.Element {
  const [isOver, setOver] = useState(false);
  const [error, setError] = useState<string | undefined>(undefined);
  const files = useRef<HTMLInputElement>(null);
  const folders = useRef<HTMLInputElement>(null);
  const take = async (
    given: Promise<PickedItem[] | undefined>,
    input?: HTMLInputElement | null,
  ): Promise<void> => {
    try {
      const items = await given;
      if (items === undefined) return void input?.click();
      const paths = await takeItems(fitting(items, takes), folder);
      if (paths.length > 0) onTaken?.(paths);
      setError(undefined);
    } catch (failure) {
      setError(errorText(failure));
    }
  };
  const fromInput = (event: { currentTarget: HTMLInputElement }): void => {
    void take(Promise.resolve(itemsOfInput(event.currentTarget)));
    event.currentTarget.value = "";
  };
  const asFolderInput = (element: HTMLInputElement | null): void => {
    folders.current = element;
    if (element !== null) element.webkitdirectory = true;
  };
  const isMany = takes === "files" || takes === "all";
  return (
    <div
      class={`${className} ${isOver ? "over" : ""}`}
      role="group"
      aria-label={label}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        if (event.dataTransfer !== null) void take(droppedItems(event.dataTransfer));
      }}
    >
      {children}
      <div class="file-actions">
        {takes !== "folder" && (
          <button
            type="button"
            class="button small"
            onClick={() => void take(chooseFiles(isMany), files.current)}
          >
            <Icon name="file" /> {isMany ? "Choose files" : "Choose a file"}
          </button>
        )}
        {(takes === "folder" || takes === "all") && (
          <button
            type="button"
            class="button small"
            onClick={() => void take(chooseFolder(), folders.current)}
          >
            <Icon name="folder" /> Choose a folder
          </button>
        )}
        <span class="hint">{HINTS[takes]}</span>
        {more}
        {folder === undefined && (
          <label class="check hint" title="Without a copy they are read where they are, however large.">
            <input
              type="checkbox"
              checked={keepsCopies.value}
              onChange={(event) => setKeepsCopies(event.currentTarget.checked)}
            />
            Keep a copy in this browser
          </label>
        )}
      </div>
      <input ref={files} type="file" hidden multiple={isMany} onChange={fromInput} />
      <input ref={asFolderInput} type="file" hidden onChange={fromInput} />
      {error !== undefined && (
        <p class="field-error" role="alert">
          {error}
        </p>
      )}
    </div>
  );
}

/** What a place takes of what it was given. @throws if it takes nothing of the kind */
function fitting(items: readonly PickedItem[], takes: Taken): readonly PickedItem[] {
  if (takes === "all") return items;
  const wanted = takes === "folder" ? "folder" : "file";
  const found = items.filter(({ kind }) => kind === wanted);
  if (found.length === 0 && items.length > 0)
    throw new Error(wanted === "folder" ? "This takes a folder." : "This takes files, not folders.");
  return takes === "files" ? found : found.slice(0, 1);
}
