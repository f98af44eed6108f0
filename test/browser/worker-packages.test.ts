import { beforeAll, expect, onTestFinished, test } from "vitest";
import { MemoryBackend } from "../../src/backends/memory-backend.ts";
import { jobSpec, recordingContext } from "../../src/executor/contract.ts";
import { fromJobError } from "../../src/executor/job-error.ts";
import { WebWorkerExecutor, type WebWorkerExecutorOptions } from "../../src/executors/web-worker-executor.ts";
import * as redun from "../../src/index.ts";
import {
  buildPackage,
  type CodePackage,
  type Esbuild,
  type LoadedPackage,
  loadWebPackage,
  webEsbuild,
} from "../../src/package.ts";

let esbuild: Esbuild;
beforeAll(async () => {
  esbuild = await webEsbuild(new URL("/node_modules/esbuild-wasm/esbuild.wasm", location.href));
});

/** A workflow whose tasks run in workers, and differ from those of another one by a number. */
const workflow = (step: number): string => `
  import { task } from "redun";
  export const inc = task({ name: "inc", executor: "worker" }, async (n: number) => {
    await Promise.resolve();
    console.log("inc", n);
    return n + ${step};
  });
  export const total = task({ name: "total", executor: "worker" }, (all: number[]) => all.reduce((a, b) => a + b, 0));
  export const fail = task({ name: "fail", executor: "worker" }, () => {
    throw new RangeError("too far");
  });
  export const main = task({ name: "main", executor: "worker" }, (n: number) =>
    total(Array.from({ length: n }, (_, i) => inc(i))));
`;

async function build(step: number): Promise<CodePackage> {
  const files = { "workflow.ts": workflow(step) };
  return buildPackage("workflow.ts", { files, esbuild, lowerAsync: true, npm: "inline" });
}

function open(options: WebWorkerExecutorOptions): WebWorkerExecutor {
  const url = new URL("./job-worker.ts", import.meta.url);
  const executor = new WebWorkerExecutor({ url, maxWorkers: 2, ...options });
  onTestFinished(() => executor.close());
  return executor;
}

const taskOf = (pkg: LoadedPackage, name: string): redun.Task =>
  pkg.tasks.find((task) => task.name === name)!;

test("runs the tasks of packages, each of which goes to a worker once", async () => {
  const packages = [await build(1), await build(100)];
  const asked: string[] = [];
  const executor = open({
    packages: async (hash) => {
      asked.push(hash);
      return packages.find((pkg) => pkg.hash === hash);
    },
  });
  const lines: string[] = [];
  for (let round = 0; round < 2; round++) {
    for (const [i, pkg] of packages.entries()) {
      const loaded = await loadWebPackage(pkg, { redun });
      const scheduler = new redun.Scheduler({ backend: new MemoryBackend(), executors: [executor] });
      scheduler.on("job-log", ({ line }) => lines.push(line));
      expect(await scheduler.run(taskOf(loaded, "main")(20))).toBe(190 + 20 * [1, 100][i]!);
      const error = await scheduler.run(taskOf(loaded, "fail")()).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(RangeError);
      expect((error as Error).stack).toContain("workflow.ts");
    }
  }
  expect(lines.filter((line) => line === "inc 7")).toHaveLength(4);
  expect(asked.length).toBeLessThanOrEqual(4);
  expect(new Set(asked)).toEqual(new Set(packages.map(({ hash }) => hash)));
});

test("says that a package is missing, or can't be had, and asks for it again", async () => {
  const pkg = await build(1);
  const loaded = await loadWebPackage(pkg, { redun });
  const answers = [
    async () => undefined,
    async () => {
      throw new redun.PackageError("Cannot read the package: out of order");
    },
    async () => ({ ...pkg, code: `${pkg.code}// changed` }),
    async () => pkg,
  ];
  const executor = open({ maxWorkers: 1, packages: () => answers.shift()!() });
  const total = jobSpec(taskOf(loaded, "total"), [[1, 2]], { package: pkg.hash });
  const error = async (): Promise<redun.RedunError> => {
    const result = await executor.run(total, recordingContext());
    if (result.ok) throw new Error("It did not fail");
    return fromJobError(result.error) as redun.RedunError;
  };
  expect((await error()).message).toContain(`Cannot load the code package ${pkg.hash}`);
  expect((await error()).message).toBe("Cannot read the package: out of order");
  expect((await error()).code).toBe("package");
  expect(await executor.run(total, recordingContext())).toMatchObject({ ok: true, value: "3" });
});
