import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { buildPackage, type CodePackage } from "../../src/package/index.ts";
import { loadPackage } from "../../src/package/load.ts";
import { taskRegistry } from "../../src/task/registry.ts";
import { Hosted } from "../executors/hosted.ts";
import { build, edit, type Files } from "./workflow.ts";

const STATS = {
  "node_modules/stats/package.json": JSON.stringify({
    name: "stats",
    version: "1.2.0",
    type: "module",
    main: "index.js",
  }),
  "node_modules/stats/index.js": "export const summarize = (xs) => 'sum ' + xs.reduce((a, b) => a + b, 0);",
};
const WORK: Files = {
  ...STATS,
  "main.ts": `import { applyFunc, asTask as lift, task } from "redun";
import * as redun from "redun";
import { summarize } from "stats";
import { later, shared } from "./more.ts";
const STEP = 1;
/** Adds a step. */
function next(x: number): number { return x + STEP; }
const local = (x: number): number => 2 * x;
export const main = task("fn.main", (x: number) => [applyFunc(next, lift(local)(x)), redun.applyFunc(shared, x), lift(next)(x), applyFunc(summarize, [x])]);
export const awaits = task("fn.awaits", async (x: number) => await applyFunc(later, x));
`,
  "more.ts": `const STEP = 100;
export const shared = function (x: number) { return x * STEP; };
export async function later(x: number) { await null; return x + STEP; }
export function unused(x: number) { return x; }
`,
};

const functionsOf = ({ manifest }: CodePackage): string[] =>
  (manifest.functions ?? []).map(({ fullname }) => fullname);

describe("plain functions that are made tasks", () => {
  const dir = mkdtempSync(join(tmpdir(), "redun-functions-"));
  const hosted = new Hosted();
  afterAll(async () => {
    await hosted.close();
    rmSync(dir, { recursive: true, force: true });
  });

  test("are found at the top level, wherever they are defined, each once", async () => {
    const pkg = await build(WORK);
    expect(functionsOf(pkg).map((name) => name.replace(/[0-9a-f]{8}$/, "HASH"))).toEqual([
      "redun.function.next_HASH",
      "redun.function.local_HASH",
      "redun.function.shared_HASH",
      "redun.function.summarize_HASH",
      "redun.function.later_HASH",
    ]);
    expect(pkg.manifest.functions![0]).toMatchObject({
      source: "function next(x: number): number { return x + STEP; }",
      file: "main.ts",
      line: 7,
      doc: "Adds a step.",
      parameters: [{ name: "x", type: { kind: "number" } }],
    });
    expect(
      (await build('import { task } from "redun"; task("fn.none", () => 1);')).manifest,
    ).not.toHaveProperty("functions");
  });

  test("have the same names wherever the package is for, and others when what they use changes", async () => {
    const plain = await build(WORK);
    for (const options of [{ npm: "inline" }, { lowerAsync: true }] as const) {
      const other = await buildPackage("main.ts", { files: WORK, ...options });
      expect(functionsOf(other)).toEqual(functionsOf(plain));
      for (const name of functionsOf(plain)) expect(other.code).toContain(JSON.stringify(name.slice(15)));
    }
    const reformatted = await build(
      edit(WORK, "main.ts", "{ return x + STEP; }", "{\n\treturn x + STEP /* ! */ }"),
    );
    expect(functionsOf(reformatted)).toEqual(functionsOf(plain));
    const changed = functionsOf(await build(edit(WORK, "more.ts", "100", "10")));
    expect(changed.map((name, i) => name === functionsOf(plain)[i])).toEqual([
      true,
      true,
      false,
      true,
      false,
    ]);
  });

  test("are tasks as soon as the package is loaded, also when it is built anew", async () => {
    const inline = (files: Files) => buildPackage("main.ts", { files, npm: "inline" });
    const pkg = await inline(WORK);
    const loaded = await loadPackage(pkg, { dir, from: dir });
    const [next] = pkg.manifest.functions!;
    const task = taskRegistry.get(next!.fullname)!;
    expect(loaded.tasks).toContain(task);
    expect(task.hash).toBe(next!.hash);
    await loadPackage(await inline(edit(WORK, "main.ts", "2 * x", "3 * x")), { dir, from: dir });
    expect(taskRegistry.get(next!.fullname)).not.toBe(task);
    expect(taskRegistry.get(next!.fullname)!.hash).toBe(next!.hash);
  });

  test("run where their package is loaded and the scheduler is not", async () => {
    const hash = await hosted.addPackage(await buildPackage("main.ts", { files: WORK, npm: "inline" }));
    expect(await hosted.run(hash, "fn.main", 3)).toEqual([7, 300, 4, "sum 3"]);
    expect(await hosted.run(hash, "fn.awaits", 3)).toBe(103);
    const lowered = await hosted.addPackage(
      await buildPackage("main.ts", { files: WORK, npm: "inline", lowerAsync: true }),
    );
    expect(await hosted.run(lowered, "fn.awaits", 3)).toBe(103);
  });
});

describe("tasks that are defined while another runs", () => {
  const hosted = new Hosted();
  afterAll(() => hosted.close());

  test("are refused, as what they take from around them is in no hash", async () => {
    const hash = await hosted.add(`import { schedulerTask, task } from "redun";
export const makes = task("fn.makes", (k: number) => task("fn.made", (x: number) => x + k)(1));
export const makesLater = task("fn.makes_later", async (k: number) => { await null; return schedulerTask("fn.made_later", () => k)(); });
const table = ["a", "b"].map((name, i) => task("fn.of_" + name, () => i));
export const uses = task("fn.uses", () => table.map((each) => each()));
`);
    await expect(hosted.run(hash, "fn.makes", 1)).rejects.toMatchObject({
      code: "task-in-task",
      message: "Cannot define the task fn.made while a task runs",
    });
    await expect(hosted.run(hash, "fn.makes_later", 1)).rejects.toMatchObject({ code: "task-in-task" });
    expect(await hosted.run(hash, "fn.uses")).toEqual([0, 1]);
  });
});
