import { beforeEach, describe, expect, test } from "vitest";
import { nodeOf, type TaskNode } from "../../src/expression/node.ts";
import {
  decodeValue,
  type Executor,
  encodeValue,
  isExpression,
  type JobSpec,
  type Task,
  task,
} from "../../src/index.ts";
import { edges, newScheduler, note, ran, same, watchJobs } from "../scheduler/setup.ts";

beforeEach(() => {
  ran();
});

/** Notes the options of the jobs it is given, and gives them as their result. */
class OptionsExecutor implements Executor {
  readonly name = "options";
  readonly seen: Record<string, unknown>[] = [];

  async run({ options }: JobSpec) {
    const { executor: _, ...rest } = options;
    this.seen.push(rest);
    return { ok: true, value: encodeValue(rest).text } as const;
  }
}
const optionsOf = async (expression: unknown): Promise<unknown> =>
  newScheduler({ executors: [new OptionsExecutor()] }).run(expression);
const far = (options: object = {}) =>
  task({ name: "opt.far", executor: "options", ...options }, (_i?: number): unknown => 0);

describe("options", () => {
  test("TSK-040, TSK-041, TSK-042: add up on derived tasks, beat the definition's, and alone travel", async () => {
    const plain = far({ memory: 1, vcpus: 1 });
    const derived = plain.options({ memory: 2, image: "a" }).options({ image: "b" });
    expect(plain.overrides).toEqual({});
    expect(derived.overrides).toEqual({ memory: 2, image: "b" });
    expect((nodeOf(derived()) as TaskNode).options).toEqual({ memory: 2, image: "b" });
    expect(await optionsOf(derived())).toEqual({ memory: 2, vcpus: 1, image: "b" });
    expect(await optionsOf(plain())).toEqual({ memory: 1, vcpus: 1 });
  });

  test("TSK-043: the definition's give way to the parent's exports, and those to the call's", async () => {
    const child = far({ memory: 1, vcpus: 1, image: "definition" });
    const parent = task("opt.parent", () => child.options({ image: "call" })());
    expect(await optionsOf(parent.exportOptions({ vcpus: 2, image: "export" })())).toEqual({
      memory: 1,
      vcpus: 2,
      image: "call",
    });
  });

  test("TSK-044: may be expressions, evaluated before the job runs", async () => {
    const child = far({ memory: same(3) });
    const main = task("opt.lazy", () =>
      child.options({ vcpus: same(4), labels: [same("a"), { b: same("c") }] })(),
    );
    expect(await optionsOf(main())).toEqual({ memory: 3, vcpus: 4, labels: ["a", { b: "c" }] });
  });

  test("TSK-044: an option that fails fails the job", async () => {
    const fails = task("opt.fails", () => {
      throw new Error("no memory");
    });
    await expect(optionsOf(far({ memory: fails() })())).rejects.toThrow("no memory");
    await expect(optionsOf(far().options({ cacheScope: same("SOMETIMES") })())).rejects.toThrow(
      "cacheScope must be one of NONE, CSE, BACKEND",
    );
  });

  test("TSK-045: cache stands for a scope, in a definition, at a call, and as an expression", async () => {
    const scheduler = newScheduler();
    const counted = (options: object) =>
      task({ name: "opt.counted", version: "1", ...options }, () => {
        note("counted");
        return 1;
      });
    const twice = async (callee: Task<[], number>) => {
      await scheduler.run([callee(), callee.options({ memory: 1 })()]);
      await scheduler.run(callee());
      return ran().length;
    };
    expect(await twice(counted({ cache: false }))).toBe(2);
    expect(await twice(counted({}).options({ cache: false }))).toBe(2);
    expect(await twice(counted({}).options({ cache: same(false) }))).toBe(2);
    expect(await twice(counted({ cache: false }).options({ cache: true }))).toBe(0);
    expect(await twice(counted({ cacheScope: "NONE" }).options({ cache: true }))).toBe(0);
    expect(counted({}).options({ cache: false }).overrides).toEqual({ cacheScope: "CSE" });
  });

  test("TSK-046: unknown scopes and checks are refused at once", () => {
    expect(() => far({ cacheScope: "ALL" })).toThrow(expect.objectContaining({ code: "task-option" }));
    expect(() => far({ checkValid: "deep" })).toThrow('checkValid must be one of full, shallow, not "deep"');
    expect(() => far().options({ cacheScope: "none" })).toThrow("cacheScope must be one of");
  });

  test("TSK-047: survive being stored with the task", () => {
    const value = far().options({ cacheScope: "NONE", checkValid: "shallow" }).exportOptions({ memory: 2 });
    const copy = decodeValue(encodeValue(value).text) as Task;
    expect(copy.overrides).toEqual({ cacheScope: "NONE", checkValid: "shallow", memory: 2 });
    expect(copy.exportedOptions).toEqual(["memory"]);
    expect(copy.hash).toBe(value.hash);
  });

  test("TSK-048: nout must be a whole number that is not negative", () => {
    for (const nout of [-1, 1.5, "2", Number.NaN]) {
      expect(() => far({ nout })).toThrow("nout must be a non-negative integer");
    }
  });

  test("TSK-049: nout at definition or call lets a result be taken apart, 0 too", async () => {
    const pair = task({ name: "opt.pair", nout: 2 }, (x: number) => [x, x + 1]);
    const main = task("opt.destructure", () => {
      const [a, b] = pair(1) as unknown as Iterable<number>;
      const [c] = pair.options({ nout: 1 })(5) as unknown as Iterable<number>;
      return [b, a, c, [...(pair.options({ nout: 0 })(7) as unknown as Iterable<number>)]];
    });
    expect(await newScheduler().run(main())).toEqual([2, 1, 5, []]);
    const unknown = task("opt.unknown", () => [1]);
    expect(() => [...(unknown() as unknown as Iterable<number>)]).toThrow(
      expect.objectContaining({ code: "lazy-value" }),
    );
  });
});

