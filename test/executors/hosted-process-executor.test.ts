import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { describeExecutor, jobSpec, recordingContext } from "../../src/executor/contract.ts";
import type { Executor, ExecutorContext, JobResult, JobSpec } from "../../src/executor/executor.ts";
import type { HostedProcessExecutorOptions } from "../../src/executors/hosted-process-executor.ts";
import { task } from "../../src/index.ts";
import { decodeValue } from "../../src/value/value.ts";
import { Hosted, rejection } from "./hosted.ts";
import { untilGone } from "./processes.ts";

/** Runs the tasks of the contract as a package's. */
class InPackage implements Executor {
  readonly name = "default";
  private readonly hosted = new Hosted();
  private hash: Promise<string> | undefined;

  async run(spec: JobSpec, context: ExecutorContext): Promise<JobResult> {
    this.hash ??= this.hosted.add('import "redun/testing";');
    return this.hosted.executor.run({ ...spec, package: await this.hash }, context);
  }

  close(): Promise<void> {
    return this.hosted.close();
  }
}

describeExecutor("for hosted packages", () => new InPackage(), { describe, test, expect, afterAll });

let open: Hosted[] = [];
const make = (options: Partial<HostedProcessExecutorOptions> = {}): Hosted => {
  const hosted = new Hosted(options);
  open.push(hosted);
  return hosted;
};
afterEach(async () => {
  await Promise.all(open.map((hosted) => hosted.close()));
  open = [];
});

const TROUBLE = `
import { task } from "redun";
export const one = task("one", () => 1);
export const ok = task("ok", async () => process.pid);
export const okHere = task("ok_here", () => process.pid);
export const exit = task("exit", async () => { console.log("about to end"); process.exit(7); });
export const sleep = task("sleep", async () => { console.log("asleep"); await new Promise(() => setInterval(() => {}, 1000)); });
export const spin = task({ name: "spin", timeout: 0.1 }, async () => { await Promise.resolve(); for (;;); });
export const exhaust = task("exhaust", async () => {
  const all: unknown[] = [];
  for (;;) all.push(Array.from({ length: 1000 }, (_, i) => ({ i })));
});
export const stray = task("stray", async () => {
  setTimeout(() => { throw new RangeError("a stray error"); }, 1);
  await new Promise(() => {});
});
export const unhandled = task("unhandled", async () => {
  void Promise.reject(new RangeError("an unhandled error"));
  await new Promise(() => {});
});
export const stubborn = task("stubborn", async () => {
  console.log(process.pid);
  for (;;) try { await new Promise((resolve) => setTimeout(resolve, 5)); await one(); } catch {}
});
export const forge = task("forge", async (message: unknown) => { process.send!(message); await new Promise(() => {}); });
export const forgeHere = task("forge_here", (message: unknown) => { process.send!(message); return new Promise(() => {}); });
export const script = task({ name: "script", script: true }, () => "echo $$ >&2; sleep 100 & wait");
export const scriptLater = task({ name: "script_later", script: true }, async () => "echo $$ >&2; sleep 100 & wait");
export const environment = task("environment", () => ({ ...process.env }));
export const environmentLater = task("environment_later", async () => ({ ...process.env }));
export const environmentScript = task({ name: "environment_script", script: true }, () => "env");
`;

/** A spec of a task by its name alone, with the hash that its package's description gives it. */
async function specOf(
  hosted: Hosted,
  hash: string,
  name: string,
  args: unknown[] = [],
  executionId = "execution",
) {
  const { task } = await hosted.scheduler(hash);
  return jobSpec(task(name), args, { package: hash, executionId });
}

