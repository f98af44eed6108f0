/** What may be passed to a task, and what may not. Compiled, never run. */
import { type Expression, type Json, type Lazy, plus, task } from "../../src/index.ts";
import { holds, type Same } from "./same-type.ts";

declare const word: Expression<string>;
declare const count: Expression<number>;
declare const flag: Expression<boolean>;
// biome-ignore lint/suspicious/noExplicitAny: what any does is what is tested
declare const anything: Expression<any>;

const add = task("types.add", (a: number, b: number) => a + b);
const join = task("types.join", (words: readonly string[], by?: string) => words.join(by));
const sum = task("types.sum", (...numbers: number[]) => numbers.length);

// Arguments are checked as those of the function are.
add(1, 2);
// @ts-expect-error an argument of another type
add("1", 2);
// @ts-expect-error a missing argument
add(1);
// @ts-expect-error one argument too many
add(1, 2, 3);

// An expression stands for a value of its type, and for no other.
add(count, 2);
add(add(1, 2), plus(count, 1));
add(anything, anything);
// @ts-expect-error an expression of another type
add(word, 2);
// @ts-expect-error nor does a lazy type take it
export const lazyNumber: Lazy<number> = word;
// @ts-expect-error a list of it is none either
add([count], 2);

// Optional and rest parameters stay what they are.
join(["a"]);
join(["a"], word);
join(["a"], undefined);
// @ts-expect-error an optional parameter has its type
join(["a"], count);
sum();
sum(1, count, 3);
// @ts-expect-error each of the rest has its type
sum(1, word);

// Parts of a container may be lazy at any depth.
interface Sample {
  readonly name: string;
  readonly reads: readonly { readonly path: string; readonly size: number }[];
  readonly by: ReadonlyMap<string, number>;
  readonly tags?: ReadonlySet<string>;
}
const align = task("types.align", (sample: Sample) => sample.name);
declare const sample: Expression<Sample>;
align(sample);
align({ name: word, reads: [], by: new Map() });
align({
  name: "a",
  reads: [{ path: word, size: count }],
  by: new Map([["a", count]]),
  tags: new Set([word]),
});
align({ name: "a", reads: sample.reads, by: sample.by });
// @ts-expect-error a part of another type
align({ name: count, reads: [], by: new Map() });
// @ts-expect-error a part of another type, deeper
align({ name: "a", reads: [{ path: word, size: word }], by: new Map() });
// @ts-expect-error a part that is missing
align({ name: "a", reads: [] });
// @ts-expect-error an expression of another shape
align(sample.reads);
join([word, "b"]);
join(sample.reads[0]!.path.split("/"));

// Tuples keep their places.
const place = task("types.place", (at: readonly [x: number, label: string]) => at);
place([count, word]);
// @ts-expect-error the places are not swapped
place([word, count]);
// @ts-expect-error a place is missing
place([count]);

// Types that are whole take whole expressions only.
const since = task("types.since", (date: Date, url: URL, bytes: Uint8Array) => [date, url, bytes]);
declare const date: Expression<Date>;
since(date, new URL("https://example.com"), new Uint8Array());
// @ts-expect-error a date is not made of parts
since({ getTime: count }, new URL("https://example.com"), new Uint8Array());

// Options of which all are optional don't take just anything.
const configure = task("types.configure", (options: { depth?: number; name?: string }) => options);
configure({});
configure({ depth: count });
// @ts-expect-error an unknown option
configure({ breadth: count });
// @ts-expect-error a list is no options
configure(word);

// Unions: an expression of one member, or of all.
const either = task("types.either", (value: string | number | null) => value);
declare const stringOrNumber: Expression<string | number>;
either(null);
either(word);
either(count);
either(stringOrNumber);
// @ts-expect-error not a member
either(flag);
// @ts-expect-error only some of its values would do
add(stringOrNumber, 1);
const toggle = task("types.toggle", (on: boolean) => !on);
toggle(true);
toggle(flag);
toggle(toggle(false));
const choose = task("types.choose", (mode: "fast" | "exact") => mode);
choose("fast");
// @ts-expect-error some text is not one of the texts
choose(word);
const shape = task("types.shape", (value: { kind: "a"; a: number } | { kind: "b"; b: string }) => value);
shape({ kind: "a", a: count });
// @ts-expect-error the parts of another member
shape({ kind: "a", b: word });

// Recursive types end.
const store = task("types.store", (json: Json) => json);
store({ a: [1, { b: word, c: [count, flag, null] }] });
declare const json: Expression<Json>;
store(json);
store(store([json]));
interface Tree {
  readonly value: number;
  readonly children: readonly Tree[];
}
const walk = task("types.walk", (tree: Tree): number => tree.value);
declare const tree: Expression<Tree>;
walk(tree);
walk({ value: count, children: [tree, { value: 1, children: tree.children }] });
// @ts-expect-error a leaf of another type
walk({ value: 1, children: [{ value: word, children: [] }] });

// Parameters of any type, of unknown type, and none.
// biome-ignore lint/suspicious/noExplicitAny: what any does is what is tested
const loose = task("types.loose", (value: any, other: unknown) => [value, other]);
loose(word, count);
loose({ any: [word] }, [count]);
const nothing = task("types.nothing", () => 1);
nothing();
// @ts-expect-error it takes nothing
nothing(1);

// A lazy result is not a value: a plain function refuses it.
const double = (value: number): number => value * 2;
// @ts-expect-error the value is not known yet
double(count);
// @ts-expect-error nor a list of them
Math.max(...[count, count]);
// @ts-expect-error nor can it be an operand
export const total: number = count + 1;
// @ts-expect-error nor can it be compared
export const larger: boolean = count > 1;
// @ts-expect-error nor can it be assigned
export const plain: number = count;

// An expression is always truthy, so asking is a mistake.
// @ts-expect-error a condition that always holds
if (flag) double(1);
// @ts-expect-error a condition that always holds
export const size: number = flag ? 1 : 2;

holds<Same<ReturnType<typeof add>, Expression<number>>>();
