import { beforeEach, describe, expect, test } from "vitest";
import { catchError, type Limits, type Scheduler, task } from "../../src/index.ts";
import { Gate, jobsOf, newScheduler, note, ran, same, turn, until } from "./setup.ts";

/** How many bodies are at work at once, by resource. */
let active: Record<string, number> = {};
let most: Record<string, number> = {};

async function hold(resource: string, units = 1): Promise<void> {
  active[resource] = (active[resource] ?? 0) + units;
  most[resource] = Math.max(most[resource] ?? 0, active[resource]);
  await turn();
  active[resource] -= units;
}

beforeEach(() => {
  ran();
  active = {};
  most = {};
});

const use = task("limits.use", async (resource: string, i: number) => {
  note(`${i}`);
  await hold(resource);
  return i;
});

/** Calls of a task under limits, all different. */
const uses = (count: number, limits: Limits, resource = "r") =>
  Array.from({ length: count }, (_, i) => use.options({ limits })(resource, i));

const atOnce = async (scheduler: Scheduler, expression: unknown, resource = "r") => {
  most = {};
  await scheduler.run(expression);
  return most[resource] ?? 0;
};

describe("capacity", () => {
  test("LIM-001: as many units are in use as the scheduler was given", async () => {
    const scheduler = newScheduler({ limits: { r: 3 } });
    expect(await atOnce(scheduler, uses(10, ["r"]))).toBe(3);
  });

  test("LIM-002: a list asks for one unit each, an object for as many as it says", async () => {
    const scheduler = newScheduler({ limits: { r: 6, s: 2 } });
    expect(await atOnce(scheduler, uses(10, { r: 2 }))).toBe(3);
    expect(await atOnce(scheduler, uses(10, ["r", "s"], "both"), "both")).toBe(2);
  });

  test("LIM-003: a resource that is not configured has one unit", async () => {
    expect(await atOnce(newScheduler(), uses(5, ["r"]))).toBe(1);
  });

  test("LIM-007: limits of different resources combine", async () => {
    const scheduler = newScheduler({ limits: { a: 2 } });
    const pairs = [...uses(4, ["a"], "a"), ...uses(4, ["b"], "b"), ...uses(4, ["a", "b"], "ab")];
    await scheduler.run(pairs);
    expect(most.a).toBeLessThanOrEqual(2);
    expect(most.b).toBe(1);
    expect(most.ab).toBe(1);
  });

  test("a job that asks for more than there is fails rather than wait for ever", async () => {
    const scheduler = newScheduler({ limits: { r: 2 } });
    await expect(scheduler.run(uses(1, { r: 3 }))).rejects.toThrow("needs 3 of the limit r, which has 2");
    await expect(scheduler.run(uses(1, { r: -1 }))).rejects.toThrow("not a non-negative number");
    await expect(scheduler.run(use.options({ limits: "r" })("r", 1))).rejects.toThrow("list or an object");
  });

  test("limits may be an expression", async () => {
    const scheduler = newScheduler({ limits: { r: 2 } });
    const calls = [0, 1, 2, 3].map((i) => use.options({ limits: same(["r"]) })("r", i));
    expect(await atOnce(scheduler, calls)).toBe(2);
  });
});

