import { beforeEach, describe, expect, test } from "vitest";
import type { CacheQuery } from "../../src/backend/backend.ts";
import type { RecordBatch } from "../../src/backend/records.ts";
import { MemoryBackend } from "../../src/backends/memory-backend.ts";
import { type Executor, type JobSpec, task } from "../../src/index.ts";
import { Gate, jobRows, newScheduler, note, ran, same, turn, until } from "./setup.ts";

beforeEach(() => {
  ran();
});

const add = task("store.add", (a: number, b: number) => a + b);
const many = task("store.many", (n: number) => Array.from({ length: n }, (_, i) => add(i, 1)));

/** Does something at each write: by default as a store does that is far away. */
class OddBackend extends MemoryBackend {
  readonly sizes: number[] = [];
  onWrite: (count: number) => void | Promise<void> = () => Promise.resolve();

  override write(batch: RecordBatch): void | Promise<void> {
    this.sizes.push(batch.jobs.length + batch.jobEnds.length);
    const answer = this.onWrite(this.sizes.length);
    if (answer === undefined) return super.write(batch);
    return answer.then(() => super.write(batch));
  }
}

const failing = (atWrite: number, later: boolean) => (count: number) => {
  if (count < atWrite) return undefined;
  if (!later) throw new Error("disk full");
  return Promise.reject(new Error("disk full"));
};

describe("records", () => {
  test("are written in groups, not one by one", async () => {
    const backend = new OddBackend();
    const scheduler = newScheduler({ backend });
    await scheduler.run(many(2000));
    expect(await backend.count({ type: "Job" })).toBe(2001);
    expect(backend.sizes.length).toBeLessThan(40);
  });

  test("of slow functions come before their results, those of jobs that only waited don't", async () => {
    const backend = new OddBackend();
    backend.onWrite = () => undefined;
    const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
    /** Holds all jobs for a while, and says that it worked for so many milliseconds on each. */
    const holding = (name: string, worked: number): Executor => ({
      name,
      run: async (spec) => {
        await later(600);
        const ended = Date.now();
        return { ok: true, value: decodeArgs(spec), timings: { started: ended - worked, ended } };
      },
    });
    const decodeArgs = (spec: JobSpec): string => spec.args.slice(1, -1);
    const scheduler = newScheduler({ backend, executors: [holding("busy", 600), holding("idle", 1)] });
    const here = task("store.here", async (n: number) => later(600).then(() => n));
    const busy = task({ name: "store.busy", executor: "busy" }, (n: number) => n);
    const idle = task({ name: "store.idle", executor: "idle" }, (n: number) => n);
    const deep = task("store.deep", (n: number): unknown => (n === 0 ? here(0) : deep(n - 1)));
    const writes = async (...calls: unknown[]): Promise<number> => {
      backend.sizes.length = 0;
      await scheduler.run(calls);
      return backend.sizes.length;
    };
    const ten = Array.from({ length: 10 }, (_, i) => i);
    expect(await writes(...ten.map((n) => busy(n)))).toBeGreaterThanOrEqual(10);
    expect(await writes(...ten.map((n) => here(n)))).toBeGreaterThanOrEqual(10);
    expect(await writes(...ten.map((n) => idle(n)))).toBeLessThan(5);
    expect(await writes(deep(10))).toBeLessThan(6);
  });

  test("are all there when a run returns, from a store that answers later too", async () => {
    const backend = new OddBackend();
    backend.onWrite = async () => {
      await turn();
      await turn();
    };
    const scheduler = newScheduler({ backend });
    await scheduler.run(many(500));
    expect((await jobRows(backend)).every((row) => row.endTime !== null)).toBe(true);
    await scheduler.run(many(500));
    expect(scheduler.status().get("store.add")).toMatchObject({ CACHED: 500, DONE: 0 });
  });

  test.each([
    ["at once", false],
    ["later", true],
  ])("of a store that fails in mid-run, %s, end the run with its error", async (_when, later) => {
    const backend = new OddBackend();
    backend.onWrite = failing(1, later);
    const scheduler = newScheduler({ backend });
    const never = task("store.never", () => {
      note("never");
      return new Gate().opened;
    });
    const main = task("store.mid", () => [many(400), never()]);
    await expect(scheduler.run(main())).rejects.toThrow("disk full");
    expect(backend.sizes.length).toBe(1);
    // The scheduler can be used again when the store is well.
    backend.onWrite = () => undefined;
    expect(await scheduler.run(add(1, 2))).toBe(3);
  });

  test.each<[string, (count: number) => void | Promise<void>]>([
    ["at once", failing(1, false)],
    ["later", failing(1, true)],
    [
      "with what is no error",
      () => {
        throw "disk full";
      },
    ],
    [
      "with a frozen error",
      () => {
        throw Object.freeze(new Error("disk full"));
      },
    ],
  ])("of a store that fails at the end, %s, don't lose the result", async (_how, onWrite) => {
    const backend = new OddBackend();
    backend.onWrite = onWrite;
    const scheduler = newScheduler({ backend });
    await expect(scheduler.run(add(20, 1))).rejects.toMatchObject({ message: "disk full", result: 21 });
  });

  test("that can't be written don't hide the task's own error", async () => {
    const backend = new OddBackend();
    backend.onWrite = failing(1, true);
    const scheduler = newScheduler({ backend });
    const fails = task("store.fails", () => {
      throw new Error("broken");
    });
    await expect(scheduler.run(fails())).rejects.toThrow("broken");
  });
});

