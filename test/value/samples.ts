import { registerValue } from "../../src/index.ts";

/** A type of the user's own. */
export class Point {
  readonly x: number;
  readonly y: number;
  constructor(x: number, y: number) {
    this.x = x;
    this.y = y;
  }
}

registerValue({
  name: "test.Point",
  is: (value) => value instanceof Point,
  encode: ({ x, y }: Point) => [x, y],
  decode: (data: unknown) => {
    if (!Array.isArray(data)) throw new TypeError("not a point");
    return new Point(data[0], data[1]);
  },
});

const shared = { a: 1 };
const bytes = [0, 1, 127, 128, 255, 254, 3, 8];
const view = <T>(make: new (buffer: ArrayBuffer) => T): T => new make(new Uint8Array(bytes).buffer);
const named = (error: Error, fields: Record<string, unknown>): Error => Object.assign(error, fields);

/** Values of every supported type, by the name that `vectors.json` has for each. */
export const samples: Readonly<Record<string, unknown>> = {
  null: null,
  undefined: undefined,
  true: true,
  false: false,
  zero: 0,
  "negative zero": -0,
  integer: 42,
  "negative integer": -7,
  fraction: 0.1,
  "number that is written with an exponent": 1e21,
  "smallest number": 5e-324,
  "largest number": Number.MAX_VALUE,
  "not a number": NaN,
  infinity: Infinity,
  "negative infinity": -Infinity,
  bigint: 123456789012345678901234567890n,
  "negative bigint": -1n,
  "empty string": "",
  string: "hello",
  "string outside ASCII": "é – 😀",
  "string with escapes": 'quote " backslash \\ newline \n null \u0000 line separator \u2028',
  "string with half a surrogate pair": "a\ud800b",
  "string like a tag": '{"$":["undefined"]}',
  date: new Date(Date.UTC(2024, 1, 29, 12, 30, 15, 250)),
  "date before 1970": new Date(-1),
  "invalid date": new Date(NaN),
  url: new URL("https://example.com/a b?q=é#x"),
  "empty array": [],
  array: [1, "two", [3], null, undefined],
  "empty object": {},
  object: { b: 1, a: { d: [], c: undefined } },
  "object with integer-like keys": { 10: "ten", 9: "nine", b: 1, "-1": 0 },
  "object with keys outside the BMP": { "😀": 1, "\uffff": 2, z: 3 },
  "object with dollar keys": { $: ["Date", 0], $$: 1, $x: 2, x$: 3 },
  "object with prototype keys": JSON.parse('{"__proto__":{"x":1},"constructor":2,"toString":3}'),
  "shared references": [shared, shared, { again: shared }],
  map: new Map<unknown, unknown>([
    ["b", 1],
    ["a", { x: [1] }],
    [2, new Map([[null, undefined]])],
    [{ k: 1 }, "object as key"],
  ]),
  "map whose keys look alike": new Map([
    [{ k: 1 }, 2],
    [{ k: 1 }, 1],
  ]),
  set: new Set<unknown>(["b", "a", 10, 9, [1], new Set(["inner"])]),
  "empty map": new Map(),
  "empty set": new Set(),
  "array with a set": [new Set([2, 1])],
  ArrayBuffer: new Uint8Array(bytes).buffer,
  "empty ArrayBuffer": new ArrayBuffer(0),
  Uint8Array: view(Uint8Array),
  "part of a buffer": new Uint8Array(new Uint8Array(bytes).buffer, 2, 3),
  Int8Array: view(Int8Array),
  Uint8ClampedArray: view(Uint8ClampedArray),
  Uint16Array: view(Uint16Array),
  Int16Array: view(Int16Array),
  Uint32Array: view(Uint32Array),
  Int32Array: view(Int32Array),
  Float32Array: new Float32Array([0.5, -0, NaN, Infinity]),
  Float64Array: new Float64Array([0.1, -0, -Infinity, 5e-324]),
  BigInt64Array: view(BigInt64Array),
  BigUint64Array: view(BigUint64Array),
  error: new Error("broken"),
  "type error with a cause": new TypeError("outer", { cause: new RangeError("inner") }),
  "error with fields": named(new Error("broken"), { code: "E_BROKEN", status: 500, details: { a: [1n] } }),
  "error of a class of its own": named(new Error("broken"), { name: "CustomError" }),
  "aggregate error": new AggregateError([new Error("one"), "two"], "several"),
  "registered type": new Point(1, -0),
  "everything at once": { list: [{ at: new Date(0), of: new Set([new Point(1, 2)]) }], n: NaN },
};
