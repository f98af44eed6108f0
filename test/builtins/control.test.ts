import { beforeEach, describe, expect, test } from "vitest";
import { catchAll, catchError, cond, gt, seq, type Task, task, throwError } from "../../src/index.ts";
import { edges, Gate, newScheduler, note, ran, same, until, upstreamOf } from "../scheduler/setup.ts";

beforeEach(() => {
  ran();
});

class FirstError extends Error {
  override readonly name: string = "FirstError";
}
class SecondError extends Error {
  override readonly name: string = "SecondError";
}
class ThirdError extends FirstError {}

const noted = task({ name: "control.noted", cacheScope: "NONE" }, (label: string, value: unknown) => {
  note(label);
  return value;
});
const fails = task({ name: "control.fails", version: "1" }, (kind: string) => {
  note(`fails ${kind}`);
  if (kind === "first") throw new FirstError("one");
  if (kind === "second") throw new SecondError("two");
  if (kind === "third") throw new ThirdError("three");
  return kind;
});
const message = task("control.message", (error: Error) => {
  note(`message ${error.message}`);
  return error.message;
});
const shout = task("control.shout", (error: Error) => `${error.message}!`);

describe("cond", () => {
  test.each<[string, () => unknown, unknown, string[]]>([
    [
      "the branch for a truthy condition",
      () => cond(1, noted("a", "then"), noted("b", "else")),
      "then",
      ["a"],
    ],
    ["the branch for a falsy one", () => cond("", noted("a", "then"), noted("b", "else")), "else", ["b"]],
    [
      "by a lazy condition",
      () => cond(gt(noted("c", 5), 3), noted("a", "then"), noted("b", "else")),
      "then",
      ["c", "a"],
    ],
    [
      "the first of several that holds",
      () => cond(false, noted("a", 1), noted("c", true), noted("b", 2), noted("d", true), noted("e", 3), 4),
      2,
      ["c", "b"],
    ],
    [
      "the last if none holds",
      () => cond(0, noted("a", 1), noted("c", null), noted("b", 2), noted("e", 3)),
      3,
      ["c", "e"],
    ],
    ["nothing if none holds and there is no last", () => cond(false, noted("a", 1)), undefined, []],
    ["inside a branch", () => cond(true, cond(false, 1, noted("a", 2)), 3), 2, ["a"]],
  ])("STK-005: evaluates %s, and no other", async (_what, make, value, evaluated) => {
    const scheduler = newScheduler();
    expect(await scheduler.run(make())).toBe(value);
    expect(ran()).toEqual(evaluated);
  });

  test("STK-005: an error in the condition is the cond's", async () => {
    await expect(newScheduler().run(cond(fails("first"), 1, 2))).rejects.toThrow("one");
    expect(() => (cond as (...args: unknown[]) => unknown)(1)).toThrow("fewer than two");
  });

  test("STK-006: what follows comes from the condition and the chosen branch alone", async () => {
    const scheduler = newScheduler();
    const use = task("control.use", (value: unknown) => value);
    const no = task("control.no", () => 1);
    const yes = task("control.yes", () => 2);
    const is = task("control.is", () => true);
    await scheduler.run(task("control.flow", () => use(cond(is(), yes(), no())))());
    expect(await upstreamOf(scheduler, "control.use")).toEqual(["control.is", "control.yes"]);
  });

  test("STK-002: scheduler tasks make no job", async () => {
    const scheduler = newScheduler();
    await scheduler.run(task("control.conds", () => cond(true, seq([same(1)]), 2))());
    expect(await edges(scheduler.backend)).toEqual(["- > control.conds", "control.conds > test.same"]);
  });
});

