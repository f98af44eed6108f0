import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MemoryBackend } from "../../src/backends/memory-backend.ts";
import { ProcessExecutor } from "../../src/executors/process-executor.ts";
import { registerLocalFileSystem } from "../../src/file-systems/local.ts";
import { catchError, errorTraceback, type File, Scheduler } from "../../src/index.ts";
import { jobsOf } from "../scheduler/setup.ts";
import * as tasks from "./fixtures/tasks.ts";
import { isAlive, untilGone } from "./processes.ts";

registerLocalFileSystem();

const modules = [new URL("./fixtures/tasks.ts", import.meta.url).href];

describe.for(["process", "thread"] as const)("a run with its jobs in another %s", (mode) => {
  let executor: ProcessExecutor;
  const newScheduler = (): Scheduler =>
    new Scheduler({ backend: new MemoryBackend(), executors: [executor] });
  const logged = (scheduler: Scheduler): string[] => {
    const lines: string[] = [];
    scheduler.on("job-log", ({ line }) => lines.push(line));
    return lines;
  };
  beforeAll(() => {
    executor = new ProcessExecutor({ modules, maxWorkers: 2, mode });
  });
  afterAll(() => executor.close());

  test("evaluates what the jobs return, and finds it again", async () => {
    const scheduler = newScheduler();
    expect(await scheduler.run(tasks.fanOut(50))).toBe(1275);
    const kinds: string[] = [];
    scheduler.on("job-start", ({ job }) => kinds.push(`ran ${job.task}`));
    expect(await scheduler.run(tasks.fanOut(50))).toBe(1275);
    expect(kinds).toEqual([]);
  });

  test("takes 2,000 tiny jobs in a moment", async () => {
    const scheduler = newScheduler();
    await scheduler.run(tasks.inc(-1));
    const before = performance.now();
    expect(await scheduler.run(tasks.fanOut(2000))).toBe(2_001_000);
    // Some 100 ms on an idle machine.
    expect(performance.now() - before).toBeLessThan(10_000);
  });

  test("fails with the task's own error, and the way there", async () => {
    const scheduler = newScheduler();
    const error = (await scheduler.run(tasks.fail("too far")).catch((reason: unknown) => reason)) as Error;
    expect(error).toBeInstanceOf(RangeError);
    expect(error.message).toBe("too far");
    expect(error.stack).toContain("fixtures/tasks.ts");
    expect(JSON.stringify(errorTraceback(error))).toContain("executors_run.fail");
    expect(await scheduler.run(catchError(tasks.fail("caught"), RangeError, tasks.messageOf))).toBe("caught");
  });

  test("names the place in a result that can't be encoded", async () => {
    await expect(newScheduler().run(tasks.make())).rejects.toMatchObject({
      code: "unsupported-value",
      message: expect.stringContaining("result.items[3].callback"),
    });
  });

  test("hears what a job prints, line by line", async () => {
    const scheduler = newScheduler();
    const lines = logged(scheduler);
    const words = Array.from({ length: 300 }, (_, i) => `line ${i}`);
    expect(await scheduler.run(tasks.talk(words))).toBe(300);
    expect(lines).toEqual([...words, "last"]);
  });

  test("ends a job that loops when it takes too long", async () => {
    const scheduler = newScheduler();
    const lines = logged(scheduler);
    await expect(scheduler.run(tasks.loop.options({ timeout: 0.3 })())).rejects.toMatchObject({
      code: "timeout",
    });
    expect(await scheduler.run([tasks.inc(1), tasks.inc(2), tasks.inc(3)])).toEqual([2, 3, 4]);
    if (mode === "process" && lines.length > 0) {
      const pid = Number(lines[0]!.split(" ").at(-1));
      await untilGone(pid);
    }
  });

  test("ends a job that loops when it is cancelled", async () => {
    const scheduler = newScheduler();
    const controller = new AbortController();
    scheduler.on("job-log", () => controller.abort());
    await expect(scheduler.run(tasks.loop(), { signal: controller.signal })).rejects.toMatchObject({
      code: "cancelled",
    });
    expect(await scheduler.run(tasks.inc(1))).toBe(2);
  });

  test("loses only the job that ends its worker", async () => {
    const backend = new MemoryBackend();
    const scheduler = new Scheduler({ backend, executors: [executor] });
    const saved = catchError(tasks.crash(5), Error, tasks.messageOf);
    const [message, ...others] = (await scheduler.run([
      saved,
      ...Array.from({ length: 40 }, (_, i) => tasks.inc(i)),
    ])) as [string, ...number[]];
    expect(message).toContain("exit code 5");
    expect(others).toEqual(others.map((_, i) => i + 1));
    expect((await jobsOf(backend, "executors_run.crash")).map(({ status }) => status)).toEqual(["FAILED"]);
    expect(new Set((await jobsOf(backend, "executors_run.inc")).map(({ status }) => status))).toEqual(
      new Set(["DONE"]),
    );
  });

  test("gets files as they are, and notices when they change", async () => {
    const folder = mkdtempSync(join(tmpdir(), "redun-test-"));
    const scheduler = newScheduler();
    const path = join(folder, "a.txt");
    const started: string[] = [];
    scheduler.on("job-start", ({ job }) => started.push(job.task));
    const file = (await scheduler.run(tasks.write(path))) as File;
    expect(await file.text()).toBe("from a worker");
    expect(await file.isValid()).toBe(true);
    await scheduler.run(tasks.write(path));
    expect(started.length).toBe(1);
    writeFileSync(path, "changed");
    await scheduler.run(tasks.write(path));
    expect(started.length).toBe(2);
    rmSync(folder, { recursive: true });
  });
});

test("nothing is left of the workers when the scheduler is closed", async () => {
  const executor = new ProcessExecutor({ modules, maxWorkers: 2 });
  const scheduler = new Scheduler({ backend: new MemoryBackend(), executors: [executor] });
  const pids = new Set((await scheduler.run([1, 2, 3, 4].map((n) => tasks.place(n)))) as number[]);
  expect([...pids].every(isAlive)).toBe(true);
  await scheduler.close();
  expect([...pids].filter(isAlive)).toEqual([]);
});
