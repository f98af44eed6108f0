/** What people type into the fields of a task's parameters, as values. */
import { Dir, isDir } from "../../src/file/dir.ts";
import { File, isFile } from "../../src/file/file.ts";
import { schemeOf } from "../../src/file/file-systems.ts";
import type { PackageParameter, PackageTask, ParameterType } from "../../src/package/types.ts";
import { encodeValue } from "../../src/value/value.ts";
import { errorText } from "./errors.ts";

/** Texts by parameter name. A parameter without one is left out of the call. */
export type FieldTexts = Readonly<Record<string, string>>;

/** A text that is no value of its parameter's type. */
export class FieldError extends Error {
  override readonly name = "FieldError";
}

/** A type as people read it. */
export function typeText(type: ParameterType): string {
  if (type.kind === "enum") return type.values.join(" | ");
  if (type.kind === "array") {
    const element = typeText(type.element);
    return `${element.includes(" ") ? `(${element})` : element}[]`;
  }
  return type.kind === "json" ? type.text : type.kind;
}

/** The type that a parameter's field is for: a rest parameter takes a list. */
export function fieldType({ type, rest }: PackageParameter): ParameterType {
  return rest === true && type.kind !== "array" ? { kind: "array", element: type } : type;
}

/** Whether the field of a type has several lines. */
export function isMultiline(type: ParameterType): boolean {
  return type.kind === "array" || type.kind === "json";
}

/** The value that a text stands for. @throws FieldError */
export function parseField(text: string, type: ParameterType): unknown {
  switch (type.kind) {
    case "string":
      return text;
    case "number": {
      const number = text.trim() === "" ? Number.NaN : Number(text.replaceAll("_", ""));
      if (Number.isNaN(number) && text.trim() !== "NaN") throw new FieldError("This is not a number.");
      return number;
    }
    case "bigint":
      if (!/^\s*[+-]?\d+n?\s*$/.test(text)) throw new FieldError("This is not a whole number.");
      return BigInt(text.trim().replace(/^\+/, "").replace(/n$/, ""));
    case "boolean":
      if (text !== "true" && text !== "false") throw new FieldError("Choose true or false.");
      return text === "true";
    case "Date": {
      const date = new Date(text);
      if (Number.isNaN(date.getTime())) throw new FieldError("This is not a date.");
      return date;
    }
    case "File":
      if (text.trim() === "") throw new FieldError("Choose a file.");
      return new File(text.trim());
    case "Dir":
      if (text.trim() === "") throw new FieldError("Name a folder.");
      return new Dir(text.trim());
    case "enum":
      if (!type.values.includes(text)) throw new FieldError("Choose one of the values.");
      return text;
    case "array":
      return parseList(text, type.element);
    case "json":
      return parseJson(text, /^(unknown|any)$/.test(type.text));
  }
}

/** A list as JSON, or its elements on lines of their own; numbers also with commas between them. */
function parseList(text: string, element: ParameterType): unknown[] {
  if (text.trim() === "") return [];
  if (/^\s*\[/.test(text)) {
    const list = parseJson(text, false);
    if (!Array.isArray(list)) throw new FieldError("This is not a list.");
    return list.map((item) =>
      element.kind === "json" || element.kind === "array" || typeof item === "object"
        ? item
        : parseField(String(item), element),
    );
  }
  if (element.kind === "json" || element.kind === "array")
    throw new FieldError("Write the list as JSON, with [ and ].");
  const separator = element.kind === "number" || element.kind === "bigint" ? /[\s,;]+/ : /\r?\n/;
  return text
    .trim()
    .split(separator)
    .filter((part) => part.trim() !== "")
    .map((part) => parseField(part, element));
}

function parseJson(text: string, orText: boolean): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (orText) return text;
    throw new FieldError(`This is not JSON: ${(error as Error).message}`);
  }
}

/** What a form came to: encoded arguments by position, or what is wrong by parameter name. */
export type ParsedForm =
  | { readonly args: readonly (string | undefined)[]; readonly errors?: undefined }
  | { readonly errors: ReadonlyMap<string, string>; readonly args?: undefined };

/** Options of {@link parseForm}. */
export interface FormOptions {
  /** Whether required parameters may be left out all the same. */
  readonly mayLeaveOut?: boolean;
  /** Is given each value, and gives what stands for it where the task runs. */
  readonly prepare?: ((value: unknown) => Promise<unknown>) | undefined;
}

/** Reads all fields of a task. Files are looked at, since their hash is part of what the call is. */
export async function parseForm(
  { parameters }: PackageTask,
  texts: FieldTexts,
  { mayLeaveOut = false, prepare }: FormOptions = {},
): Promise<ParsedForm> {
  const args: (string | undefined)[] = [];
  const errors = new Map<string, string>();
  for (const parameter of parameters) {
    const text = texts[parameter.name];
    try {
      if (text === undefined) {
        if (isRequired(parameter) && !mayLeaveOut) throw new FieldError("This is required.");
        if (parameter.rest !== true) args.push(undefined);
        continue;
      }
      const value = parseField(text, fieldType(parameter));
      for (const item of parameter.rest === true ? (value as unknown[]) : [value])
        args.push(await encodeArgument(item, prepare));
    } catch (error) {
      errors.set(parameter.name, errorText(error));
    }
  }
  if (errors.size > 0) return { errors };
  while (args.length > 0 && args.at(-1) === undefined) args.pop();
  return { args };
}

async function encodeArgument(given: unknown, prepare: FormOptions["prepare"]): Promise<string> {
  let value = given;
  if (prepare !== undefined)
    value = Array.isArray(given) ? await Promise.all(given.map(prepare)) : await prepare(given);
  for (const item of Array.isArray(value) ? value : [value])
    if (isFile(item) || isDir(item)) {
      // One that was picked on an earlier visit may be out of reach, which is better said before the run.
      const isLost = schemeOf(item.path) === "picked" && !(await item.exists());
      if (isLost) throw new FieldError(`It can't be reached any more. Pick ${item.basename()} again.`);
      await item.hash();
    }
  return encodeValue(value).text;
}

/** Whether a call needs a value for a parameter. */
export function isRequired({ optional, default: initial, rest }: PackageParameter): boolean {
  return !optional && initial === undefined && rest !== true;
}
