import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeValue, encodeValue, hasCode, InvalidEncodingError, RedunError } from "../../src/index.ts";
import "./samples.ts";

const tag = (...list: unknown[]) => JSON.stringify({ $: list });

describe("decoding", () => {
  test.each([
    ["nothing", ""],
    ["no JSON", "{"],
    ["a second value", "1 2"],
    ["a bare word", "undefined"],
    ["a tag without a list", '{"$":1}'],
    ["a tag with an object", '{"$":{}}'],
    ["an empty tag", tag()],
    ["a tag whose name is no text", tag(1, 2)],
    ["a tag with too much", tag("Date", 0, 0)],
    ["a reserved key", '{"a":1,"$b":2}'],
    ["a tag beside other keys", '{"$":["undefined"],"a":1}'],
    ["an unknown type", tag("acme.Unknown", 1)],
    ["a type named like a member of every object", tag("toString", 1)],
    ["a type named __proto__", tag("__proto__", 1)],
    ["undefined with data", tag("undefined", 1)],
    ["a number that JSON has", tag("number", "1")],
    ["a number named like a member", tag("number", "toString")],
    ["a bigint that is none", tag("bigint", "1.5")],
    ["a bigint as a number", tag("bigint", 1)],
    ["an empty bigint", tag("bigint", "")],
    ["a date as text", tag("Date", "2024-01-01")],
    ["a date without a time", tag("Date")],
    ["a URL that is none", tag("URL", "no url")],
    ["a URL as an object", tag("URL", { href: "https://example.com" })],
    ["a set as an object", tag("Set", {})],
    ["a map without pairs", tag("Map", [1])],
    ["a map with triples", tag("Map", [[1, 2, 3]])],
    ["bytes as a list", tag("Uint8Array", [1, 2])],
    ["bytes that are no base64", tag("Uint8Array", "%%%")],
    ["half a number", tag("Uint16Array", "AAAA")],
    ["an error as text", tag("Error", "broken")],
    ["an error as a list", tag("Error", [])],
    ["an error whose message is no text", tag("Error", { name: "Error", message: { toString: 1 } })],
    ["an error of null", tag("Error", null)],
    ["a reference to nothing", tag("shared", "0".repeat(40))],
    ["a reference by number", tag("shared", 0)],
    ["data that a registered type refuses", tag("test.Point", null)],
    ["an expression that is none", tag("redun.TaskExpression", {})],
    ["an expression with a number as its task", tag("redun.TaskExpression", [1, []])],
    ["an expression without arguments", tag("redun.SimpleExpression", ["add"])],
    [
      "a value expression of an expression",
      tag("redun.ValueExpression", [{ $: ["redun.ValueExpression", [1]] }]),
    ],
    ["a task that is none", tag("redun.Task", 1)],
    ["a partial task of a value", tag("redun.PartialTask", [1, []])],
  ])("refuses %s", (_, text) => {
    expect(() => decodeValue(text)).toThrow(/^Cannot decode the value/);
    try {
      decodeValue(text);
    } catch (error) {
      expect(hasCode(error, "invalid-encoding")).toBe(true);
    }
  });

  test("never fails but by refusing", () => {
    const names = [
      "Map",
      "Set",
      "Error",
      "Date",
      "bigint",
      "Uint16Array",
      "test.Point",
      "redun.SimpleExpression",
      "shared",
    ];
    const data = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom<unknown>(null, 1, "a", "1", true, "add", "AAA="),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(
          fc.constantFrom("$", "$$", "a", "name", "message", "errors", "code", "fields"),
          tie("value"),
        ),
        fc.tuple(fc.constantFrom(...names), tie("value")).map((list) => ({ $: list })),
        fc
          .record({
            name: fc.constantFrom("Error", "TypeError", "AggregateError"),
            message: fc.string(),
            extra: tie("value"),
          })
          .map((fields) => ({ $: ["Error", fields] })),
      ),
    })).value;
    fc.assert(
      fc.property(data, (value) => {
        try {
          decodeValue(JSON.stringify(value));
        } catch (error) {
          if (!hasCode(error, "invalid-encoding")) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });

  test("names the type that is missing, and what to do about it", () => {
    try {
      decodeValue(tag("acme.Genome", 1));
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(InvalidEncodingError);
      expect(error).toMatchObject({
        fields: { type: "acme.Genome" },
        hint: expect.stringContaining("Import"),
      });
    }
  });

  test("keeps what a registered type threw as the cause", () => {
    try {
      decodeValue(tag("test.Point", "x"));
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ cause: new TypeError("not a point") });
    }
  });
});

