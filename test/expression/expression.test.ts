import { describe, expect, test } from "vitest";
import { deriveExpression, lift } from "../../src/expression/expression.ts";
import {
  NODE,
  nodeOf,
  type SimpleNode,
  type TaskNode,
  upstreamCalls,
  ValueNode,
} from "../../src/expression/node.ts";
import {
  cond,
  decodeValue,
  describe as describeExpression,
  type Expression,
  encodeValue,
  hashBytes,
  hashStruct,
  hashValue,
  isExpression,
  LazyValueError,
  NoCurrentJobError,
  plus,
  quote,
  times,
} from "../../src/index.ts";
import { hashArguments } from "../../src/value/hash.ts";
import { leaves, mapNested } from "../../src/value/nested.ts";
import { add, mul, pair, user } from "./tasks.ts";

const hashArgs = (...args: unknown[]) => hashArguments(args.map(hashValue));
const roundTrip = (value: unknown) => decodeValue(encodeValue(value).text);

describe("an expression", () => {
  test("EXP-001: is what calling a task gives, and names the task, its arguments and options", () => {
    const expression = add.options({ memory: 2 }).exportOptions({ executor: "process" })(1, 2);
    const node = nodeOf(expression) as TaskNode;
    expect(isExpression(expression)).toBe(true);
    expect(node).toMatchObject({
      taskName: "exp.add",
      args: [1, 2],
      options: { memory: 2, executor: "process" },
      exported: ["executor"],
      nout: undefined,
    });
    expect((nodeOf(pair()) as TaskNode).nout).toBe(2);
  });

  test("EXP-002: is not what a quoted expression is", () => {
    expect(isExpression(quote(add(1, 2)))).toBe(false);
    for (const value of [1, null, undefined, {}, () => 1, add]) expect(isExpression(value)).toBe(false);
  });

  test("EXP-003: a value can be lifted, but not an expression", () => {
    expect((nodeOf(lift(5)) as ValueNode).value).toBe(5);
    const expression = add(1, 2);
    expect(lift(expression)).toBe(expression);
    expect(() => new ValueNode(expression)).toThrow(TypeError);
  });

  test("EXP-008, EXP-034: gives lazy items, members and calls", () => {
    const expression = user("Ada");
    const node = (value: unknown) => nodeOf(value) as SimpleNode;
    const key = (expression as unknown as Expression<Record<string, number>>)["a key"];
    expect(
      [expression.name, expression.tags[0], key, expression.greet("Hi")].map((made) => node(made).op),
    ).toEqual(["getattr", "getitem", "getitem", "call"]);
    expect(node(expression.name).args[0]).toBe(expression);
    expect(node(expression.name).args[1]).toBe("name");
    expect(node(expression.tags[0]).args[1]).toBe(0);
    expect(node(expression.greet("Hi")).args.slice(1)).toEqual([["Hi"], {}]);
  });

  test("EXP-029: is passed over in a quote, which gives it back", () => {
    const inner = add(1, 2);
    const quoted = quote(inner);
    expect(quoted.eval()).toBe(inner);
    expect([...leaves([quoted])]).toEqual([quoted]);
    expect(mapNested((leaf) => (isExpression(leaf) ? 3 : leaf), [quoted])).toEqual([quoted]);
    expect(describeExpression((roundTrip(quoted) as typeof quoted).eval())).toBe("exp.add(1, 2)");
  });
});

describe("the refusals of a lazy value", () => {
  const expression = add(1, mul(2, 3)) as unknown as number & { a: 1 } & Iterable<number>;

  test.each<[string, () => unknown]>([
    ["a template literal", () => `${expression}`],
    ["String()", () => String(expression)],
    ["adding", () => expression + 1],
    ["subtracting", () => expression - 1],
    ["comparing", () => expression < 1],
    ["Number()", () => Number(expression)],
    ["JSON.stringify", () => JSON.stringify({ expression })],
    ["for…of", () => [...expression]],
    ["destructuring", () => (([first]: Iterable<number>) => first)(expression)],
    ["object spread", () => ({ ...(expression as object) })],
    ["Object.keys", () => Object.keys(expression)],
    ["assigning", () => Reflect.set(expression as object, "a", 2)],
    ["deleting", () => Reflect.deleteProperty(expression as object, "a")],
    ["defining", () => Object.defineProperty(expression, "a", { value: 1 })],
  ])("EXP-010, EXP-011: %s throws, and says what to do", (_, use) => {
    expect(use).toThrow(LazyValueError);
    try {
      use();
    } catch (error) {
      expect(error).toMatchObject({
        code: "lazy-value",
        message: expect.stringContaining("exp.add(1, exp.mul(2, 3))"),
        hint: expect.stringContaining("Pass the expression to a task"),
      });
    }
  });

  test("EXP-011: for await throws", async () => {
    await expect(
      (async () => {
        for await (const _ of expression) break;
      })(),
    ).rejects.toThrow(LazyValueError);
  });

  test("EXP-030: awaiting where no job runs is rejected, and says how to run one", async () => {
    await expect(add(1, 2)).rejects.toThrow(NoCurrentJobError);
    await expect(plus(add(1, 2), 1)).rejects.toThrow(/^Cannot await .*exp.add\(1, 2\) \+ 1\)/);
    await expect(add(1, 2)).rejects.toMatchObject({ hint: expect.stringContaining("scheduler.run") });
  });

  test("`in` finds nothing, and `new` makes nothing", () => {
    expect("prototype" in (expression as object)).toBe(false);
    expect("a" in (expression as object)).toBe(false);
    expect(NODE in (expression as object)).toBe(true);
    expect(() => new (expression as unknown as new () => unknown)()).toThrow(TypeError);
  });
});

