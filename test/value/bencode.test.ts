import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Bencodable,
  bdecode,
  bencode,
  bencodeText,
  compareCodePoints,
  utf8Length,
} from "../../src/value/bencode.ts";
import { anyText } from "./arbitraries.ts";

/** UTF-8 has no halves of surrogate pairs. */
const properText = anyText.map((value) => value.toWellFormed());

const utf8 = new TextEncoder();
const text = (value: Bencodable) => new TextDecoder().decode(bencode(value));

const bencodable = fc.letrec<{ value: Bencodable; leaf: Bencodable }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    tie("leaf"),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(properText, tie("value"), { maxKeys: 4 }),
  ),
  leaf: fc.oneof(fc.maxSafeInteger(), properText),
})).value;

describe("bencoding", () => {
  test("HSH-002: writes integers, strings, lists and dictionaries", () => {
    expect(text(10)).toBe("i10e");
    expect(text(-3)).toBe("i-3e");
    expect(text(-0)).toBe("i0e");
    expect(text(12345678901234567890n)).toBe("i12345678901234567890e");
    expect(text("abc")).toBe("3:abc");
    expect(text(["Task", "123"])).toBe("l4:Task3:123e");
    expect(text({ b: 1, a: ["x"] })).toBe("d1:al1:xe1:bi1ee");
    expect(text([])).toBe("le");
    expect(text({})).toBe("de");
  });

  test("HSH-002: counts a string's length in bytes of UTF-8", () => {
    expect(text("é")).toBe("2:é");
    expect(text("😀")).toBe("4:😀");
    expect(text(new Uint8Array([255, 0]))).toMatch(/^2:/);
  });

  test.each([true, false, null, undefined, 1.5, NaN, Infinity, 2 ** 53, Symbol("x"), () => 1])(
    "HSH-004: refuses %s",
    (value) => {
      expect(() => bencode(value as never)).toThrow(TypeError);
      expect(() => bencode([value] as never)).toThrow(TypeError);
      expect(() => bencodeText({ key: value } as never)).toThrow(TypeError);
    },
  );

  test("HSH-005: sorts keys by code point, not by UTF-16 unit", () => {
    expect(text({ "😀": 1, "\uffff": 2, z: 3 })).toBe("d1:zi3e3:\uffffi2e4:😀i1ee");
  });

  test("HSH-005: the order of strings is that of their code points", () => {
    const codePoints = (value: string) => [...value].map((char) => char.codePointAt(0)!);
    fc.assert(
      fc.property(properText, properText, (x, y) => {
        const [left, right] = [codePoints(x), codePoints(y)];
        const at = left.findIndex((point, i) => point !== right[i]);
        const order = at < 0 ? left.length - right.length : left[at]! - (right[at] ?? -1);
        expect(Math.sign(compareCodePoints(x, y))).toBe(Math.sign(order));
      }),
    );
  });

  test("the length of a string is that of its UTF-8 bytes", () => {
    fc.assert(
      fc.property(anyText, (value) => {
        expect(utf8Length(value)).toBe(utf8.encode(value).length);
      }),
    );
    expect(utf8Length("\ud800x\udc00")).toBe(7);
  });

  test("both forms of the encoder agree", () => {
    fc.assert(
      fc.property(bencodable, (value) => {
        expect(text(value)).toBe(bencodeText(value as string));
      }),
    );
  });
});

describe("decoding bencode", () => {
  test("is the inverse of encoding", () => {
    fc.assert(
      fc.property(bencodable, (value) => {
        expect(bencode(bdecode(bencode(value)))).toEqual(bencode(value));
      }),
    );
  });

  test("HSH-007: gives text where the bytes are UTF-8, and bytes elsewhere", () => {
    expect(bdecode(utf8.encode("2:é"))).toBe("é");
    expect(bdecode(bencode(new Uint8Array([0xff, 1])))).toEqual(new Uint8Array([0xff, 1]));
  });

  test.each([
    "",
    "i",
    "i1",
    "l",
    "li1e",
    "d",
    "d1:a",
    "3:ab",
    "5",
    "i1ei2e",
    "x",
    "ie",
    "i01e",
    "i-0e",
    "-1:a",
    "di1ei2ee",
  ])("HSH-007: refuses %j", (input) => {
    expect(() => bdecode(utf8.encode(input))).toThrow(/^Cannot decode bencode/);
  });

  test("keeps integers that no number can hold", () => {
    expect(bdecode(utf8.encode("i12345678901234567890e"))).toBe(12345678901234567890n);
  });

  test("refuses input that nests too deep", () => {
    expect(() => bdecode(utf8.encode("l".repeat(100_000)))).toThrow(/nesting/);
  });

  test("a key like __proto__ is a key", () => {
    const decoded = bdecode(utf8.encode("d9:__proto__d1:xi1eee")) as Record<string, unknown>;
    expect(Object.keys(decoded)).toEqual(["__proto__"]);
    expect(({} as { x?: number }).x).toBeUndefined();
  });
});
