import { BackendError } from "../errors/errors.ts";

const utf8Size = (text: string): number => new TextEncoder().encode(text).length;

/** Whether a text has at least so many bytes as UTF-8. */
export function isAtLeast(text: string, size: number): boolean {
  // A UTF-16 unit is one to three bytes, so most texts need no counting.
  if (text.length >= size) return true;
  return text.length * 3 >= size && utf8Size(text) >= size;
}

/** @throws BackendError if an encoded value is larger than a store admits */
export function checkValueSize(type: string, text: string, limit: number): void {
  if (!isAtLeast(text, limit + 1)) return;
  const size = utf8Size(text);
  throw new BackendError(
    `Cannot store a value of type ${type}: its ${size} bytes are more than max_value_size, ${limit}`,
    {
      hint: "Write large data to a file and return the File, or raise max_value_size in the [backend] section.",
      fields: { size, limit, type },
    },
  );
}
