import { Command, Option } from "commander";
import { Dir } from "../file/dir.ts";
import { File } from "../file/file.ts";
import type { PackageParameter, PackageTask, ParameterType } from "../package/types.ts";
import { optionName } from "../util/option-name.ts";
import { display } from "../value/display.ts";
import { codecNamed } from "../value/registry.ts";
import { ArgumentError } from "./client-error.ts";

/** A type as help and errors call it. */
export function typeText(type: ParameterType): string {
  if (type.kind === "enum") return type.values.join("|");
  if (type.kind === "array") return `${typeText(type.element)}[]`;
  return type.kind === "json" ? type.text : type.kind;
}

/** Text that isn't a value of the type. */
class InvalidValue extends Error {}

/** The value that the text stands for. */
function parseText(text: string, type: ParameterType): unknown {
  switch (type.kind) {
    case "string":
      return text;
    case "number": {
      const number = text.trim() === "" ? Number.NaN : Number(text);
      if (Number.isNaN(number) && text !== "NaN") throw new InvalidValue();
      return number;
    }
    case "bigint":
      if (!/^[+-]?\d+n?$/.test(text)) throw new InvalidValue();
      return BigInt(text.replace(/^\+/, "").replace(/n$/, ""));
    case "boolean":
      if (text !== "true" && text !== "false") throw new InvalidValue();
      return text === "true";
    case "Date": {
      const date = new Date(text);
      if (Number.isNaN(date.getTime())) throw new InvalidValue();
      return date;
    }
    case "File":
      return new File(text);
    case "Dir":
      return new Dir(text);
    case "enum":
      if (!type.values.includes(text)) throw new InvalidValue();
      return text;
    case "array":
      return parseJson(text);
    case "json": {
      // Without a type, or with one that text fits, text is what was meant.
      if (/^(unknown|any)$/.test(type.text)) return text;
      const codec = codecNamed(type.text);
      if (codec?.parse !== undefined) return codec.parse(text);
      return parseJson(text);
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidValue();
  }
}

/** Parses one word for a parameter. @throws ArgumentError as argument parsers word it */
function parseValue(option: string, text: string, type: ParameterType): unknown {
  try {
    return parseText(text, type);
  } catch (error) {
    if (!(error instanceof InvalidValue)) throw error;
    const quoted = `'${text}'`;
    if (type.kind === "enum") {
      const choices = type.values.map((value) => `'${value}'`).join(", ");
      throw new ArgumentError(`argument --${option}: invalid choice: ${quoted} (choose from ${choices})`);
    }
    throw new ArgumentError(`argument --${option}: invalid ${typeText(type)} value: ${quoted}`);
  }
}

function parseList(option: string, words: readonly string[], element: ParameterType): unknown[] {
  // A whole list in one word is JSON, where no element could look like it.
  const [only] = words;
  if (
    words.length === 1 &&
    only !== undefined &&
    /^\s*\[/.test(only) &&
    !["string", "File", "Dir"].includes(element.kind)
  ) {
    const list = tryJson(only);
    const fits = Array.isArray(list) && !(element.kind === "array" && !list.every(Array.isArray));
    if (fits)
      return list.map((item) =>
        typeof item === "string" || element.kind === "json" || element.kind === "array"
          ? item
          : parseValue(option, String(item), element),
      );
  }
  return words.map((word) => parseValue(option, word, element));
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** An option for a parameter, also under the parameter's own name. */
export class ParameterOption extends Option {
  readonly parameter: PackageParameter;

  constructor(parameter: PackageParameter, description: string) {
    const name = optionName(parameter.name);
    const list = parameter.rest === true || parameter.type.kind === "array";
    const type =
      parameter.type.kind === "array" ? typeText(parameter.type.element) : typeText(parameter.type);
    // The parser ends a placeholder at its first closing bracket.
    const placeholder = `<${type.replace(/[<>]/g, "'")}${list ? "..." : ""}>`;
    const alias = parameter.name === name ? "" : `--${parameter.name}, `;
    super(`${alias}--${name} ${placeholder}`, description);
    this.parameter = parameter;
    this.variadic = list;
    this.required = true;
    // A parameter `noCache` is no negation.
    this.negate = false;
  }

  override attributeName(): string {
    return this.parameter.name;
  }
}

/** Shows a parameter in help. */
function describeParameter({ doc, optional, default: initial }: PackageParameter): string {
  const notes = initial !== undefined ? [`default: ${initial}`] : optional ? ["optional"] : ["required"];
  return [doc, `(${notes.join(", ")})`].filter(Boolean).join(" ");
}

/**
 * A command with the options of a task's parameters.
 *
 * @param defaults - what the task itself fills into positions that a call leaves out
 */
export function taskCommand(task: PackageTask, defaults: readonly unknown[] = []): Command {
  const command = new Command(task.fullname).helpOption(false).exitOverride().allowExcessArguments(true);
  command.configureOutput({ writeErr: () => {} });
  if (task.doc) command.description(task.doc);
  const names = new Set<string>();
  for (const [i, parameter] of task.parameters.entries()) {
    const initial = defaults[i] === undefined ? parameter.default : display(defaults[i]);
    const described = { ...parameter, ...(initial === undefined ? {} : { default: initial }) };
    const option = new ParameterOption(parameter, describeParameter(described));
    if (names.has(option.long!)) continue;
    names.add(option.long!);
    command.addOption(option);
  }
  return command;
}

/** The given arguments, by parameter name. Only what was typed is in it. */
export function parameterValues(
  task: PackageTask,
  words: Readonly<Record<string, unknown>>,
): Map<string, unknown> {
  const values = new Map<string, unknown>();
  for (const parameter of task.parameters) {
    const given = words[parameter.name];
    if (given === undefined) continue;
    const option = optionName(parameter.name);
    const { type } = parameter;
    if (type.kind === "array")
      values.set(parameter.name, parseList(option, [given].flat() as string[], type.element));
    else if (parameter.rest)
      values.set(
        parameter.name,
        ([given].flat() as string[]).map((word) => parseValue(option, word, type)),
      );
    else values.set(parameter.name, parseValue(option, given as string, type));
  }
  return values;
}

/**
 * The arguments of a call by position, up to the last that is given.
 *
 * @param base - arguments that explicit ones override, by position
 * @param defaults - what the task itself fills into positions that a call leaves out
 * @throws ArgumentError naming each required parameter that has no value
 */
export function positionalArguments(
  task: PackageTask,
  values: ReadonlyMap<string, unknown>,
  base: readonly unknown[],
  defaults: readonly unknown[],
): unknown[] {
  const missing = task.parameters.filter(
    ({ name, optional, default: initial }, i) =>
      !values.has(name) &&
      i >= base.length &&
      !optional &&
      initial === undefined &&
      defaults[i] === undefined,
  );
  if (missing.length > 0) {
    const list = missing.map(({ name, type }) => `--${optionName(name)} <${typeText(type)}>`).join(", ");
    throw new ArgumentError(`the following arguments are required: ${list}`);
  }
  const args = [...base];
  for (const [i, { name, rest }] of task.parameters.entries()) {
    if (!values.has(name)) continue;
    const value = values.get(name);
    while (args.length < i) args.push(defaults[args.length]);
    if (rest) args.splice(i, args.length - i, ...(value as unknown[]));
    else args[i] = value;
  }
  return args;
}
