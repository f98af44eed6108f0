import { expect, test } from "vitest";
import { lazy, lift } from "../../src/expression/expression.ts";
import { SimpleNode } from "../../src/expression/node.ts";
import {
  and,
  cond,
  describe,
  display,
  dividedBy,
  type Expression,
  eq,
  ge,
  identity,
  minus,
  ne,
  not,
  or,
  plus,
  quote,
  task,
  times,
} from "../../src/index.ts";

const add = task("math.add", (a: number, b: number) => a + b);
const thing = task("thing", (..._args: unknown[]) => ({}) as Record<string, Expression<never>>);
const one = add(0, 1);

test.each([
  ["math.add(1, 2)", add(1, 2)],
  ["math.add(math.add(0, 1), 2)", add(one, 2)],
  ["thing('a', [ 1, { b: null } ], undefined)", thing("a", [1, { b: null }], undefined)],
  ["thing()", thing()],
  ["redun.cond(true, 1, thing())", cond(true, 1, thing())],
  ["'it is'", lift("it is")],
  ["[ 1, 2 ]", lift([1, 2])],
])("EXP-018: %s", (text, expression) => {
  expect(describe(expression)).toBe(text);
  expect(display(expression)).toBe(text);
});

test.each([
  ["(math.add(0, 1) == 2)", eq(one, 2)],
  ["(1 != math.add(0, 1))", ne(1, one)],
  ["(math.add(0, 1) >= 2)", ge(one, 2)],
  ["('a' + thing())", plus("a", thing() as never)],
  ["(4 - (math.add(0, 1) * 2))", minus(4, times(one, 2))],
  ["((math.add(0, 1) / 2) & 3)", and(dividedBy(one, 2), 3)],
  ["(math.add(0, 1) | 0)", or(one, 0)],
  ["(!math.add(0, 1))", not(one)],
  ["thing().attr", thing().attr],
  ["thing().attr[0]", (thing().attr as never as unknown[])[0]],
  ["thing()['a key']", thing()["a key"]],
  ["thing().func(1, math.add(0, 1))", (thing().func as never as (...args: unknown[]) => unknown)(1, one)],
  ["SimpleExpression('other', [1, thing()])", lazy(new SimpleNode("other", [1, thing()]))],
])("EXP-019: %s", (text, expression) => {
  expect(describe(expression)).toBe(text);
});

test("an expression inside a value is displayed as one", () => {
  expect(display([one, { a: plus(one, 1) }])).toBe("[ math.add(0, 1), { a: (math.add(0, 1) + 1) } ]");
  expect(display(quote(one))).toBe("quote(math.add(0, 1))");
});

test("the text of a deep or wide expression is bounded", () => {
  let deep: Expression<unknown> = identity(1);
  for (let i = 0; i < 100_000; i++) deep = identity(deep);
  expect(describe(deep)).toMatch(/^(redun\.identity\()+\.\.\.\)+$/);
  expect(describe(deep).length).toBeLessThan(2000);
  let inLists: Expression<unknown> = identity(1);
  for (let i = 0; i < 20_000; i++) inLists = identity([inLists]);
  expect(describe(inLists)).toMatch(/^(redun\.identity\(\[ )+/);
  expect(describe(inLists).length).toBeLessThan(10_000);
  let wide: Expression<number> = add(1, 2);
  for (let i = 0; i < 60; i++) wide = add(wide, wide);
  expect(describe(wide).length).toBeLessThan(100_000);
  expect(display(wide)).toHaveLength(200);
});

test("what is not an expression can't be described", () => {
  expect(() => describe(1)).toThrow("not an expression");
});
