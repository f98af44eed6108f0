/** What workflows do, as somebody would write it. */
import { cond, File, map, script, task } from "redun";

export const redunNamespace = "flow";

const add = task("flow.add", (a: number, b: number) => a + b);

const fib = task("flow.fib", (n: number): unknown =>
  n < 2 ? n : add(fib(n - 1) as never, fib(n - 2) as never),
);

const scaled = task(
  { name: "flow.scaled", defaults: [undefined, add(2, 3)], configArgs: ["label"] },
  (x: number, factor?: number, label?: string) => [x * factor!, label],
);

const pair = task({ name: "flow.pair", nout: 2 }, (x: number) => [x, x + 1]);

const awaiting = task("flow.awaiting", async (n: number) => {
  const [five, [first, second]] = [await add(n, 1), await pair(n)];
  return five + first! + second! + ((await fib(5)) as number);
});

/** Twice as many jobs wait as run at a time. */
const deep = task("flow.deep", async (n: number): Promise<number> => (n === 0 ? 0 : 1 + (await deep(n - 1))));

const greet = task(
  { name: "flow.greet", script: true },
  (who: string) => `echo "Hello, ${who}!"; echo note >&2`,
);

task("flow.main", () => [
  fib(8),
  scaled(2, undefined, "label"),
  pair(4),
  map(pair, [1, 2]),
  awaiting(3),
  cond(true, add(1, 1), add(2, 2)),
]);

task("flow.scripts", () => [greet("World"), script("printf 'a b' | wc -w")]);

const inner = task("flow.inner", (what: string): number => {
  throw new RangeError(`no ${what}`);
});

task("flow.fails", () => [inner("luck")]);

task("flow.catches", async () => {
  try {
    return await inner("luck");
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
});

const talk = task("flow.talk", async (name: string) => {
  console.log(`${name} begins`);
  await new Promise((resolve) => setTimeout(resolve, 5));
  console.log("%s ends with %d", name, 2);
  return name;
});

task("flow.talks", () => ["Ann", "Bob"].map((name) => talk(name)));

const trivial = task("flow.trivial", (n: number) => n + 1);

task("flow.many", (n: number) => Array.from({ length: n }, (_, i) => trivial(i)));

/** Its name is known only when it runs. */
for (const name of ["first", "second"]) {
  task(`flow.${name}`, (items: number[]) => {
    let sum = 0;
    for (const item of items) sum += item;
    while (sum > 100) sum -= 100;
    return items.map((item) => item + sum);
  });
}

task("flow.files", async (path: string) => {
  await new File(path).write("content");
  const copy = await new File(path).copyTo(`${path}.copy`);
  return [copy, await copy.text()];
});

task("flow.where", () => import.meta.url);