describe("configArgs", () => {
  const define = (configArgs: (string | number)[]) =>
    task(
      { name: "opt.config", version: "1", configArgs },
      (x: number, threads: number, ...rest: number[]) => {
        note("config");
        return [x, threads, ...rest];
      },
    );

  test("TSK-051, TSK-052: don't count for the cache, by name or position, and may show in an old result", async () => {
    for (const config of ["threads", 1]) {
      const scheduler = newScheduler();
      const callee = define([config]);
      expect(await scheduler.run(callee(1, 2, 3))).toEqual([1, 2, 3]);
      expect(await scheduler.run(callee(1, 8, 3))).toEqual([1, 2, 3]);
      expect(await scheduler.run(callee(1, same(9), 3))).toEqual([1, 2, 3]);
      expect(await scheduler.run(callee(2, 8, 3))).toEqual([2, 8, 3]);
      expect(ran()).toEqual(["config", "config"]);
    }
  });

  test("TSK-051: a name that is no parameter is refused, naming those there are", () => {
    expect(() => define(["thread"])).toThrow(
      expect.objectContaining({ code: "task-option", hint: expect.stringContaining("x, threads, rest") }),
    );
  });
});

describe("exported options", () => {
  const leaf = task({ name: "opt.leaf", executor: "options", memory: 1 }, (_label: string): unknown => 0);
  const mid = task("opt.mid", (label?: string) => leaf(label ?? "a"));
  const main = task("opt.main", () => mid());

  test("TSK-053: are inherited by all jobs below, from a call or a definition", async () => {
    expect(await optionsOf(main.exportOptions({ vcpus: 3 })())).toMatchObject({ vcpus: 3 });
    const defined = task({ name: "opt.defined", exportOptions: { vcpus: 4 } }, () => mid());
    expect(await optionsOf(defined())).toMatchObject({ vcpus: 4 });
    expect(await optionsOf(main.options({ vcpus: 3 })())).toEqual({ memory: 1 });
  });

  test("TSK-055: beat what a descendant's definition says, inner ones the outer, and a call's the definition's", async () => {
    expect(await optionsOf(main.exportOptions({ memory: 5 })())).toMatchObject({ memory: 5 });
    const inner = task("opt.inner", () => mid.exportOptions({ memory: 6 })());
    expect(await optionsOf(inner.exportOptions({ memory: 5 })())).toMatchObject({ memory: 6 });
    const defined = task({ name: "opt.defines", exportOptions: { memory: 7 } }, () => mid());
    expect(await optionsOf(defined.exportOptions({ memory: 8 })())).toMatchObject({ memory: 8 });
    const outer = task("opt.outer", () => defined());
    expect(await optionsOf(outer.exportOptions({ memory: 5 })())).toMatchObject({ memory: 7 });
  });

  test("TSK-053: keep to their branch", async () => {
    const both = task("opt.both", () => [mid.exportOptions({ vcpus: 2 })(), mid("b")]);
    expect(await optionsOf(both())).toEqual([{ memory: 1, vcpus: 2 }, { memory: 1 }]);
  });

  test("TSK-054: exporting cache reruns all below, giving it as an option just the task", async () => {
    const scheduler = newScheduler();
    const low = task("opt.low", () => {
      note("low");
      return 1;
    });
    const high = task("opt.high", () => {
      note("high");
      return low();
    });
    await scheduler.run(high());
    ran();
    await scheduler.run(high.options({ cache: false })());
    expect(ran()).toEqual(["high"]);
    await scheduler.run(high.exportOptions({ cache: false })());
    expect(ran()).toEqual(["high", "low"]);
  });

  test("TSK-056: prov is exported wherever it is set", async () => {
    const scheduler = newScheduler();
    const low = task("opt.silentLow", () => 1);
    const off = task({ name: "opt.silent", prov: false }, () => low());
    const over = task("opt.over", () => [off(), low()]);
    await scheduler.run(over());
    expect(await edges(scheduler.backend)).toEqual(["- > opt.over", "opt.over > opt.silentLow"]);
    expect(off.exportedOptions).toEqual(["prov"]);
    expect(low.options({ prov: false }).exportedOptions).toEqual(["prov"]);
  });

  test("exported expressions are evaluated once and inherited as values", async () => {
    const seen: string[] = [];
    const scheduler = newScheduler({ executors: [new OptionsExecutor()] });
    scheduler.on("job-end", ({ job }) => seen.push(job.task));
    expect(await scheduler.run(main.exportOptions({ vcpus: same(9) })())).toMatchObject({ vcpus: 9 });
    expect(seen.filter((name) => name === "test.same")).toHaveLength(1);
  });
});

