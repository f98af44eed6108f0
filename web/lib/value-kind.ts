/** Which ways there are to look at a value. */

import { isDir } from "../../src/file/dir.ts";
import { isFile } from "../../src/file/file.ts";

/** A way to look at a value. */
export type ValueMode = "text" | "table" | "chart" | "image" | "page" | "hex" | "file" | "json";

/** A table made of a value. */
export interface TableData {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
}

/** An image in bytes or text. */
export interface ImageData {
  readonly type: string;
  readonly data: Uint8Array<ArrayBuffer> | string;
}

/** Numbers to draw. */
export interface ChartData {
  readonly x: readonly number[];
  readonly series: readonly { readonly name: string; readonly values: readonly (number | null)[] }[];
}

/** The ways to look at a value, the best first. */
export function modesOf(value: unknown): ValueMode[] {
  const modes: ValueMode[] = [];
  if (isFile(value) || isDir(value)) modes.push("file");
  if (imageOf(value) !== undefined) modes.push("image");
  if (isPage(value)) modes.push("page");
  const table = tableOf(value);
  if (table !== undefined) modes.push("table");
  if (chartOf(value, table) !== undefined) modes.push("chart");
  const bytes = bytesOf(value);
  if (bytes !== undefined && textOfBytes(bytes) === undefined) modes.push("hex", "text");
  else if (bytes !== undefined) modes.push("text", "hex");
  else modes.push("text");
  return modes;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;

/** A list of records, a list of lists, or a map, as a table. */
export function tableOf(value: unknown): TableData | undefined {
  if (value instanceof Map)
    return value.size === 0
      ? undefined
      : { columns: ["key", "value"], rows: [...value] as [unknown, unknown][] };
  if (!Array.isArray(value) || value.length === 0) return undefined;
  if (value.every(isRecord)) {
    const columns = new Set<string>();
    for (const record of value) for (const key of Object.keys(record)) columns.add(key);
    if (columns.size === 0 || columns.size > 200) return undefined;
    const names = [...columns];
    return { columns: names, rows: value.map((record) => names.map((name) => record[name])) };
  }
  if (value.length > 1 && value.every((row) => Array.isArray(row) && row.length > 0 && row.length <= 200)) {
    const width = value.reduce<number>((most, row: unknown[]) => Math.max(most, row.length), 0);
    return { columns: Array.from({ length: width }, (_, i) => String(i)), rows: value };
  }
  return undefined;
}

/** Fewer numbers are read faster than seen. */
const FEWEST_POINTS = 8;
const MOST_SERIES = 8;

/** Many numbers, or a table with columns of numbers, as lines. */
export function chartOf(
  value: unknown,
  table: TableData | undefined = tableOf(value),
): ChartData | undefined {
  const numbers = numbersOf(value);
  if (numbers !== undefined)
    return numbers.length < FEWEST_POINTS
      ? undefined
      : { x: numbers.map((_, i) => i), series: [{ name: "value", values: numbers }] };
  if (table === undefined || table.rows.length < FEWEST_POINTS) return undefined;
  const series = table.columns.flatMap((name, i) => {
    const values = table.rows.map((row) => row[i]);
    const isNumeric = values.every((cell) => typeof cell === "number" || cell === null || cell === undefined);
    return isNumeric && values.some((cell) => typeof cell === "number")
      ? [{ name, values: values.map((cell) => (cell as number | null | undefined) ?? null) }]
      : [];
  });
  if (series.length === 0) return undefined;
  const [first] = series;
  const rises = first!.values.every((x, i, all) => x !== null && (i === 0 || x > all[i - 1]!));
  if (rises && series.length > 1)
    return { x: first!.values as number[], series: series.slice(1, 1 + MOST_SERIES) };
  return { x: table.rows.map((_, i) => i), series: series.slice(0, MOST_SERIES) };
}

function numbersOf(value: unknown): number[] | undefined {
  if (Array.isArray(value))
    return value.length > 0 && value.every((item) => typeof item === "number") ? value : undefined;
  if (ArrayBuffer.isView(value) && !(value instanceof DataView) && !(value instanceof Uint8Array)) {
    const items = Array.from(value as unknown as ArrayLike<number | bigint>, Number);
    return items.length > 0 ? items : undefined;
  }
  return undefined;
}

/** The bytes of a value that is made of such. */
export function bytesOf(value: unknown): Uint8Array<ArrayBuffer> | undefined {
  if (value instanceof Uint8Array) return value as Uint8Array<ArrayBuffer>;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  return undefined;
}

/** More bytes are not taken for text. */
const MOST_TEXT = 1 << 20;

/** The text that bytes are in UTF-8, such as a script's output. */
export function textOfBytes(bytes: Uint8Array<ArrayBuffer>): string | undefined {
  if (bytes.length === 0 || bytes.length > MOST_TEXT) return undefined;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they tell bytes from text
    return /[\0-\x08\x0e-\x1f]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

const SIGNATURES: readonly (readonly [type: string, ...bytes: number[]])[] = [
  ["image/png", 0x89, 0x50, 0x4e, 0x47],
  ["image/jpeg", 0xff, 0xd8, 0xff],
  ["image/gif", 0x47, 0x49, 0x46, 0x38],
  ["image/bmp", 0x42, 0x4d],
];

/** The image that a value is, by its first bytes; an SVG may be text. */
export function imageOf(value: unknown): ImageData | undefined {
  if (typeof value === "string")
    return /^\s*(?:<\?xml[^>]*>\s*)?<svg[\s>]/.test(value)
      ? { type: "image/svg+xml", data: value }
      : undefined;
  const bytes = bytesOf(value);
  if (bytes === undefined) return undefined;
  for (const [type, ...start] of SIGNATURES)
    if (start.every((byte, i) => bytes[i] === byte)) return { type, data: bytes };
  const text = (from: number, to: number): string => String.fromCharCode(...bytes.subarray(from, to));
  if (text(0, 4) === "RIFF" && text(8, 12) === "WEBP") return { type: "image/webp", data: bytes };
  if (text(4, 12) === "ftypavif") return { type: "image/avif", data: bytes };
  return undefined;
}

/** Whether a value is the text of an HTML page. */
export function isPage(value: unknown): value is string {
  return typeof value === "string" && /^\s*(?:<!doctype html|<html[\s>])/i.test(value);
}
