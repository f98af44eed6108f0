import { describe, expect, test } from "vitest";
import { lift } from "../../src/expression/expression.ts";
import { nodeOf, SchedulerNode, SimpleNode, TaskNode, ValueNode } from "../../src/expression/node.ts";
import {
  cond,
  decodeValue,
  type Expression,
  encodeValue,
  hashValue,
  isExpression,
  plus,
  type QuotedExpression,
  quote,
  seq,
  task,
} from "../../src/index.ts";
import { jobsOf, newScheduler, note, ran } from "../scheduler/setup.ts";

const add = task("enc.add", (a: number, b: number) => a + b);
const DEEP = 40_000;

const again = (expression: unknown): unknown => decodeValue(encodeValue(expression).text);

describe("an encoded expression", () => {
  const kinds: readonly (readonly [string, Expression<unknown>, string])[] = [
    ["task", add(1, 2), '{"$":["redun.TaskExpression",["enc.add",[1,2]]]}'],
    [
      "task with options",
      add.exportOptions({ memory: 4 }).options({ nout: 2 })(1, 2),
      '{"$":["redun.TaskExpression",["enc.add",[1,2],{"memory":4,"nout":2},["memory"],2]]}',
    ],
    [
      "simple",
      plus(add(1, 2), 3),
      '{"$":["redun.SimpleExpression",["add",[{"$":["redun.TaskExpression",["enc.add",[1,2]]]},3]]]}',
    ],
    ["scheduler", cond(true, 1, 2), '{"$":["redun.SchedulerExpression",["redun.cond",[true,1,2]]]}'],
    ["value", lift({ b: 1, a: [] }), '{"$":["redun.ValueExpression",[{"a":[],"b":1}]]}'],
  ];
  test.each(kinds)("EXP-021, EXP-022: of the kind %s comes back as it was", (_kind, expression, text) => {
    const encoded = encodeValue(expression);
    expect(encoded.text).toBe(text);
    expect(encoded.hash).toBe(nodeOf(expression)!.hash);
    const node = nodeOf(decodeValue(text))!;
    expect(node.constructor).toBe(nodeOf(expression)!.constructor);
    expect(node.hash).toBe(encoded.hash);
    expect(node.callHash).toBeUndefined();
    expect(encodeValue(decodeValue(text))).toEqual(encoded);
  });

  test("EXP-022: has its options, exported names and length", () => {
    const node = nodeOf(again(add.exportOptions({ memory: 4 }).options({ nout: 2 })(1, 2))) as TaskNode;
    expect(node).toBeInstanceOf(TaskNode);
    expect(node.options).toEqual({ memory: 4, nout: 2 });
    expect(node.exported).toEqual(["memory"]);
    expect(node.nout).toBe(2);
  });

  test("EXP-023: without options, exported names or length has none", () => {
    const node = nodeOf(decodeValue('{"$":["redun.TaskExpression",["enc.add",[1,2]]]}')) as TaskNode;
    expect([node.options, node.exported, node.nout]).toEqual([{}, [], undefined]);
    expect(node.hash).toBe(hashValue(add(1, 2)));
  });

  test("evaluates to what the original does", async () => {
    const expression = again([plus(add(1, 2), 3), cond(add(0, 0), 1, lift("a")), seq([add(5, 6)])]);
    expect(await newScheduler().run(expression)).toEqual([6, "a", [11]]);
  });

  test("EXP-029: in a box stays in it", () => {
    const quoted = again({ box: quote(add(1, 2)) }) as { box: QuotedExpression<unknown> };
    expect(isExpression(quoted.box)).toBe(false);
    expect(hashValue(quoted.box.eval())).toBe(hashValue(add(1, 2)));
  });

  test("EXP-021: is what the cache keeps of a task that returns one", async () => {
    const main = task("enc.main", (n: number) => {
      note("main");
      return add(n, 1);
    });
    const scheduler = newScheduler();
    expect(await scheduler.run(main(1))).toBe(2);
    expect(await scheduler.run([main(1), 0])).toEqual([2, 0]);
    expect(ran()).toEqual(["main"]);
    const { type, text } = encodeValue(main.fn(1));
    expect(type).toBe("redun.TaskExpression");
    expect(hashValue(decodeValue(text))).toBe(hashValue(add(1, 1)));
    ran();
  });

  test("EXP-025, EXP-026: is taken from the cache while its task is registered, whatever the code", async () => {
    const inner = (n: number) => task("enc.inner", { 1: () => "first", 2: () => "second" }[n]!);
    const first = inner(1);
    const main = task({ name: "enc.outer", version: "1" }, () => {
      note("outer");
      return first();
    });
    const scheduler = newScheduler();
    expect(await scheduler.run(main())).toBe("first");
    inner(2);
    expect(await scheduler.run(main())).toBe("second");
    expect(ran()).toEqual(["outer"]);
    expect(await jobsOf(scheduler.backend, "enc.inner")).toHaveLength(2);
  });
});

