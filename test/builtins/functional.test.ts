import { beforeEach, describe, expect, test } from "vitest";
import {
  applyFunc,
  asTask,
  compose,
  constant,
  delay,
  type Expression,
  flatMap,
  flatten,
  force,
  identity,
  isTask,
  map,
  plus,
  schedulerTask,
  starmap,
  task,
  zip,
} from "../../src/index.ts";
import { edges, jobsOf, newScheduler, note, ran, same, upstreamOf, watchJobs } from "../scheduler/setup.ts";

beforeEach(() => {
  ran();
});

const run = (expression: unknown) => newScheduler().run(expression);
const inc = task("fun.inc", (x: number) => {
  note(`inc ${x}`);
  return x + 1;
});
const double = task("fun.double", (x: number) => x * 2);
const add = task("fun.add", (a: number, b: number) => a + b);

describe("compose", () => {
  test("FUN-001: applies tasks from the last to the first", async () => {
    expect(await run(compose(inc, double, add)(1, 2))).toBe(7);
    expect(await run(compose(double, inc)(same(1)))).toBe(4);
    expect(await run(compose(inc)(1))).toBe(2);
    expect(await run(compose(add.partial(10), inc)(1))).toBe(12);
    expect(compose(inc, double).fullname).toBe("redun.compose_apply");
    expect(() => compose()).toThrow("no tasks");
  });
});

describe("small tasks", () => {
  test("FUN-002: identity, constant, flatten, flatMap and zip", async () => {
    const pair = task("fun.pair", (x: number) => [x, x * 10]);
    expect(await run(identity(inc(1)))).toBe(2);
    expect(await run(constant("kept", inc(1)))).toBe("kept");
    expect(ran()).toContain("inc 1");
    expect(await run(flatten([[1, 2], [], same([3])]))).toEqual([1, 2, 3]);
    expect(await run(flatMap(pair, [1, same(2)]))).toEqual([1, 10, 2, 20]);
    expect(await run(flatMap(pair, same([1])))).toEqual([1, 10]);
    expect(await run(zip([1, 2, 3], same(["a", "b"])))).toEqual([
      [1, "a"],
      [2, "b"],
    ]);
    expect(await run(zip())).toEqual([]);
  });

  test("FUN-002: are tasks of version 1 in the namespace redun", () => {
    for (const builtin of [identity, constant]) {
      expect(isTask(builtin)).toBe(true);
      expect([builtin.namespace, builtin.version]).toEqual(["redun", "1"]);
    }
  });

  test("FUN-003: a delayed expression is evaluated when it is forced, not on its way through tasks", async () => {
    const pass = task("fun.pass", (delayed: unknown) => delayed);
    const main = task("fun.lazy", () => pass(delay(inc(5))));
    await run(main());
    expect(ran()).toEqual([]);
    expect(await run(force(pass(delay(inc(5))) as never))).toBe(6);
    expect(ran()).toEqual(["inc 5"]);
  });
});

function hypotenuse(a: number, b: number): number {
  return Math.sqrt(a * a + b * b);
}

describe("plain functions", () => {
  test("FUN-004: applyFunc and asTask call them with arguments that may be lazy", async () => {
    expect(await run(applyFunc(hypotenuse, same(3), 4))).toBe(5);
    expect(await run(asTask(hypotenuse)(6, same(8)))).toBe(10);
    expect(asTask(hypotenuse).fullname).toMatch(/^redun\.function\.hypotenuse_[0-9a-f]{8}$/);
    expect(asTask(hypotenuse).hash).toBe(asTask(hypotenuse).hash);
  });

  test("FUN-004: are cached by their text", async () => {
    const scheduler = newScheduler();
    const seen = watchJobs(scheduler);
    await scheduler.run(applyFunc(hypotenuse, 3, 4));
    await scheduler.run(applyFunc(hypotenuse, 3, 4));
    expect(seen.map((text) => text.replace(/.*: /, ""))).toEqual(["run", "single"]);
  });

  test("FUN-004: need a name, and to be the same function at each use", () => {
    expect(() => asTask((x: number) => x)).toThrow(expect.objectContaining({ code: "anonymous-function" }));
    const make = () =>
      function local() {
        return 1;
      };
    asTask(make());
    expect(() => asTask(make())).toThrow(expect.objectContaining({ code: "local-function" }));
  });
});

