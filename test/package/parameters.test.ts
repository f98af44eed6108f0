import { describe, expect, test } from "vitest";
import { parseDocComment } from "../../src/package/docs.ts";
import type { PackageParameter, ParameterType } from "../../src/package/index.ts";
import { build, taskOf } from "./workflow.ts";

const TYPES = `
import { task, type Lazy, File, Dir } from "redun";
type Mode = "fast" | "slow";
type Shape = { a: number };
interface Thing { b: string }
enum Level { Low = "low", High = "high" }
`;

async function parameters(list: string): Promise<PackageParameter[]> {
  const pkg = await build(`${TYPES}export const t = task("t", (${list}) => 1);`);
  return taskOf(pkg, "t").parameters;
}

describe("the type of a parameter", () => {
  test.each<[string, ParameterType]>([
    ["number", { kind: "number" }],
    ["bigint", { kind: "bigint" }],
    ["string", { kind: "string" }],
    ["boolean", { kind: "boolean" }],
    ["Date", { kind: "Date" }],
    ["File", { kind: "File" }],
    ["Dir", { kind: "Dir" }],
    [`"a" | "b"`, { kind: "enum", values: ["a", "b"] }],
    ["Mode", { kind: "enum", values: ["fast", "slow"] }],
    ["Level", { kind: "enum", values: ["low", "high"] }],
    ["1 | 2", { kind: "number" }],
    ["number[]", { kind: "array", element: { kind: "number" } }],
    ["readonly File[]", { kind: "array", element: { kind: "File" } }],
    ["Array<Mode>", { kind: "array", element: { kind: "enum", values: ["fast", "slow"] } }],
    ["ReadonlyArray<string>", { kind: "array", element: { kind: "string" } }],
    ["Lazy<number>", { kind: "number" }],
    ["number | Lazy<number>", { kind: "number" }],
    ["string | number", { kind: "json", text: "string | number" }],
    ["Shape", { kind: "json", text: "Shape" }],
    ["Thing", { kind: "json", text: "Thing" }],
    ["Record<string, number>", { kind: "json", text: "Record<string, number>" }],
    ["{ a: number }", { kind: "json", text: "{ a: number }" }],
  ])("%s", async (text, type) => {
    expect(await parameters(`x: ${text}`)).toEqual([{ name: "x", type, optional: false }]);
  });
});

describe("a parameter", () => {
  test.each<[string, PackageParameter]>([
    ["x?: number", { name: "x", type: { kind: "number" }, optional: true }],
    ["x: number | undefined", { name: "x", type: { kind: "number" }, optional: true }],
    [
      "x: Mode | null = null",
      { name: "x", type: { kind: "enum", values: ["fast", "slow"] }, optional: true, default: "null" },
    ],
    ["x = 5", { name: "x", type: { kind: "number" }, optional: true, default: "5" }],
    ["x = -1.5", { name: "x", type: { kind: "number" }, optional: true, default: "-1.5" }],
    ["x = 'a'", { name: "x", type: { kind: "string" }, optional: true, default: "'a'" }],
    ["x = false", { name: "x", type: { kind: "boolean" }, optional: true, default: "false" }],
    [
      "x = [1, 2]",
      { name: "x", type: { kind: "array", element: { kind: "number" } }, optional: true, default: "[1, 2]" },
    ],
    [
      "x: Shape = { a: 1 }",
      { name: "x", type: { kind: "json", text: "Shape" }, optional: true, default: "{ a: 1 }" },
    ],
    [
      "...x: string[]",
      { name: "x", type: { kind: "array", element: { kind: "string" } }, optional: true, rest: true },
    ],
    ["{ a }: Shape", { name: "arg0", type: { kind: "json", text: "Shape" }, optional: false }],
    ["x: any", { name: "x", type: { kind: "json", text: "any" }, optional: false }],
  ])("%s", async (text, parameter) => {
    expect(await parameters(text)).toEqual([parameter]);
  });
});

describe("documentation", () => {
  test("comes from the comment above the definition", async () => {
    const pkg = await build(`${TYPES}
/**
 * Aligns reads.
 *
 * Slowly.
 * @param reads - The reads,
 *   in pairs.
 * @param depth How deep.
 * @returns nothing
 */
export const t = task("t", (reads: File, depth = 3) => 1);
/** Another. */
export const u = task("u", () => 1);
// Not documentation.
export const v = task("v", () => 1);`);
    const task = taskOf(pkg, "t");
    expect(task.doc).toBe("Aligns reads.\n\nSlowly.");
    expect(task.parameters.map(({ doc }) => doc)).toEqual(["The reads, in pairs.", "How deep."]);
    expect(taskOf(pkg, "u").doc).toBe("Another.");
    expect(taskOf(pkg, "v").doc).toBeUndefined();
  });

  test("comes from a function that is given by name, also of another module", async () => {
    const pkg = await build({
      "main.ts": `import { task } from "redun"; import { run } from "./run.ts";
        /** Here. @internal */
        function local(a: string) {}
        export const t = task("t", run); export const u = task("u", local);`,
      "run.ts": `/** Runs. */\nexport async function run(x: number, y?: string) { return x; }`,
    });
    expect(taskOf(pkg, "t")).toMatchObject({ doc: "Runs.", async: true });
    expect(taskOf(pkg, "t").source).toBe("async function run(x: number, y?: string) { return x; }");
    expect(taskOf(pkg, "t").parameters.map(({ name }) => name)).toEqual(["x", "y"]);
    expect(taskOf(pkg, "u").parameters.map(({ name }) => name)).toEqual(["a"]);
  });

  test("reads the forms of @param", () => {
    const { parameters } = parseDocComment("* @param {number} [a=1] - First.\n * @param b\n *   Second.");
    expect([...parameters]).toEqual([
      ["a", "First."],
      ["b", "Second."],
    ]);
  });

  test("of a task in an object is its own", async () => {
    const pkg = await build(`${TYPES}
/** All of them. */
export const tasks = { /** One. */ a: task("a", () => 1), b: task("b", () => 2) };`);
    expect(taskOf(pkg, "a").doc).toBe("One.");
    expect(taskOf(pkg, "b").doc).toBeUndefined();
  });
});
