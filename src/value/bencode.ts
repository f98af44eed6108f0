/** What {@link bencode} accepts: integers, strings, bytes, lists, and dictionaries with string keys. */
export type Bencodable =
  | number
  | bigint
  | string
  | Uint8Array
  | readonly Bencodable[]
  | { readonly [key: string]: Bencodable };

const utf8 = new TextEncoder();

/** The number of bytes of a string in UTF-8, without encoding it. A lone surrogate counts 3, as it encodes. */
export function utf8Length(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    if (unit < 0x800) length += 1;
    else {
      length += 2;
      if (unit >= 0xd800 && unit < 0xdc00) {
        const next = text.charCodeAt(i + 1);
        // A surrogate pair is two units and four bytes.
        if (next >= 0xdc00 && next < 0xe000) i++;
      }
    }
  }
  return length;
}

/** Compares two strings by code point, which differs from `<` for characters outside the BMP. */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    // Surrogates stand for code points above every other BMP unit, so lift them over U+E000..U+FFFF.
    return (x >= 0xd800 && x < 0xe000 ? x + 0x10000 : x) - (y >= 0xd800 && y < 0xe000 ? y + 0x10000 : y);
  }
  return a.length - b.length;
}

/**
 * The bencode text of a structure that holds no bytes, as a string whose UTF-8 form is the encoding.
 *
 * @param value - integers, strings, arrays and plain objects
 * @returns the encoding; string lengths in it count UTF-8 bytes
 * @throws TypeError for booleans, null, undefined, non-integer numbers and anything else
 * @see https://wiki.theory.org/BitTorrentSpecification#Bencoding
 */
export function bencodeText(value: Exclude<Bencodable, Uint8Array>): string {
  if (typeof value === "string") return `${utf8Length(value)}:${value}`;
  if (typeof value === "bigint") return `i${value}e`;
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new TypeError(`Cannot bencode ${value}: not a safe integer`);
    return `i${Object.is(value, -0) ? 0 : value}e`;
  }
  if (Array.isArray(value)) {
    let text = "l";
    for (const item of value) text += bencodeText(item);
    return `${text}e`;
  }
  if (typeof value === "object" && value !== null && !(value instanceof Uint8Array)) {
    const dictionary = value as Record<string, Exclude<Bencodable, Uint8Array>>;
    let text = "d";
    for (const key of Object.keys(dictionary).sort(compareCodePoints)) {
      text += `${utf8Length(key)}:${key}${bencodeText(dictionary[key]!)}`;
    }
    return `${text}e`;
  }
  throw new TypeError(`Cannot bencode ${value === null ? "null" : typeof value}`);
}

/**
 * Encodes a structure as bencode bytes.
 *
 * @throws TypeError for booleans, null, undefined, non-integer numbers and anything else
 */
export function bencode(value: Bencodable): Uint8Array {
  const parts: Uint8Array[] = [];
  const walk = (item: Bencodable): void => {
    if (item instanceof Uint8Array) {
      parts.push(utf8.encode(`${item.length}:`), item);
    } else if (Array.isArray(item)) {
      parts.push(utf8.encode("l"));
      for (const child of item) walk(child);
      parts.push(utf8.encode("e"));
    } else if (typeof item === "object" && item !== null) {
      const dictionary = item as Record<string, Bencodable>;
      parts.push(utf8.encode("d"));
      for (const key of Object.keys(dictionary).sort(compareCodePoints)) {
        parts.push(utf8.encode(`${utf8Length(key)}:${key}`));
        walk(dictionary[key]!);
      }
      parts.push(utf8.encode("e"));
    } else {
      parts.push(utf8.encode(bencodeText(item as number | string)));
    }
  };
  walk(value);
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

const strictUtf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Decodes bencode bytes. Byte strings that are valid UTF-8 come back as strings, others as bytes.
 *
 * @throws TypeError for truncated or malformed input
 */
export function bdecode(bytes: Uint8Array): Bencodable {
  let offset = 0;
  const fail = (what: string): never => {
    throw new TypeError(`Cannot decode bencode: ${what} at byte ${offset}`);
  };
  const number = (end: number): number | bigint => {
    const start = offset;
    while (offset < bytes.length && bytes[offset] !== end) offset++;
    if (offset >= bytes.length) fail("truncated number");
    const text = String.fromCharCode(...bytes.subarray(start, offset));
    if (!/^(0|-?[1-9]\d*)$/.test(text)) fail(`bad number ${JSON.stringify(text)}`);
    offset++;
    const value = Number(text);
    return Number.isSafeInteger(value) ? value : BigInt(text);
  };
  const item = (depth: number): Bencodable => {
    if (depth > 1000) fail("nesting deeper than 1000");
    const lead = bytes[offset];
    if (lead === undefined) return fail("truncated input");
    if (lead === 0x69) {
      offset++;
      return number(0x65);
    }
    if (lead === 0x6c) {
      offset++;
      const list: Bencodable[] = [];
      while (bytes[offset] !== 0x65) list.push(item(depth + 1));
      offset++;
      return list;
    }
    if (lead === 0x64) {
      offset++;
      const dictionary: Record<string, Bencodable> = Object.create(null);
      while (bytes[offset] !== 0x65) {
        const key = item(depth + 1);
        if (typeof key !== "string") return fail("a key that is not a string");
        dictionary[key] = item(depth + 1);
      }
      offset++;
      return dictionary;
    }
    if (lead < 0x30 || lead > 0x39) return fail("unknown type");
    const length = Number(number(0x3a));
    if (offset + length > bytes.length) fail("truncated string");
    const raw = bytes.slice(offset, offset + length);
    offset += length;
    try {
      return strictUtf8.decode(raw);
    } catch {
      return raw;
    }
  };
  const value = item(0);
  if (offset !== bytes.length) fail("trailing data");
  return value;
}