describe("an expression of known length", () => {
  test("EXP-012: can be destructured", () => {
    const [first, second, ...rest] = pair() as unknown as Iterable<unknown>;
    expect([first, second].map(describeExpression)).toEqual(["exp.pair()[0]", "exp.pair()[1]"]);
    expect(rest).toEqual([]);
  });

  test("EXP-013: of 0 is empty", () => {
    expect([...(pair.options({ nout: 0 })() as unknown as Iterable<unknown>)]).toEqual([]);
  });
});

describe("the hash of an expression", () => {
  const noOptions = hashBytes("{}");

  test("HSH-022: has the pre-images of the specification", () => {
    expect(hashValue(add(1, 2))).toBe(hashStruct(["TaskExpression", "exp.add", hashArgs(1, 2), noOptions]));
    expect(hashValue(plus(add(1, 2), 3))).toBe(
      hashStruct(["SimpleExpression", "add", hashArgs(add(1, 2), 3)]),
    );
    expect(hashValue(lift(5))).toBe(hashStruct(["ValueExpression", hashValue(5)]));
    const condition = cond(true, 1, 2);
    expect(hashValue(condition)).toBe(
      hashStruct(["SchedulerExpression", "redun.cond", hashArgs(true, 1, 2)]),
    );
  });

  test("HSH-022, HSH-023: covers options and the names of exported ones", () => {
    const memory = hashBytes(encodeValue({ memory: 2 }).text);
    expect(hashValue(add.options({ memory: 2 })(1, 2))).toBe(
      hashStruct(["TaskExpression", "exp.add", hashArgs(1, 2), memory]),
    );
    expect(hashValue(add.exportOptions({ memory: 2 })(1, 2))).toBe(
      hashStruct(["TaskExpression", "exp.add", hashArgs(1, 2), memory, hashStruct(["memory"])]),
    );
  });

  test("EXP-020: is that of any equal expression", () => {
    expect(hashValue(add(1, mul(2, 3)))).toBe(hashValue(add(1, mul(2, 3))));
    expect(hashValue(add(1, 2))).not.toBe(hashValue(add(2, 1)));
    expect(hashValue(add(1, 2))).not.toBe(hashValue(add(1, lift(2))));
  });

  test("EXP-028: of a scheduler expression leaves options out", () => {
    const node = nodeOf(cond(true, 1, 2)) as SimpleNode;
    expect(hashValue(cond(true, 1, 2))).toBe(node.hash);
  });

  test("takes no recursion in containers among the arguments", () => {
    let expression: unknown = add(0, 0);
    const listAdd = add as unknown as (value: unknown) => unknown;
    for (let i = 0; i < 10_000; i++) expression = listAdd([{ inner: expression }]);
    expect(hashValue(expression)).toMatch(/^[0-9a-f]{40}$/);
  });
});

describe("a stored expression", () => {
  test("is stored whole in sets and keys, whose order is that of their texts", () => {
    const value = { map: new Map([[add(1, 2), add(1, 2)]]), set: new Set([add(2, 1), add(1, 2)]) };
    const copy = roundTrip(value) as typeof value;
    expect([...copy.set].map(describeExpression).sort()).toEqual(["exp.add(1, 2)", "exp.add(2, 1)"]);
    expect(encodeValue(copy)).toEqual(encodeValue(value));
  });

  test("EXP-022: drops what a run added", () => {
    const expression = pair();
    nodeOf(expression)!.callHash = "c".repeat(40);
    const node = nodeOf(roundTrip(expression))!;
    expect(node.callHash).toBeUndefined();
    expect(node.upstreams).toBeUndefined();
  });

  test("whose argument holds it is refused", () => {
    const list: unknown[] = [];
    const expression = (add as unknown as (value: unknown) => unknown)(list);
    list.push(expression);
    expect(() => encodeValue({ expression })).toThrow(/cycle/);
    expect(() => hashValue(expression)).toThrow(/cycle/);
  });
});

describe("what an expression descends from", () => {
  const called = (expression: unknown, callHash: string) => {
    nodeOf(expression)!.callHash = callHash;
    return expression as Expression<number>;
  };

  test("EXP-027: the calls in it, through operations, each once", () => {
    const [one, two] = [called(add(1, 2), "one"), called(mul(1, 2), "two")];
    const value = { a: [plus(one, two), times(one, 3)], b: called(add(one, two), "three") };
    expect(upstreamCalls(value, leaves).sort()).toEqual(["one", "three", "two"]);
  });

  test("EXP-024: also of a stored one, once its calls are known", () => {
    const copy = roundTrip(plus(add(1, 2), mul(1, 2)));
    for (const arg of nodeOf(copy)!.args) called(arg, "c");
    expect(upstreamCalls(copy, leaves)).toEqual(["c"]);
  });

  test("EXP-032: a derived expression has the original as its only upstream", () => {
    const original = called(add(1, 2), "original");
    const derived = deriveExpression(original, called(mul(1, 2), "derived"));
    expect(upstreamCalls(derived, leaves)).toEqual(["original"]);
    expect(upstreamCalls(deriveExpression(original, 5), leaves)).toEqual(["original"]);
  });
});
