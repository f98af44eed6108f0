import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { MemoryBackend } from "../../src/backends/memory-backend.ts";
import { Scheduler, type Task } from "../../src/index.ts";
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

  test("may be passed on, and belong to the package that is loaded then", async () => {
    const workflow = (n: number): Files => ({
      "main.ts": `import { applyFunc, asTask, task } from "redun";
function again(x: number) { return x; }
function late(x: number) { return x; }
const [lifted] = [again].map((each) => asTask(each));
const anew = (n: number) => function made(x: number) { return x + n; };
export const main = task("fn.passed", () => [lifted!(1), ...[again, late].map((each) => applyFunc(each, ${n}))]);
export const bad = task("fn.anew", () => [1, 2].map((each) => applyFunc(anew(each), ${n})));
`,
    });
    for (const n of [1, 2, 1]) {
      const { tasks } = await loadPackage(await build(workflow(n)), { dir, from: dir });
      const named = (name: string): Task => tasks.find(({ fullname }) => fullname === name)!;
      const scheduler = new Scheduler({ backend: new MemoryBackend() });
      expect(await scheduler.run(named("fn.passed")())).toEqual([1, n, n]);
      await expect(scheduler.run(named("fn.anew")())).rejects.toMatchObject({ code: "local-function" });
    }
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

describe("functions of any form", () => {
  const hosted = new Hosted();
  afterAll(() => hosted.close());
  const run = async (files: Files, npm: Record<string, string>, task: string): Promise<unknown> => {
    const stats = { ...STATS, ...npm };
    const pkg = await buildPackage("main.ts", { files: { ...stats, ...files }, npm: "inline" });
    return hosted.run(hosted.addPackage(pkg), task);
  };

  test("may have names that tasks may not have", async () => {
    const main = `import { applyFunc, task } from "redun";
function größe(x: number) { return x + 1; }
const $half = (x: number) => x / 2;
export const main = task("fn.names", () => [applyFunc(größe, 1), applyFunc($half, 4)]);`;
    expect(await run({ "main.ts": main }, {}, "fn.names")).toEqual([2, 2]);
  });

  test("may be made tasks at the top, where they count as what they are", async () => {
    const main = `import { asTask, task } from "redun";
const added = asTask(add);
function add(x: number) { return x + 1; }
const twice = (x: number) => 2 * x, doubled = asTask(twice);
export const main = task("fn.top", () => [added(1), doubled(2), added.fullname, doubled.fullname]);`;
    const pkg = await build(main);
    const names = functionsOf(pkg);
    expect(await run({ "main.ts": main }, {}, "fn.top")).toEqual([2, 4, ...names]);
  });

  test("may come from npm packages of each kind, by name or as members", async () => {
    const main = `import { applyFunc, task } from "redun";
import stats, { summarize } from "stats";
import * as all from "stats";
export const main = task("fn.kinds", () => [applyFunc(summarize, [1]), applyFunc(all.summarize, [2]), applyFunc(stats.summarize, [3])]);`;
    const modules = "export const summarize = ((f) => f)((xs) => 'sum ' + xs); export default { summarize };";
    const npm = { "node_modules/stats/index.js": modules };
    expect(await run({ "main.ts": main }, npm, "fn.kinds")).toEqual(["sum 1", "sum 2", "sum 3"]);
    const commonJs = {
      "node_modules/stats/package.json": JSON.stringify({ name: "stats", version: "1.2.0" }),
      "node_modules/stats/index.js": "exports.summarize = (xs) => 'sum ' + xs;",
    };
    expect(await run({ "main.ts": main }, commonJs, "fn.kinds")).toEqual(["sum 1", "sum 2", "sum 3"]);
  });

  test("may be made tasks by their npm package as well", async () => {
    const main = `import { applyFunc, task } from "redun";
import { add, twice } from "stats";
export const main = task("fn.both", () => [applyFunc(add, 1), twice(1)]);`;
    const npm = {
      "node_modules/stats/index.js":
        "import { applyFunc } from 'redun'; export const add = (x) => x + 1; export const twice = (x) => applyFunc(add, applyFunc(add, x));",
    };
    expect(await run({ "main.ts": main }, npm, "fn.both")).toEqual([2, 3]);
  });

  test("are one task if they are equal, whatever their modules", async () => {
    const next = "function next(x: number) { return x + 1; }";
    const files = {
      "main.ts": `import { asTask, map, task } from "redun";
import { others } from "./others.ts";
${next}
export const main = task("fn.equal", () => [map(asTask(next), [1]), map(others(), [2])]);`,
      "others.ts": `import { asTask } from "redun";\n${next}\nexport const others = () => asTask(next);`,
    };
    expect(functionsOf(await build(files))).toHaveLength(1);
    expect(await run(files, {}, "fn.equal")).toEqual([[2], [3]]);
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
