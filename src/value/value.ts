import { decode } from "./decode.ts";
import { encode, encodePrimitive, encodeSetItems, FORMAT } from "./encode.ts";
import { hashBytes, hashTagBytes } from "./hash.ts";
import { codecOf } from "./registry.ts";

/** A value in its stored form. */
export interface EncodedValue {
  readonly hash: string;
  readonly type: string;
  /** MIME type of the encoding. */
  readonly format: string;
  readonly text: string;
}

/** The stable type name of a value, as stores record it. */
export function typeName(value: unknown): string {
  if (value === null) return "null";
  const type = typeof value;
  if (type !== "object" && type !== "function") return type;
  const codec = codecOf(value as object);
  if (codec !== undefined) return codec.name;
  if (Array.isArray(value)) return "Array";
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** The hash of a value whose encoding is already known. */
function hashOf(value: unknown, text: string): string {
  if (typeof value === "object" || typeof value === "function") {
    if (value instanceof Set) return hashTagBytes("Value.set", encodeSetItems(value));
    const codec = value === null ? undefined : codecOf(value);
    if (codec?.hash !== undefined) return codec.hash(value);
  }
  return hashBytes(`l5:Valuee${text}`);
}

/**
 * The hash of a value: equal values have equal hashes in every runtime.
 *
 * @throws UnsupportedValueError if it can't be encoded
 */
export function hashValue(value: unknown): string {
  if (
    (typeof value === "object" && value !== null && !(value instanceof Set)) ||
    typeof value === "function"
  ) {
    const codec = codecOf(value);
    if (codec?.hash !== undefined) return codec.hash(value);
  }
  const primitive = encodePrimitive(value);
  return primitive !== undefined ? hashBytes(`l5:Valuee${primitive}`) : hashOf(value, encode(value).text);
}

/**
 * Encodes a value for storage, with its hash and type.
 *
 * @param root - what an error calls the value, such as `result`
 * @throws UnsupportedValueError if it can't be encoded
 */
export function encodeValue(value: unknown, root = "value"): EncodedValue {
  const { text } = encode(value, root);
  return { hash: hashOf(value, text), type: typeName(value), format: FORMAT, text };
}

/**
 * Like {@link encodeValue}, and also gives the value back as a reader of the store will see it. Objects whose keys
 * are not in canonical order are replaced by their decoded form, so that a run that computes a value and one that
 * finds it in the cache go on with the same thing.
 */
export function normalizeValue(value: unknown, root = "value"): { value: unknown; encoded: EncodedValue } {
  const { text, reordered } = encode(value, root);
  const encoded = { hash: hashOf(value, text), type: typeName(value), format: FORMAT, text };
  return { value: reordered ? decode(text) : value, encoded };
}

/** The value that an encoding stands for. @throws InvalidEncodingError if it is not one */
export function decodeValue(text: string): unknown {
  return decode(text);
}
