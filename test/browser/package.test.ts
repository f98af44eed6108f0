import { beforeAll, describe, expect, test } from "vitest";
import { commands } from "vitest/browser";
import { MemoryBackend } from "../../src/backends/memory-backend.ts";
import * as redun from "../../src/index.ts";
import {
  buildPackage,
  type CodePackage,
  type Esbuild,
  loadWebPackage,
  provideEngine,
  webEsbuild,
} from "../../src/package.ts";
import type { NodeBuild } from "./commands.ts";

const WASM: URL = new URL("/node_modules/esbuild-wasm/esbuild.wasm", location.href);

const examples: string[] = await commands.listExamples();

let esbuild: Esbuild;

beforeAll(async () => {
  provideEngine({ redun });
  const start = performance.now();
  esbuild = await webEsbuild(WASM);
  const started = performance.now();
  await build("export const x: number = 1;");
  const first = performance.now();
  await build("export const x: number = 2;");
  const times = [started - start, first - started, performance.now() - first].map(Math.round);
  console.info(`esbuild-wasm: start ${times[0]} ms, first build ${times[1]} ms, next ${times[2]} ms`);
});

/** Builds as for a tab. */
function build(files: string | Record<string, string>): Promise<CodePackage> {
  return buildPackage("workflow.ts", {
    files: typeof files === "string" ? { "workflow.ts": files } : files,
    esbuild,
    lowerAsync: true,
    npm: "inline",
  });
}

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.unreachable(),
    (error: unknown) => error,
  );

describe("a package built in a tab", () => {
  test.each(examples)("has the manifest that the command line gives: %s", async (path) => {
    const there: NodeBuild = await commands.buildInNode(path);
    const here = await buildPackage(there.entry, {
      files: there.files,
      esbuild,
      lowerAsync: true,
      npm: "inline",
    });
    expect(there.manifest.tasks.length).toBeGreaterThan(0);
    expect(here.manifest).toEqual(there.manifest);
    const plain = await buildPackage(there.entry, { files: there.files, esbuild });
    expect(plain.hash).toBe(there.hash);
  });

  test("tells a syntax error's file, line, column and frame", async () => {
    const error = await failure(build(`import { task } from "redun";\nconst x = ;\n`));
    expect(error).toMatchObject({
      code: "package",
      message:
        'Cannot build /workflow.ts: workflow.ts:2:11: Unexpected ";"\n\n 2 | const x = ;\n   |           ^',
      fields: { file: "workflow.ts", line: 2, column: 11, frame: " 2 | const x = ;\n   |           ^" },
    });
  });

  test("is refused if it was changed", async () => {
    const pkg = await build(`import { task } from "redun"; task("web.tampered", () => 1);`);
    const changed = { ...pkg, code: pkg.code.replace("1", "2") };
    expect(await failure(loadWebPackage(changed))).toMatchObject({
      code: "package",
      fields: { hash: pkg.hash },
    });
    expect(redun.taskRegistry.get("web.tampered")).toBeUndefined();
    expect((await loadWebPackage(pkg)).tasks.map(({ fullname }) => fullname)).toEqual(["web.tampered"]);
  });
});

describe("a package loaded in a tab", () => {
  test("runs with the engine that loaded it, and its async tasks may await expressions", async () => {
    const pkg = await build(`import { task, Scheduler } from "redun";
      export const engine = Scheduler;
      export const add = task("web.add", (a: number, b: number) => a + b);
      export const sum = task("web.sum", async (numbers: number[]) => {
        let total = 0;
        for (const number of numbers) total = await add(total, number);
        await new Promise((resolve) => setTimeout(resolve, 1));
        return [await add(total, 100), await Promise.all([add(1, total), add(2, total)])];
      });`);
    const { exports, tasks } = await loadWebPackage(pkg);
    expect(exports.engine).toBe(redun.Scheduler);
    expect(tasks.map(({ hash }) => hash)).toEqual(pkg.manifest.tasks.map(({ hash }) => hash));
    const scheduler = new redun.Scheduler({ backend: new MemoryBackend() });
    const sum = exports.sum as redun.Task<[numbers: number[]], unknown>;
    expect(await scheduler.run(sum([1, 2, 3]))).toEqual([106, [7, 8]]);
  });

  test("is loaded once, and its tasks become the current ones again", async () => {
    const [a, b] = await Promise.all(
      [1, 2].map((n) => build(`import { task } from "redun"; task("web.again", () => ${n});`)),
    );
    const [first] = await Promise.all([loadWebPackage(a!), loadWebPackage(b!)]);
    expect(redun.taskRegistry.get("web.again")).not.toBe(first!.tasks[0]);
    expect(await loadWebPackage(a!)).toBe(first);
    expect(redun.taskRegistry.get("web.again")).toBe(first!.tasks[0]);
  });
});
