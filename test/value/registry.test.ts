import { describe, expect, test } from "vitest";
import { decodeValue, display, encodeValue, hashValue, registerValue } from "../../src/index.ts";
import { Point } from "./samples.ts";

class Genome {
  readonly letters: string;
  constructor(letters: string) {
    this.letters = letters;
  }
}

class Stack extends Array<number> {}

registerValue({
  name: "acme.Genome",
  is: (value) => value instanceof Genome,
  encode: ({ letters }: Genome) => ({ letters }),
  decode: ({ letters }: { letters: string }) => new Genome(letters),
  hash: () => "0".repeat(40),
  display: ({ letters }: Genome) => `Genome(${letters.length})`,
});
registerValue({
  name: "acme.Stack",
  is: (value) => value instanceof Stack,
  encode: (stack: Stack) => [...stack],
  decode: (items: number[]) => Stack.from(items),
});

describe("a registered type", () => {
  test("VAL-002: has the name that it was registered under", () => {
    expect(encodeValue(new Genome("GATTACA")).type).toBe("acme.Genome");
  });

  test("VAL-003: comes back as what it was, also inside other values", () => {
    const value = { genomes: [new Genome("GATTACA"), new Point(1, 2)], of: new Map([[new Genome("A"), 1]]) };
    expect(decodeValue(encodeValue(value).text)).toStrictEqual(value);
  });

  test("may build on an array", () => {
    const decoded = decodeValue(encodeValue(Stack.from([1, 2])).text);
    expect(decoded).toBeInstanceOf(Stack);
    expect(decoded).toEqual(Stack.from([1, 2]));
    expect(hashValue(decoded)).not.toBe(hashValue([1, 2]));
  });

  test("VAL-022: may have a hash of its own, which hides what changes", () => {
    expect(hashValue(new Genome("A"))).toBe(hashValue(new Genome("B")));
    expect(encodeValue(new Genome("A")).hash).toBe("0".repeat(40));
    expect(hashValue([new Genome("A")])).not.toBe(hashValue([new Genome("B")]));
    for (const holder of [[new Genome("A")], { genome: new Genome("A") }, new Map([[1, new Genome("A")]])])
      expect(encodeValue(holder).hash).toBe(hashValue(holder));
  });

  test("is shown as it says, or by its name and data", () => {
    expect(display([new Genome("GATTACA"), new Point(1, 2)])).toBe("[ Genome(7), test.Point([ 1, 2 ]) ]");
  });

  test("can be registered again, as when its module is loaded again", () => {
    registerValue({
      name: "acme.Genome",
      is: (value) => value instanceof Genome,
      encode: ({ letters }: Genome) => letters,
      decode: (letters: string) => new Genome(letters),
    });
    expect(encodeValue(new Genome("A")).text).toBe('{"$":["acme.Genome","A"]}');
  });

  test.each(["", "1a", "a b", "redun.File", "Date", "undefined", "shared", "number", "Map"])(
    "can't have the name %j",
    (name) => {
      const codec = { name, is: () => false, encode: () => 1, decode: () => 1 };
      expect(() => registerValue(codec)).toThrow(/^Cannot register a value type named/);
    },
  );

  test("that encodes to itself is refused as a cycle", () => {
    class Loop {}
    registerValue({
      name: "acme.Loop",
      is: (value) => value instanceof Loop,
      encode: (value: Loop) => [value],
      decode: () => new Loop(),
    });
    expect(() => encodeValue({ loop: new Loop() })).toThrow("Cannot encode value.loop[0]: it refers back");
  });
});

describe("the names of types", () => {
  // VAL-005: these stand in stores and never change.
  test.each([
    [null, "null"],
    [undefined, "undefined"],
    [true, "boolean"],
    [1, "number"],
    [1n, "bigint"],
    ["x", "string"],
    [[], "Array"],
    [{}, "Object"],
    [Object.create(null), "Object"],
    [new Map(), "Map"],
    [new Set(), "Set"],
    [new Date(0), "Date"],
    [new URL("https://example.com"), "URL"],
    [new TypeError("x"), "Error"],
    [new Uint8Array(), "Uint8Array"],
    [new ArrayBuffer(0), "ArrayBuffer"],
  ])("%#: %s", (value, name) => {
    expect(encodeValue(value).type).toBe(name);
  });
});
