import { describe, expect, test } from "vitest";
import { lazy } from "../../src/expression/expression.ts";
import { nodeOf, SimpleNode } from "../../src/expression/node.ts";
import { applyOperation } from "../../src/expression/operators.ts";
import {
  and,
  dividedBy,
  type Expression,
  eq,
  ge,
  gt,
  identity,
  le,
  lt,
  minus,
  ne,
  not,
  or,
  plus,
  task,
  times,
} from "../../src/index.ts";
import { jobRows, newScheduler, note, ran } from "../scheduler/setup.ts";

const value = task("op.value", <T>(of: T) => of) as unknown as <T>(of: T) => Expression<T>;
const run = (expression: unknown): Promise<unknown> => newScheduler().run(expression);

describe("lazy operators", () => {
  test("EXP-007: have fixed names", () => {
    const one = value(1);
    const all = [eq, ne, lt, le, gt, ge, plus, minus, times, dividedBy, and, or].map((operator) =>
      (operator as (a: unknown, b: unknown) => unknown)(one, 2),
    );
    expect([...all, not(one)].map((expression) => (nodeOf(expression) as SimpleNode).op)).toEqual([
      ...["eq", "ne", "lt", "le", "gt", "ge", "add", "sub", "mul", "div", "and", "or", "not"],
    ]);
  });

  test("EXP-004: compare", async () => {
    const one = value(1);
    expect(await run([eq(one, 1), ne(one, 1), lt(one, 2), le(one, 1), gt(one, 1), ge(1, one)])).toEqual([
      true,
      false,
      true,
      true,
      false,
      true,
    ]);
    expect(await run([eq(value("a"), "a"), lt(value("a"), "b"), eq(value(NaN), NaN)])).toEqual([
      true,
      true,
      false,
    ]);
  });

  test("EXP-005: calculate, with the operands in their order", async () => {
    expect(await run([plus(value(1), 2), plus("a", value("b")), minus(4, value(3))])).toEqual([3, "ab", 1]);
    expect(await run([times(value(3), 4), dividedBy(1, value(2)), dividedBy(value(1), 0)])).toEqual([
      12,
      0.5,
      Infinity,
    ]);
    expect(await run([plus(value(2n), 1n), times(2n, value(2n ** 64n))])).toEqual([3n, 2n ** 65n]);
  });

  test("EXP-006: and, or give an operand, but evaluate both", async () => {
    const noted = task("op.noted", (n: number) => {
      note(`noted ${n}`);
      return n;
    });
    expect(await run([and(value(0), noted(1)), and(value(2), value("a")), or(value(0), "b")])).toEqual([
      0,
      "a",
      "b",
    ]);
    expect(await run(or(value("c"), noted(2)))).toBe("c");
    expect(ran()).toEqual(["noted 1", "noted 2"]);
    expect(await run([not(value(0)), not(value("a"))])).toEqual([true, false]);
  });

  test("take plain values on both sides", async () => {
    expect(await run(plus(1, 2))).toBe(3);
  });

  test("EXP-017: make no jobs", async () => {
    const scheduler = newScheduler();
    const main = task("op.main", () => plus(times(value(2), 3), value({ a: [1] }).a[0]!));
    expect(await scheduler.run(main())).toBe(7);
    const names = (await jobRows(scheduler.backend)).map((row) => row.taskName);
    expect(names).toEqual(["op.main", "op.value", "op.value"]);
  });
});

