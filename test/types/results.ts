/** What calls of tasks give. Compiled, never run. */
import { type Expression, type PartialTask, type Resolved, type Task, task } from "../../src/index.ts";
import { holds, type Same } from "./same-type.ts";

const add = task("types.add", (a: number, b: number) => a + b);
const greet = task("types.greet", (name: string, greeting?: string) => `${greeting} ${name}`);

// Expressions and promises in a result are replaced by what they stand for.
const lazy = task("types.lazy", () => add(1, 2));
holds<Same<ReturnType<typeof lazy>, Expression<number>>>();
const later = task("types.later", async () => add(1, 2));
holds<Same<ReturnType<typeof later>, Expression<number>>>();
const nested = task("types.nested", async () => ({ sum: add(1, 2), list: [lazy()], plain: "a" }));
holds<Same<ReturnType<typeof nested>, Expression<{ sum: number; list: number[]; plain: string }>>>();
const twice = task("types.twice", () => nested());
export const sum: Expression<number> = twice().sum;
const maps = task("types.maps", () => new Map([["a", add(1, 2)]]));
holds<Same<ReturnType<typeof maps>, Expression<Map<string, number>>>>();
const pair = task("types.pair", (): [Expression<number>, string] => [add(1, 2), "a"]);
holds<Same<ReturnType<typeof pair>, Expression<[number, string]>>>();
const maybe = task("types.maybe", (on: boolean) => (on ? add(1, 2) : undefined));
holds<Same<ReturnType<typeof maybe>, Expression<number | undefined>>>();
holds<Same<Resolved<boolean>, boolean>>();
holds<Same<Resolved<readonly Expression<string>[]>, string[]>>();
holds<Same<Resolved<Date | Expression<URL>>, Date | URL>>();

// A recursive task says its result type.
const fib: Task<[n: number], number> = task("types.fib", (n: number) =>
  n < 2 ? n : (add(fib(n - 1), 1) as never),
);
export const tenth: Expression<number> = fib(10);

// An interface is an object like any other.
interface Report {
  readonly title: string;
  readonly lines: readonly Expression<string>[];
}
const report = task("types.report", (): Report => ({ title: "a", lines: [] }));
export const title: Expression<string> = report().title;
export const line: Expression<string> = report().lines[0]!;

// The function stays as it was.
holds<Same<typeof add.fn, (a: number, b: number) => number>>();
export const plain: number = add.fn(1, 2);
// @ts-expect-error it takes no expressions
add.fn(lazy(), 2);
holds<Same<ReturnType<typeof lazy.fn>, Expression<number>>>();
holds<Same<ReturnType<typeof later.fn>, Promise<number>>>();

// Options keep the type of a task.
holds<Same<ReturnType<typeof add.options>, typeof add>>();
holds<Same<ReturnType<typeof add.exportOptions>, typeof add>>();
holds<Same<ReturnType<typeof add.updateContext>, typeof add>>();
add.options({ memory: 4, executor: "batch", limits: ["db"], anyOther: 1 })(1, lazy());
// @ts-expect-error the arguments are still checked
add.options({ cache: false })("1", 2);
// @ts-expect-error a length is a number
add.options({ nout: "2" });

// A partial task takes the rest.
const addOne = add.partial(1);
export const three: Expression<number> = addOne(2);
export const four: Expression<number> = add.partial(lazy())(lazy());
export const five: Expression<number> = add.partial(1, 2)();
export const six: Expression<string> = greet.partial("a")("Hello");
export const seven: Expression<string> = greet.partial("a")();
holds<typeof addOne extends PartialTask<[b: number], number> ? true : false>();
// @ts-expect-error the first argument is checked
add.partial("1");
// @ts-expect-error so is the rest
addOne("2");
// @ts-expect-error and nothing more is taken
addOne(2, 3);
// @ts-expect-error nor too much given
add.partial(1, 2, 3);

// A script task gives what the script writes.
const count = task({ name: "types.count", script: true }, (path: string) => `wc -l ${path}`);
holds<Same<ReturnType<typeof count>, Expression<Uint8Array>>>();

// Tasks are values: they may be passed to tasks.
const apply = task("types.apply", (callee: Task<[number], number>, n: number) => callee(n));
apply(fib, 3);
// @ts-expect-error a task of other parameters
apply(greet, 3);

// A definition names the task, one way or another.
export const named: Task<[number], number> = task(function increment(n: number) {
  return n + 1;
});
// @ts-expect-error there is no function
task("types.none");
// @ts-expect-error the version is text
task({ name: "types.versioned", version: 2 }, () => 1);
