/** What an expression shows of its value. Compiled, never run. */
import { and, cond, type Expression, eq, gt, minus, not, or, plus, quote, task } from "../../src/index.ts";
import { holds, type Same } from "./same-type.ts";

interface Reader {
  readonly name: string;
  readonly size?: number;
  readonly open: boolean;
  read(length: number): Promise<string>;
  seek(to: number, from?: "start" | "end"): Reader;
}
declare const reader: Expression<Reader>;
declare const word: Expression<string>;
declare const count: Expression<number>;
declare const list: Expression<number[]>;
declare const pair: Expression<[string, number]>;
declare const table: Expression<Map<string, number>>;
declare const record: Expression<Record<string, Reader>>;
declare const optional: Expression<string | undefined>;
// biome-ignore lint/suspicious/noExplicitAny: what any does is what is tested
declare const anything: Expression<any>;

// Properties are lazy, whole unions at once.
holds<Same<typeof reader.name, Expression<string>>>();
holds<Same<typeof reader.size, Expression<number | undefined>>>();
holds<Same<typeof reader.open, Expression<boolean>>>();
holds<Same<typeof word.length, Expression<number>>>();
// @ts-expect-error there is no such property
reader.missing;
// @ts-expect-error it may be undefined
optional.length;
// @ts-expect-error lazy members can't be assigned
reader.name = "a";

// Methods are lazy, and take lazy arguments.
export const text: Expression<string> = reader.seek(count, "end").read(reader.seek(1).name.length);
export const words: Expression<string[]> = word.split(" ").slice(1, count);
export const parts: Expression<string[]> = word.split(/ /, 2);
export const replaced: Expression<string> = word.replace("a", word);
export const found: Expression<number | undefined> = table.get(word);
export const has: Expression<boolean> = list.includes(count);
// @ts-expect-error an argument of another type
reader.read(word);
// @ts-expect-error a value that isn't one of the texts
reader.seek(1, "middle");
// @ts-expect-error a property is no method
reader.name();

// Items are lazy; a tuple has as many as it has.
holds<Same<(typeof pair)[0], Expression<string>>>();
holds<Same<(typeof pair)[1], Expression<number>>>();
export const item: Expression<number> = list[0]!;
export const inner: Expression<string> = record.a!.name;

// Of any value anything may be asked.
anything.some.deep[0].method(1)(2);

// With nout known, a tuple is taken apart. Whether it is, only the run shows.
const split = task({ name: "types.split", nout: 2 }, (n: number): [number, string] => [n, String(n)]);
const [left, right] = split(3);
holds<Same<typeof left, Expression<number>>>();
holds<Same<typeof right, Expression<string>>>();
const listed = task({ name: "types.listed", nout: 2 }, (n: number) => [n, n]);
// @ts-expect-error the type of a list doesn't say how long it is
for (const each of listed(1)) console.log(each);
// @ts-expect-error a number has no items
for (const each of count) console.log(each);

// A task that gives a task can be called before it has run.
const chooseTask = task("types.chooseTask", () => split);
export const called: Expression<string> = chooseTask()(3)[1];

// Operators.
export const sum: Expression<number> = plus(count, 1);
export const joined: Expression<string> = plus("a", word);
export const flipped: Expression<number> = minus(4, count);
export const big: Expression<bigint> = plus(1n, 2n);
export const same: Expression<boolean> = eq(count, 3);
export const choice: Expression<string | number> = cond(gt(count, 1), "a", 2);
export const negated: Expression<boolean> = not(count);
export const both: Expression<number | string> = and(count, word);
export const one: Expression<number | string> = or(count, word);
// @ts-expect-error operands of two types
plus(count, word);
// @ts-expect-error operands of two types
plus("a", 1);
// @ts-expect-error text can't be subtracted
minus(word, word);
// @ts-expect-error they are never equal
eq(count, "3");

// An expression can be awaited, and is then what it stands for.
export async function awaited(): Promise<number> {
  const plain: number = await count;
  const all: [number, string] = await Promise.all([count, word]);
  return plain + all[0];
}

// A quoted expression is a box, not an expression.
const quoted = quote(count);
holds<Same<ReturnType<typeof quoted.eval>, Expression<number>>>();
// @ts-expect-error it has none of its members
quoted.toFixed;
