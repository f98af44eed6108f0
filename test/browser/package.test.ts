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
import type { WorkerBuild } from "./package-worker.ts";

const WASM: URL = new URL("/node_modules/esbuild-wasm/esbuild.wasm", location.href);

const examples: string[] = await commands.listExamples();

let esbuild: Esbuild;

beforeAll(async () => {
  provideEngine({ redun });
  esbuild = await webEsbuild(WASM);
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

  test("has no npm package that is not among its files", async () => {
    const error = await failure(build(`import { chunk } from "tools";\nconsole.log(chunk);`));
    expect(error).toMatchObject({
      code: "package",
      hint: expect.stringContaining("under node_modules/tools/, or run the workflow from the command line"),
      fields: { file: "workflow.ts", line: 1, column: 23, text: 'Could not resolve "tools"' },
    });
    const files = {
      "workflow.ts": `import { chunk } from "tools"; export const found = chunk;`,
      "package.json": `{ "dependencies": { "tools": "^1.0.0" } }`,
    };
    expect(await failure(build(files))).toMatchObject({ code: "package", hint: expect.any(String) });
  });

  test("may have npm packages among its files", async () => {
    const pkg = await build({
      "workflow.ts": `import { chunk } from "tools/sub/a"; export const found = chunk;`,
      "node_modules/tools/package.json": `{ "name": "tools", "version": "1.2.3",
        "exports": { "./sub/*": { "browser": "./browser/*.js", "default": "./*.js" } } }`,
      "node_modules/tools/a.js": "export const chunk = 'default';",
      "node_modules/tools/browser/a.js": "export const chunk = 'browser';",
    });
    expect(pkg.manifest.dependencies).toEqual({ tools: "1.2.3" });
    expect((await loadWebPackage(pkg)).exports.found).toBe("browser");
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

  test.each([
    ["node:fs", "none of Node's modules"],
    ["redun/node", "does not have that module"],
    ["https://missing.invalid/a.js", "must answer with a JavaScript module"],
  ])("can't import %s, and says why", async (specifier, hint) => {
    const pkg = await build(`import * as missing from "${specifier}"; console.log(missing);`);
    expect(await failure(loadWebPackage(pkg))).toMatchObject({
      code: "package",
      message: `Cannot load package ${pkg.hash}: it imports ${specifier}, which is not here`,
      hint: expect.stringContaining(hint),
    });
  });

  test("imports modules by their addresses, and the engine while it runs", async () => {
    const address = URL.createObjectURL(new Blob(["export const a = 7;"], { type: "text/javascript" }));
    const pkg = await build(`import { a } from "${address}"; export { a };
      export const later = () => import("redun");`);
    const { exports } = await loadWebPackage(pkg);
    expect(exports.a).toBe(7);
    expect(((await (exports.later as () => Promise<typeof redun>)()) as typeof redun).task).toBe(redun.task);
  });

  test("shows places of the source in stack traces and import.meta", async () => {
    const pkg = await build({
      "workflow.ts": `import { task } from "redun";\nimport { fail } from "./lib/fail.ts";\n
        export const failing = task("web.failing", async () => {\n  await null;\n  fail();\n});`,
      "lib/fail.ts": `export const place: string = import.meta.url;
        export function fail(): never {\n  throw new TypeError("on purpose");\n}`,
    });
    const { exports, tasks } = await loadWebPackage(pkg);
    const failing = exports.failing as redun.Task<[], never>;
    const error = (await failure(
      new redun.Scheduler({ backend: new MemoryBackend() }).run(failing()),
    )) as Error;
    expect(error.stack).toMatch(/^TypeError: on purpose\n {4}at fail \(file:\/\/\/lib\/fail\.ts:3:9\)\n/);
    expect(error.stack).toContain("file:///workflow.ts:6:3");
    expect(tasks[0]!.definition.place).toMatch(/^file:\/\/\/workflow\.ts:4:/);
  });
});

describe("in a worker", () => {
  test.each([true, false])(
    "a package is built and loaded, with esbuild in a worker of its own: %s",
    async (worker) => {
      const thread = new Worker(new URL("./package-worker.ts", import.meta.url), { type: "module" });
      try {
        const { promise, resolve, reject } = Promise.withResolvers<MessageEvent<WorkerBuild>>();
        thread.onmessage = resolve;
        thread.onerror = reject;
        thread.postMessage({ wasm: WASM.href, source: SOURCE, worker });
        const { data } = await promise;
        expect(data).toMatchObject({ hash: (await build(SOURCE)).hash, value: 42 });
        const { start, first, next, load } = data.times;
        console.info(
          `esbuild-wasm in a worker, worker: ${worker}: start ${start} ms, first build ${first} ms, next ${next} ms; load ${load} ms`,
        );
      } finally {
        thread.terminate();
      }
    },
  );
});

const SOURCE = `import { task } from "redun";
  export const inc = task("web.inc", (x: number) => x + 1);
  export const main = task("web.main", async () => await inc(await inc(40)));`;
