import { describe, expect, test } from "vitest";
import type { PackageParameter, PackageTask, ParameterType } from "../../src/package/types.ts";
import { decodeValue } from "../../src/value/value.ts";
import { parseField, parseForm, typeText } from "../../web/lib/arguments.ts";

const task = (...parameters: PackageParameter[]): PackageTask => ({
  fullname: "t.main",
  name: "main",
  namespace: "t",
  hash: "",
  source: "",
  canonical: "",
  file: "workflow.ts",
  line: 1,
  async: false,
  parameters,
});
const number: ParameterType = { kind: "number" };
const required = (name: string, type: ParameterType): PackageParameter => ({ name, type, optional: false });

describe("a field", () => {
  test.each<[string, ParameterType, unknown]>([
    ["1_000.5", number, 1000.5],
    ["NaN", number, Number.NaN],
    ["12n", { kind: "bigint" }, 12n],
    ["-3", { kind: "bigint" }, -3n],
    ["", { kind: "string" }, ""],
    ["false", { kind: "boolean" }, false],
    ["2026-01-02T03:04:05Z", { kind: "Date" }, new Date("2026-01-02T03:04:05Z")],
    ["b", { kind: "enum", values: ["a", "b"] }, "b"],
    ["1, 2 3", { kind: "array", element: number }, [1, 2, 3]],
    ["[1, 2]", { kind: "array", element: number }, [1, 2]],
    ["a, b\nc", { kind: "array", element: { kind: "string" } }, ["a, b", "c"]],
    ["", { kind: "array", element: number }, []],
    ["[[1], [2]]", { kind: "array", element: { kind: "array", element: number } }, [[1], [2]]],
    ['{"a": 1}', { kind: "json", text: "{ a: number }" }, { a: 1 }],
    ["plain words", { kind: "json", text: "unknown" }, "plain words"],
  ])("reads %j as %j", (text, type, value) => {
    expect(parseField(text, type)).toEqual(value);
  });

  test.each<[string, ParameterType]>([
    ["", number],
    ["ten", number],
    ["1.5", { kind: "bigint" }],
    ["yes", { kind: "boolean" }],
    ["soon", { kind: "Date" }],
    ["c", { kind: "enum", values: ["a", "b"] }],
    ["1, x", { kind: "array", element: number }],
    ["{}", { kind: "array", element: { kind: "json", text: "Row" } }],
    ["{", { kind: "json", text: "Row" }],
    [" ", { kind: "File" }],
  ])("refuses %j for %j", (text, type) => {
    expect(() => parseField(text, type)).toThrow(/\.$|JSON/);
  });

  test("shows its type as TypeScript has it", () => {
    expect(typeText({ kind: "array", element: { kind: "enum", values: ["a", "b"] } })).toBe("(a | b)[]");
  });
});

describe("a form", () => {
  test("leaves out what has a default, and keeps positions", async () => {
    const form = task({ name: "a", type: number, optional: true, default: "1" }, required("b", number), {
      name: "c",
      type: number,
      optional: true,
    });
    const { args } = await parseForm(form, { b: "2" });
    expect(args?.map((text) => text && decodeValue(text))).toEqual([undefined, 2]);
  });

  test("spreads a rest parameter", async () => {
    const form = task(required("a", number), { ...required("more", number), rest: true });
    const { args } = await parseForm(form, { a: "1", more: "2, 3" });
    expect(args?.map((text) => text && decodeValue(text))).toEqual([1, 2, 3]);
    expect((await parseForm(form, { a: "1" })).args).toHaveLength(1);
  });

  test("tells all that is wrong by parameter", async () => {
    const { errors } = await parseForm(task(required("a", number), required("b", number)), { b: "x" });
    expect([...errors!]).toEqual([
      ["a", "This is required."],
      ["b", "This is not a number."],
    ]);
  });
});
