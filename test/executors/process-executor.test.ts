import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeExecutor, jobSpec, recordingContext } from "../../src/executor/contract.ts";
import type { JobResult } from "../../src/executor/executor.ts";
import { ProcessExecutor, type ProcessExecutorOptions } from "../../src/executors/process-executor.ts";
import { type RedunError, type Task, taskRegistry } from "../../src/index.ts";
import { decodeValue } from "../../src/value/value.ts";
import { isAlive, untilGone } from "./processes.ts";
import * as tasks from "./tasks.ts";

const here = (path: string): string => new URL(path, import.meta.url).href;
const modules = [here("../../src/executor/contract-tasks.ts"), here("./tasks.ts")];
const make = (options: ProcessExecutorOptions = {}): ProcessExecutor =>
  new ProcessExecutor({ modules, maxWorkers: 2, ...options });

for (const mode of ["process", "thread"] as const) {
  describeExecutor(`in another ${mode}`, () => make({ mode }), { describe, test, expect, afterAll });

  describe(`the executor in another ${mode}`, () => {
    let executor: ProcessExecutor;
    beforeAll(() => {
      executor = make({ mode });
    });
    afterAll(() => executor.close());
    const run = async (spec: Parameters<ProcessExecutor["run"]>[0]): Promise<tasks.Place> =>
      placeOf(await executor.run(spec, recordingContext()));

    test("calls the function elsewhere", async () => {
      const place = await run(jobSpec(tasks.busy, [0]));
      expect(place.thread).toBe(mode === "thread");
      expect(place.pid === process.pid).toBe(mode === "thread");
    });

    test("takes the task's own mode before its own", async () => {
      const other = mode === "thread" ? "process" : "thread";
      const place = await run(jobSpec(tasks.busy, [0], { options: { mode: other } }));
      expect(place.thread).toBe(other === "thread");
    });

    test("runs long jobs side by side, though short ones came before and wait behind", async () => {
      const both = await warm(make({ mode }));
      const places = (times: number[]) =>
        Promise.all(
          times.map(async (ms) => placeOf(await both.run(jobSpec(tasks.busy, [ms]), recordingContext()))),
        );
      await places(new Array(200).fill(0));
      const long = await places([300, 300, 0, 0, 0, 300, 300, 0, 0, 0]);
      await both.close();
      const slow = long.filter(({ started, ended }) => ended - started > 100);
      const overlapping = slow.filter((a) =>
        slow.some((b) => a !== b && a.started < b.ended && b.started < a.ended),
      );
      expect(overlapping).toHaveLength(4);
    });

    test("calls each function once while jobs move between workers that end", async () => {
      const folder = mkdtempSync(join(tmpdir(), "redun-test-"));
      const path = join(folder, "notes");
      const both = await warm(make({ mode }));
      const ids = Array.from({ length: 400 }, (_, i) => i);
      const jobs = ids.map((i) =>
        both.run(
          i % 100 === 50
            ? jobSpec(tasks.exit, [3])
            : jobSpec(tasks.note, [path, `${i}`, i % 40 === 39 ? 30 : 0]),
          recordingContext(),
        ),
      );
      const ended = await Promise.allSettled(jobs);
      await both.close();
      const notes = readFileSync(path, "utf8").trim().split("\n").map(Number);
      rmSync(folder, { recursive: true });
      expect(notes.sort((a, b) => a - b)).toEqual(ids.filter((i) => i % 100 !== 50));
      expect(ended.filter(({ status }) => status === "rejected")).toHaveLength(4);
    });

    test("fails the job that ends its worker, says how, and shows its last output", async () => {
      const context = recordingContext();
      const ending = executor.run(jobSpec(tasks.exit, [7]), context);
      const others = Array.from({ length: 20 }, () => run(jobSpec(tasks.busy, [0])));
      const error = await rejection(ending);
      expect(error.code).toBe("executor");
      expect(error.message).toContain("exit code 7");
      expect(error.fields.log).toEqual(["about to end"]);
      expect(context.lines).toEqual(["about to end"]);
      await expect(Promise.all(others)).resolves.toHaveLength(20);
    });

    test("fails the job that lets an error escape", async () => {
      const error = await rejection(executor.run(jobSpec(tasks.stray, []), recordingContext()));
      expect(error.code).toBe("executor");
      expect(`${error.message} ${error.fields.log}`).toContain("stray error");
    });

    test("takes back a job that has not begun when it is cancelled", async () => {
      const one = make({ mode, maxWorkers: 1 });
      try {
        // The worker is known to be quick, so that jobs wait at it.
        await Promise.all(
          Array.from({ length: 100 }, () => one.run(jobSpec(tasks.busy, [0]), recordingContext())),
        );
        const controller = new AbortController();
        const running = one.run(jobSpec(tasks.busy, [50]), recordingContext());
        const waiting = Array.from({ length: 6 }, (_, i) =>
          one.run(
            jobSpec(i === 2 ? tasks.exit : tasks.busy, [0]),
            recordingContext(i === 2 ? controller.signal : undefined),
          ),
        );
        controller.abort(new Error("cancelled"));
        await expect(waiting[2]).rejects.toThrow("cancelled");
        await expect(running).resolves.toMatchObject({ ok: true });
        await expect(Promise.all(waiting.filter((_, i) => i !== 2))).resolves.toHaveLength(5);
      } finally {
        await one.close();
      }
    });

    test("refuses jobs once it is closed, and ends those at work", async () => {
      const closing = make({ mode });
      const running = rejection(closing.run(jobSpec(tasks.spin, []), recordingContext()));
      await closing.close();
      expect((await running).message).toContain("closed");
      await expect(closing.run(jobSpec(tasks.busy, [0]), recordingContext())).rejects.toThrow("closed");
    });

    test("tells why a module can't be loaded", async () => {
      const broken = make({ mode, modules: [here("./missing.ts")] });
      try {
        const result = await broken.run(jobSpec(tasks.busy, [0]), recordingContext());
        expect(result.ok).toBe(false);
        expect(JSON.stringify(result)).toContain("missing.ts");
      } finally {
        await broken.close();
      }
    });
  });
}

