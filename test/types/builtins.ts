/** What the builtins take and give. Compiled, never run. */
import {
  applyFunc,
  applyTags,
  asTask,
  catchAll,
  catchError,
  compose,
  cond,
  constant,
  delay,
  type Expression,
  File,
  flatMap,
  flatten,
  force,
  getContext,
  identity,
  map,
  noProv,
  schedulerTask,
  script,
  seq,
  starmap,
  task,
  throwError,
  zip,
} from "../../src/index.ts";
import { holds, type Same } from "./same-type.ts";

declare const word: Expression<string>;
declare const count: Expression<number>;
declare const counts: Expression<number[]>;
declare const flag: Expression<boolean>;

const size = task("types.size", (text: string) => text.length);
const add = task("types.add", (a: number, b: number) => a + b);
const letters = task("types.letters", (text: string) => [...text]);
const recover = task("types.recover", (error: Error) => error.message);
const recoverType = task("types.recoverType", (error: TypeError) => error.name);

// cond
holds<Same<typeof choice, Expression<string | number>>>();
const choice = cond(flag, word, 2);
export const chain: Expression<string | number | boolean> = cond(flag, word, count, 1, true);
// @ts-expect-error no arguments
cond();
// @ts-expect-error no branch
cond(flag);

// seq
export const steps: Expression<[number, string]> = seq([size("a"), word]);
export const listed: Expression<number[]> = seq([1, 2, 3].map((n) => add(n, 1)));
// @ts-expect-error no arguments
seq();
// @ts-expect-error not a list
seq(word, word);

// map, starmap, flatMap
export const sizes: Expression<number[]> = map(size, ["a", word]);
export const split: Expression<number[]> = map(size, word.split(" "));
export const added: Expression<number[]> = map(add.partial(1), counts);
export const mapped: Expression<number[]> = map(delayedTask(), counts);
declare function delayedTask(): Expression<typeof increment>;
const increment = task("types.increment", (n: number) => n + 1);
// @ts-expect-error items of another type
map(size, [1, 2]);
// @ts-expect-error a lazy list of another type
map(size, counts);
export const pairs: Expression<number[]> = starmap(add, [
  [1, 2],
  [count, 3],
]);
// @ts-expect-error an argument is missing
starmap(add, [[1]]);
export const flat: Expression<string[]> = flatMap(letters, ["ab", word]);

// zip and flatten
export const zipped: Expression<[number, string][]> = zip(counts, ["a", word]);
export const joined: Expression<number[]> = flatten([counts, [1, count]]);

// Errors
export const caught: Expression<number | string> = catchError(size("a"), Error, recover);
export const caughtOne: Expression<number | string> = catchError(
  size("a"),
  [TypeError, RangeError],
  recoverType,
);
export const caughtTwo: Expression<number | string> = catchError(
  size("a"),
  TypeError,
  recoverType,
  Error,
  recover,
);
// @ts-expect-error a recovery of another parameter
catchError(size("a"), Error, add);
// @ts-expect-error no recovery
catchError(size("a"), Error);
// @ts-expect-error not an error class
catchError(size("a"), "TypeError", recover);
export const all: Expression<{ a: number; b: string[] }> = catchAll({ a: size("a"), b: [word] });
export const never: Expression<never> = throwError(new Error("no"));

// Composition
export const composed: Expression<number> = compose(increment, size)("abc");
export const held: Expression<number> = force(delay(size("a")));
export const kept: Expression<number> = noProv(size("a"));
export const tagged: Expression<number> = applyTags(size("a"), { key: 1 }, [["job", "x"]]);
export const context: Expression<string> = getContext<string>("bwa.platform", "x");
identity(word);
constant(1, word);

// Plain functions
function double(n: number): number {
  return n * 2;
}
export const doubled: Expression<number> = applyFunc(double, count);
export const lifted: Expression<number> = asTask(double)(count);
// @ts-expect-error an argument of another type
applyFunc(double, word);

// Scripts
export const stdout: Expression<Uint8Array> = script("ls");
export const output: Expression<File> = script("ls > a.txt", {
  outputs: new File("out/a.txt").stage("a.txt"),
});
export const outputs: Expression<{ readonly out: File; readonly log: File[] }> = script("ls", {
  outputs: { out: new File("a").stage("b"), log: [new File("c").stage("d")] },
});
script(word, { inputs: [new File("a").stage("b")], tempdir: true, memory: 2 });

// Scheduler tasks are typed without what the scheduler gives them.
const both = schedulerTask("types.both", async (scheduler, a: Expression<number>, b: number) => {
  await scheduler.evaluate(a);
  return b;
});
export const later: Expression<number> = both(count, 1);
// @ts-expect-error an argument is missing
both(count);
