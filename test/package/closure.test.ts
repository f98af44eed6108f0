import { describe, expect, test } from "vitest";
import { build, changed, edit, type Files, taskOf } from "./workflow.ts";

const HEAD = `import { task } from "redun";\n`;

/** Which tasks change when `from` becomes `to` in a workflow of one or more files. */
function after(files: Files | string, from: string, to: string, path = "main.ts"): Promise<string[]> {
  const before = typeof files === "string" ? { "main.ts": HEAD + files } : files;
  return changed(before, edit(before, path, from, to));
}

describe("values that are filled after their declaration", () => {
  const table = `
const TABLE = new Map<string, number>();
const OTHER = new Map<string, number>();
TABLE.set("a", 1);
OTHER.set("b", 2);
export const one = task("one", () => TABLE.get("a"));
export const two = task("two", () => OTHER.get("b"));
`;
  test("a statement that fills a table counts for the tasks that read it", async () => {
    expect(await after(table, `"a", 1`, `"a", 5`)).toEqual(["one"]);
    expect(await after(table, `OTHER.set("b", 2);`, "")).toEqual(["two"]);
  });

  test("an assignment to a property counts", async () => {
    const source = `const config: any = {}; config.x = 5; config.deep = { y: 1 };
      export const t = task("t", () => config.x); export const u = task("u", () => 1);`;
    expect(await after(source, "x = 5", "x = 6")).toEqual(["t"]);
  });

  test("a statement that fills a table through a helper counts", async () => {
    const source = `const TABLE: any = {};
      function register(name: string, value: number) { TABLE[name] = value; }
      register("a", 1);
      export const t = task("t", () => TABLE.a); export const u = task("u", () => 1);`;
    expect(await after(source, `"a", 1`, `"a", 2`)).toEqual(["t"]);
    expect(await after(source, "= value", "= value + 1")).toEqual(["t"]);
  });

  test("a declaration that fills a table counts", async () => {
    const source = `const TABLE = new Map(); const size = TABLE.set("a", 1).size;
      export const t = task("t", () => TABLE); export const u = task("u", () => 1);`;
    expect(await after(source, `"a", 1`, `"a", 2`)).toEqual(["t"]);
  });

  test("a table that is passed to a helper which fills it counts", async () => {
    const source = `const TABLE = new Map();
      function fill(table: Map<string, number>) { table.set("a", 1); return table.size; }
      const size = fill(TABLE);
      export const t = task("t", () => TABLE); export const u = task("u", () => size);`;
    expect(await after(source, `"a", 1`, `"a", 2`)).toEqual(["t", "u"]);
  });

  test("a value computed from a table doesn't count for those who read the table", async () => {
    const source = `const TABLE = { a: 1 }; const derive = (table: any) => ({ b: table.a + 1 });
      const derived = derive(TABLE);
      export const t = task("t", () => TABLE.a); export const u = task("u", () => derived.b);`;
    expect(await after(source, "+ 1", "+ 2")).toEqual(["u"]);
    expect(await after(source, "a: 1", "a: 2")).toEqual(["t", "u"]);
  });

  test("a statement in another module counts", async () => {
    const files = {
      "main.ts": `${HEAD}import { TABLE } from "./table.ts"; import "./fill.ts";
        export const t = task("t", () => TABLE.a); export const u = task("u", () => 1);`,
      "table.ts": "export const TABLE: any = {};",
      "fill.ts": `import { TABLE } from "./table.ts"; TABLE.a = 1;`,
      "package.json": `{ "sideEffects": false }`,
    };
    expect(await after(files, "TABLE.a = 1", "TABLE.a = 2", "fill.ts")).toEqual(["t"]);
  });

  test("a counter that a helper changes counts with its start", async () => {
    const source = `let count = 0; function next() { return count++; }
      export const t = task("t", () => next()); export const u = task("u", () => 1);`;
    expect(await after(source, "count = 0", "count = 1")).toEqual(["t"]);
  });

  test("printing something at the top level doesn't count for what is printed by a helper", async () => {
    const source = `function helper() { return 1; } console.log("size", helper());
      export const t = task("t", () => helper());`;
    expect(await after(source, `"size"`, `"length"`)).toEqual([]);
  });
});

