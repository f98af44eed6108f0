import { beforeEach, describe, expect, test, vi } from "vitest";
import { MemoryBackend } from "../../src/backends/memory-backend.ts";
import {
  catchError,
  cond,
  type Executor,
  getContext,
  InProcessExecutor,
  type JobSpec,
  plus,
  quote,
  Scheduler,
  seq,
  type Task,
  task,
  taskRegistry,
} from "../../src/index.ts";
import {
  childrenOf,
  edges,
  Gate,
  jobRows,
  jobsOf,
  newScheduler,
  note,
  ran,
  same,
  until,
  watchInfos,
  watchJobs,
} from "./setup.ts";

beforeEach(() => {
  ran();
});

const add = task("sch.add", (a: number, b: number) => a + b);

describe("a run", () => {
  test("SCH-001: gives the value of a fully reduced expression, or the task's own error", async () => {
    const scheduler = newScheduler();
    const error = new TypeError("wrong");
    const fail = task("sch.fail", () => {
      throw error;
    });
    expect(await scheduler.run(add(add(1, 2), add(3, 4)))).toBe(10);
    await expect(scheduler.run(fail())).rejects.toBe(error);
  });

  test("SCH-002: a scheduler can be used for one run after another", async () => {
    const scheduler = newScheduler();
    expect(await scheduler.run(add(1, 1))).toBe(2);
    expect(scheduler.status().get("sch.add")).toMatchObject({ DONE: 1, CACHED: 0 });
    expect(await scheduler.run(add(1, 1))).toBe(2);
    expect(scheduler.status().get("sch.add")).toMatchObject({ DONE: 0, CACHED: 1 });
    expect(await scheduler.backend.count({ type: "Execution" })).toBe(2);
  });

  test("SCH-002: runs that are asked for at once take turns, in order", async () => {
    const scheduler = newScheduler();
    const gates = [new Gate(), new Gate(), new Gate()];
    const wait = task("sch.wait", async (i: number) => {
      note(`start ${i}`);
      await gates[i]!.opened;
      note(`end ${i}`);
      if (i === 1) throw new Error("one fails");
      return i;
    });
    const runs = [0, 1, 2].map((i) => scheduler.run(wait(i)));
    gates[2]!.open();
    gates[1]!.open();
    gates[0]!.open();
    const outcomes = await Promise.allSettled(runs);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(ran()).toEqual(["start 0", "end 0", "start 1", "end 1", "start 2", "end 2"]);
  });

  test("SCH-005: takes concrete and nested values as well", async () => {
    const scheduler = newScheduler();
    expect(await scheduler.run(5)).toBe(5);
    expect(await scheduler.run(undefined)).toBe(undefined);
    const nested = { a: [add(1, 2), 7], b: new Map([["k", add(3, 4)]]), c: new Set([add(1, 1)]) };
    expect(await scheduler.run(nested)).toEqual({
      a: [3, 7],
      b: new Map([["k", 7]]),
      c: new Set([2]),
    });
  });

  test("SCH-006: an unregistered task fails, as root and below, naming it and what there is", async () => {
    const scheduler = newScheduler();
    const lost = task("sch.lost", () => 1);
    const main = task("sch.finder", () => lost());
    taskRegistry.remove("sch.lost");
    await expect(scheduler.run(lost())).rejects.toMatchObject({
      code: "unknown-task",
      fields: { fullname: "sch.lost" },
      hint: expect.stringContaining("sch.add"),
    });
    await expect(scheduler.run(main())).rejects.toMatchObject({ code: "unknown-task" });
  });

  test("SCH-028: records the execution's id and command line", async () => {
    const scheduler = newScheduler();
    await scheduler.run(add(1, 2), { executionId: "chosen" });
    await scheduler.run(add(1, 2), { executionId: "argued", args: ["redun", "run"] });
    const [chosen, argued] = await scheduler.backend.getExecutions(["chosen", "argued"]);
    expect(chosen).toMatchObject({ args: ["scheduler.run", "sch.add(1, 2)"], status: "DONE" });
    expect(argued).toMatchObject({ args: ["redun", "run"] });
    expect(argued!.jobId).toBe((await jobRows(scheduler.backend, "argued"))[0]!.id);
  });

  test("SCH-029: tags the execution with those of the configuration and of the run", async () => {
    const scheduler = newScheduler({ config: { tags: { project: "a" } } });
    await scheduler.run(add(1, 2), {
      executionId: "tagged",
      tags: [
        ["user", "x"],
        ["user", "y"],
      ],
    });
    const tags = await scheduler.backend.getTags(["tagged"]);
    expect(tags.map(({ key, value }) => `${key}=${value}`).sort()).toEqual(["project=a", "user=x", "user=y"]);
    expect(tags.every(({ entityType }) => entityType === "Execution")).toBe(true);
  });

  test("a scheduler without a backend is refused rather than given one", () => {
    expect(() => new Scheduler({} as never)).toThrow(
      expect.objectContaining({ code: "scheduler", hint: expect.stringContaining("openRepo") }),
    );
  });

  test("a scheduler can be closed while a run is at work, which then ends first", async () => {
    const scheduler = newScheduler();
    const gate = new Gate();
    const wait = task("sch.closing", async () => {
      await gate.opened;
      return "done";
    });
    const run = scheduler.run(wait());
    const closed = scheduler.close();
    gate.open();
    expect(await run).toBe("done");
    await closed;
  });

  test("SCH-018: says that the execution is alive every 20 seconds, whether or not the store hears it", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    try {
      const backend = new MemoryBackend();
      const beats: string[] = [];
      backend.heartbeat = (id) => {
        beats.push(id);
        if (beats.length === 1) throw new Error("busy");
        return beats.length === 2 ? Promise.reject(new Error("busy")) : undefined;
      };
      const scheduler = newScheduler({ backend });
      const gate = new Gate();
      const seen = watchJobs(scheduler);
      const wait = task("sch.beating", () => gate.opened);
      const run = scheduler.run(wait(), { executionId: "alive" });
      await until(() => seen.length > 0);
      vi.advanceTimersByTime(61_000);
      gate.open();
      await run;
      vi.advanceTimersByTime(61_000);
      expect(beats).toEqual(["alive", "alive", "alive"]);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("the root job", () => {
  const rootOf = async (expression: unknown): Promise<string[]> => {
    const scheduler = newScheduler();
    await scheduler.run(expression, { context: { size: 3 } });
    const rows = await jobRows(scheduler.backend);
    return rows.filter((row) => row.parentId === null).map((row) => row.taskName);
  };
  const withDefault = task({ name: "sch.withDefault", defaults: [add(1, 2)] }, (x?: number) => x!);
  const withContext = task({ name: "sch.withContext", defaults: [getContext("size")] }, (x?: number) => x!);
  const withOption = task({ name: "sch.withOption", memory: add(1, 2) }, () => 1);
  const withPlainDefault = task({ name: "sch.withPlainDefault", defaults: [[1, 2]] }, (x?: number[]) => x!);

  test.each<[string, unknown, string]>([
    ["a call with plain arguments", add(1, 2), "sch.add"],
    ["a call with a plain default", withPlainDefault(), "sch.withPlainDefault"],
    ["a call of a task with a lazy default that is given", withDefault(1), "sch.withDefault"],
    ["a call with a quoted expression", same(quote(add(1, 2))), "test.same"],
    ["a call with a lazy argument", add(add(1, 2), 3), "redun.root_task"],
    ["a call with an expression inside an argument", same([{ a: add(1, 2) }]), "redun.root_task"],
    ["a call with a lazy default", withDefault(), "redun.root_task"],
    ["a call with a default from the context", withContext(), "redun.root_task"],
    ["a call with a lazy option", withOption(), "redun.root_task"],
    ["a scheduler expression", cond(true, add(1, 2), 0), "redun.root_task"],
    ["an operation", plus(add(1, 2), 3), "redun.root_task"],
    ["a list", [add(1, 2), add(3, 4)], "redun.root_task"],
    ["a plain value", 7, "redun.root_task"],
  ])("SCH-004: of %s", async (_what, expression, root) => {
    expect(await rootOf(expression)).toEqual([root]);
  });
});

describe("evaluation", () => {
  test("SCH-007: a returned expression is evaluated with the job that returned it as parent", async () => {
    const scheduler = newScheduler();
    const inner = task("sch.inner", (x: number) => add(x, 1));
    const outer = task("sch.outer", (x: number) => ({ result: inner(x) }));
    expect(await scheduler.run(outer(1))).toEqual({ result: 2 });
    expect(await edges(scheduler.backend)).toEqual([
      "- > sch.outer",
      "sch.inner > sch.add",
      "sch.outer > sch.inner",
    ]);
  });

  test("SCH-008: expressions that don't depend on each other are evaluated at the same time", async () => {
    const scheduler = newScheduler();
    const gates = [new Gate<number>(), new Gate<number>()];
    const wait = task("sch.parallel", async (i: number) => {
      note(`start ${i}`);
      return await gates[i]!.opened;
    });
    const main = task("sch.parallelMain", () => add(wait(0), wait(1)));
    const run = scheduler.run(main());
    const started: string[] = [];
    await until(() => started.push(...ran()) > 0 && started.length === 2);
    gates[1]!.open(2);
    gates[0]!.open(1);
    expect(await run).toBe(3);
  });

  test("SCH-009: a result is passed on when it is there, by index and property too", async () => {
    const scheduler = newScheduler();
    const pair = task("sch.pair", (x: number) => ({ list: [x, x + 1], text: "abc" }));
    const main = task("sch.destructure", () => {
      const result = pair(1);
      return [add(result.list[0]!, result.list[1]!), result.text, result.list.concat([9])];
    });
    expect(await scheduler.run(main())).toEqual([3, "abc", [1, 2, 9]]);
    expect(await jobsOf(scheduler.backend, "sch.pair")).toHaveLength(1);
  });

  test("SCH-010: recursive tasks end at a base case found at run time", async () => {
    const scheduler = newScheduler();
    const factorial: Task<[number], unknown> = task("sch.factorial", (n: number): unknown =>
      n <= 1 ? 1 : multiply(n, factorial(n - 1) as never),
    );
    const multiply = task("sch.multiply", (a: number, b: number) => a * b);
    expect(await scheduler.run(factorial(10))).toBe(3628800);
  });

  test("a recursion that never ends because it calls itself alike is found out", async () => {
    const scheduler = newScheduler();
    const loop: Task<[number], unknown> = task("sch.loop", (n: number): unknown => loop(same(n)));
    await expect(scheduler.run(loop(1))).rejects.toThrow("depends on itself");
  });

  test("SCH-011: equal expressions under one job are evaluated once, even of a task that is never cached", async () => {
    const scheduler = newScheduler();
    let count = 0;
    const random = task({ name: "sch.random", cacheScope: "NONE" }, () => ++count);
    const main = task({ name: "sch.randoms", cacheScope: "NONE" }, () => [
      random(),
      random(),
      { again: random() },
    ]);
    expect(await scheduler.run(main())).toEqual([1, 1, { again: 1 }]);
    expect(await scheduler.run([random(), random()])).toEqual([2, 2]);
    expect(await jobsOf(scheduler.backend, "sch.random")).toHaveLength(2);
  });

  test("SCH-011: expressions that differ by their options are different", async () => {
    const scheduler = newScheduler();
    let count = 0;
    const random = task({ name: "sch.random2", cacheScope: "NONE" }, () => ++count);
    expect(await scheduler.run([random(), random.options({ memory: 2 })()])).toEqual([1, 2]);
  });

  test("SCH-012: equal expressions all know the call that they led to", async () => {
    const scheduler = newScheduler();
    const gate = new Gate();
    const source = task("sch.source", async () => {
      await gate.opened;
      return 5;
    });
    const use = task("sch.use", (x: number, _name: string) => x);
    const main = task("sch.users", () =>
      seq([[use(source(), "a"), use(plus(source(), 0), "b")], use(source(), "c")]),
    );
    const run = scheduler.run(main());
    gate.open();
    await run;
    const [made] = await jobsOf(scheduler.backend, "sch.source");
    const users = await jobsOf(scheduler.backend, "sch.use");
    const calls = await scheduler.backend.getCallNodes(users.map((row) => row.callHash!));
    expect(calls).toHaveLength(3);
    for (const call of calls) expect(call!.args[0]!.upstream).toEqual([made!.callHash]);
  });

  test("SCH-013: equal expressions under different jobs are evaluated each", async () => {
    const scheduler = newScheduler();
    let count = 0;
    const random = task({ name: "sch.random3", cacheScope: "NONE" }, () => ++count);
    const group = task({ name: "sch.group", cacheScope: "NONE" }, (_name: string) => random());
    expect(await scheduler.run([group("a"), group("b")])).toEqual([1, 2]);
  });

  test("SCH-014: a call comes before the calls that feed it among the children, and starts after them", async () => {
    const scheduler = newScheduler();
    const infos = watchInfos(scheduler);
    const inner = task("sch.feeds", (x: number) => x);
    const outer = task("sch.fed", (x: number) => x);
    const main = task("sch.orders", () => outer(inner(1)));
    await scheduler.run(main());
    const [parent] = await jobsOf(scheduler.backend, "sch.orders");
    expect(await childrenOf(scheduler.backend, parent!.callHash!)).toEqual(["sch.fed", "sch.feeds"]);
    expect(infos.map((info) => info.task)).toEqual(["sch.orders", "sch.feeds", "sch.fed"]);
  });

  test("SCH-015: calls in arguments are siblings of the call they feed, not its children", async () => {
    const scheduler = newScheduler();
    const main = task("sch.siblings", () => add(same(1), same(2)));
    await scheduler.run(main());
    expect(await edges(scheduler.backend)).toEqual([
      "- > sch.siblings",
      "sch.siblings > sch.add",
      "sch.siblings > test.same",
      "sch.siblings > test.same",
    ]);
  });

  test("SCH-016: options are evaluated before defaults, and both before the function runs", async () => {
    const scheduler = newScheduler();
    const noted = task("sch.noted", (name: string) => {
      note(name);
      return name;
    });
    const main = task(
      { name: "sch.prepared", memory: noted("option"), defaults: [undefined, noted("default")] },
      (_given: string, _filled?: string) => note("body"),
    );
    await scheduler.run(main(noted("argument")));
    const order = ran();
    expect(order[0]).toBe("option");
    expect(order.slice(1, 3).sort()).toEqual(["argument", "default"]);
    expect(order[3]).toBe("body");
  });

  test("a result may be of every container, with expressions at every place", async () => {
    const scheduler = newScheduler();
    const main = task("sch.containers", () => ({
      map: new Map<unknown, unknown>([[add(1, 2), [add(3, 4)]]]),
      set: new Set([add(1, 1), add(2, 2)]),
      deep: { a: { b: [[add(5, 5)]] } },
      date: new Date(0),
    }));
    expect(await scheduler.run(main())).toEqual({
      map: new Map([[3, [7]]]),
      set: new Set([2, 4]),
      deep: { a: { b: [[10]] } },
      date: new Date(0),
    });
  });

  test("a task may return a promise of an expression", async () => {
    const scheduler = newScheduler();
    const main = task("sch.promised", () => Promise.resolve([add(1, 2)]));
    expect(await scheduler.run(main())).toEqual([3]);
    expect(await scheduler.run(main())).toEqual([3]);
  });

  test("computing and caching give a value with its keys in the same order", async () => {
    const scheduler = newScheduler();
    const make = task("sch.keys", () => ({ b: 1, a: 2 }));
    const keys = task({ name: "sch.keysOf", cacheScope: "NONE" }, (value: object) =>
      Object.keys(value).join(),
    );
    const main = task({ name: "sch.keysMain", cacheScope: "NONE" }, () => [keys(make()), make()]);
    const first = await scheduler.run(main());
    const second = await scheduler.run(main());
    expect(JSON.stringify(second)).toBe(JSON.stringify(first));
  });
});

describe("executors", () => {
  /** Counts what the scheduler asks of it, and runs functions in its place. */
  class CountingExecutor extends InProcessExecutor {
    readonly asked: string[] = [];

    override invoke(call: Parameters<InProcessExecutor["invoke"]>[0]): unknown {
      this.asked.push("invoke");
      return super.invoke(call);
    }

    async start(): Promise<void> {
      this.asked.push("start");
    }

    async stop(): Promise<void> {
      this.asked.push("stop");
    }

    async close(): Promise<void> {
      this.asked.push("close");
    }
  }

  test("SCH-020: are started before each run and stopped after it, also if it fails", async () => {
    const executor = new CountingExecutor({ name: "default" });
    const scheduler = newScheduler({ executors: [executor] });
    const fail = task("sch.failing", () => {
      throw new Error("broken");
    });
    await scheduler.run(add(1, 2));
    await expect(scheduler.run(fail())).rejects.toThrow("broken");
    await scheduler.close();
    expect(executor.asked).toEqual(["start", "invoke", "stop", "start", "invoke", "stop", "close"]);
  });

  test("an executor that can't be stopped costs neither the result nor the others their stop", async () => {
    const first = new CountingExecutor({ name: "first" });
    const second = new CountingExecutor({ name: "second" });
    first.stop = () => Promise.reject(new Error("stuck"));
    const scheduler = newScheduler({ executors: [first, second] });
    expect(await scheduler.run(add(1, 2))).toBe(3);
    expect(second.asked).toEqual(["start", "stop"]);
  });

  test("SCH-042: the option executor chooses one; empty or missing means default", async () => {
    const other = new CountingExecutor({ name: "other" });
    const scheduler = newScheduler({ executors: { other } });
    const where = task("sch.where", (_x: string) => 1);
    await scheduler.run([
      where("a"),
      where.options({ executor: "" })("b"),
      where.options({ executor: "other" })("c"),
      where.options({ executor: same("other") })("d"),
    ]);
    expect(other.asked.filter((what) => what === "invoke")).toHaveLength(2);
  });

  test("SCH-039: an unknown executor fails its job, which is recorded with its task", async () => {
    const scheduler = newScheduler();
    const lost = task({ name: "sch.nowhere", executor: "nowhere" }, () => 1);
    await expect(scheduler.run(lost())).rejects.toMatchObject({
      code: "unknown-executor",
      message: 'Unknown executor "nowhere"',
      hint: expect.stringContaining("default"),
    });
    const [job] = await jobRows(scheduler.backend);
    expect(job).toMatchObject({ taskName: "sch.nowhere", status: "FAILED", endTime: expect.any(Number) });
    expect((await scheduler.backend.getTasks([lost.hash]))[0]).toMatchObject({
      name: "nowhere",
      namespace: "sch",
    });
  });

  test("an executor elsewhere gets everything as data, and its answer is the result", async () => {
    const specs: JobSpec[] = [];
    const remote: Executor = {
      name: "remote",
      async run(spec, { log }) {
        specs.push(spec);
        log("at work");
        return { ok: true, value: "[42]", log: ["at work", "done"] };
      },
    };
    const scheduler = newScheduler({ executors: { remote } });
    const lines: string[] = [];
    scheduler.on("job-log", ({ line }) => lines.push(line));
    const far = task({ name: "sch.far", executor: "remote", memory: 2 }, (_x: number, _list: string[]) => [
      0,
    ]);
    expect(await scheduler.run(far(1, ["a"]), { executionId: "far-away" })).toEqual([42]);
    expect(lines).toEqual(["at work"]);
    expect(JSON.parse(JSON.stringify(specs[0]))).toMatchObject({
      executionId: "far-away",
      task: "sch.far",
      taskHash: far.hash,
      args: '[1,["a"]]',
      options: { memory: 2, executor: "remote" },
      reuse: true,
    });
    expect(await scheduler.run(far(1, ["a"]))).toEqual([42]);
    expect(specs).toHaveLength(1);
  });

  test("an executor elsewhere that throws rather than to answer fails the job", async () => {
    const remote: Executor = {
      name: "remote",
      run: () => {
        throw new Error("no such queue");
      },
    };
    const scheduler = newScheduler({ executors: { remote } });
    const far = task({ name: "sch.farther", executor: "remote" }, () => 0);
    await expect(scheduler.run(far())).rejects.toThrow("no such queue");
    expect((await jobRows(scheduler.backend))[0]).toMatchObject({ status: "FAILED" });
  });
});

describe("the status of jobs", () => {
  test("SCH-037: goes from pending to running to done, cached or failed, and stays", async () => {
    const scheduler = newScheduler();
    const gate = new Gate();
    const waits = task("sch.status.waits", async () => {
      note("waits");
      await gate.opened;
      return 1;
    });
    const after = task("sch.status.after", (x: number) => x);
    const fails = task("sch.status.fails", (x: number) => {
      throw new Error(`broken ${x}`);
    });
    const main = task("sch.status.main", () => [
      after(waits()),
      same(1),
      add(same(1), 0),
      fails(after(waits())),
    ]);
    const run = scheduler.run(main());
    const started: string[] = [];
    await until(() => started.push(...ran()) > 0);
    expect(scheduler.status().get("sch.status.waits")).toMatchObject({ PENDING: 0, RUNNING: 1 });
    expect(scheduler.status().get("sch.status.after")).toMatchObject({ PENDING: 1, RUNNING: 0 });
    expect(
      scheduler
        .running()
        .map((job) => job.task)
        .sort(),
    ).toEqual(["sch.status.main", "sch.status.waits"]);
    gate.open();
    await expect(run).rejects.toThrow("broken 1");
    expect(scheduler.status().get("sch.status.waits")).toMatchObject({ RUNNING: 0, DONE: 1 });
    expect(scheduler.status().get("sch.status.fails")).toMatchObject({ FAILED: 1 });
    expect(scheduler.status().get("sch.status.main")).toMatchObject({ FAILED: 1, RUNNING: 0 });
  });

  test("SCH-040: a run ends at the first error to reach the root, and leaves what is at work", async () => {
    const scheduler = newScheduler();
    const never = new Gate<number>();
    const hangs = task("sch.hangs", () => {
      note("hangs");
      return never.opened;
    });
    const fails = task("sch.fails", () => {
      throw new Error("first");
    });
    const main = task("sch.ends", () => [hangs(), fails()]);
    await expect(scheduler.run(main(), { executionId: "ended" })).rejects.toThrow("first");
    expect(ran()).toEqual(["hangs"]);
    const [unfinished] = await jobsOf(scheduler.backend, "sch.hangs", "ended");
    expect(unfinished).toMatchObject({ status: "RUNNING", endTime: null });
    // A result that comes too late disturbs nobody.
    const run = scheduler.run(add(20, 1));
    never.open(1);
    expect(await run).toBe(21);
  });

  test("SCH-038: siblings and parents that end after a failed child end properly", async () => {
    const scheduler = newScheduler();
    const gate = new Gate<number>();
    const slow = task("sch.cleanup.slow", async () => add(await gate.opened, 1));
    const fails = task("sch.cleanup.fails", () => {
      throw new Error("broken");
    });
    const both = task("sch.cleanup.both", () => [slow(), fails()]);
    const message = task("sch.cleanup.message", (error: Error) => error.message);
    const main = task("sch.cleanup.main", () => [catchError(both(), Error, message), slow()]);
    const run = scheduler.run(main());
    gate.open(1);
    expect(await run).toEqual(["broken", 2]);
  });
});