describe("the members of an expression", () => {
  test("EXP-008: are those of its value", async () => {
    const thing = value({ key: "a", list: [1, [2]], "a key": 3, $: 4 });
    expect(
      await run([thing.key, thing.list[0], (thing.list[1] as never)[0], thing["a key"], thing.$]),
    ).toEqual(["a", 1, 2, 3, 4]);
    expect(await run([value("abc").length, value([1, 2]).length, value("abc")[1]])).toEqual([3, 2, "b"]);
  });

  test("EXP-008: are called with lazy arguments", async () => {
    expect(await run(value("a,b").split(value(",")))).toEqual(["a", "b"]);
    expect(await run(value([3, 1, 2]).slice(value(1)).join("-"))).toBe("1-2");
    expect(await run(value(new Date(0)).toISOString())).toBe("1970-01-01T00:00:00.000Z");
  });

  test("of a map are its methods, and else its entries", async () => {
    const map = value(new Map([["key", 1]]));
    expect(await run([map.size, map.get("key"), (map as never as { key: number }).key])).toEqual([1, 1, 1]);
  });

  test("EXP-014: a task that is given by a task is called", async () => {
    const double = task("op.double", (n: number) => n * 2);
    const give = task("op.give", () => double);
    expect(await run(give()(7))).toBe(14);
    const givePartial = task("op.givePartial", () => ({ call: double.partial(4) }));
    expect(await run(givePartial().call())).toBe(8);
  });

  test("EXP-014: what an operation gives is evaluated again", async () => {
    const boxed = task("op.boxed", () => ({ box: [1] }));
    expect(await run(identity(boxed().box[0]))).toBe(1);
  });

  test("EXP-015: a member that isn't there fails, or is undefined as in JavaScript", async () => {
    await expect(run(value([1])[3])).rejects.toThrow("Cannot read item 3: the list has 1 items");
    await expect(run((value(null) as never as { key: number }).key)).rejects.toThrow(TypeError);
    await expect(run((value(undefined) as never as { key: number }).key)).rejects.toThrow(
      'Cannot read "key" of undefined',
    );
    expect(await run((value({}) as never as { key: number }).key)).toBe(undefined);
    await expect(run((value(1) as never as () => number)())).rejects.toThrow(
      "Cannot call a value of type number",
    );
  });

  test("EXP-016: an operation that isn't known fails by its name", async () => {
    for (const op of ["power", "toString", "__proto__"]) {
      await expect(run(lazy(new SimpleNode(op, [1])))).rejects.toMatchObject({
        code: "unknown-operation",
        message: expect.stringMatching(new RegExp(`"${op}".*not implemented`)),
      });
    }
  });
});

describe("operations, which may come from a store", () => {
  const members = [
    "constructor",
    "__proto__",
    "prototype",
    "__defineGetter__",
    "__defineSetter__",
    "__lookupGetter__",
    "__lookupSetter__",
  ];
  test.each(members)("can't reach %s", (member) => {
    for (const op of ["getattr", "getitem"]) {
      for (const holder of [{}, [], "text", 1, new Map(), new Date(0), new Error("x")]) {
        expect(() => applyOperation(op, [holder, member])).toThrow(
          expect.objectContaining({ code: "forbidden-member" }),
        );
      }
    }
  });

  test("read no member of a function", () => {
    const method = applyOperation("getattr", ["abc", "slice"]) as (start: number) => string;
    expect(method(1)).toBe("bc");
    for (const member of ["constructor", "call", "bind", "name"]) {
      expect(() => applyOperation("getattr", [method, member])).toThrow(
        expect.objectContaining({ code: "forbidden-member" }),
      );
    }
  });

  test("take a key that is text or a number, and nothing that turns into one", () => {
    for (const key of [["constructor"], { toString: () => "constructor" }, null, Symbol.iterator]) {
      expect(() => applyOperation("getitem", [{}, key])).toThrow("Cannot read a key of type");
    }
  });

  test("call with a list of arguments", () => {
    expect(() => applyOperation("call", [() => 1, "abc"])).toThrow("a call without a list of arguments");
  });

  test("leave prototypes as they are", () => {
    expect(() => applyOperation("getattr", [applyOperation("getattr", [{}, "__proto__"]), "x"])).toThrow();
    expect(({} as { x?: unknown }).x).toBeUndefined();
  });
});