describe("what a task refers to", () => {
  test("helpers that call each other are followed once", async () => {
    const source = `
      function even(n: number): boolean { return n === 0 || odd(n - 1); }
      function odd(n: number): boolean { return n !== 0 && even(n - 1); }
      export const t = task("t", (n: number) => even(n)); export const u = task("u", () => 1);`;
    expect(await after(source, "n !== 0", "n > 0")).toEqual(["t"]);
  });

  test("a task that calls itself counts once", async () => {
    const source = `export const fib = task("fib", (n: number): unknown => n < 2 ? n : [fib(n - 1), fib(n - 2)]);`;
    expect(taskOf(await build(HEAD + source), "fib").canonical).toContain("task:fib ( @1 - 1 )");
    expect(await after(source, "n - 2", "n - 3")).toEqual(["fib"]);
  });

  test("tasks in an object or with changed options are still stopped at", async () => {
    const source = `
      const tasks = { a: task("a", () => 1), b: task("b", () => 2) };
      const big = task("big", () => 3).options({ memory: 4 });
      export const t = task("t", () => [tasks.a(), big()]);`;
    expect(await after(source, "=> 1", "=> 5")).toEqual(["a"]);
    expect(await after(source, "=> 3", "=> 5")).toEqual(["big"]);
    expect(await after(source, "memory: 4", "memory: 5")).toEqual(["t"]);
  });

  test("classes count with their methods and their base", async () => {
    const source = `
      class Base { size() { return 1; } }
      class Box extends Base { static make() { return new Box(); } }
      export const t = task("t", () => Box.make().size()); export const u = task("u", () => 1);`;
    expect(await after(source, "return 1", "return 2")).toEqual(["t"]);
  });

  test("enums count by the members in use", async () => {
    const source = `enum Level { Low = "low", High = "high" }
      export const t = task("t", () => Level.Low); export const u = task("u", () => Object.values(Level));`;
    expect(await after(source, `"low"`, `"lower"`)).toEqual(["t", "u"]);
    expect(await after(source, `"high"`, `"higher"`)).toEqual(["u"]);
  });

  test("destructured constants count together", async () => {
    const source = `const { a, b } = { a: 1, b: 2 };
      export const t = task("t", () => a); export const u = task("u", () => 1);`;
    expect(await after(source, "a: 1", "a: 3")).toEqual(["t"]);
  });

  test("default exports, export * and namespaces that are used as values are followed", async () => {
    const files = {
      "main.ts": `${HEAD}import helper, * as all from "./lib.ts"; import { deep } from "./lib.ts";
        export const d = task("d", () => helper());
        export const n = task("n", () => Object.keys(all));
        export const s = task("s", () => deep);`,
      "lib.ts": `export default function () { return 1; } export * from "./deep.ts";`,
      "deep.ts": "export const deep = 2; export const more = 3;",
    };
    expect(await after(files, "return 1", "return 2", "lib.ts")).toEqual(["d", "n"]);
    expect(await after(files, "deep = 2", "deep = 3", "deep.ts")).toEqual(["n", "s"]);
    expect(await after(files, "more = 3", "more = 4", "deep.ts")).toEqual(["n"]);
  });

  test("CommonJS and dynamically imported modules are followed", async () => {
    const files = {
      "main.ts": `${HEAD}import old from "./old.cjs";
        export const c = task("c", () => old.x);
        export const l = task("l", async () => (await import("./lazy.ts")).value);
        export const u = task("u", () => 1);`,
      "old.cjs": "exports.x = 1;",
      "lazy.ts": "export const value = 2;",
    };
    expect(await after(files, "x = 1", "x = 2", "old.cjs")).toEqual(["c"]);
    expect(await after(files, "value = 2", "value = 3", "lazy.ts")).toEqual(["l"]);
  });

  test("a function given by name counts like one that is written in place", async () => {
    const source = `const STEP = 1; function run(x: number) { return x + STEP; }
      export const t = task("t", run); export const u = task(run);`;
    expect(await after(source, "STEP = 1", "STEP = 2")).toEqual(["run", "t"]);
  });

  test("a function that a helper makes counts with the helper", async () => {
    const source = `const retry = (f: any) => (x: number) => f(x);
      export const t = task("t", retry((x: number) => x)); export const u = task("u", () => 1);`;
    expect(await after(source, "f(x)", "f(f(x))")).toEqual(["t"]);
  });

  test("the text of a template and a regular expression count exactly", async () => {
    const source = "export const t = task('t', (a: string) => `x $" + "{a}  y`.match(/a b/));";
    expect(await after(source, "}  y", "} y")).toEqual(["t"]);
    expect(await after(source, "/a b/", "/a  b/")).toEqual(["t"]);
  });

  test("a shorthand property is the same as a written one", async () => {
    const source = "export const t = task('t', (a: number) => ({ a }));";
    expect(await after(source, "{ a }", "{ a: a }")).toEqual([]);
    expect(await after(source, "(a: number) => ({ a })", "(b: number) => ({ a: b })")).toEqual([]);
    expect(await after(source, "{ a }", "{ b: a }")).toEqual(["t"]);
  });

  test("two helpers that trade places are told apart", async () => {
    const source = `const f = (x: number) => x + 1; const g = (x: number) => x * 2;
      export const t = task("t", (x: number) => f(g(x)));`;
    expect(await after(source, "f(g(x))", "g(f(x))")).toEqual(["t"]);
  });

  test("helpers of the bundler don't count by their text", async () => {
    const files = {
      "main.ts": `${HEAD}import * as all from "./lib.ts"; export const n = task("n", () => Object.keys(all));`,
      "lib.ts": "export const a = 1;",
    };
    const { canonical } = taskOf(await build(files), "n");
    expect(canonical).toContain("esbuild:__export");
    expect(canonical).not.toContain("enumerable");
  });
});
