import { codecOf } from "./registry.ts";

/** The longest text of a value in a log line, in characters. */
const DISPLAY_LENGTH = 200;

/** Cuts text longer than `max` characters, so that with its ellipsis it has exactly `max`. */
export function trim(text: string, max: number = DISPLAY_LENGTH): string {
  return text.length <= max ? text : `${text.slice(0, max - 3)}...`;
}

/**
 * A value on one line in the style of a JavaScript literal, cut at `max` characters.
 *
 * @example Display a value
 * ```ts
 * import { display } from "redun";
 *
 * display({ name: "a", sizes: [1, 2] }); // { name: 'a', sizes: [ 1, 2 ] }
 * ```
 */
export function display(value: unknown, max: number = DISPLAY_LENGTH): string {
  const budget = { left: max };
  return trim(text(value, budget, 0), max);
}

/** A string as a single-quoted literal, or double-quoted where that needs fewer escapes. */
export function quoteString(value: string): string {
  const json = JSON.stringify(value);
  if (value.includes("'"))
    return value.includes('"') ? `'${json.slice(1, -1).replace(/\\"/g, '"').replace(/'/g, "\\'")}'` : json;
  return `'${json.slice(1, -1).replace(/\\"/g, '"')}'`;
}

/** A property name as it stands in a literal: bare where it may be. */
export function quoteKey(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : quoteString(key);
}

function text(value: unknown, budget: { left: number }, depth: number): string {
  const result = textOf(value, budget, depth);
  budget.left -= depth > 0 && typeof value === "object" ? 4 : result.length;
  return result;
}

function textOf(value: unknown, budget: { left: number }, depth: number): string {
  if (typeof value === "string") {
    // No more of a long string is quoted than can be shown.
    const shown = Math.max(budget.left, 0) + 1;
    return quoteString(value.length > shown ? value.slice(0, shown) : value);
  }
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "symbol") return value.toString();
  if (Object.is(value, -0)) return "-0";
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return String(value);
  if (depth > 50 || budget.left <= 0) return "...";
  const codec = codecOf(value);
  if (codec !== undefined)
    return codec.display?.(value) ?? `${codec.name}(${text(codec.encode(value), budget, depth + 1)})`;
  if (typeof value === "function") return `[Function: ${value.name || "(anonymous)"}]`;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
  if (value instanceof Error) return `${value.name}(${quoteString(value.message)})`;
  if (value instanceof URL) return `URL(${quoteString(value.href)})`;
  if (Array.isArray(value)) return list("", value, budget, depth);
  if (value instanceof Set) return list(`Set(${value.size}) `, value, budget, depth, "{", "}");
  if (value instanceof Map) {
    const entries = mapIterable(
      value,
      ([key, item]) => `${text(key, budget, depth + 1)} => ${text(item, budget, depth + 1)}`,
    );
    return `Map(${value.size}) ${join(entries, budget, "{", "}")}`;
  }
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    const items = value as unknown as ArrayLike<unknown> & Iterable<unknown>;
    return list(
      `${Object.prototype.toString.call(value).slice(8, -1)}(${items.length}) `,
      items,
      budget,
      depth,
    );
  }
  if (value instanceof ArrayBuffer) return `ArrayBuffer(${value.byteLength})`;
  const name = (value as { constructor?: { name?: string } }).constructor?.name;
  const prefix = name === undefined || name === "Object" ? "" : `${name} `;
  const entries = mapIterable(
    Object.entries(value),
    ([key, item]) => `${quoteKey(key)}: ${text(item, budget, depth + 1)}`,
  );
  return prefix + join(entries, budget, "{", "}");
}

function list(
  prefix: string,
  items: Iterable<unknown>,
  budget: { left: number },
  depth: number,
  open = "[",
  close = "]",
): string {
  return (
    prefix +
    join(
      mapIterable(items, (item) => text(item, budget, depth + 1)),
      budget,
      open,
      close,
    )
  );
}

function* mapIterable<T>(items: Iterable<T>, map: (item: T) => string): Iterable<string> {
  for (const item of items) yield map(item);
}

function join(items: Iterable<string>, budget: { left: number }, open: string, close: string): string {
  const parts: string[] = [];
  for (const item of items) {
    parts.push(item);
    budget.left -= 2;
    if (budget.left <= 0) {
      parts.push("...");
      break;
    }
  }
  return parts.length === 0 ? open + close : `${open} ${parts.join(", ")} ${close}`;
}