describe("a store", () => {
  test("that can't be opened fails the run, and is tried again by the next", async () => {
    const backend = new MemoryBackend();
    let tries = 0;
    backend.load = async () => {
      if (++tries === 1) throw new Error("locked");
    };
    const scheduler = newScheduler({ backend });
    await expect(scheduler.run(add(1, 2))).rejects.toThrow("locked");
    expect(await scheduler.run(add(1, 2))).toBe(3);
    expect(await scheduler.run(add(1, 2))).toBe(3);
    expect(tries).toBe(2);
  });

  test("that answers look-ups later is asked for many at a time", async () => {
    const backend = new MemoryBackend();
    const groups: number[] = [];
    const lookup = backend.lookup.bind(backend);
    Object.assign(backend, {
      lookup: async (queries: readonly CacheQuery[], isCurrent: (hash: string) => boolean) => {
        groups.push(queries.length);
        await turn();
        return lookup(queries, isCurrent);
      },
    });
    const scheduler = newScheduler({ backend });
    expect(await scheduler.run(many(1000))).toHaveLength(1000);
    expect(await scheduler.run(many(1000))).toHaveLength(1000);
    expect(scheduler.status().get("store.add")).toMatchObject({ CACHED: 1000 });
    expect(groups.length).toBeLessThan(20);
  });

  test("that fails to answer a look-up ends the run", async () => {
    const backend = new MemoryBackend();
    Object.assign(backend, { lookup: () => Promise.reject(new Error("gone")) });
    await expect(newScheduler({ backend }).run(add(1, 2))).rejects.toThrow("gone");
    Object.assign(backend, {
      lookup: () => {
        throw new Error("gone at once");
      },
    });
    await expect(newScheduler({ backend }).run(add(1, 2))).rejects.toThrow("gone at once");
  });

  test("keeps what a cancelled or failed run has finished", async () => {
    const scheduler = newScheduler();
    const gate = new Gate();
    const step = task("store.step", (x: number) => {
      note(`step ${x}`);
      return x;
    });
    const waits = task("store.waits", () => gate.opened);
    const controller = new AbortController();
    const run = scheduler.run([step(1), step(same(2)), waits()], { signal: controller.signal });
    await until(() => scheduler.status().get("store.step")?.DONE === 2);
    controller.abort();
    await expect(run).rejects.toMatchObject({ code: "cancelled" });
    ran();
    expect(await scheduler.run([step(1), step(2)])).toEqual([1, 2]);
    expect(ran()).toEqual([]);
  });
});