describe("map", () => {
  test("STK-020: calls a task for each value, in order, whether values and task are there or come later", async () => {
    const choose = task("fun.choose", () => inc);
    expect(await run(map(inc, [1, same(2), 3]))).toEqual([2, 3, 4]);
    expect(await run(map(inc, same([1, 2])))).toEqual([2, 3]);
    expect(await run(map(choose() as never, [1, 2] as never))).toEqual([2, 3]);
    expect(await run(map(add.partial(10), [1, 2]))).toEqual([11, 12]);
    expect(await run(map(inc, []))).toEqual([]);
    await expect(run(map(inc, 5 as never))).rejects.toThrow("takes a task and a list");
    await expect(run(map("inc" as never, [1]))).rejects.toThrow("takes a task and a list");
  });

  test("STK-021: a map over a map is one call an element", async () => {
    const scheduler = newScheduler();
    const main = task("fun.fused", () => map(double, map(inc, [1, 2])));
    expect(await scheduler.run(main())).toEqual([4, 6]);
    expect(await edges(scheduler.backend)).toEqual([
      "- > fun.fused",
      "fun.fused > redun.compose_apply",
      "fun.fused > redun.compose_apply",
      "redun.compose_apply > fun.double",
      "redun.compose_apply > fun.double",
      "redun.compose_apply > fun.inc",
      "redun.compose_apply > fun.inc",
    ]);
  });

  test("STK-022: starmap spreads each list of arguments", async () => {
    expect(
      await run(
        starmap(add, [
          [1, 2],
          [same(3), 4],
        ]),
      ),
    ).toEqual([3, 7]);
    expect(await run(starmap(add, same([[1, 1]])))).toEqual([2]);
    expect(await run(starmap(add))).toEqual([]);
    await expect(run(starmap(add, [5] as never))).rejects.toThrow("list of argument lists");
  });

  test.each([
    ["map", () => map(inc, [1, same(2)])],
    ["starmap", () => starmap(inc, [[1], [2]])],
  ])("what follows a %s comes from its calls", async (name, mapped) => {
    const use = task(`fun.use_${name}`, (xs: number[]) => xs.length);
    const main = task(`fun.main_${name}`, () => use(mapped()));
    const scheduler = newScheduler();
    for (let round = 1; round <= 2; round++) {
      await scheduler.run(main());
      expect(await upstreamOf(scheduler, use.fullname)).toEqual(["fun.inc", "fun.inc"]);
    }
  });
});

describe("scheduler tasks of users", () => {
  test("STK-001, STK-003: get their arguments unevaluated, and evaluate what they want", async () => {
    const scheduler = newScheduler();
    const seen: unknown[] = [];
    const reduce = schedulerTask(
      "fun.reduce",
      async (ops, combine: typeof add, items: readonly unknown[]): Promise<unknown> => {
        seen.push(typeof items[0]);
        let values = (await ops.evaluate(items)) as number[];
        while (values.length > 1) {
          const pairs: unknown[] = [];
          for (let i = 0; i < values.length; i += 2) {
            pairs.push(i + 1 < values.length ? combine(values[i]!, values[i + 1]!) : values[i]);
          }
          values = (await ops.evaluate(pairs)) as number[];
        }
        return values[0];
      },
    );
    const main = task("fun.reducing", () =>
      plus(reduce(add, [inc(1), 3, 4, 5, 6]) as Expression<number>, 100),
    );
    expect(await scheduler.run(main())).toBe(120);
    expect(seen).toEqual(["function"]);
    const jobs = await jobsOf(scheduler.backend, "fun.add");
    const [parent] = await jobsOf(scheduler.backend, "fun.reducing");
    expect(jobs.every((job) => job.parentId === parent!.id)).toBe(true);
    expect(jobs).toHaveLength(4);
  });

  test("has a name of the user's own", () => {
    for (const name of ["redun.cond", "redun.mine", "", "a b", "1"])
      expect(() => schedulerTask(name, () => 1), name).toThrow(
        expect.objectContaining({ code: "invalid-task-name" }),
      );
  });

  test("STK-002: have no job of their own, and run again each time", async () => {
    const scheduler = newScheduler();
    const counted = schedulerTask("fun.counted", (ops, x: unknown) => {
      note("counted");
      return ops.evaluate(x);
    });
    const main = task("fun.counting", () => counted(inc(1)));
    await scheduler.run(main());
    await scheduler.run(main());
    expect(ran()).toEqual(["counted", "inc 1", "counted"]);
    expect((await edges(scheduler.backend)).filter((edge) => edge.includes("counted"))).toEqual([]);
  });

  test("see the context, may give expressions, and fail with what they throw", async () => {
    const sized = schedulerTask("fun.sized", (ops, x: number) => plus(x, ops.context.size as number));
    expect(await newScheduler().run(sized(1), { context: { size: 5 } })).toBe(6);
    const eager = schedulerTask("fun.eager", async (_ops, x: unknown) => [await inc(x as number), inc(10)]);
    expect(await newScheduler().run(eager(5))).toEqual([6, 11]);
    const broken = schedulerTask("fun.broken", () => {
      throw new TypeError("at once");
    });
    const later = schedulerTask("fun.later", async () => {
      await Promise.resolve();
      throw new TypeError("later");
    });
    await expect(run(broken())).rejects.toThrow("at once");
    await expect(run(later())).rejects.toThrow("later");
  });

  test("start what they evaluate at once in the order in which they ask for it", async () => {
    const both = schedulerTask("fun.both", async (ops, a: unknown, b: unknown) =>
      Promise.all([ops.evaluate(a), ops.evaluate(b)]),
    );
    expect(await run(both(inc(1), inc(2)))).toEqual([2, 3]);
    expect(ran()).toEqual(["inc 1", "inc 2"]);
  });
});
