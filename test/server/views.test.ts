import { expect, test } from "vitest";
import { valueView } from "../../src/server/views.ts";

const view = (text: string, type = "builtins.str") =>
  valueView({ hash: "0".repeat(40), type, format: "json", text, file: null, subvalues: [] });

test("a value is shown with its JSON and a text", () => {
  expect(view('{"a":[1,2]}')).toMatchObject({ value: { a: [1, 2] }, preview: "{ a: [ 1, 2 ] }", size: 11 });
});

test("of a value that is long, deep, or no JSON at all, only as much is shown as is cheap", () => {
  const start = performance.now();
  expect(view(JSON.stringify("x".repeat(50_000_000)))).toMatchObject({
    value: null,
    preview: "builtins.str (50000002 characters)",
  });
  expect(view("[".repeat(1000) + "]".repeat(1000))).toMatchObject({ value: null });
  // Looking for the end of a string at each of its quotes would take minutes.
  expect(view(`"${'\\"'.repeat(400_000)}`)).toMatchObject({ value: null });
  expect(performance.now() - start).toBeLessThan(5_000);
});