describe("catchError", () => {
  const run = (expression: unknown) => newScheduler().run(expression);

  test("STK-007: the first class that matches wins; a class may be a list of some", async () => {
    expect(await run(catchError(fails("fine"), Error, message))).toBe("fine");
    expect(await run(catchError(fails("second"), FirstError, message, SecondError, shout))).toBe("two!");
    expect(await run(catchError(fails("first"), FirstError, message, Error, shout))).toBe("one");
    expect(await run(catchError(fails("second"), [FirstError, SecondError], message))).toBe("two");
    expect(await run(catchError(fails("third"), FirstError, message))).toBe("three");
  });

  test("STK-008: the recovery gets the error and its result is evaluated; other errors go on", async () => {
    const recover = task("control.recover", (error: Error) => [same(error.message), same(1)]);
    expect(await run(catchError(fails("first"), Error, recover))).toEqual(["one", 1]);
    await expect(run(catchError(fails("first"), SecondError, recover))).rejects.toThrow(FirstError);
    expect(await run(catchError([fails("fine"), { x: fails("second") }], Error, message))).toBe("two");
  });

  test("STK-008: a partial task is a recovery too", async () => {
    const labelled = task("control.labelled", (label: string, error: Error) => `${label}: ${error.message}`);
    expect(await run(catchError(fails("first"), Error, labelled.partial("caught")))).toBe("caught: one");
  });

  test("STK-009: a recovery that fails makes the whole fail with its error", async () => {
    const worse = task("control.worse", (error: Error) => {
      throw new SecondError(`worse than ${error.message}`);
    });
    await expect(run(catchError(fails("first"), Error, worse))).rejects.toThrow("worse than one");
    const nested = catchError(catchError(fails("first"), Error, worse), SecondError, message);
    expect(await run(nested)).toBe("worse than one");
  });

  test("STK-018: throwError is a task that fails with its argument, which a recovery may throw again", async () => {
    const rethrow = task("control.rethrow", (error: Error) => throwError(error));
    await expect(run(catchError(fails("first"), Error, rethrow))).rejects.toMatchObject({
      name: "FirstError",
    });
    await expect(run(throwError(new TypeError("given")))).rejects.toThrow("given");
  });

  describe("its cache", () => {
    const failing = (version: string, broken = true) =>
      task({ name: "control.c.failing", version }, () => {
        note(`failing ${version}`);
        if (broken) throw new FirstError(`one ${version}`);
        return `fine ${version}`;
      });
    const recovering = (version: string, fn: (error: Error) => unknown = (error) => error.message) =>
      task({ name: "control.c.recover", version }, (error: Error) => {
        note(`recover ${version}`);
        return fn(error);
      });
    const attempt = (recover: Task = recovering("1")) => catchError(failing("1")(), Error, recover as never);

    test("STK-010: after a recovery later runs don't try the failing task again", async () => {
      const scheduler = newScheduler();
      expect(await scheduler.run(attempt())).toBe("one 1");
      expect(ran()).toEqual(["failing 1", "recover 1"]);
      expect(await scheduler.run(attempt())).toBe("one 1");
      expect(ran()).toEqual([]);
    });

    test("STK-010: a recovery that failed is not cached", async () => {
      const scheduler = newScheduler();
      const recover = recovering("1", () => {
        throw new Error("no way");
      });
      const expression = () => catchError(failing("1")(), Error, recover as never);
      await expect(scheduler.run(expression())).rejects.toThrow("no way");
      await expect(scheduler.run(expression())).rejects.toThrow("no way");
      expect(ran()).toEqual(["failing 1", "recover 1", "failing 1", "recover 1"]);
    });

    test("STK-011: changed code of the failing task tries it again", async () => {
      const scheduler = newScheduler();
      await scheduler.run(attempt());
      ran();
      const expression = attempt();
      failing("2", false);
      expect(await scheduler.run(expression)).toBe("fine 2");
      expect(ran()).toEqual(["failing 2"]);
    });

    test("STK-011: changed code of the recovery tries the failing task again too", async () => {
      const scheduler = newScheduler();
      await scheduler.run(attempt());
      ran();
      expect(await scheduler.run(attempt(recovering("2")))).toBe("one 1");
      expect(ran()).toEqual(["failing 1", "recover 2"]);
    });

    test("STK-011: other options of the failing task are another key", async () => {
      const scheduler = newScheduler();
      await scheduler.run(attempt());
      ran();
      const other = catchError(failing("1").options({ memory: 2 })(), Error, recovering("1") as never);
      await scheduler.run(other);
      expect(ran()).toEqual(["failing 1"]);
    });

    test("STK-012: what is cached is an expression, so deeper changes of code are noticed", async () => {
      const scheduler = newScheduler();
      const deep = (version: string) => task({ name: "control.c.deep", version }, () => `deep ${version}`);
      const leaf = deep("1");
      const recover = () => recovering("1", () => leaf());
      expect(await scheduler.run(attempt(recover()))).toBe("deep 1");
      ran();
      deep("2");
      expect(await scheduler.run(attempt(recover()))).toBe("deep 2");
      expect(ran()).toEqual([]);
    });

    test("STK-012: a changed task below the one that failed tries it again", async () => {
      const scheduler = newScheduler();
      const below = (version: string, broken: boolean) =>
        task({ name: "control.c.below", version }, () => {
          if (broken) throw new FirstError("below");
          return "repaired";
        });
      const leaf = below("1", true);
      const outer = task("control.c.outer", () => leaf());
      const expression = () => catchError(outer(), Error, recovering("1") as never);
      expect(await scheduler.run(expression())).toBe("below");
      below("2", false);
      expect(await scheduler.run(expression())).toBe("repaired");
    });

    test("STK-013: a run without the cache does not read it", async () => {
      const scheduler = newScheduler();
      await scheduler.run(attempt());
      ran();
      await scheduler.run(attempt(), { cache: false });
      expect(ran()).toEqual(["failing 1", "recover 1"]);
    });
  });

  test("STK-014: data flows from the failed call over the recovery to what follows", async () => {
    const scheduler = newScheduler();
    const use = task("control.useCaught", (value: unknown) => value);
    await scheduler.run(task("control.caught", () => use(catchError(fails("first"), Error, message)))());
    expect(await upstreamOf(scheduler, "control.useCaught")).toEqual(["control.message"]);
    expect(await upstreamOf(scheduler, "control.message")).toEqual(["control.fails"]);
    const calm = newScheduler();
    await calm.run(task("control.calm", () => use(catchError(fails("fine"), Error, message)))());
    expect(await upstreamOf(calm, "control.useCaught")).toEqual(["control.fails"]);
  });
});

