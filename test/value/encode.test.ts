import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeValue, encodeValue, hashValue, UnsupportedValueError } from "../../src/index.ts";
import { compareCodePoints } from "../../src/value/bencode.ts";
import { normalizeValue } from "../../src/value/value.ts";
import { anyText, anyValue, objectOf } from "./arbitraries.ts";

const text = (value: unknown) => encodeValue(value).text;

/** The same value with the keys and entries of everything in it in another order. */
function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled);
  if (value instanceof Map) {
    return new Map([...value].reverse().map(([key, item]) => [shuffled(key), shuffled(item)]));
  }
  if (value instanceof Set) return new Set([...value].reverse().map(shuffled));
  if (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    return objectOf(
      Object.entries(value)
        .reverse()
        .map(([key, item]) => [key, shuffled(item)]),
    );
  }
  return value;
}

/** Own properties, hidden ones too, but without an error's stack. */
const ownEntries = (value: object) =>
  Reflect.ownKeys(value)
    .filter((key) => key !== "stack")
    .sort()
    .map((key) => [key, Object.getOwnPropertyDescriptor(value, key)!] as const);

/** Whether two values are equal in class, contents and shape. Order counts in arrays alone. */
function same(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return Object.is(a, b);
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (a instanceof Date || a instanceof URL) return a.toJSON() === (b as Date | URL).toJSON();
  if (a instanceof ArrayBuffer) return same(new Uint8Array(a), new Uint8Array(b as ArrayBuffer));
  if (a instanceof Map || a instanceof Set) {
    const left = [...a];
    const right: unknown[] = [...(b as Map<unknown, unknown> | Set<unknown>)];
    return (
      left.length === right.length &&
      left.every((item) => {
        const at = right.findIndex((other) => same(item, other));
        return at >= 0 && right.splice(at, 1).length === 1;
      })
    );
  }
  const left = ownEntries(a);
  const right = ownEntries(b);
  return (
    left.length === right.length &&
    left.every(([key, property], i) => {
      const [otherKey, other] = right[i]!;
      return (
        key === otherKey && property.enumerable === other.enumerable && same(property.value, other.value)
      );
    })
  );
}

function nested(depth: number, make: (inner: unknown) => unknown, innermost: unknown = null): unknown {
  let value = innermost;
  for (let i = 0; i < depth; i++) value = make(value);
  return value;
}

/** The path that an encoding is refused at, and what for. */
function refusal(value: unknown, root?: string): { path: unknown; what: unknown } {
  try {
    encodeValue(value, root);
  } catch (error) {
    if (!(error instanceof UnsupportedValueError)) throw error;
    const { path, what } = error.fields;
    expect(error.code).toBe("unsupported-value");
    expect(error.message).toBe(`Cannot encode ${path}: ${what}`);
    expect(error.hint).toContain("registerValue");
    return { path, what };
  }
  throw new Error("It was encoded");
}

class Unknown {
  field = 1;
}