describe("expressions that share parts", () => {
  const doubled = (levels: number): Expression<number> => {
    let expression = add(1, 2);
    for (let i = 0; i < levels; i++) expression = add(expression, expression);
    return expression;
  };

  test("are written once, and come back shared", () => {
    const { text, hash } = encodeValue(doubled(60));
    expect(text.length).toBeLessThan(10_000);
    const decoded = decodeValue(text);
    expect(hashValue(decoded)).toBe(hash);
    const { args } = nodeOf(decoded)!;
    expect(nodeOf(args[0])).toBe(nodeOf(args[1]));
  });

  test("have the encoding and hash of equal ones that don't", () => {
    const one = add(1, 2);
    expect(encodeValue([one, one])).toEqual(encodeValue([add(1, 2), add(1, 2)]));
    expect(encodeValue(add(one, one))).toEqual(encodeValue(add(add(1, 2), add(1, 2))));
  });

  test("are evaluated in time that does not double at each level", async () => {
    expect(await newScheduler().run(doubled(60))).toBe(3 * 2 ** 60);
  });

  test.each([
    '{"$":["shared","0000000000000000000000000000000000000000"]}',
    '{"$":["shared"]}',
    '{"$":["shared",{}]}',
    '[{"$":["shared",null]},{"$":["redun.TaskExpression",["enc.add",[1,2]]]}]',
  ])("a reference to nothing is refused: %s", (text) => {
    expect(() => decodeValue(text)).toThrow(expect.objectContaining({ code: "invalid-encoding" }));
  });
});

test("an expression 40,000 levels deep is hashed, encoded and decoded without recursion", {
  timeout: 180_000,
}, () => {
  const wraps: readonly ((inner: Expression<unknown>) => Expression<unknown>)[] = [
    (inner) => add(inner as never, 1),
    (inner) => plus(inner as Expression<number>, 1),
    (inner) => (inner as never as { key: Expression<unknown> }).key,
    (inner) => cond(true, inner, 1),
    (inner) => add([inner] as never, 1),
    (inner) => seq([{ inner }]),
  ];
  let expression: Expression<unknown> = add(1, 2);
  for (let i = 0; i < DEEP; i++) expression = wraps[i % wraps.length]!(expression);
  const encoded = encodeValue(expression);
  const decoded = decodeValue(encoded.text);
  expect(hashValue(decoded)).toBe(encoded.hash);
  expect(encodeValue(decoded).text === encoded.text).toBe(true);
});

describe("hostile encodings", () => {
  const malformed = [
    '["redun.TaskExpression"]',
    '["redun.TaskExpression",null]',
    '["redun.TaskExpression",{}]',
    '["redun.TaskExpression",[]]',
    '["redun.TaskExpression",[1,[]]]',
    '["redun.TaskExpression",["a","b"]]',
    '["redun.TaskExpression",["a",[],1,[]]]',
    '["redun.TaskExpression",["a",[],[],[]]]',
    '["redun.TaskExpression",["a",[],{},[1]]]',
    '["redun.TaskExpression",["a",[],{},"b"]]',
    '["redun.SimpleExpression",["add"]]',
    '["redun.SimpleExpression",[["add"],[]]]',
    '["redun.SchedulerExpression",["redun.cond",{}]]',
    '["redun.ValueExpression",1]',
    '["redun.ValueExpression",[{"$":["redun.TaskExpression",["a",[]]]}]]',
    '["redun.QuotedExpression",1]',
  ];
  test.each(malformed)("%s is refused", (tag) => {
    expect(() => decodeValue(`{"$":${tag}}`)).toThrow(expect.objectContaining({ code: "invalid-encoding" }));
  });

  test("an expression in a place for data is not evaluated by looking at it", () => {
    const expression = '{"$":["redun.TaskExpression",["a",[]]]}';
    for (const tag of ["Date", "Map", "Set", "URL", "bigint", "Uint8Array", "Error", "redun.Task"]) {
      for (const data of [expression, `[${expression}]`, `{"name":${expression},"message":"x"}`]) {
        let decoded: unknown;
        try {
          decoded = decodeValue(`{"$":["${tag}",${data}]}`);
        } catch (error) {
          expect(error).toMatchObject({ code: "invalid-encoding" });
          continue;
        }
        expect(decoded).toBeInstanceOf(Set);
      }
    }
  });

  test("each kind is made by its own type name alone", () => {
    const kinds = {
      TaskExpression: TaskNode,
      SimpleExpression: SimpleNode,
      SchedulerExpression: SchedulerNode,
    };
    for (const [name, kind] of Object.entries(kinds)) {
      expect(nodeOf(decodeValue(`{"$":["redun.${name}",["a",[]]]}`))).toBeInstanceOf(kind);
    }
    expect(nodeOf(decodeValue('{"$":["redun.ValueExpression",[1]]}'))).toBeInstanceOf(ValueNode);
  });
});