describe("catchAll", () => {
  const collect = task("control.collect", (value: unknown) => describe_(value));
  const describe_ = (value: unknown): unknown =>
    value instanceof Error
      ? `caught ${value.message}`
      : Array.isArray(value)
        ? value.map(describe_)
        : typeof value === "object" && value !== null
          ? Object.fromEntries(Object.entries(value).map(([key, part]) => [key, describe_(part)]))
          : value;
  const run = (expression: unknown) => newScheduler().run(expression);

  test("STK-015: gives the evaluated value if nothing fails, without the recovery", async () => {
    const value = { a: [fails("x"), 1], b: fails("y") };
    expect(await run(catchAll(value, Error, collect as never))).toEqual({ a: ["x", 1], b: "y" });
    expect(await run(catchAll([1, 2], Error, collect as never))).toEqual([1, 2]);
  });

  test("STK-015: waits for all, and hands the recovery errors in place of what failed", async () => {
    const scheduler = newScheduler();
    const gate = new Gate<string>();
    const slow = task("control.slow", async () => {
      note("slow");
      return await gate.opened;
    });
    const value = { a: [fails("first"), "plain"], b: slow(), c: fails("third") };
    const result = scheduler.run(catchAll(value, FirstError, collect as never));
    const seen: string[] = [];
    await until(() => seen.push(...ran()) > 0 && seen.includes("slow") && seen.includes("fails third"));
    gate.open("late");
    expect(await result).toEqual({ a: ["caught one", "plain"], b: "late", c: "caught three" });
  });

  test("STK-016: without a recovery the first error goes on", async () => {
    await expect(run(catchAll([same(1), fails("first"), fails("second")]))).rejects.toThrow("one");
  });

  test("STK-016: the first error of another class goes on, even if others match", async () => {
    const value = [fails("first"), fails("second"), fails("third")];
    await expect(run(catchAll(value, FirstError, collect as never))).rejects.toThrow("two");
    expect(await run(catchAll(value, [FirstError, SecondError], collect as never))).toEqual([
      "caught one",
      "caught two",
      "caught three",
    ]);
  });

  test("STK-017: the recovery may be an expression", async () => {
    const choose = task("control.choose", () => collect);
    expect(await run(catchAll([fails("first")], Error, choose() as never))).toEqual(["caught one"]);
  });

  test("jobs are made in the order of the value", async () => {
    await run(catchAll([fails("x"), fails("y"), fails("z")], Error, collect as never));
    expect(ran()).toEqual(["fails x", "fails y", "fails z"]);
  });
});

describe("seq", () => {
  test("STK-019: evaluates items strictly one after another, whatever they hold", async () => {
    const scheduler = newScheduler();
    const gates = [new Gate<number>(), new Gate<number>(), new Gate<number>()];
    const wait = task("control.wait", async (i: number) => {
      note(`start ${i}`);
      const value = await gates[i]!.opened;
      note(`end ${i}`);
      return value;
    });
    const run = scheduler.run(seq([wait(0), [wait(1), 7], { last: wait(2) }, "plain"]));
    for (const gate of gates.toReversed()) gate.open(gates.indexOf(gate) * 10);
    expect(await run).toEqual([0, [10, 7], { last: 20 }, "plain"]);
    expect(ran()).toEqual(["start 0", "end 0", "start 1", "end 1", "start 2", "end 2"]);
  });

  test("STK-019: of nothing is nothing, and of what is no list an error", async () => {
    expect(await newScheduler().run(seq([]))).toEqual([]);
    expect(() => seq("text" as never)).toThrow("takes a list");
  });

  test("STK-019: stops at the first failure", async () => {
    const scheduler = newScheduler();
    await expect(scheduler.run(seq([fails("x"), fails("first"), fails("y")]))).rejects.toThrow("one");
    expect(ran()).toEqual(["fails x", "fails first"]);
  });

  test("a sequence of 20,000 items neither overflows nor stalls", async () => {
    const items = Array.from({ length: 20_000 }, (_, i) => (i % 10 === 0 ? same(i) : i));
    expect(await newScheduler().run(seq(items))).toHaveLength(20_000);
  });
});
