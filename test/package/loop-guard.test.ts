import { expect, test } from "vitest";
import { guardNames, withoutGuards } from "../../src/package/guard-names.ts";
import { guardEdits } from "../../src/package/loop-guard.ts";
import { applyEdits, SourceLocator } from "../../src/package/source-map.ts";
import { build } from "./workflow.ts";

const noMap = JSON.stringify({ version: 3, sources: [], names: [], mappings: "" });

/** Runs the body of a function with guards and without. */
function both(body: string): { plain: unknown; guarded: unknown; ticks: number } {
  const code = `function main() {\n${body}\n}`;
  const names = guardNames(code);
  const { code: guarded } = applyEdits(code, noMap, guardEdits(code, names));
  expect(withoutGuards(guarded, names)).toBe(code);
  let ticks = 0;
  const run = (text: string): unknown =>
    new Function(names.tick, `${text}\nreturn main();`)(() => void ticks++);
  return { plain: run(code), guarded: run(guarded), ticks };
}

const samples: readonly [what: string, body: string, ticks: number][] = [
  ["a block", "let s = 0; for (let i = 0; i < 3; i++) { s += i; } return s;", 4],
  ["one statement", "let s = 0; for (let i = 0; i < 3; i++) s += i; return s;", 4],
  ["no statement", "let i = 0; for (; i++ < 3; ); return i;", 4],
  ["while", "let i = 0; while (i < 2) i++; return i;", 3],
  ["do", "let i = 0; do i++; while (i < 2)\nreturn i;", 3],
  ["for in", "const s = []; for (const k in { a: 1, b: 2 }) s.push(k); return s;", 3],
  ["for of", "const s = []; for (const x of [1, 2]) if (x > 1) s.push(x); else s.push(0); return s;", 3],
  [
    "nested",
    "let s = 0; for (const a of [1, 2]) for (const b of [3, 4]) while (s < a * b) s++; return s;",
    15,
  ],
  ["labels", "let s = 0; outer: for (const a of [1, 2]) for (;;) { s += a; continue outer; } return s;", 5],
  ["an else", "let s = 0; if (s) for (;;) break; else while (s < 2) s++; return s;", 3],
  ["arrows", "return [1, 2].map((x) => x + 1).map((x) => ({ x })).map(({ x }) => (x, x * 2));", 7],
  ["arrows of arrows", "return ((a) => (b) => a + b)(1)(2);", 3],
  ["a loop that ends with an arrow", "let f; for (const a of [1, 2]) f = (x) => x * a\nreturn f(3)", 4],
  [
    "methods",
    "class A { #n = 1; get n() { return this.#n; } add(x = 1) { return this.n + x; } }\nreturn new A().add();",
    3,
  ],
  [
    "derived classes",
    "class A { constructor() { this.a = 1; } }\nclass B extends A { constructor() { super(); this.b = 2; } }\nreturn { ...new B() };",
    3,
  ],
  [
    "generators",
    "function* g() { for (let i = 0; ; i++) yield i; }\nfor (const x of g()) if (x > 2) return x;",
    10,
  ],
  ["strings that look like it", 'return "for (;;) {" + `while ` + [1].map((x) => "}" + x);', 2],
  ["regular expressions", "return /[)}]while/.exec('}while')[0];", 1],
];

for (const [what, body, ticks] of samples) {
  test(`guarded code does the same: ${what}`, () => {
    const result = both(body);
    expect(result.guarded).toEqual(result.plain);
    expect(result.ticks).toBe(ticks);
  });
}

test("names that the code has are not used", () => {
  expect(guardNames("const redunTick = redunTick_;").tick).toBe("redunTick__");
});

test("places in guarded code are those of the source", async () => {
  const source = [
    'import { task } from "redun";',
    'export const sum = task("sum", (xs: number[]) => {',
    "  let total = 0;",
    "  for (const x of xs) total += check(x);",
    "  return total;",
    "});",
    'const check = (x: number) => x > 0 ? x : (() => { throw new Error("not positive"); })();',
  ].join("\n");
  const { code, map } = await build(source);
  const guarded = applyEdits(code, map!, guardEdits(code, guardNames(code)));
  const locator = new SourceLocator(guarded.code, guarded.map);
  for (const text of ["total += ", "new Error", "return total"]) {
    const before = new SourceLocator(code, map!).at(code.indexOf(text));
    expect(before).toBeDefined();
    expect(locator.at(guarded.code.indexOf(text))).toEqual(before);
  }
});
