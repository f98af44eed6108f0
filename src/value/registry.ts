import { RedunError } from "../errors/redun-error.ts";

/** How one type of value is recognised, stored and checked. */
// biome-ignore lint/suspicious/noExplicitAny: a registry holds codecs of every type
export interface ValueCodec<T = any, Data = any> {
  /** Stable type name, such as `acme.Genome`. It enters hashes and stores, so never change it. */
  readonly name: string;
  /** Whether a value is of this type. */
  is(value: unknown): boolean;
  /** The value as plain data or other encodable values. Equal values must give equal data. */
  encode(value: T): Data;
  /** The value that the data stands for. The data is untrusted: check it. */
  decode(data: Data): T;
  /** Whether the value still describes the world; by default always. */
  isValid?(value: T): boolean | Promise<boolean>;
  /** A hash of its own instead of the hash of the encoding: 40 hex digits. Encodings hold it. */
  hash?(value: T): string;
  /** Whether the value is written once in an encoding, however often it occurs there; needs {@link hash}. */
  readonly shared?: boolean;
  /** Looks outside so that {@link hash} and {@link encode} can answer; nothing to do gives `undefined`. */
  refresh?(value: T): Promise<void> | undefined;
  /** Called on a fresh task result before it is recorded; may return a replacement. */
  postprocess?(value: T): T | Promise<T>;
  /** The values inside that are recorded as values of their own, such as the files of a folder. */
  subvalues?(value: T): Iterable<unknown>;
  /** The value that a command-line argument stands for. */
  parse?(text: string): T;
  /** The text that {@link parse} makes an equal value of, which has not looked outside yet. */
  unparse?(value: T): string;
  /** The value as a person reads it. */
  display?(value: T): string;
}

/** Objects of the engine's own types carry their codec under this key, so that finding it needs no search. */
export const CODEC: unique symbol = Symbol.for("redun.codec");

const byName = new Map<string, ValueCodec>();
const custom: ValueCodec[] = [];

/**
 * Teaches the engine a type of value.
 *
 * @example Store a class
 * ```ts
 * import { registerValue } from "redun";
 *
 * class Point {
 *   readonly x: number;
 *   readonly y: number;
 *   constructor(x: number, y: number) {
 *     this.x = x;
 *     this.y = y;
 *   }
 * }
 * registerValue({
 *   name: "acme.Point",
 *   is: (value) => value instanceof Point,
 *   encode: (point: Point) => [point.x, point.y],
 *   decode: ([x, y]: [number, number]) => new Point(x, y),
 * });
 * ```
 * @throws RedunError with code `value-name` if the name is malformed or belongs to the engine
 */
export function registerValue<T, Data>(codec: ValueCodec<T, Data>): void {
  if (
    !/^[A-Za-z_][\w.-]*$/.test(codec.name) ||
    codec.name.startsWith("redun.") ||
    builtinNames.has(codec.name)
  ) {
    throw new RedunError(
      "value-name",
      `Cannot register a value type named ${JSON.stringify(codec.name)}: not allowed`,
      {
        hint: "Use letters, digits, dots and dashes, and a namespace of your own such as acme.Point.",
      },
    );
  }
  const existing = custom.findIndex((other) => other.name === codec.name);
  if (existing >= 0) custom[existing] = codec;
  else custom.push(codec);
  byName.set(codec.name, codec);
}

/** Registers a type of the engine's own; its objects answer to {@link CODEC}. */
export function registerBuiltin(codec: ValueCodec): void {
  byName.set(codec.name, codec);
}

/** Names of the types that the encoding itself knows. */
export const builtinNames: ReadonlySet<string> = new Set([
  "shared",
  "undefined",
  "number",
  "bigint",
  "Date",
  "Map",
  "Set",
  "URL",
  "Error",
  "ArrayBuffer",
  "Uint8Array",
  "Int8Array",
  "Uint8ClampedArray",
  "Uint16Array",
  "Int16Array",
  "Uint32Array",
  "Int32Array",
  "Float32Array",
  "Float64Array",
  "BigInt64Array",
  "BigUint64Array",
]);

/** The codec of an object or function, or `undefined` for plain data and unknown types. */
export function codecOf(value: object): ValueCodec | undefined {
  const own = (value as { [CODEC]?: ValueCodec })[CODEC];
  if (own !== undefined) return own;
  for (const codec of custom) if (codec.is(value)) return codec;
  return undefined;
}

/** The types that users have registered. */
export function customTypes(): readonly ValueCodec[] {
  return custom;
}

/** The codec registered under a type name. */
export function codecNamed(name: string): ValueCodec | undefined {
  return byName.get(name);
}