describe("hostile input", () => {
  const polluted = () => (({}) as { polluted?: unknown }).polluted;

  test.each([
    '{"__proto__":{"polluted":1}}',
    '{"__proto__":{"polluted":{"$":["bigint","1"]}}}',
    '{"constructor":{"prototype":{"polluted":{"$":["bigint","1"]}}}}',
    tag("Error", { name: "Error", message: "", ["__proto__"]: { polluted: 1 } }),
    '{"$":["Error",{"name":"Error","message":"","__proto__":{"polluted":1},"constructor":{"polluted":1}}]}',
    '{"$":["Error",{"code":"x","fields":{"__proto__":{"polluted":1}},"name":"RedunError","message":""}]}',
    '{"$":["Map",[["__proto__",{"polluted":1}]]]}',
  ])("can't reach a prototype: %s", (text) => {
    const value = decodeValue(text) as { polluted?: unknown };
    expect(polluted()).toBeUndefined();
    expect(value.polluted).toBeUndefined();
    expect(value instanceof Error || Object.getPrototypeOf(value) !== null).toBe(true);
  });

  test("keeps a key __proto__ as a key", () => {
    for (const inner of ["1", tag("bigint", "1")]) {
      const value = decodeValue(`{"__proto__":${inner}}`) as object;
      expect(Object.keys(value)).toEqual(["__proto__"]);
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    }
  });

  test("an error can't shadow what its class provides", () => {
    const text = '{"$":["Error",{"name":"Error","message":"m","stack":"fake","toString":1,"constructor":2}]}';
    const error = decodeValue(text) as Error;
    expect(error.stack).not.toBe("fake");
    expect(String(error)).toBe("Error: m");
    expect(error.constructor).toBe(Error);
  });

  test("names no class beyond the standard errors", () => {
    for (const name of ["Function", "eval", "Object", "toString", "__proto__"]) {
      const error = decodeValue(tag("Error", { name, message: "alert(1)" }));
      expect(Object.getPrototypeOf(error)).toBe(Error.prototype);
    }
  });

  test("an object with a method `then` is not taken for a promise's", async () => {
    const value = decodeValue('{"then":1,"$$":{"$":["bigint","1"]}}');
    expect(await Promise.resolve(value)).toBe(value);
  });

  test.each([
    [100_000, "arrays", "[", "]"],
    [100_000, "objects", '{"a":', "}"],
    [100_000, "lists in tags", '{"$":["Set",[', "]]}"],
    [10_000, "errors", '{"$":["Error",{"name":"E","message":"","cause":', "}]}"],
    [100_000, "expressions", '{"$":["redun.SimpleExpression",["not",[', "]]]}"],
  ])("decodes %d %s inside each other without recursion", (depth, _, open, close) => {
    const value = decodeValue(open.repeat(depth) + tag("bigint", "1") + close.repeat(depth));
    expect(value).toBeDefined();
  });
});

describe("errors of the engine", () => {
  test("keep their code, fields and hint", () => {
    const error = new RedunError("some-code", "Cannot do it: no", {
      hint: "Try.",
      fields: { path: "x", n: 1n },
    });
    const decoded = decodeValue(encodeValue(error).text) as RedunError;
    expect(decoded).toBeInstanceOf(RedunError);
    expect(decoded).toMatchObject({
      name: "RedunError",
      code: "some-code",
      hint: "Try.",
      fields: { path: "x", n: 1n },
    });
  });

  test("of a class of its own keep the name", () => {
    const decoded = decodeValue(encodeValue(new InvalidEncodingError("odd")).text);
    expect(decoded).toMatchObject({ name: "InvalidEncodingError", code: "invalid-encoding" });
  });
});