describe("the queue", () => {
  test("LIM-004: jobs that don't fit wait in order, and all that fit together start together", async () => {
    const scheduler = newScheduler({ limits: { r: 4 } });
    const gates = new Map<number, Gate>();
    const started: number[] = [];
    const wait = task("limits.wait", async (i: number, _units: number) => {
      started.push(i);
      const gate = new Gate();
      gates.set(i, gate);
      await gate.opened;
    });
    const sizes = [3, 2, 2, 1, 4];
    const run = scheduler.run(sizes.map((r, i) => wait.options({ limits: { r } })(i, r)));
    await until(() => started.length === 2);
    expect(started).toEqual([0, 3]);
    gates.get(0)!.open();
    await until(() => started.length === 3);
    expect(started).toEqual([0, 3, 1]);
    gates.get(3)!.open();
    await until(() => started.length === 4);
    expect(started).toEqual([0, 3, 1, 2]);
    gates.get(1)!.open();
    gates.get(2)!.open();
    await until(() => started.length === 5);
    gates.get(4)!.open();
    await run;
  });

  test("LIM-005: cached jobs take no units and give none back", async () => {
    const scheduler = newScheduler();
    const gate = new Gate();
    const limited = task({ name: "limits.cached", limits: ["r"] }, async (i: number) => {
      note(`cached ${i}`);
      if (i > 9) await gate.opened;
      await hold("r");
    });
    await scheduler.run([limited(1), limited(2)]);
    expect(ran()).toEqual(["cached 1", "cached 2"]);
    // While one job holds the unit, cached ones pass; after them there is still just one unit.
    const run = scheduler.run([limited(10), limited(1), limited(same(1)), limited(2), limited(11)]);
    await until(() => scheduler.status().get("limits.cached")?.CACHED === 3);
    gate.open();
    await run;
    expect(ran()).toEqual(["cached 10", "cached 11"]);
    expect(most.r).toBe(1);
    expect(await atOnce(scheduler, uses(4, ["r"]))).toBe(1);
  });

  test("LIM-006: units are held while the function runs, not while its children do", async () => {
    const scheduler = newScheduler();
    const child = task({ name: "limits.child", limits: ["r"] }, (x: number) => x + 1);
    const parent = task({ name: "limits.parent", limits: ["r"] }, (x: number) => child(child(x)));
    expect(await scheduler.run(parent(1))).toBe(3);
  });

  test("LIM-006: nor while the function awaits its children", async () => {
    const scheduler = newScheduler();
    const child = task({ name: "limits.awaited", limits: ["r"] }, (x: number) => x + 1);
    const parent = task({ name: "limits.awaits", limits: ["r"] }, async (x: number) => {
      const y = await child(x);
      return (await child(y)) + 10;
    });
    expect(await scheduler.run([parent(1), parent(11)])).toEqual([13, 23]);
  });

  test("LIM-008: equal calls that wait for units run once", async () => {
    const scheduler = newScheduler();
    const main = task("limits.equal", () => {
      const limited = use.options({ limits: ["r"] });
      return [limited("r", 1), limited("r", same(1)), limited("r", 2), limited("r", same(2))];
    });
    expect(await scheduler.run(main())).toEqual([1, 1, 2, 2]);
    expect(ran().sort()).toEqual(["1", "2"]);
  });

  test("LIM-009: failed jobs give their units back", async () => {
    const scheduler = newScheduler();
    const fails = task({ name: "limits.fails", limits: ["r"] }, async (i: number) => {
      await hold("r");
      throw new Error(`broken ${i}`);
    });
    const message = task("limits.message", (error: Error) => error.message);
    const calls = [1, 2, 3].map((i) => catchError(fails(i), Error, message));
    expect(await scheduler.run(calls)).toEqual(["broken 1", "broken 2", "broken 3"]);
    expect(most.r).toBe(1);
  });

  test("LIM-010: a job whose child fails gives its units back once", async () => {
    const scheduler = newScheduler();
    const fails = task("limits.childFails", (i: number) => {
      throw new Error(`broken ${i}`);
    });
    const parent = task({ name: "limits.failing", limits: ["r"] }, (i: number) => fails(i) as unknown);
    const recover = task("limits.recover", (_error: Error) => "recovered");
    const limited = task("limits.after", (_before: unknown) => uses(6, ["r"]));
    const caught = [1, 2, 3].map((i) => catchError(parent(i), Error, recover));
    await scheduler.run(limited(caught));
    expect(most.r).toBe(1);
  });

  test("a run that failed leaves neither units taken nor jobs waiting for the next run", async () => {
    const scheduler = newScheduler();
    const never = new Gate();
    const hangs = task({ name: "limits.hangs", limits: ["r"] }, async (i: number) => {
      note(`hangs ${i}`);
      await never.opened;
    });
    const fails = task("limits.failsLate", async () => {
      await turn();
      throw new Error("broken");
    });
    await expect(scheduler.run([hangs(1), hangs(2), fails()])).rejects.toThrow("broken");
    expect(ran()).toEqual(["hangs 1"]);
    expect(await atOnce(scheduler, uses(3, ["r"]))).toBe(1);
    expect(ran()).toEqual(["0", "1", "2"]);
    never.open();
  });

  test("a job that is tried again takes its units again", async () => {
    const scheduler = newScheduler();
    let attempts = 0;
    const flaky = task({ name: "limits.flaky", limits: ["r"], retries: 3 }, async (x: number) => {
      await same(x);
      await hold("r");
      if (++attempts < 4) throw new Error("again");
      return x;
    });
    expect(await scheduler.run([flaky(1), ...uses(5, ["r"])])).toEqual([1, 0, 1, 2, 3, 4]);
    expect(attempts).toBe(4);
  });

  test("100 jobs under several limits all end, and never use more than there is", async () => {
    const scheduler = newScheduler({ limits: { a: 5, b: 3 } });
    const worker = task("limits.worker", async (i: number, a: number, b: number) => {
      await Promise.all([hold("a", a), hold("b", b)]);
      return i;
    });
    const calls = Array.from({ length: 100 }, (_, i) => {
      const limits = { a: i % 4, b: i % 3 };
      return worker.options({ limits })(i, limits.a, limits.b);
    });
    expect(await scheduler.run(calls)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(most.a).toBe(5);
    expect(most.b).toBe(3);
    expect(await jobsOf(scheduler.backend, "limits.worker")).toHaveLength(100);
  });
});
