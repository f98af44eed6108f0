import { expect, test } from "vitest";
import { ErrorClass } from "../../src/builtins/error-class.ts";

test.each(["constructor", "toString", "__proto__"])("no error is of a class called %s", (name) => {
  expect(new ErrorClass(name).matches(new RangeError("x"))).toBe(false);
});
