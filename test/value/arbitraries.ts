import fc from "fast-check";
import { Point } from "./samples.ts";

/** Any text, also with halves of surrogate pairs. The unit `binary` does the same, but takes seconds to set up. */
export const anyText: fc.Arbitrary<string> = fc.string({
  unit: fc
    .oneof(
      fc.integer({ min: 0, max: 0x7f }),
      fc.integer({ min: 0x80, max: 0xffff }),
      fc.integer({ min: 0xd800, max: 0x10ffff }),
    )
    .map((point) => String.fromCodePoint(point)),
  maxLength: 8,
});

/** Keys that are easy to get wrong, and others. */
const key = fc.oneof(
  fc.constantFrom(
    "$",
    "$$",
    "$x",
    "__proto__",
    "constructor",
    "toString",
    "then",
    "length",
    "0",
    "10",
    "9",
    "",
  ),
  anyText,
);

const typedArray = fc.oneof(
  fc.uint8Array(),
  fc.int8Array(),
  fc.uint8ClampedArray(),
  fc.uint16Array(),
  fc.int16Array(),
  fc.uint32Array(),
  fc.int32Array(),
  fc.float32Array({ noNaN: true }),
  fc.float64Array({ noNaN: true }),
  fc.bigInt64Array(),
  fc.bigUint64Array(),
);

const leaf: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(null, undefined, true, false, -0, NaN, Infinity, -Infinity),
  fc.double(),
  fc.integer(),
  fc.bigInt(),
  anyText,
  fc.date({ noInvalidDate: false }),
  fc.webUrl().map((url) => new URL(url)),
  typedArray,
  fc.uint8Array().map((bytes) => bytes.slice().buffer),
  fc.tuple(fc.integer(), fc.double()).map(([x, y]) => new Point(x, y)),
);

/** An object with these entries as own properties, whatever the keys. */
export function objectOf(entries: Iterable<readonly [string, unknown]>): Record<string, unknown> {
  const object = {};
  for (const [name, value] of entries)
    Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
  return object;
}

/** Values of every supported type, nested. */
export const anyValue: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.array(fc.tuple(key, tie("value")), { maxLength: 4 }).map(objectOf),
    fc.array(fc.tuple(tie("value"), tie("value")), { maxLength: 3 }).map((entries) => new Map(entries)),
    fc.array(tie("value"), { maxLength: 3 }).map((items) => new Set(items)),
    fc
      .tuple(fc.constantFrom(Error, TypeError, RangeError), fc.string(), tie("value"))
      .map(([Class, message, cause]) => new Class(message, cause === undefined ? {} : { cause })),
  ),
})).value;
