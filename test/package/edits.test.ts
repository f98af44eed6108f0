import { describe, expect, test } from "vitest";
import { changed, edit, type Files } from "./workflow.ts";

const WORKFLOW: Files = {
  "main.ts": `
import { task, namespace } from "redun";
import { scale, unused } from "./lib/math.ts";
import * as text from "./lib/text.ts";
import { chunk } from "tools";
import settings from "./settings.json";

type Item = { name: string };
const LIMIT = 10;

function twice(x: number): number {
  return scale(x) * 2;
}

export const child = task("child", (x: number) => x + 1);
export const limited = task("limited", (x: number) => Math.min(x, LIMIT));
export const doubled = task("doubled", (x: number, by = 2) => twice(x) * by);
export const shouted = task("shouted", (item: Item) => text.shout(item.name));
export const split = task("split", (xs: number[]) => chunk(xs, 2));
export const set = task("set", () => settings.size);
export const parent = task("parent", (xs: number[]) => xs.map((x) => child(x)));
`,
  "lib/math.ts": `
import { FACTOR } from "./constants.ts";
export function scale(value: number): number { return value * FACTOR; }
export const unused = () => 1;
`,
  "lib/constants.ts": "export const FACTOR = 3;\nexport const OTHER = 4;\n",
  "lib/text.ts": `export const shout = (s: string) => s.toUpperCase() + mark();\nfunction mark() { return "!"; }\n`,
  "settings.json": `{ "size": 3 }`,
  "node_modules/tools/package.json": `{ "name": "tools", "version": "1.0.0", "main": "index.js" }`,
  "node_modules/tools/index.js": "export const chunk = (xs) => xs;",
};

const on = (path: string, from: string | RegExp, to: string): Files => edit(WORKFLOW, path, from, to);

describe("an edit without meaning changes no task", () => {
  test.each<[string, Files]>([
    ["reformatting", on("main.ts", "return scale(x) * 2;", "return (\n      scale( x )\n   * 2 )")],
    ["a comment", on("main.ts", "return scale(x)", "/* why */ return scale(x) // because\n")],
    ["a doc comment", on("main.ts", "export const child", "/** The child. */\nexport const child")],
    [
      "the name of a type",
      edit(on("main.ts", "type Item", "type Thing"), "main.ts", "item: Item", "item: Thing"),
    ],
    ["a type annotation", on("main.ts", "(x: number, by = 2)", "(x: any, by: number = 2)")],
    ["the style of quotes", on("lib/text.ts", `"!"`, "'!'")],
    ["a helper that no task uses", on("lib/math.ts", "() => 1", "() => 2")],
    ["a constant that no task uses", on("lib/constants.ts", "OTHER = 4", "OTHER = 5")],
    ["the name of a helper", on("lib/text.ts", /mark/g, "sign")],
    ["the name of a local variable", on("main.ts", "(x) => child(x)", "(y) => child(y)")],
    [
      "options of a task",
      on("main.ts", `task("child",`, `task({ name: "child", executor: "process", memory: 4 },`),
    ],
    [
      "the order of functions",
      on("main.ts", "const LIMIT = 10;", "function later() { return 0; }\nconst LIMIT = 10;"),
    ],
    [
      "a top-level name that a local has",
      on("main.ts", "const LIMIT", "export const item = 1, xs = 2, by = 3;\nconst LIMIT"),
    ],
    [
      "a top-level name that a helper has in another module",
      on("main.ts", "const LIMIT", "export const shout = 1, mark = 2, FACTOR = 3;\nconst LIMIT"),
    ],
    [
      "the order of imports",
      on(
        "main.ts",
        `import { scale, unused } from "./lib/math.ts";\nimport * as text from "./lib/text.ts";`,
        `import * as text from "./lib/text.ts";\nimport { unused, scale } from "./lib/math.ts";`,
      ),
    ],
    [
      "importing by another name",
      edit(
        on("main.ts", "{ scale, unused }", "{ scale as resize }"),
        "main.ts",
        "return scale(x)",
        "return resize(x)",
      ),
    ],
    [
      "moving a helper to another module",
      edit(
        on("main.ts", /function twice[^}]*}\n/, `import { twice } from "./lib/twice.ts";\n`),
        "lib/twice.ts",
        /^/,
        `import { scale } from "./math.ts";\nexport function twice(x: number) { return scale(x) * 2; }`,
      ),
    ],
  ])("%s", async (_, after) => {
    expect(await changed(WORKFLOW, after)).toEqual([]);
  });
});

describe("an edit with meaning changes the tasks that it concerns", () => {
  test.each<[string, string[], Files]>([
    ["the body of a task, not of its parent", ["child"], on("main.ts", "x + 1", "x + 2")],
    ["a constant of the module", ["limited"], on("main.ts", "LIMIT = 10", "LIMIT = 11")],
    ["a helper of the module", ["doubled"], on("main.ts", "scale(x) * 2", "scale(x) * 4")],
    ["a helper of another module", ["doubled"], on("lib/math.ts", "value * FACTOR", "value + FACTOR")],
    ["a constant two modules away", ["doubled"], on("lib/constants.ts", "FACTOR = 3", "FACTOR = 5")],
    ["a default argument", ["doubled"], on("main.ts", "by = 2", "by = 3")],
    ["a helper through a namespace import", ["shouted"], on("lib/text.ts", "toUpperCase", "toLowerCase")],
    ["a helper of a helper", ["shouted"], on("lib/text.ts", `"!"`, `"?"`)],
    ["a JSON file", ["set"], on("settings.json", "3", "4")],
    ["the version of an npm package", ["split"], on("node_modules/tools/package.json", "1.0.0", "1.0.1")],
    [
      "the export that is used of an npm package",
      ["split"],
      on("main.ts", "{ chunk }", "{ slice as chunk }"),
    ],
    ["which task is called", ["parent"], on("main.ts", "child(x)", "limited(x)")],
    ["the name of a task, and its parent", ["child", "kid", "parent"], on("main.ts", `"child"`, `"kid"`)],
  ])("%s", async (_, tasks, after) => {
    expect(await changed(WORKFLOW, after)).toEqual(tasks);
  });

  test("code inside an npm package counts by the package's version only", async () => {
    const after = on("node_modules/tools/index.js", "=> xs", "=> xs.slice()");
    expect(await changed(WORKFLOW, after)).toEqual([]);
  });
});

describe("a version stands for the text", () => {
  const source = (version: string, body: string): string =>
    `import { task } from "redun"; const V = "${version}"; export const t = task({ name: "t", version: V }, () => ${body});`;

  test("a change of the body is none", async () => {
    expect(await changed(source("1", "1"), source("1", "2"))).toEqual([]);
  });

  test("a change of the version is one", async () => {
    expect(await changed(source("1", "1"), source("2", "1"))).toEqual(["t"]);
  });
});
