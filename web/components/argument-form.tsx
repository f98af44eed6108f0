/** The fields of a task's parameters. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { PackageParameter, PackageTask } from "../../src/package/types.ts";
import { fieldType, isMultiline, isRequired, typeText } from "../lib/arguments.ts";
import { fieldTexts } from "../state/workflow.ts";
import { FileField } from "./file-field.tsx";

/** Fields for all parameters. What they hold is kept by {@link fieldTexts}. */
export function ArgumentForm({
  task,
  errors,
}: {
  task: PackageTask;
  errors: ReadonlyMap<string, string>;
}): JSX.Element {
  const [texts, setTexts] = useState<Record<string, string>>(fieldTexts.get(task.fullname) ?? {});
  const set = (name: string, text: string | undefined): void => {
    const { [name]: _, ...others } = texts;
    const next = text === undefined ? others : { ...others, [name]: text };
    fieldTexts.set(task.fullname, next);
    setTexts(next);
  };
  if (task.parameters.length === 0) return <p class="muted">It takes no arguments.</p>;
  return (
    <>
      {task.parameters.map((parameter) => (
        <ArgumentField
          key={parameter.name}
          parameter={parameter}
          text={texts[parameter.name]}
          error={errors.get(parameter.name)}
          onText={(text) => set(parameter.name, text)}
        />
      ))}
    </>
  );
}

/** What each kind of field gets. */
export interface FieldProps {
  readonly parameter: PackageParameter;
  /** Undefined where the default holds. */
  readonly text: string | undefined;
  readonly onText: (text: string | undefined) => void;
  readonly id: string;
  readonly describedBy: string;
  readonly isInvalid: boolean;
}

function ArgumentField({
  parameter,
  text,
  error,
  onText,
}: Pick<FieldProps, "parameter" | "text" | "onText"> & { error: string | undefined }): JSX.Element {
  const id = `argument-${parameter.name}`;
  const noteId = `${id}-note`;
  const hasDefault = !isRequired(parameter);
  const props: FieldProps = {
    parameter,
    text,
    onText,
    id,
    describedBy: noteId,
    isInvalid: error !== undefined,
  };
  return (
    <div class="field">
      <div class="field-head">
        <label for={id}>{parameter.name}</label>
        <span class="type">{typeText(fieldType(parameter))}</span>
        {hasDefault && text !== undefined && (
          <button
            type="button"
            class="link"
            onClick={() => onText(undefined)}
            aria-label={`${parameter.name}: take the default`}
          >
            default
          </button>
        )}
      </div>
      <Field {...props} />
      <p class="note" id={noteId}>
        {error !== undefined && <span class="field-error">{error} </span>}
        {parameter.doc}
      </p>
    </div>
  );
}

function Field(props: FieldProps): JSX.Element {
  const { parameter, text, onText, id, describedBy, isInvalid } = props;
  const type = fieldType(parameter);
  const common = { id, "aria-describedby": describedBy, "aria-invalid": isInvalid };
  const required = isRequired(parameter);
  const placeholder = parameter.default ?? (required ? "" : "left out");
  if (type.kind === "File" || (type.kind === "array" && type.element.kind === "File"))
    return <FileField {...props} takes={type.kind === "array" ? "files" : "file"} />;
  if (type.kind === "Dir") return <FileField {...props} takes="folder" />;
  if (type.kind === "boolean" || type.kind === "enum") {
    const values = type.kind === "enum" ? type.values : ["true", "false"];
    return (
      <select
        {...common}
        value={text ?? ""}
        onChange={(event) => onText(event.currentTarget.value || undefined)}
      >
        <option value="">
          {required ? "Choose…" : `default${parameter.default ? ` (${parameter.default})` : ""}`}
        </option>
        {values.map((value) => (
          <option key={value} value={value}>
            {value}
          </option>
        ))}
      </select>
    );
  }
  if (isMultiline(type))
    return (
      <textarea
        {...common}
        rows={2}
        spellcheck={false}
        placeholder={placeholder || (type.kind === "array" ? "[1, 2, 3]" : "JSON")}
        value={text ?? ""}
        onInput={(event) => onText(event.currentTarget.value === "" ? undefined : event.currentTarget.value)}
      />
    );
  const isText = type.kind === "string";
  const field = {
    ...common,
    autocomplete: "off",
    placeholder,
    value: text ?? "",
    // An empty text is a value, an empty number is none.
    onInput: (event: { currentTarget: HTMLInputElement }) =>
      onText(event.currentTarget.value === "" && !isText ? undefined : event.currentTarget.value),
  } as const;
  if (type.kind === "Date") return <input {...field} type="datetime-local" step={1} />;
  const inputMode = type.kind === "number" ? "decimal" : type.kind === "bigint" ? "numeric" : "text";
  return <input {...field} type="text" inputMode={inputMode} spellcheck={false} />;
}
