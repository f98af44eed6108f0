import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Executor, task } from "../../src/index.ts";
import { Gate, jobRows, newScheduler, note, ran, same, until } from "./setup.ts";

beforeEach(() => {
  ran();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A task that fails until its n-th attempt. */
const flaky = (name: string, attempts: number, options: object) => {
  let attempt = 0;
  return task({ name, ...options }, (label: string) => {
    note(`attempt ${++attempt}`);
    if (attempt < attempts) throw new Error(`attempt ${attempt} failed`);
    return `${label} ${attempt}`;
  });
};

describe("retries", () => {
  test("a failed job is tried again as often as its option says", async () => {
    const scheduler = newScheduler();
    const again: unknown[] = [];
    scheduler.on("job-retry", ({ job, attempt, error }) =>
      again.push([job.task, attempt, (error as Error).message]),
    );
    expect(await scheduler.run(flaky("retry.twice", 3, { retries: 2 })("ok"))).toBe("ok 3");
    expect(again).toEqual([
      ["retry.twice", 1, "attempt 1 failed"],
      ["retry.twice", 2, "attempt 2 failed"],
    ]);
    const [job] = await jobRows(scheduler.backend);
    expect(job).toMatchObject({ status: "DONE" });
    expect(await scheduler.backend.count({ type: "Job" })).toBe(1);
  });

  test("the last attempt's error is the job's", async () => {
    const scheduler = newScheduler();
    await expect(scheduler.run(flaky("retry.never", 9, { retries: 2 })("x"))).rejects.toThrow(
      "attempt 3 failed",
    );
    expect(ran()).toHaveLength(3);
    expect((await jobRows(scheduler.backend))[0]).toMatchObject({ status: "FAILED" });
  });

  test("SCH-041: without the option a job is tried once", async () => {
    const scheduler = newScheduler();
    await expect(scheduler.run(flaky("retry.once", 2, {})("x"))).rejects.toThrow("attempt 1 failed");
    expect(ran()).toHaveLength(1);
  });

  test("the option may be given at the call, and as an expression", async () => {
    const scheduler = newScheduler();
    const task = flaky("retry.called", 3, {});
    expect(await scheduler.run(task.options({ retries: same(2) })("ok"))).toBe("ok 3");
  });

  test("a failed child does not make its parent try again", async () => {
    const scheduler = newScheduler();
    const child = flaky("retry.child", 9, {});
    const parent = task({ name: "retry.parent", retries: 3 }, () => {
      note("parent");
      return child("x");
    });
    await expect(scheduler.run(parent())).rejects.toThrow("attempt 1 failed");
    expect(ran()).toEqual(["parent", "attempt 1"]);
  });

  test("an async job that is tried again awaits the same children again", async () => {
    const scheduler = newScheduler();
    let attempt = 0;
    const part = task("retry.part", (x: number) => {
      note("part");
      return x;
    });
    const parent = task({ name: "retry.async", retries: 1 }, async () => {
      const value = await part(5);
      if (++attempt === 1) throw new Error("again");
      return value;
    });
    expect(await scheduler.run(parent())).toBe(5);
    expect(ran()).toEqual(["part"]);
  });

  test("a job elsewhere is sent again", async () => {
    let sent = 0;
    const remote: Executor = {
      name: "remote",
      async run() {
        if (++sent === 1) throw new Error("connection lost");
        if (sent === 2)
          return { ok: false, error: { value: undefined, record: { name: "Error", message: "spot" } } };
        return { ok: true, value: "7" };
      },
    };
    const scheduler = newScheduler({ executors: { remote } });
    const far = task({ name: "retry.far", executor: "remote", retries: 2 }, () => 0);
    expect(await scheduler.run(far())).toBe(7);
  });
});

describe("timeout", () => {
  test("fails a job that runs too long, and frees the run", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const scheduler = newScheduler();
    const hangs = task({ name: "timeout.hangs", timeout: 60 }, () => {
      note("hangs");
      return new Gate().opened;
    });
    const run = scheduler.run(hangs());
    run.catch(() => {});
    await until(() => ran().length > 0);
    vi.advanceTimersByTime(59_999);
    expect(scheduler.running()).toHaveLength(1);
    vi.advanceTimersByTime(1);
    await expect(run).rejects.toMatchObject({ code: "timeout", message: expect.stringContaining("60 s") });
    expect((await jobRows(scheduler.backend))[0]).toMatchObject({ status: "FAILED" });
  });

  test("aborts the job's signal", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    let given: AbortSignal | undefined;
    const remote: Executor = {
      name: "remote",
      run: (_spec, { signal }) => {
        given = signal;
        return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      },
    };
    const scheduler = newScheduler({ executors: { remote } });
    const far = task({ name: "timeout.far", executor: "remote", timeout: 5 }, () => 0);
    const run = scheduler.run(far());
    run.catch(() => {});
    await until(() => given !== undefined);
    vi.advanceTimersByTime(5000);
    await expect(run).rejects.toMatchObject({ code: "timeout" });
    expect(given!.aborted).toBe(true);
  });

  test("counts for each attempt, and is off once the job has ended", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const scheduler = newScheduler();
    const gates = [new Gate<string>(), new Gate<string>()];
    let attempt = 0;
    const slow = task({ name: "timeout.slow", timeout: 10, retries: 1 }, () => {
      note("slow");
      return gates[attempt++]!.opened;
    });
    const run = scheduler.run(slow());
    await until(() => ran().length > 0);
    vi.advanceTimersByTime(10_000);
    await until(() => ran().length > 0);
    vi.advanceTimersByTime(9_000);
    // The result of an attempt that was given up comes too late.
    gates[0]!.open("late");
    gates[1]!.open("in time");
    expect(await run).toBe("in time");
    expect(vi.getTimerCount()).toBe(0);
  });

  test("is not set for jobs without the option", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const scheduler = newScheduler();
    const gate = new Gate<number>();
    const waits = task("timeout.none", () => {
      note("waits");
      return gate.opened;
    });
    const run = scheduler.run([waits(), same(1)]);
    await until(() => ran().length > 0);
    vi.advanceTimersByTime(1e9);
    gate.open(1);
    expect(await run).toEqual([1, 1]);
  });
});