describe("default arguments", () => {
  test("TSK-062: may be expressions or hold some, and are evaluated beside the call", async () => {
    const scheduler = newScheduler();
    const scaled = task(
      { name: "opt.scaled", defaults: [undefined, same(2), [same(1), { a: same(3) }]] },
      (x: number, by?: number, rest?: unknown) => [x * by!, rest],
    );
    const main = task("opt.defaults", () => scaled(5));
    expect(await scheduler.run(main())).toEqual([10, [1, { a: 3 }]]);
    expect((await edges(scheduler.backend)).filter((edge) => edge.endsWith("test.same"))).toEqual(
      Array(3).fill("opt.defaults > test.same"),
    );
    expect(await scheduler.run(scaled(5, 1, "given"))).toEqual([5, "given"]);
  });

  test("fill an explicit undefined, wherever it stands, under the same key as one left out", async () => {
    const scheduler = newScheduler();
    const seen = watchJobs(scheduler);
    const pair = task({ name: "opt.pair", defaults: [same(2), undefined, 3] }, (...all: unknown[]) => all);
    expect(await scheduler.run(pair(undefined, 5))).toEqual([2, 5, 3]);
    expect(await scheduler.run(pair(undefined, 5, undefined))).toEqual([2, 5, 3]);
    expect(await scheduler.run(pair(1, undefined, null))).toEqual([1, undefined, null]);
    expect(seen.filter((text) => text === "opt.pair: run")).toHaveLength(2);
  });

  test("TSK-062: one that fails fails the call", async () => {
    const fails = task("opt.noDefault", () => {
      throw new Error("no default");
    });
    const user = task({ name: "opt.usesDefault", defaults: [fails()] }, (x?: unknown) => x);
    await expect(newScheduler().run(user())).rejects.toThrow("no default");
    expect(await newScheduler().run(user(1))).toBe(1);
  });

  test("TSK-062: the function's own default still holds where there is none", async () => {
    const own = task({ name: "opt.own", defaults: [undefined, 2] }, (x = 7, y = 8) => [x, y]);
    expect(await newScheduler().run(own())).toEqual([7, 2]);
  });

  test("TSK-063: all of a variable number of arguments count for the cache", async () => {
    const scheduler = newScheduler();
    const seen = watchJobs(scheduler);
    const sum = task("opt.sum", (...xs: number[]) => xs.reduce((a, b) => a + b, 0));
    expect(await scheduler.run([sum(1, 2), sum(1, 2, 3), sum()])).toEqual([3, 6, 0]);
    expect(seen.filter((text) => text === "opt.sum: run")).toHaveLength(3);
  });

  test("TSK-065: arguments are the function's business, whose error is the job's", async () => {
    const strict = task("opt.strict", (x: { y: number }) => x.y);
    await expect(newScheduler().run((strict as unknown as Task)())).rejects.toThrow(TypeError);
    expect(isExpression((strict as unknown as Task)(1, 2, 3))).toBe(true);
  });
});
