import { decode } from "./decode.ts";
import { type Encoding, encode, encodeForHash, encodePrimitive, encodeSetItems, FORMAT } from "./encode.ts";
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

/** The hash of a value, of which the text to hash is already known. */
function hashOf(value: unknown, text: string): string {
  if ((typeof value === "object" && value !== null) || typeof value === "function") {
    const codec = codecOf(value);
    if (codec?.hash !== undefined) return codec.hash(value);
    if (codec === undefined && value instanceof Set) return hashTagBytes("Value.set", encodeSetItems(value));
  }
  return hashBytes(`l5:Valuee${text}`);
}

/**
 * The hash of a value: equal values have equal hashes in every runtime.
 *
 * @throws UnsupportedValueError if it can't be encoded
 */
export function hashValue(value: unknown): string {
  const primitive = encodePrimitive(value);
  if (primitive !== undefined) return hashBytes(`l5:Valuee${primitive}`);
  const codec = codecOf(value as object);
  return codec?.hash?.(value) ?? hashOf(value, encodeForHash(value).text);
}

/**
 * Encodes a value for storage, with its hash and type.
 *
 * @param root - what an error calls the value, such as `result`
 * @throws UnsupportedValueError if it can't be encoded
 */
export function encodeValue(value: unknown, root = "value"): EncodedValue {
  return encodedValue(value, encode(value, root));
}

function encodedValue(value: unknown, { text, hashedApart }: Encoding): EncodedValue {
  const hash = hashedApart ? hashValue(value) : hashOf(value, text);
  return { hash, type: typeName(value), format: FORMAT, text };
}

/**
 * Like {@link encodeValue}, and also gives the value back as a reader of the store will see it. Objects whose keys
 * are not in canonical order are replaced by their decoded form, so that a run that computes a value and one that
 * finds it in the cache go on with the same thing.
 */
export function normalizeValue(value: unknown, root = "value"): { value: unknown; encoded: EncodedValue } {
  const encoding = encode(value, root);
  const encoded = encodedValue(value, encoding);
  return { value: encoding.reordered ? decode(encoding.text) : value, encoded };
}

/** The value that an encoding stands for. @throws InvalidEncodingError if it is not one */
export function decodeValue(text: string): unknown {
  return decode(text);
}
