/** A field for files: pick them, drop them, or name one that is here or on the Web. */
import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { errorText } from "../lib/errors.ts";
import { addFiles, FILES_ROOT, fileChanges, listFiles } from "../state/files.ts";
import { useResource } from "../state/resource.ts";
import { openExample } from "../state/workflow.ts";
import type { FieldProps } from "./argument-form.tsx";
import { Icon } from "./icons.tsx";

/** The field. A list has one path a line. */
export function FileField({
  text,
  onText,
  id,
  describedBy,
  isInvalid,
  isList,
}: FieldProps & { isList: boolean }): JSX.Element {
  const [isOver, setOver] = useState(false);
  const [error, setError] = useState<string | undefined>(undefined);
  const picker = useRef<HTMLInputElement>(null);
  const take = async (files: readonly File[]): Promise<void> => {
    setError(undefined);
    try {
      const paths = await addFiles(isList ? files : files.slice(0, 1));
      if (paths.length > 0) onText(isList ? [...(text ? [text] : []), ...paths].join("\n") : paths[0]!);
    } catch (failure) {
      setError(errorText(failure));
    }
  };
  const sample = openExample()?.sample;
  const known = useResource(`files ${fileChanges.value}`, () => listFiles(FILES_ROOT), { keep: true });
  const common = { id, "aria-describedby": describedBy, "aria-invalid": isInvalid, spellcheck: false };
  const set = (value: string): void => onText(value === "" ? undefined : value);
  return (
    <div
      class={`file-field ${isOver ? "over" : ""}`}
      role="group"
      aria-label="File"
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        void take([...(event.dataTransfer?.files ?? [])]);
      }}
    >
      {isList ? (
        <textarea
          {...common}
          rows={3}
          placeholder="One path or address a line"
          value={text ?? ""}
          onInput={(event) => set(event.currentTarget.value)}
        />
      ) : (
        <input
          {...common}
          type="text"
          autocomplete="off"
          list={`${id}-files`}
          placeholder="Path or address"
          value={text ?? ""}
          onInput={(event) => set(event.currentTarget.value)}
        />
      )}
      <datalist id={`${id}-files`}>
        {known.value
          ?.filter(({ isFolder }) => !isFolder)
          .map(({ path }) => (
            <option key={path} value={path} />
          ))}
      </datalist>
      <div class="file-actions">
        <button type="button" class="button small" onClick={() => picker.current?.click()}>
          <Icon name="file" /> {isList ? "Choose files" : "Choose a file"}
        </button>
        <span class="hint">or drop {isList ? "them" : "it"} here</span>
        {sample !== undefined && !isList && (
          <button
            type="button"
            class="link"
            onClick={() => void take([new File([sample.text], sample.name)])}
          >
            Take {sample.name}
          </button>
        )}
      </div>
      <input
        ref={picker}
        type="file"
        hidden
        multiple={isList}
        onChange={(event) => {
          void take([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = "";
        }}
      />
      {error !== undefined && (
        <p class="field-error" role="alert">
          {error}
        </p>
      )}
    </div>
  );
}
