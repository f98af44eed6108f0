import { inspect } from "node:util";
import { display } from "../value/display.ts";
import { isPlainObject } from "../value/encode.ts";
import type { Json } from "../value/json.ts";
import { codecOf } from "../value/registry.ts";

/** Text that is shown as it is. */
class Shown {
  private readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  [inspect.custom](): string {
    return this.text;
  }
}

/** A whole value in the style of a JavaScript literal, over several lines where it is long. */
export function inspectValue(value: unknown): string {
  let shown = value;
  try {
    shown = replaceOwnTypes(value);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    // Too deep to look for values of our own inside.
  }
  return inspect(shown, { depth: null, maxArrayLength: null, maxStringLength: null, breakLength: 80 });
}

/** Replaces values that have a display of their own by their text; shares what holds none. */
function replaceOwnTypes(value: unknown): unknown {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return value;
  if (codecOf(value)?.display !== undefined) return new Shown(display(value, Number.POSITIVE_INFINITY));
  if (Array.isArray(value)) {
    const items = value.map(replaceOwnTypes);
    return items.some((item, i) => item !== value[i]) ? items : value;
  }
  if (value instanceof Map) {
    const entries = [...value].map(([key, item]) => [replaceOwnTypes(key), replaceOwnTypes(item)] as const);
    return new Map(entries);
  }
  if (value instanceof Set) return new Set([...value].map(replaceOwnTypes));
  if (typeof value === "object" && isPlainObject(value)) {
    const entries = Object.entries(value).map(([key, item]) => [key, replaceOwnTypes(item)] as const);
    const changed = entries.some(([key, item]) => item !== (value as Record<string, unknown>)[key]);
    return changed ? Object.fromEntries(entries) : value;
  }
  return value;
}

/** A value as JSON for other programs: what JSON lacks becomes text, lists and objects. */
export function jsonValue(value: unknown): Json {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) ? value : String(value);
    case "bigint":
      return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
    case "undefined":
      return null;
    case "object":
      break;
    default:
      return display(value, Number.POSITIVE_INFINITY);
  }
  if (value === null) return null;
  if (Array.isArray(value)) return value.map(jsonValue);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof URL) return value.href;
  if (value instanceof Set) return [...value].map(jsonValue);
  if (value instanceof Map) {
    const keys = [...value.keys()];
    if (keys.every((key) => typeof key === "string")) {
      return Object.fromEntries([...value].map(([key, item]) => [key, jsonValue(item)]));
    }
    return [...value].map(([key, item]) => [jsonValue(key), jsonValue(item)]);
  }
  if (value instanceof ArrayBuffer) return [...new Uint8Array(value)];
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    return Array.from(value as unknown as ArrayLike<unknown>, jsonValue);
  }
  if (value instanceof Error) return { name: value.name, message: value.message };
  const { path } = value as { path?: unknown };
  const codec = codecOf(value);
  if (codec !== undefined) {
    if (typeof path === "string") return path;
    return codec.display === undefined
      ? jsonValue(codec.encode(value))
      : display(value, Number.POSITIVE_INFINITY);
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, jsonValue(item)]));
}
