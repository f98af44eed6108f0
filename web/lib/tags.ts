/** Tags as people type them. */
import type { Json } from "../../src/value/json.ts";

/** `key` or `key=value`; a value that is not JSON is text. */
export function parseTag(text: string): { key: string; value?: Json } {
  const at = text.indexOf("=");
  if (at < 0) return { key: text };
  const [key, value] = [text.slice(0, at), text.slice(at + 1)];
  try {
    return { key, value: JSON.parse(value) as Json };
  } catch {
    return { key, value };
  }
}

/** Tags with commas between; one without a value is `true`. */
export function parseTags(text: string): [key: string, value: Json][] {
  const parts = text.split(",").map((part) => part.trim());
  return parts
    .filter((part) => part !== "")
    .map((part) => {
      const { key, value = true } = parseTag(part);
      return [key.trim(), value];
    });
}