describe("the executor in other processes", () => {
  test("takes no job whose code its workers can't know", async () => {
    const executor = new ProcessExecutor();
    const error = await rejection(executor.run(jobSpec(tasks.busy, [0]), recordingContext()));
    expect(error.message).toContain("does not know where the task is defined");
    expect(error.hint).toContain("modules");
    await executor.close();
  });

  test("runs the engine's own tasks, which every worker knows", async () => {
    const executor = new ProcessExecutor({ maxWorkers: 1 });
    const own = taskRegistry.get("redun.postprocess_script") as Task;
    const result = await executor.run(jobSpec(own, [new Uint8Array(), ["a"]]), recordingContext());
    await executor.close();
    expect(result).toMatchObject({ ok: true, value: '["a"]' });
  });

  test("keeps its workers for the next job", async () => {
    const executor = make({ maxWorkers: 1 });
    const pids = [];
    for (let i = 0; i < 3; i++)
      pids.push(placeOf(await executor.run(jobSpec(tasks.busy, [0]), recordingContext())).pid);
    expect(new Set(pids).size).toBe(1);
    await executor.close();
    expect(isAlive(pids[0]!)).toBe(false);
  });

  test("fails the job that runs out of memory", async () => {
    const executor = make({ execArgv: ["--max-old-space-size=40"] });
    const error = await rejection(executor.run(jobSpec(tasks.exhaust, []), recordingContext()));
    await executor.close();
    expect(error.message).toContain("SIGABRT");
    expect(String(error.fields.log)).toContain("heap out of memory");
  });

  test("names the signal that ended a worker", async () => {
    const executor = make();
    const error = await rejection(executor.run(jobSpec(tasks.kill, []), recordingContext()));
    expect(error.message).toContain("signal SIGKILL");
    await executor.close();
  });

  test("logs what was written past the streams, and a last line without an end", async () => {
    const executor = make();
    const context = recordingContext();
    await executor.run(jobSpec(tasks.raw, []), context);
    await executor.close();
    expect(context.lines).toContain("half a line");
  });

  test("ends what a cancelled job has started", async () => {
    const executor = make();
    const controller = new AbortController();
    const started = Promise.withResolvers<number>();
    const running = executor.run(jobSpec(tasks.leave, []), {
      signal: controller.signal,
      log: (line) => started.resolve(Number(line)),
    });
    const pid = await started.promise;
    expect(isAlive(pid)).toBe(true);
    controller.abort(new Error("cancelled"));
    await expect(running).rejects.toThrow("cancelled");
    await executor.close();
    await untilGone(pid);
  });

  test("neither keeps its owner alive nor outlives it, even when the owner is killed", async () => {
    const owner = spawn(process.execPath, [new URL("./owner.ts", import.meta.url).pathname], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines = createInterface({ input: owner.stdout })[Symbol.asyncIterator]();
    const pid = Number((await lines.next()).value);
    expect(isAlive(pid)).toBe(true);
    owner.kill("SIGKILL");
    await untilGone(pid);
  });
});

/** Waits until both workers of an executor are there. */
async function warm(executor: ProcessExecutor): Promise<ProcessExecutor> {
  const seen = new Set<string>();
  while (seen.size < 2) {
    const jobs = [20, 20].map((ms) => executor.run(jobSpec(tasks.busy, [ms]), recordingContext()));
    for (const result of await Promise.all(jobs)) seen.add(placeOf(result).worker);
  }
  return executor;
}

function placeOf(result: JobResult): tasks.Place {
  if (!result.ok) throw new Error(result.error.record.message);
  return decodeValue(result.value) as tasks.Place;
}

async function rejection(running: Promise<unknown>): Promise<RedunError> {
  return running.then(
    () => Promise.reject(new Error("It did not fail")),
    (error) => error,
  );
}
