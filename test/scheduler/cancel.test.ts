import { beforeEach, describe, expect, test } from "vitest";
import { type Executor, type JobResult, schedulerTask, task } from "../../src/index.ts";
import { Gate, jobRows, jobsOf, newScheduler, note, ran, same, turn, until } from "./setup.ts";

beforeEach(() => {
  ran();
});

const CANCELLED = { name: "CancelledError", code: "cancelled" };

describe("cancelling a run", () => {
  test("rejects it, with the signal's reason as cause", async () => {
    const scheduler = newScheduler();
    const controller = new AbortController();
    const hangs = task("cancel.hangs", () => {
      note("hangs");
      return new Gate().opened;
    });
    const main = task("cancel.main", () => [hangs(), same(1)]);
    const ends: unknown[] = [];
    scheduler.on("execution-end", ({ status, error }) => ends.push([status, (error as Error).name]));
    const run = scheduler.run(main(), { signal: controller.signal, executionId: "cancelled" });
    await until(() => ran().length > 0);
    controller.abort(new Error("changed my mind"));
    await expect(run).rejects.toMatchObject({ ...CANCELLED, cause: { message: "changed my mind" } });
    expect(ends).toEqual([["CANCELLED", "CancelledError"]]);
    const rows = await jobRows(scheduler.backend, "cancelled");
    expect(rows.map((row) => [row.taskName, row.status])).toEqual([
      ["cancel.main", "FAILED"],
      ["cancel.hangs", "FAILED"],
      ["test.same", "DONE"],
    ]);
    expect(rows.every((row) => row.endTime !== null)).toBe(true);
    const tags = await scheduler.backend.getTags(["cancelled"]);
    expect(tags.map(({ key, value }) => [key, value])).toEqual([["redun.status", "cancelled"]]);
    expect((await scheduler.backend.getExecutions(["cancelled"]))[0]!.status).toBe("FAILED");
  });

  test("lets a later run go on from what is cached", async () => {
    const scheduler = newScheduler();
    const controller = new AbortController();
    let gate = new Gate();
    const step = task("cancel.step", async (i: number) => {
      note(`step ${i}`);
      if (i === 2) await gate.opened;
      return i;
    });
    const main = task("cancel.steps", () => step(step2(step(1))));
    const step2 = task("cancel.step2", (i: number) => step(i + 1));
    const run = scheduler.run(main(), { signal: controller.signal });
    const seen: string[] = [];
    await until(() => seen.push(...ran()) > 0 && seen.includes("step 2"));
    controller.abort();
    await expect(run).rejects.toMatchObject(CANCELLED);
    gate = new Gate();
    gate.open();
    expect(await scheduler.run(main())).toBe(2);
    expect(ran()).toEqual(["step 2"]);
  });

  test("aborts the signals of jobs on executors", async () => {
    const controller = new AbortController();
    const signals: AbortSignal[] = [];
    const remote: Executor = {
      name: "remote",
      run: (_spec, { signal }) => {
        signals.push(signal);
        return new Gate<JobResult>().opened;
      },
    };
    const scheduler = newScheduler({ executors: { remote } });
    const far = task({ name: "cancel.far", executor: "remote" }, (i: number) => i);
    const run = scheduler.run([far(1), far(2)], { signal: controller.signal });
    await until(() => signals.length === 2);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false]);
    controller.abort();
    await expect(run).rejects.toMatchObject(CANCELLED);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
    expect(signals[0]!.reason).toMatchObject(CANCELLED);
  });

  test("rejects what running functions await, so that they can clean up", async () => {
    const scheduler = newScheduler();
    const controller = new AbortController();
    const hangs = task("cancel.awaited", () => {
      note("awaited");
      return new Gate().opened;
    });
    const main = task("cancel.awaits", async () => {
      try {
        return await hangs();
      } catch (error) {
        note((error as Error).name);
        throw error;
      } finally {
        note("finally");
      }
    });
    const run = scheduler.run(main(), { signal: controller.signal });
    await until(() => ran().includes("awaited"));
    controller.abort();
    await expect(run).rejects.toMatchObject(CANCELLED);
    await turn();
    expect(ran()).toEqual(["CancelledError", "finally"]);
  });

  test("starts none of the jobs that wait for units, then or later", async () => {
    const scheduler = newScheduler();
    const controller = new AbortController();
    const gate = new Gate();
    const limited = task({ name: "cancel.limited", limits: ["r"] }, async (i: number) => {
      note(`limited ${i}`);
      await gate.opened;
      return i;
    });
    const run = scheduler.run([limited(1), limited(2), limited(3)], { signal: controller.signal });
    const seen: string[] = [];
    await until(() => seen.push(...ran()) > 0);
    controller.abort();
    await expect(run).rejects.toMatchObject(CANCELLED);
    gate.open();
    await turn();
    expect(seen).toEqual(["limited 1"]);
    expect(ran()).toEqual([]);
    expect(await jobsOf(scheduler.backend, "cancel.limited")).toHaveLength(1);
    expect(await scheduler.run([limited(2), limited(3)])).toEqual([2, 3]);
  });

  test("ends a run whose scheduler task still waits", async () => {
    const scheduler = newScheduler();
    const controller = new AbortController();
    const waits = schedulerTask("cancel.schedulerTask", async () => {
      note("waits");
      await new Gate().opened;
      return 1;
    });
    const run = scheduler.run(waits(), { signal: controller.signal });
    await until(() => ran().length > 0);
    controller.abort();
    await expect(run).rejects.toMatchObject(CANCELLED);
  });

  test("before the run begins runs and records nothing", async () => {
    const scheduler = newScheduler();
    const signal = AbortSignal.abort(new Error("too late"));
    await expect(scheduler.run(same(1), { signal })).rejects.toMatchObject({
      ...CANCELLED,
      cause: { message: "too late" },
    });
    expect(await scheduler.backend.count({ type: "Execution" })).toBe(0);
  });

  test("while the run waits for its turn cancels it alone", async () => {
    const scheduler = newScheduler();
    const controller = new AbortController();
    const gate = new Gate();
    const first = task("cancel.first", async () => {
      note("first");
      await gate.opened;
      return "first";
    });
    const runs = [
      scheduler.run(first()),
      scheduler.run(same(2), { signal: controller.signal }),
      scheduler.run(same(3)),
    ];
    await until(() => ran().length > 0);
    controller.abort();
    gate.open();
    expect(await Promise.allSettled(runs)).toMatchObject([
      { value: "first" },
      { status: "rejected", reason: CANCELLED },
      { value: 3 },
    ]);
  });

  test("while executors start cancels before anything has run", async () => {
    const controller = new AbortController();
    const gate = new Gate();
    const slow: Executor = {
      name: "slow",
      run: () => new Gate<JobResult>().opened,
      start: () => gate.opened,
    };
    const scheduler = newScheduler({ executors: { slow } });
    const first = task("cancel.early", () => note("early"));
    const run = scheduler.run(first(), { signal: controller.signal });
    await turn();
    controller.abort();
    await turn();
    gate.open();
    await expect(run).rejects.toMatchObject(CANCELLED);
    expect(ran()).toEqual([]);
    expect(await scheduler.backend.tagCounts()).toEqual([]);
  });

  test("after the run has ended does nothing", async () => {
    const scheduler = newScheduler();
    const controller = new AbortController();
    expect(await scheduler.run(same(1), { signal: controller.signal, executionId: "done" })).toBe(1);
    controller.abort();
    await turn();
    expect(await scheduler.backend.getTags(["done"])).toEqual([]);
    expect(await scheduler.run(same(1))).toBe(1);
  });

  test("a task that fails with an error of that name does not make the run a cancelled one", async () => {
    const scheduler = newScheduler();
    const statuses: string[] = [];
    scheduler.on("execution-end", ({ status }) => statuses.push(status));
    const fails = task("cancel.lookalike", () => {
      throw Object.assign(new Error("not really"), { code: "cancelled" });
    });
    await expect(scheduler.run(fails(), { executionId: "failed" })).rejects.toThrow("not really");
    expect(statuses).toEqual(["FAILED"]);
    expect(await scheduler.backend.getTags(["failed"])).toEqual([]);
  });
});
