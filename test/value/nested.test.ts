import { describe, expect, test } from "vitest";
import { display } from "../../src/index.ts";
import { trim } from "../../src/value/display.ts";
import { isContainer, leaves, mapNested, mergeObjects } from "../../src/value/nested.ts";
import { Point } from "./samples.ts";

const double = (leaf: unknown) => (typeof leaf === "number" ? leaf * 2 : leaf);

class Table extends Map<string, number> {}

describe("nested values", () => {
  test("NST-001: are arrays, plain objects, maps and sets of exactly these types", () => {
    for (const value of [[], {}, Object.create(null), new Map(), new Set()])
      expect(isContainer(value)).toBe(true);
    const others = [
      1,
      "a",
      null,
      undefined,
      () => 1,
      new Date(),
      new Point(1, 2),
      new Table(),
      new (class extends Array {})(),
    ];
    for (const value of others) expect(isContainer(value)).toBe(false);
  });

  test("NST-002: mapping keeps kind and shape", () => {
    const value = { a: [1, [2]], b: new Map<unknown, unknown>([[3, new Set([4])]]), c: { d: "x" }, e: [] };
    expect(mapNested(double, value)).toStrictEqual({
      a: [2, [4]],
      b: new Map<unknown, unknown>([[6, new Set([8])]]),
      c: { d: "x" },
      e: [],
    });
    expect(value.a).toEqual([1, [2]]);
  });

  test("NST-002: mapping that changes nothing gives the same value", () => {
    const value = { a: ["x", new Set(["y"])], b: new Map([["k", {}]]) };
    expect(mapNested(double, value)).toBe(value);
    const partly = { same: ["x"], other: [1] };
    const mapped = mapNested(double, partly) as typeof partly;
    expect(mapped.same).toBe(partly.same);
    expect(mapped.other).toEqual([2]);
  });

  test("NST-003: keys of maps are mapped too", () => {
    expect(mapNested(double, new Map([[1, [2]]]))).toEqual(new Map([[2, [4]]]));
  });

  test("mapping keeps a key __proto__ a key", () => {
    const mapped = mapNested(double, JSON.parse('{"__proto__":{"x":1}}')) as object;
    expect(Object.getPrototypeOf(mapped)).toBe(Object.prototype);
    expect(JSON.stringify(mapped)).toBe('{"__proto__":{"x":2}}');
  });

  test("NST-006: every leaf comes once an occurrence, keys of maps and nulls included", () => {
    const value = [1, [1, null], { a: undefined, b: new Map([["k", new Set(["s"])]]) }];
    expect([...leaves(value)].map(String).sort()).toEqual(["1", "1", "k", "null", "s", "undefined"]);
    expect([...leaves("x")]).toEqual(["x"]);
  });

  test("mapping and walking 100,000 levels takes no recursion", () => {
    let value: unknown = 1;
    for (let i = 0; i < 100_000; i++) value = i % 2 === 0 ? [value] : { value };
    expect([...leaves(mapNested(double, value))]).toEqual([2]);
  });
});

describe("merging objects", () => {
  test("NST-010: goes into objects, and later values win", () => {
    expect(mergeObjects({ a: { b: 1, c: 2 }, d: 1 }, { a: { b: 3 } }, { d: { e: 1 } })).toEqual({
      a: { b: 3, c: 2 },
      d: { e: 1 },
    });
    expect(mergeObjects({ a: { b: 1 } }, { a: 2 })).toEqual({ a: 2 });
    expect(mergeObjects()).toEqual({});
  });

  test("can't reach a prototype", () => {
    mergeObjects({ a: {} }, JSON.parse('{"__proto__":{"polluted":1},"a":{"__proto__":{"polluted":1}}}'));
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
});

describe("displaying a value", () => {
  test.each<[unknown, string]>([
    ["Hello, World!", "'Hello, World!'"],
    ["it's", `"it's"`],
    [`"it's"`, `'"it\\'s"'`],
    ["line\nbreak", "'line\\nbreak'"],
    [[1, 2], "[ 1, 2 ]"],
    [[], "[]"],
    [{}, "{}"],
    [{ name: "a", sizes: [1, 2], "a key": null }, "{ name: 'a', sizes: [ 1, 2 ], 'a key': null }"],
    [-0, "-0"],
    [1n, "1n"],
    [undefined, "undefined"],
    [new Set([1]), "Set(1) { 1 }"],
    [new Map([["a", 1]]), "Map(1) { 'a' => 1 }"],
    [new Date(0), "1970-01-01T00:00:00.000Z"],
    [new Date(NaN), "Invalid Date"],
    [new TypeError("no"), "TypeError('no')"],
    [new URL("https://example.com/"), "URL('https://example.com/')"],
    [new Uint8Array([1, 2]), "Uint8Array(2) [ 1, 2 ]"],
    [new ArrayBuffer(3), "ArrayBuffer(3)"],
    [function named() {}, "[Function: named]"],
    [Symbol("x"), "Symbol(x)"],
  ])("%#: %s", (value, text) => {
    expect(display(value)).toBe(text);
  });

  test("NST-011: cuts text to exactly the maximum", () => {
    expect(trim("x".repeat(201))).toBe(`${"x".repeat(197)}...`);
    expect(trim("x".repeat(200))).toBe("x".repeat(200));
    expect(display("x".repeat(1000), 50)).toHaveLength(50);
  });

  test("takes no longer for a large value than for a small one", () => {
    let deep: unknown = 1;
    for (let i = 0; i < 100_000; i++) deep = [deep];
    expect(display(deep)).toMatch(/\.\.\./);
    expect(display(Array.from({ length: 1_000_000 }, (_, i) => i))).toHaveLength(200);
    const cycle: unknown[] = [];
    cycle.push(cycle);
    expect(display(cycle)).toMatch(/\.\.\./);
  });
});