describe("the executor of hosted packages", () => {
  const start = async (
    hosted: Hosted,
    hash: string,
    name: string,
    args: unknown[] = [],
    { signal, log }: { signal?: AbortSignal; log?: (line: string) => void } = {},
  ): Promise<unknown> => {
    const spec = await specOf(hosted, hash, name, args);
    const context = { ...recordingContext(signal), ...(log === undefined ? {} : { log }) };
    const result = await hosted.executor.run(spec, context);
    if (!result.ok) throw new Error(result.error.record.message);
    return decodeValue(result.value);
  };
  const started = async (hosted: Hosted, hash: string, name: string, signal?: AbortSignal) => {
    const line = Promise.withResolvers<string>();
    const running = rejection(
      start(hosted, hash, name, [], { log: line.resolve, ...(signal === undefined ? {} : { signal }) }),
    );
    return { running, line: await line.promise };
  };

  test("fails the jobs of a process that ends, says how, and starts another for the next", async () => {
    const hosted = make();
    const hash = await hosted.add(TROUBLE);
    const other = await hosted.add(`${TROUBLE}\nexport const extra = task("extra", () => 1);`);
    const elsewhere = await start(hosted, other, "ok");
    const { running } = await started(hosted, hash, "sleep");
    const error = await rejection(start(hosted, hash, "exit"));
    expect(error.code).toBe("executor");
    expect(error.message).toBe("Cannot finish exit: the process of its code ended with exit code 7");
    expect(error.fields.log).toEqual(["about to end"]);
    expect((await running).message).toBe(
      "Cannot finish sleep: the process of its code ended with exit code 7",
    );
    expect(await start(hosted, hash, "ok")).toBeTypeOf("number");
    expect(await start(hosted, other, "ok")).toBe(elsewhere);
  });

  test("ends a process that a job keeps from listening when it takes too long", async () => {
    const hosted = make({ answerTimeout: 200 });
    const hash = await hosted.add(TROUBLE);
    const { running } = await started(hosted, hash, "sleep");
    const error = await rejection(hosted.run(hash, "spin"));
    expect(error.code).toBe("timeout");
    expect((await running).message).toContain("it did not listen for 0.2 s after a job was cancelled");
    expect(await start(hosted, hash, "ok")).toBeTypeOf("number");
  });

  test("fails the jobs of a process that runs out of memory", async () => {
    const hosted = make({ execArgv: ["--max-old-space-size=40"] });
    const hash = await hosted.add(TROUBLE);
    const error = await rejection(start(hosted, hash, "exhaust"));
    expect(error.message).toContain("SIGABRT");
    expect(String(error.fields.log)).toContain("heap out of memory");
  });

  test("fails only the job that lets an error escape", async () => {
    const hosted = make();
    const hash = await hosted.add(TROUBLE);
    const pid = await start(hosted, hash, "ok");
    expect((await rejection(start(hosted, hash, "stray"))).message).toBe("a stray error");
    expect((await rejection(start(hosted, hash, "unhandled"))).message).toBe("an unhandled error");
    expect(await start(hosted, hash, "ok")).toBe(pid);
  });

  test("ends a process in which only cancelled jobs go on", async () => {
    const hosted = make({ answerTimeout: 50 });
    const hash = await hosted.add(TROUBLE);
    const controller = new AbortController();
    const { running, line } = await started(hosted, hash, "stubborn", controller.signal);
    controller.abort(new Error("not wanted"));
    expect((await running).message).toBe("not wanted");
    await untilGone(Number(line));
  });

  for (const name of ["script", "script_later"]) {
    test(`ends all that a ${name.replace("_", " ")} has started when it is cancelled`, async () => {
      const hosted = make();
      const hash = await hosted.add(TROUBLE);
      const controller = new AbortController();
      const { running, line } = await started(hosted, hash, name, controller.signal);
      controller.abort(new Error("not wanted"));
      expect((await running).message).toBe("not wanted");
      await untilGone(-Number(line));
    });
  }

  test("keeps its secrets from functions and scripts", async () => {
    process.env.HOSTED_TEST_SECRET = "a secret";
    try {
      const hosted = make({ env: { HOSTED_TEST_GIVEN: "given" } });
      const hash = await hosted.add(TROUBLE);
      const seen = [
        await start(hosted, hash, "environment"),
        await start(hosted, hash, "environment_later"),
        await start(hosted, hash, "environment_script"),
      ];
      const job = jobSpec(
        task("hosted_test.env", () => 1),
        [],
        { script: "env" },
      );
      const result = await hosted.executor.run(job, recordingContext());
      seen.push(decodeValue((result as { value: string }).value));
      for (const environment of seen) {
        const text =
          environment instanceof Uint8Array
            ? new TextDecoder().decode(environment)
            : JSON.stringify(environment);
        expect(text).toContain("PATH");
        expect(text).toContain("HOSTED_TEST_GIVEN");
        expect(text).not.toContain("a secret");
      }
    } finally {
      delete process.env.HOSTED_TEST_SECRET;
    }
  });

  test("ends processes without jobs after a while", async () => {
    const hosted = make({ idleTimeout: 50 });
    const hash = await hosted.add(TROUBLE);
    const pids = [await start(hosted, hash, "ok"), await start(hosted, hash, "ok_here")] as number[];
    expect(new Set(pids).size).toBe(2);
    await Promise.all(pids.map(untilGone));
    expect(pids).not.toContain(await start(hosted, hash, "ok"));
    expect(pids).not.toContain(await start(hosted, hash, "ok_here"));
  });

  for (const how of ["idle", "busy"]) {
    test(`ends its ${how} processes when its own ends, which they don't keep alive`, async () => {
      const folder = mkdtempSync(join(tmpdir(), "redun-test-"));
      const owner = spawn(process.execPath, [new URL("./hosted-owner.ts", import.meta.url).pathname, how], {
        stdio: ["ignore", "pipe", "inherit"],
        env: { ...process.env, TMPDIR: folder },
      });
      const ended = once(owner, "exit");
      const [line] = (await once(createInterface({ input: owner.stdout }), "line")) as [string];
      const pids = line.split(" ").map(Number);
      expect(pids).toHaveLength(2);
      if (how === "busy") owner.kill("SIGKILL");
      await ended;
      await Promise.all(pids.map(untilGone));
      rmSync(folder, { recursive: true });
    });
  }

  test("refuses a package that is not what its hash says, and one that is not there", async () => {
    const hosted = make();
    const hash = await hosted.add(TROUBLE);
    const pkg = hosted.store.get(hash)!;
    hosted.store.set(hash, { ...pkg, code: `${pkg.code}\nprocess.exit();` });
    const changed = await rejection(hosted.executor.describe(hash));
    expect(changed.code).toBe("package");
    expect(changed.message).toContain("its content has the hash");
    const other = "1".repeat(40);
    hosted.store.set(other, pkg);
    expect((await rejection(hosted.executor.describe(other))).message).toContain(`what is stored is ${hash}`);
    const missing = await rejection(hosted.executor.describe("../../etc/passwd"));
    expect(missing.message).toContain("there is no such package here");
    expect(existsSync(join(hosted.dir, "packages"))).toBe(false);
    hosted.store.set(hash, pkg);
    expect((await hosted.executor.describe(hash)).tasks.length).toBeGreaterThan(5);
  });

  test("says why a package can't be loaded", async () => {
    const hosted = make({ loadTimeout: 1000 });
    const throws = await hosted.add('throw new RangeError("not today");');
    const error = await rejection(hosted.executor.describe(throws));
    expect(error.code).toBe("package");
    expect(error.message).toBe(`Cannot load the code package ${throws}: not today`);
    const ends = await hosted.add('console.log("bye"); process.exit(3);');
    const ended = await rejection(hosted.executor.describe(ends));
    expect(ended.message).toContain("ended with exit code 3");
    expect(ended.fields.log).toEqual(["bye"]);
    const loops = await hosted.add("for (;;);");
    expect((await rejection(hosted.executor.describe(loops))).message).toContain("did not load within 1 s");
  });

  test("ends a process that sends what is no message, and believes none about other jobs", async () => {
    const hosted = make();
    const hash = await hosted.add(TROUBLE);
    const forged: unknown[] = [
      null,
      { type: "log", id: 1 },
      { type: "log", lines: [1] },
      { type: "result", id: 1, result: { ok: true } },
      { type: "result", id: 1, result: { ok: false, error: { record: null } } },
      { type: "result", id: 1, result: { ok: true, value: "1", timings: null } },
      { type: "evaluate", job: 1, id: 1 },
      { type: "loaded", description: { tasks: [{}], validatedTypes: [] } },
    ];
    const cases = forged.map((message) => ["forge", message] as const);
    for (const [name, message] of [...cases, ["forge_here", { type: "log", id: 1 }] as const]) {
      const error = await rejection(start(hosted, hash, name, [message]));
      expect(error.message).toContain("ended with a message that is none of the engine's");
    }
    const evaluate = { type: "evaluate", job: 1, id: 9, expression: "not an encoding" };
    const controller = new AbortController();
    const running = rejection(start(hosted, hash, "forge", [evaluate], { signal: controller.signal }));
    expect(await start(hosted, hash, "ok")).toBeTypeOf("number");
    controller.abort(new Error("enough"));
    expect((await running).message).toBe("enough");
  });

  test("refuses jobs once it is closed, and ends those at work", async () => {
    const hosted = make();
    const hash = await hosted.add(TROUBLE);
    const { running } = await started(hosted, hash, "sleep");
    const spec = await specOf(hosted, hash, "ok");
    await hosted.executor.close();
    expect((await running).message).toContain("the executor default closed");
    for (const call of [hosted.executor.run(spec, recordingContext()), hosted.executor.describe(hash)])
      expect((await rejection(call)).message).toContain("is closed");
  });
});

describe("executions at one executor", () => {
  test("take turns, so that a few jobs need not wait for many", async () => {
    const hosted = make({ maxWorkers: 1 });
    const hash = await hosted.add(`
import { task } from "redun";
export const busy = task("busy", (ms: number) => { const end = Date.now() + ms; while (Date.now() < end); });
`);
    const many = await specOf(hosted, hash, "busy", [10], "many");
    const few = await specOf(hosted, hash, "busy", [10], "few");
    const order: string[] = [];
    const run = async (spec: JobSpec, i: number): Promise<void> => {
      await hosted.executor.run({ ...spec, jobId: `${spec.executionId}-${i}` }, recordingContext());
      order.push(spec.executionId);
    };
    const first = Array.from({ length: 40 }, (_, i) => run(many, i));
    await first[2];
    await Promise.all(Array.from({ length: 5 }, (_, i) => run(few, i)));
    expect(order.length).toBeLessThan(20);
    await Promise.all(first);
    expect(order).toHaveLength(45);
  });
});
