import { afterAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { MemoryBackend } from "../../src/backends/memory-backend.ts";
import { describeExecutor, jobSpec, recordingContext } from "../../src/executor/contract.ts";
import * as contract from "../../src/executor/contract-tasks.ts";
import type { JobResult } from "../../src/executor/executor.ts";
import { WebWorkerExecutor, type WebWorkerExecutorOptions } from "../../src/executors/web-worker-executor.ts";
import { type RedunError, Scheduler, type Task, task, taskRegistry } from "../../src/index.ts";
import { decodeValue } from "../../src/value/value.ts";
import * as tasks from "./worker-tasks.ts";

const here = (path: string): string => new URL(path, import.meta.url).href;
const modules = [here("../../src/executor/contract-tasks.ts"), here("./worker-tasks.ts")];
const make = (options: WebWorkerExecutorOptions = {}): WebWorkerExecutor =>
  new WebWorkerExecutor({ url: here("./job-worker.ts"), modules, maxWorkers: 2, ...options });
const open = (options: WebWorkerExecutorOptions = {}): WebWorkerExecutor => {
  const executor = make(options);
  onTestFinished(() => executor.close());
  return executor;
};

test("runs where memory can be shared", () => {
  expect(globalThis.crossOriginIsolated).toBe(true);
});

for (const shareMemory of [true, false]) {
  const how = shareMemory ? "sharing memory" : "sharing none";
  describeExecutor(`in Web Workers ${how}`, () => make({ shareMemory }), {
    describe,
    test,
    expect,
    afterAll,
  });

  describe(`the executor in Web Workers ${how}`, () => {
    // On a busy machine a worker may be kept from the processor for as long as a job takes.
    test("runs long jobs side by side, though short ones wait with them", { retry: 2 }, async () => {
      const executor = await warm(open({ shareMemory }));
      const places = (times: number[]): Promise<tasks.Place[]> =>
        Promise.all(
          times.map(async (ms) => placeOf(await executor.run(jobSpec(tasks.busy, [ms]), recordingContext()))),
        );
      await places(new Array(200).fill(0));
      const long = await places([300, 300, 0, 0, 0, 300, 300, 0, 0, 0]);
      const slow = long.filter(({ started, ended }) => ended - started > 100);
      const overlapping = slow.filter((a) =>
        slow.some((b) => a !== b && a.started < b.ended && b.started < a.ended),
      );
      expect(overlapping).toHaveLength(4);
    });

    test("takes 10,000 tiny jobs in a moment", async () => {
      const executor = await warm(open({ shareMemory }));
      const jobs = Array.from({ length: 10_000 }, (_, i) => jobSpec(contract.add, [i, 1]));
      const before = performance.now();
      await Promise.all(jobs.map((job) => executor.run(job, recordingContext())));
      const took = performance.now() - before;
      console.info(`In Web Workers ${how}: ${(took / 10).toFixed(1)} µs a job`);
      // Some 300 ms on an idle machine.
      expect(took).toBeLessThan(10_000);
    });

    test("calls each function once while jobs move between workers that end", async () => {
      const executor = await warm(open({ shareMemory }));
      const name = crypto.randomUUID();
      const channel = new BroadcastChannel(name);
      const calls = new Map<string, number>();
      channel.onmessage = ({ data }: MessageEvent<string | [id: number, call: string]>) => {
        if (typeof data === "string") return;
        const [id, call] = data;
        calls.set(call, id);
        channel.postMessage(call);
      };
      const ids = Array.from({ length: 400 }, (_, i) => i);
      const jobs = ids.map((i) =>
        executor.run(
          i % 100 === 50 ? jobSpec(tasks.leave, []) : jobSpec(tasks.note, [name, i, i % 40 === 39 ? 30 : 0]),
          recordingContext(),
        ),
      );
      const ended = await Promise.allSettled(jobs);
      const lost = ids.filter((i) => ended[i]!.status === "rejected");
      expect(lost).toEqual([50, 150, 250, 350]);
      channel.close();
      expect([...calls.values()].sort((a, b) => a - b)).toEqual(ids.filter((i) => !lost.includes(i)));
    });

    test("gives what waits behind a job that loops to another worker", async () => {
      const executor = await warm(open({ shareMemory }));
      const run = (task: Task, context = recordingContext()): Promise<JobResult> =>
        executor.run(jobSpec(task, [0]), context);
      // The workers are known to be quick, so that jobs wait at them.
      await Promise.all(Array.from({ length: 200 }, () => run(tasks.busy)));
      const controller = new AbortController();
      const first = Array.from({ length: 10 }, () => run(tasks.busy));
      const looping = rejection(run(contract.spin as Task, recordingContext(controller.signal)));
      const others = Array.from({ length: 30 }, () => run(tasks.busy));
      await expect(Promise.all([...first, ...others])).resolves.toHaveLength(40);
      controller.abort(new Error("enough"));
      expect((await looping).message).toBe("enough");
    });

    test("fails the job that closes its worker, and shows its last output", async () => {
      const executor = open({ shareMemory });
      const context = recordingContext();
      const closing = rejection(executor.run(jobSpec(tasks.leave, []), context));
      const others = Array.from({ length: 20 }, () =>
        executor.run(jobSpec(tasks.busy, [0]), recordingContext()),
      );
      const error = await closing;
      expect(error.code).toBe("executor");
      expect(error.message).toBe(
        "Cannot finish web_worker_tests.leave: its Web Worker ended with a call of close()",
      );
      expect(error.fields.log).toEqual(["about to close"]);
      expect(context.lines).toEqual(["about to close"]);
      await expect(Promise.all(others)).resolves.toHaveLength(20);
    });

    test.for(["throw", "reject"] as const)("fails the job that lets an error escape (%s)", async (how) => {
      const executor = open({ shareMemory, maxWorkers: 1 });
      const error = await rejection(executor.run(jobSpec(tasks.stray, [how]), recordingContext()));
      expect(error.code).toBe("executor");
      expect(error.message).toContain("stray error");
      const result = await executor.run(jobSpec(contract.add, [1, 2]), recordingContext());
      expect(result).toMatchObject({ ok: true, value: "3" });
    });

    test("takes back a job that has not begun when it is cancelled", async () => {
      const executor = open({ shareMemory, maxWorkers: 1 });
      // The worker is known to be quick, so that jobs wait at it if they may.
      await Promise.all(
        Array.from({ length: 100 }, () => executor.run(jobSpec(tasks.busy, [0]), recordingContext())),
      );
      const controller = new AbortController();
      const running = executor.run(jobSpec(tasks.busy, [50]), recordingContext());
      const waiting = Array.from({ length: 6 }, (_, i) =>
        executor.run(
          jobSpec(i === 2 ? tasks.leave : tasks.busy, [0]),
          recordingContext(i === 2 ? controller.signal : undefined),
        ),
      );
      controller.abort(new Error("cancelled"));
      await expect(waiting[2]).rejects.toThrow("cancelled");
      await expect(running).resolves.toMatchObject({ ok: true });
      await expect(Promise.all(waiting.filter((_, i) => i !== 2))).resolves.toHaveLength(5);
    });
  });
}

describe("the executor in Web Workers", () => {
  test("goes on with the workers it has when no more can be started", async () => {
    let started = 0;
    class Scarce extends Worker {
      constructor(url: string | URL, options?: WorkerOptions) {
        super(started++ === 0 ? url : here("./missing-worker.js"), options);
      }
    }
    vi.stubGlobal("Worker", Scarce);
    onTestFinished(() => void vi.unstubAllGlobals());
    const executor = open();
    await executor.run(jobSpec(tasks.busy, [0]), recordingContext());
    const jobs = Array.from({ length: 50 }, () =>
      executor.run(jobSpec(tasks.busy, [5]), recordingContext()).then(placeOf),
    );
    expect(new Set((await Promise.all(jobs)).map(({ worker }) => worker)).size).toBe(1);
  });

  test("logs what the console is given, formatted", async () => {
    const context = recordingContext();
    const result = await open().run(jobSpec(tasks.printAll, []), context);
    expect(context.lines.slice(0, 4)).toEqual([
      "a has 2 of { b: [ 1 ] } more 3 [ 4 ]",
      "two",
      "lines",
      "RangeError: an error",
    ]);
    expect(context.lines.at(-1)).toBe("100%");
    expect(result.log).toEqual(context.lines);
  });

  test("says that the worker's address does not answer, at once for all jobs, and tries again later", async () => {
    const url = here("./missing-worker.js");
    const executor = open({ url });
    for (let round = 0; round < 2; round++) {
      const jobs = Array.from({ length: 100 }, () =>
        rejection(executor.run(jobSpec(tasks.busy, [0]), recordingContext())),
      );
      for (const error of await Promise.all(jobs)) {
        expect(error.code).toBe("executor");
        expect(error.message).toContain(`Cannot run web_worker_tests.busy: the job worker ${url}`);
        expect(error.fields.url).toBe(url);
      }
    }
  });

  test("says that a worker of another origin does not start", async () => {
    const executor = open({ url: "https://elsewhere.invalid/worker.js" });
    const error = await rejection(executor.run(jobSpec(tasks.busy, [0]), recordingContext()));
    expect(error.message).toContain("https://elsewhere.invalid/worker.js");
    expect(error.hint).toContain("origin");
  });

  test("tells why a module can't be loaded", async () => {
    const executor = open({ modules: [here("./missing.ts")] });
    const result = await executor.run(jobSpec(tasks.busy, [0]), recordingContext());
    expect(result.ok).toBe(false);
    expect(JSON.stringify(result)).toContain("missing.ts");
  });

  test("refuses jobs once it is closed, and ends those at work", async () => {
    const executor = make();
    const running = rejection(executor.run(jobSpec(contract.spin, []), recordingContext()));
    await executor.close();
    expect((await running).message).toContain("closed");
    await expect(executor.run(jobSpec(tasks.busy, [0]), recordingContext())).rejects.toThrow("closed");
  });

  test("takes no job whose code its workers can't know", async () => {
    const error = await rejection(open({ modules: [] }).run(jobSpec(tasks.busy, [0]), recordingContext()));
    expect(error.message).toContain("does not know where the task is defined");
  });

  test("runs the engine's own tasks, which every worker knows", async () => {
    const own = taskRegistry.get("redun.postprocess_script") as Task;
    const result = await open({ modules: [] }).run(
      jobSpec(own, [new Uint8Array(), ["a"]]),
      recordingContext(),
    );
    expect(result).toMatchObject({ ok: true, value: '["a"]' });
  });

  test("ends a script that loops when it takes too long", async () => {
    const scheduler = new Scheduler({ backend: new MemoryBackend(), executors: [open()] });
    const loop = task({ name: "tab.loop", script: true, executor: "worker", timeout: 2 }, () => {
      return "#!/bin/sh\nwhile true; do :; done";
    });
    await expect(scheduler.run(loop())).rejects.toMatchObject({ code: "timeout" });
    const inc = contract.add.options({ executor: "worker" });
    expect(await scheduler.run(inc(1, 1))).toBe(2);
  });

  test("ends a job that loops when it takes too long", async () => {
    const scheduler = new Scheduler({ backend: new MemoryBackend(), executors: [open()] });
    const spin = contract.spin.options({ executor: "worker", timeout: 0.3 });
    await expect(scheduler.run(spin())).rejects.toMatchObject({ code: "timeout" });
    const inc = contract.add.options({ executor: "worker" });
    expect(await scheduler.run([inc(1, 1), inc(2, 1)])).toEqual([2, 3]);
  });
});

/** Waits until both workers of an executor are there. */
async function warm(executor: WebWorkerExecutor): Promise<WebWorkerExecutor> {
  const seen = new Set<string>();
  while (seen.size < 2) {
    const jobs = [20, 20].map((ms) => executor.run(jobSpec(tasks.busy, [ms]), recordingContext()));
    for (const result of await Promise.all(jobs)) seen.add(placeOf(result).worker);
  }
  return executor;
}

function resultOf(result: JobResult): unknown {
  if (!result.ok) throw new Error(result.error.record.message);
  return decodeValue(result.value);
}

function placeOf(result: JobResult): tasks.Place {
  return resultOf(result) as tasks.Place;
}

async function rejection(running: Promise<unknown>): Promise<RedunError> {
  return running.then(
    () => Promise.reject(new Error("It did not fail")),
    (error) => error,
  );
}
