import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { display, encodeValue, File } from "../../src/index.ts";
import { parseCsv } from "../../web/lib/csv.ts";
import { diffLines } from "../../web/lib/diff.ts";
import { byteSize, duration, plural } from "../../web/lib/format.ts";
import { packWorkflow, reachOf, unpackWorkflow } from "../../web/lib/share.ts";
import { chartOf, imageOf, isPage, modesOf, tableOf, textOfBytes } from "../../web/lib/value-kind.ts";
import { valueText } from "../../web/lib/value-text.ts";
import { decodeText } from "../../web/state/values.ts";

describe("a link", () => {
  test("carries any source and fields", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "grapheme" }), fc.string(), async (source, field) => {
        const workflow = { source, task: "a.b", texts: { x: field } };
        const text = await packWorkflow(workflow);
        expect(text).toMatch(/^[\w-]*$/);
        expect(await unpackWorkflow(text)).toEqual(workflow);
      }),
      { numRuns: 30 },
    );
  });

  test("carries all files of a workflow, and refuses names that are none", async () => {
    const workflow = { source: "a", files: { "helper.ts": "b", "data/x.json": "{}" }, task: "t", texts: {} };
    expect(await unpackWorkflow(await packWorkflow(workflow))).toEqual(workflow);
    for (const name of [
      "../up.ts",
      "/etc/passwd.ts",
      "workflow.ts",
      "a b.ts",
      "x.exe",
      "",
      "__proto__",
      "a//b.ts",
    ]) {
      const files = Object.fromEntries([[name, "x"]]);
      await expect(unpackWorkflow(await packWorkflow({ ...workflow, files })), name).rejects.toThrow(
        "no file",
      );
    }
    const many = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`f${i}.ts`, ""]));
    await expect(unpackWorkflow(await packWorkflow({ ...workflow, files: many }))).rejects.toThrow("no file");
  });

  test("is refused when it is damaged, of another form, or too large", async () => {
    await expect(unpackWorkflow("no-link")).rejects.toThrow();
    await expect(unpackWorkflow(await packWorkflow({ source: 1 } as never))).rejects.toThrow("version");
    const bomb = await packWorkflow({ source: "a".repeat(3_000_000), task: "", texts: {} });
    await expect(unpackWorkflow(bomb)).rejects.toThrow("too much");
  });

  test("says what its source reaches for", () => {
    const source = `new File("https://example.org/a.csv"); fetch("http://127.0.0.1:80/x")`;
    expect(reachOf(source)).toEqual({ hosts: ["127.0.0.1", "example.org"], network: true, files: true });
    expect(reachOf("const a = 1;")).toEqual({ hosts: [], network: false, files: false });
  });
});

describe("a comparison of texts", () => {
  test("gives both texts back, and keeps what they share", () => {
    const text = fc.array(fc.constantFrom("a", "b", "c")).map((lines) => lines.join("\n"));
    fc.assert(
      fc.property(text, text, (before, after) => {
        const lines = diffLines(before, after);
        const only = (kind: string): string =>
          lines
            .filter((line) => line.kind !== kind)
            .map((line) => line.text)
            .join("\n");
        expect(only("added")).toBe(before);
        expect(only("removed")).toBe(after);
        if (before === after) expect(lines.every(({ kind }) => kind === "same")).toBe(true);
      }),
    );
  });
});

describe("a CSV file", () => {
  test("has quotes, empty cells and columns of numbers", () => {
    expect(parseCsv('name,n\r\n"a ""b"", c",1\nd,\n\n', ",")).toEqual([
      { name: 'a "b", c', n: 1 },
      { name: "d", n: null },
    ]);
  });
});

describe("a value", () => {
  test("is a table if its items have fields", () => {
    expect(tableOf([{ a: 1 }, { b: 2 }])).toEqual({
      columns: ["a", "b"],
      rows: [
        [1, undefined],
        [undefined, 2],
      ],
    });
    expect(tableOf(new Map([["a", 1]]))?.rows).toEqual([["a", 1]]);
    expect(tableOf([1, 2])).toBeUndefined();
  });

  test("is a chart if it has many numbers", () => {
    const rows = Array.from({ length: 20 }, (_, i) => ({ year: 2000 + i, mean: i % 3, name: "x" }));
    expect(chartOf(rows)?.x[0]).toBe(2000);
    expect(chartOf(rows)?.series.map(({ name }) => name)).toEqual(["mean"]);
    expect(chartOf([1, 2])).toBeUndefined();
    expect(modesOf(Float64Array.from({ length: 9 }))).toContain("chart");
  });

  test("is an image or a page by how it begins", () => {
    expect(imageOf(new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0]))?.type).toBe("image/png");
    expect(imageOf("<svg></svg>")?.type).toBe("image/svg+xml");
    expect(isPage("<!DOCTYPE html><p>")).toBe(true);
    expect(modesOf(new Uint8Array(3))).toEqual(["hex", "text"]);
  });

  test("is a text of several lines where one is too short", () => {
    expect(valueText({ a: [1, 2] })).toBe("{ a: [ 1, 2 ] }");
    const long = { first: "x".repeat(60), second: ["y".repeat(60)] };
    expect(valueText(long).split("\n")).toEqual([
      "{",
      `  first: '${"x".repeat(60)}',`,
      `  second: [ '${"y".repeat(60)}' ],`,
      "}",
    ]);
    expect(valueText(Array.from({ length: 100_000 }, (_, i) => ({ i }))).length).toBeLessThan(300_000);
  });
});

test("numbers are told as people say them", () => {
  expect([0.2, 12, 1234, 61_000, 7_200_000].map(duration)).toEqual([
    "< 1 ms",
    "12 ms",
    "1.23 s",
    "1 min 01 s",
    "2 h 00 min",
  ]);
  expect([0, 1023, 1536, 5e9].map(byteSize)).toEqual(["0 bytes", "1023 bytes", "1.5 KB", "4.7 GB"]);
  expect(plural(1, "job")).toBe("1 job");
});

test("bytes that are text are shown as such", () => {
  const encoder = new TextEncoder();
  expect(textOfBytes(encoder.encode("Zürich\n"))).toBe("Zürich\n");
  expect(textOfBytes(new Uint8Array([0xff, 0xfe]))).toBeUndefined();
  expect(textOfBytes(new Uint8Array([65, 0, 66]))).toBeUndefined();
  expect(modesOf(encoder.encode("text"))).toEqual(["text", "hex"]);
});

describe("a stored value", () => {
  test("of a type that only its workflow knows does not hide the files beside it", () => {
    const file = encodeValue(new File("report.csv", "0".repeat(40))).text;
    const decoded = decodeText(`{"mid":{"$":["acme.Quantity",[3,"mm"]]},"report":${file}}`);
    const value = decoded.known ? (decoded.value as { report: File }) : undefined;
    expect(value?.report).toBeInstanceOf(File);
    expect(display(value)).toBe("{ mid: acme.Quantity([ 3, 'mm' ]), report: File('report.csv') }");
    expect(decodeText('{"$":["acme.Quantity",[3,"mm"]]}').known).toBe(false);
    expect(decodeText('{"$":["redun.Nothing",1]}').known).toBe(false);
  });
});
