import { describe, expect, test } from "vitest";
import { MemoryBackend } from "../../src/backends/memory-backend.ts";
import { describePackage } from "../../src/executor/describe-package.ts";
import type { Executor, ExecutorContext, JobSpec } from "../../src/executor/executor.ts";
import { runJob } from "../../src/executor/run-job.ts";
import {
  applyFunc,
  type Expression,
  File,
  map,
  plus,
  Scheduler,
  schedulerTask,
  type Task,
  task,
  times,
} from "../../src/index.ts";
import { describedRegistry } from "../../src/task/description.ts";
import { edges } from "./setup.ts";

const add = task("described.add", (a: number, b: number) => a + b);
const fib: Task<[n: number], number> = task("described.fib", (n: number) =>
  n < 2 ? n : (add(fib(n - 1), fib(n - 2)) as unknown as number),
);
const scaled = task(
  { name: "described.scaled", defaults: [undefined, add(2, 3)], configArgs: ["label"] },
  (x: number, factor?: number, label?: string) => [x * factor!, label],
);
const pair = task({ name: "described.pair", nout: 2 }, (x: number) => [x, x + 1]);
const awaiting = task("described.awaiting", async (n: number) => {
  const [five, [first, second]] = [await add(n, 1), await pair(n)];
  return five + first! + second! + (await fib(5));
});
const fails = task("described.fails", (what: string) => {
  throw new RangeError(`no ${what}`);
});
const catches = task("described.catches", async () => {
  try {
    return await fails("luck");
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
});
const reduce = schedulerTask(
  "described.reduce",
  async (scheduler, combine: Task<[number, number], number>, items: readonly unknown[]): Promise<number> => {
    let values = (await scheduler.evaluate(items)) as number[];
    while (values.length > 1) {
      const pairs = [];
      for (let i = 0; i < values.length; i += 2) {
        pairs.push(i + 1 < values.length ? combine(values[i]!, values[i + 1]!) : values[i]);
      }
      values = (await scheduler.evaluate(pairs)) as number[];
    }
    return values[0]!;
  },
);
/** The first that does not fail, of which none after it runs. */
const firstOf = schedulerTask("described.first_of", async (_scheduler, ...items: Expression<unknown>[]) => {
  for (const item of items) {
    try {
      return (await item) as unknown;
    } catch {
      // The next.
    }
  }
  throw new RangeError("all fail");
});
const unit = schedulerTask("described.unit", (scheduler, x: unknown) => [x, scheduler.context.unit]);
const schedules = task("described.schedules", () => [
  add(reduce(add, [add(0, 1), 3, add(2, 3), 6]), 100),
  firstOf(fails("luck"), add(1, 1), add(7, 7)),
  unit(add(20, 1)),
  firstOf(unit(fib(3))),
]);
const scheduled = [115, 2, [21, "mm"], [2, "mm"]];
const textOf = task("described.text_of", (length: number) => "a".repeat(length));
const bigOf = task("described.big_of", (n: number) => BigInt(n));
const grows = task("described.grows", () => [
  plus(textOf(1), "a"),
  plus(plus(textOf(10_001), textOf(10_000)), "a").length,
  times(bigOf(3), 4n),
  plus(add(1, 1), 1),
  textOf(2).repeat(3).length,
  textOf(2).slice(1),
]);
const failsAll = task("described.fails_all", () => [firstOf(fails("luck"), fails("time"))]);

const main = task("described.main", () => [
  fib(8),
  scaled(2, undefined, "label"),
  pair(4),
  map(pair, [1, 2]),
  awaiting(3),
]);
const expected = [
  21,
  [10, "label"],
  [4, 5],
  [
    [1, 2],
    [2, 3],
  ],
  16,
];

const tasks: Task[] = [
  add,
  fib,
  scaled,
  pair,
  awaiting,
  fails,
  catches,
  main,
  schedules,
  textOf,
  bigOf,
  grows,
  failsAll,
] as Task[];

/** Runs jobs as a place far away does: all that goes there and back is text. */
class Elsewhere implements Executor {
  readonly name = "default";
  readonly jobs: string[] = [];

  invokes(): boolean {
    return false;
  }

  run(spec: JobSpec, context: ExecutorContext): ReturnType<typeof runJob> {
    this.jobs.push(spec.task);
    return runJob(JSON.parse(JSON.stringify({ ...spec, options: {} })) as JobSpec, context);
  }
}

async function runDescribed(backend: MemoryBackend, name = "described.main", context = {}) {
  const description = describePackage(tasks);
  const registry = describedRegistry(JSON.parse(JSON.stringify(description)), "0".repeat(40));
  const elsewhere = new Elsewhere();
  const scheduler = new Scheduler({ backend, registry, executors: [elsewhere] });
  const value = await scheduler.run(registry.get(name)!(), { context });
  return { value, jobs: elsewhere.jobs };
}

describe("a scheduler that loads no code", () => {
  test("gives the same results and records as one that does", async () => {
    const here = new MemoryBackend();
    expect(await new Scheduler({ backend: here }).run(main())).toEqual(expected);
    const there = new MemoryBackend();
    const { value, jobs } = await runDescribed(there);
    expect(value).toEqual(expected);
    expect(jobs).toContain("described.awaiting");
    expect(await edges(there)).toEqual(await edges(here));
    const hashes = async (backend: MemoryBackend) =>
      (await backend.find({ type: "CallNode" })).map(({ id }) => id).sort();
    expect(await hashes(there)).toEqual(await hashes(here));
  });

  test("runs scheduler tasks where their code is loaded, with the same records", async () => {
    const here = new MemoryBackend();
    const context = { unit: "mm" };
    expect(await new Scheduler({ backend: here, context }).run(schedules())).toEqual(scheduled);
    const there = new MemoryBackend();
    const { value, jobs } = await runDescribed(there, "described.schedules", context);
    expect(value).toEqual(scheduled);
    expect(jobs.filter((name) => name === "described.first_of")).toHaveLength(2);
    expect(await edges(there)).toEqual(await edges(here));
    const again = await runDescribed(there, "described.schedules", context);
    expect(again.value).toEqual(scheduled);
    expect(new Set(again.jobs)).toEqual(
      new Set(["described.reduce", "described.first_of", "described.unit", "described.fails"]),
    );
    await expect(runDescribed(there, "described.fails_all")).rejects.toThrow(new RangeError("all fail"));
  });

  test("leaves to the place of the code what may take long", async () => {
    const { value, jobs } = await runDescribed(new MemoryBackend(), "described.grows");
    expect(value).toEqual(["aa", 20_002, 12n, 3, 6, "a"]);
    expect(jobs.filter((name) => name.startsWith("redun.")).sort()).toEqual([
      ...["redun.add", "redun.add", "redun.call", "redun.call", "redun.mul"],
    ]);
  });

  test("takes from the cache what was run where the code is loaded, and the other way round", async () => {
    const backend = new MemoryBackend();
    await new Scheduler({ backend }).run(main());
    const { value, jobs } = await runDescribed(backend);
    expect(value).toEqual(expected);
    expect(jobs).toEqual([]);
  });

  test("rejects what a job awaits with the error that it ended with", async () => {
    const { value, jobs } = await runDescribed(new MemoryBackend(), "described.catches");
    expect(value).toBe("RangeError: no luck");
    expect(jobs).toEqual(["described.catches", "described.fails"]);
  });
});

test("says that tasks must be known before they run", async () => {
  const functions = { made: (n: number) => n };
  const makes = task("described.makes", () => applyFunc(functions.made, 4));
  const description = describePackage([makes] as Task[]);
  const registry = describedRegistry(description, "0".repeat(40));
  const scheduler = new Scheduler({ backend: new MemoryBackend(), registry, executors: [new Elsewhere()] });
  await expect(scheduler.run(registry.get("described.makes")!())).rejects.toMatchObject({
    code: "unknown-task",
    message: expect.stringContaining("redun.function.made"),
    hint: expect.stringContaining("loads no code"),
  });
});

test("files among defaults are looked at by each execution", async () => {
  const file = new File("memory://described.txt");
  const read = task({ name: "described.read", defaults: [file] }, (given?: File) => given!.text());
  const description = describePackage([read] as Task[]);
  const backend = new MemoryBackend();
  const run = async (): Promise<unknown> => {
    const registry = describedRegistry(JSON.parse(JSON.stringify(description)), "0".repeat(40));
    const scheduler = new Scheduler({ backend, registry, executors: [new Elsewhere()] });
    return scheduler.run(registry.get("described.read")!());
  };
  await file.write("one");
  expect(await run()).toBe("one");
  await file.write("two");
  expect(await run()).toBe("two");
});
