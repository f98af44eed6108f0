import { trim } from "../value/display.ts";
import { type Json, stableJson } from "../value/json.ts";
import { ArgumentError } from "./client-error.ts";

export interface TagText {
  readonly key: string;
  /** Missing where any value will do. */
  readonly value?: Json;
}

const INTEGER = /^[+-]?\d+$/;
const FLOAT = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/**
 * The value that a tag's text stands for: JSON where it looks like it, a number, a keyword, or the text itself.
 *
 * @throws ArgumentError if text that begins like JSON is not JSON
 */
export function parseTagValue(text: string): Json {
  if (text === "") return null;
  if (/^[[{"]/.test(text)) {
    try {
      return JSON.parse(text) as Json;
    } catch {
      throw new ArgumentError(`Invalid JSON tag value: ${text}`);
    }
  }
  if (INTEGER.test(text) || FLOAT.test(text)) return Number(text);
  if (text === "true" || text === "false") return text === "true";
  return text === "null" ? null : text;
}

/** Splits `key=value` at the first `=`. */
export function parseTag(text: string, valueRequired = true): TagText {
  const split = text.indexOf("=");
  if (split < 0) {
    if (valueRequired) throw new ArgumentError(`Invalid tag: ${text}: expected key=value`);
    return { key: text };
  }
  const key = text.slice(0, split);
  if (key === "") throw new ArgumentError(`Invalid tag: ${text}: the key is empty`);
  return { key, value: parseTagValue(text.slice(split + 1)) };
}

/** The text that stands for a value and parses back to it. */
export function formatTagValue(value: Json): string {
  if (typeof value === "string" && !/[\s,]/.test(value)) {
    try {
      if (parseTagValue(value) === value) return value;
    } catch {
      // Text that looks like JSON needs quotes.
    }
  }
  return typeof value === "string" ? JSON.stringify(value) : sortedJson(value);
}

function sortedJson(value: Json): string {
  // Readable text has its own characters, while the form for hashes escapes them.
  return stableJson(value).replace(/\\u([0-9a-f]{4})/g, (whole, code: string) => {
    const unit = Number.parseInt(code, 16);
    return unit < 0xa0 ? whole : String.fromCharCode(unit);
  });
}

/** `key=value`, each cut at `max` characters. */
export function formatTag({ key, value }: { readonly key: string; readonly value: Json }, max = 50): string {
  return `${trim(key, max)}=${trim(formatTagValue(value), max)}`;
}

/** Tags in parentheses, sorted by their text, or nothing. */
export function formatTags(
  tags: readonly { readonly key: string; readonly value: Json }[],
  max?: number,
): string {
  if (tags.length === 0) return "";
  return `(${tags
    .map((tag) => formatTag(tag, max))
    .sort()
    .join(", ")})`;
}