describe("the canonical encoding", () => {
  test("decodes to the value that was encoded", () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(same(decodeValue(text(value)), value)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test("is the same when it is decoded and encoded again", () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(encodeValue(decodeValue(text(value)))).toEqual(encodeValue(value));
      }),
      { numRuns: 300 },
    );
  });

  test("HSH-012: is the same whatever the order of keys and entries", () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(text(shuffled(value))).toBe(text(value));
        expect(hashValue(shuffled(value))).toBe(hashValue(value));
      }),
      { numRuns: 300 },
    );
  });

  test("HSH-013: is the same whether or not references are shared", () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const copy = decodeValue(text(value));
        expect(text([value, value])).toBe(text([value, copy]));
      }),
    );
  });

  test("is JSON, whose keys are in the order of code points", () => {
    fc.assert(
      fc.property(fc.dictionary(anyText, fc.integer()), (object) => {
        const keys = [...text(object).matchAll(/("(?:[^"\\]|\\.)*"):/g)].map(([, key]) => JSON.parse(key!));
        expect(keys).toEqual([...keys].sort(compareCodePoints));
      }),
    );
  });

  test("tells apart what is not the same", () => {
    const values = [
      0,
      -0,
      0n,
      "0",
      null,
      undefined,
      false,
      NaN,
      "NaN",
      "null",
      [],
      {},
      "",
      new Map(),
      new Set(),
      [undefined],
      [null],
      { a: undefined },
      { $: ["undefined"] },
      { $: ["number", "NaN"] },
      new Date(0),
      new Date(NaN),
      new Error(""),
      new TypeError(""),
      new Uint8Array(0),
      new Int8Array(0),
      new ArrayBuffer(0),
      [["a", 1]],
      new Map([["a", 1]]),
      { a: 1 },
      ["a"],
      new Set(["a"]),
    ];
    expect(new Set(values.map(text)).size).toBe(values.length);
    expect(new Set(values.map(hashValue)).size).toBe(values.length);
  });

  test("HSH-011: a set's hash does not depend on order, and is never that of a list", () => {
    expect(hashValue(new Set([3, 1, 2]))).toBe(hashValue(new Set([1, 2, 3])));
    expect(hashValue(new Set([1, 2, 3]))).not.toBe(hashValue([1, 2, 3]));
    expect(hashValue(new Set())).not.toBe(hashValue([]));
  });

  test("keeps entries of a map whose keys are different objects with equal contents", () => {
    const map = new Map([
      [{ k: 1 }, "one"],
      [{ k: 1 }, "two"],
    ]);
    const decoded = decodeValue(text(map)) as Map<unknown, unknown>;
    expect([...decoded.values()].sort()).toEqual(["one", "two"]);
    expect(text(new Map([...map].reverse()))).toBe(text(map));
  });

  test("leaves no holes in arrays", () => {
    // biome-ignore lint/suspicious/noSparseArray: a hole is what is tested
    expect(decodeValue(text([1, , 2]))).toStrictEqual([1, undefined, 2]);
  });

  test("takes objects without a prototype, and an array of arguments, for plain ones", () => {
    expect(decodeValue(text(Object.assign(Object.create(null), { a: 1 })))).toStrictEqual({ a: 1 });
  });

  test.each([
    [100_000, "arrays", (inner: unknown) => [inner]],
    [100_000, "objects", (inner: unknown) => ({ inner })],
    [20_000, "items of maps", (inner: unknown) => new Map([["inner", inner]])],
  ] as const)("encodes and decodes %d %s inside each other", (depth, _, make) => {
    const encoded = text(nested(depth, make));
    expect(encodeValue(decodeValue(encoded)).text === encoded).toBe(true);
  });

  test("an error keeps what of it can be encoded", () => {
    const error = Object.assign(new Error("refused", { cause: new Error("deeper", { cause: () => 1 }) }), {
      status: 403,
      request: { send: () => 1 },
      self: null as unknown,
      toJSON: () => "no",
    });
    error.self = [error];
    const decoded = decodeValue(text(error)) as typeof error;
    expect(Object.keys(decoded)).toEqual(["status"]);
    expect(decoded.cause).toStrictEqual(new Error("deeper"));
    expect(decoded).toMatchObject({ message: "refused", status: 403 });
  });

  test("an error that is its own cause loses it", () => {
    const error = new Error("again");
    error.cause = error;
    expect(decodeValue(text(error))).toStrictEqual(new Error("again"));
  });

  test("a long chain of causes is cut, at a cost that grows with its length alone", () => {
    let error = new Error("first");
    for (let i = 0; i < 1000; i++) error = new Error(`${i}`, { cause: error });
    expect(text(error).length).toBeLessThan(10_000);
  });
});

