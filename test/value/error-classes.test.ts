import { expect, test } from "vitest";
import { decodeValue, encodeValue, hashValue } from "../../src/index.ts";
import { classNamesOf, registerErrorClass } from "../../src/value/error-classes.ts";

class Base extends Error {}
class Derived extends Base {
  detail = 1;
}
class Narrow extends TypeError {}
class Named extends Error {
  override readonly name = "Named";
}

test("an error keeps the names of its classes where its name does not tell them", () => {
  const text = encodeValue(new Derived("x")).text;
  expect(text).toBe('{"$":["Error",{"detail":1,"message":"x","name":"Error"},["Derived","Base"]]}');
  const decoded = decodeValue(text) as Derived;
  expect(decoded).not.toBeInstanceOf(Base);
  expect(classNamesOf(decoded)).toEqual(["Derived", "Base"]);
  expect(encodeValue(decoded).text).toBe(text);
  expect(hashValue(decoded)).toBe(hashValue(new Derived("x")));
  for (const error of [new Error("x"), new TypeError("x"), new Named("x")])
    expect(encodeValue(error).text).not.toContain("]]");
});

test("an error is of its class again where that is known, and of the runtime's own class anyway", () => {
  const text = encodeValue(new Narrow("x")).text;
  expect(decodeValue(text)).toBeInstanceOf(TypeError);
  expect(decodeValue(text)).not.toBeInstanceOf(Narrow);
  for (const type of [Narrow, Derived, Named]) registerErrorClass(type);
  expect(decodeValue(text)).toBeInstanceOf(Narrow);
  const derived = decodeValue(encodeValue(new Derived("x")).text) as Derived;
  expect(derived).toBeInstanceOf(Base);
  expect([derived.detail, derived.message, derived.stack]).toEqual([1, "x", "Error: x"]);
  expect(decodeValue(encodeValue(new Named("x")).text)).toBeInstanceOf(Named);
});

test("a class goes by the name that it was registered with, and what is no class of errors is none", () => {
  class Renamed extends Error {}
  registerErrorClass(Renamed, "Original");
  expect(encodeValue(new Renamed("x")).text).toContain('["Original"]');
  for (const thing of [class {}, () => 1, Error, { prototype: Error.prototype }, null, "Error"])
    registerErrorClass(thing);
  expect(decodeValue(encodeValue(new Error("x")).text)).toEqual(new Error("x"));
});

test.each(["1", "[]", '["a",1]', '"a"', "null"])("malformed names of classes are refused: %s", (names) => {
  expect(() => decodeValue(`{"$":["Error",{"message":"x","name":"Error"},${names}]}`)).toThrow(
    expect.objectContaining({ code: "invalid-encoding" }),
  );
});
