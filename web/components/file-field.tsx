/** A field for files or a folder: pick them, drop them, or name one that is here or on the Web. */
import type { JSX } from "preact";
import { FILES_ROOT, fileChanges, keepSample, listFiles, listPicks } from "../state/files.ts";
import { useResource } from "../state/resource.ts";
import { openExample } from "../state/workflow.ts";
import type { FieldProps } from "./argument-form.tsx";
import { DropArea, type Taken } from "./drop-area.tsx";

/** The field. A list has one path a line. */
export function FileField({
  text,
  onText,
  id,
  describedBy,
  isInvalid,
  takes,
}: FieldProps & { takes: Exclude<Taken, "all"> }): JSX.Element {
  const isList = takes === "files";
  const sample = takes === "file" ? openExample()?.sample : undefined;
  const known = useResource(
    `files ${fileChanges.value}`,
    async () => [...(await listPicks()), ...(await listFiles(FILES_ROOT))],
    { keep: true },
  );
  const common = { id, "aria-describedby": describedBy, "aria-invalid": isInvalid, spellcheck: false };
  const set = (value: string): void => onText(value === "" ? undefined : value);
  const taken = (paths: readonly string[]): void =>
    onText(isList ? [...(text ? [text] : []), ...paths].join("\n") : paths[0]);
  return (
    <DropArea
      class="file-field"
      label={takes === "folder" ? "Folder" : "File"}
      takes={takes}
      onTaken={taken}
      more={
        sample !== undefined && (
          <button
            type="button"
            class="link"
            onClick={() => void keepSample(sample.name, sample.text).then((path) => onText(path))}
          >
            Take {sample.name}
          </button>
        )
      }
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
          ?.filter(({ isFolder }) => isFolder === (takes === "folder"))
          .map(({ path }) => (
            <option key={path} value={path} />
          ))}
      </datalist>
    </DropArea>
  );
}