describe("normalizing a value", () => {
  test("gives it back itself if decoding would give the same", () => {
    const value = { a: [1, { b: 2 }], c: new Date(0) };
    expect(normalizeValue(value).value).toBe(value);
  });

  test("gives keys, entries and classes as they come from a store", () => {
    expect(Object.keys(normalizeValue({ b: 1, a: 2 }).value as object)).toEqual(["a", "b"]);
    expect([...(normalizeValue(new Set([2, 1])).value as Set<number>)]).toEqual([1, 2]);
    expect([
      ...(
        normalizeValue([
          new Map([
            ["b", 1],
            ["a", 2],
          ]),
        ]).value as [Map<string, number>]
      )[0].keys(),
    ]).toEqual(["a", "b"]);
    class Bytes extends Uint8Array {}
    expect((normalizeValue(new Bytes([1])).value as object).constructor).toBe(Uint8Array);
  });
});

describe("a value that can't be encoded", () => {
  test("is named by its path", () => {
    const items = [1, 2, 3, { callback() {} }];
    expect(refusal({ items }, "result")).toEqual({
      path: "result.items[3].callback",
      what: "a function (callback) has no encoding",
    });
  });

  test.each<[unknown, string, string]>([
    [() => 1, "value", "a function has no encoding"],
    [Symbol("x"), "value", "a symbol has no encoding"],
    [[Symbol.iterator], "value[0]", "a symbol has no encoding"],
    [{ "a key": [new Unknown()] }, 'value["a key"][0]', "an object of class Unknown has no registered codec"],
    [{ a: { b: /x/ } }, "value.a.b", "an object of class RegExp has no registered codec"],
    [{ a: new WeakMap() }, "value.a", "an object of class WeakMap has no registered codec"],
    [{ a: Promise.resolve(1) }, "value.a", "a promise has no encoding; await it, or return it alone"],
    [
      { a: new DataView(new ArrayBuffer(1)) },
      "value.a",
      "an object of class DataView has no registered codec",
    ],
    [{ a: new (class extends Map {})() }, "value.a", "an object of class (unnamed) has no registered codec"],
    [
      { a: new (class List extends Array {})() },
      "value.a",
      "an object of class List has no registered codec",
    ],
    [new Map<unknown, unknown>([["key", [Unknown]]]), "value.key[0]", "a function (Unknown) has no encoding"],
    [new Map([[3, Unknown]]), "value[3]", "a function (Unknown) has no encoding"],
    [
      new Map([[Object.create(null), Unknown]]),
      'value["(an object as key)"]',
      "a function (Unknown) has no encoding",
    ],
    [{ a: new Set([{ b: Unknown }]) }, "value(item).b", "a function (Unknown) has no encoding"],
  ])("%#: is refused at its place", (value, path, what) => {
    expect(refusal(value)).toEqual({ path, what });
  });

  test("is found below 100,000 levels, and its path is cut", () => {
    const { path } = refusal(
      nested(
        100_000,
        (inner) => ({ inner }),
        () => 1,
      ),
    );
    expect(String(path).length).toBeLessThan(300);
    expect(path).toMatch(/^value\.inner\.inner.*….*\.inner$/);
  });
});

describe("a cycle", () => {
  const cycle = "it refers back to a value that holds it (a cycle)";

  test("is refused, naming where it closes", () => {
    const list: unknown[] = [1];
    const object = { list, deeper: { again: list } };
    list.push({ object });
    expect(refusal(object, "result")).toEqual({ path: "result.list[1].object", what: cycle });
  });

  test("of an array with itself is refused", () => {
    const list: unknown[] = [];
    list.push(list);
    expect(refusal(list)).toEqual({ path: "value[0]", what: cycle });
  });

  test("through a map is refused", () => {
    const map = new Map<string, unknown>();
    map.set("self", [map]);
    expect(refusal(map)).toEqual({ path: "value.self[0]", what: cycle });
  });

  test("through a set is refused", () => {
    const set = new Set<unknown>();
    set.add([set, 1]).add([set, 2]);
    expect(refusal(set).what).toContain("cycle");
  });

  test("is not what a value is that occurs in two places", () => {
    const shared = { a: 1 };
    expect(text(nested(3000, (inner) => [inner], [shared, shared]))).toContain('{"a":1},{"a":1}');
  });
});
