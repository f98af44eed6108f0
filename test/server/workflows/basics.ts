import { applyFunc, type Expression, File, schedulerTask, script, type Task, task } from "redun";

export const redunNamespace = "basics";

export const add: Task<[a: number, b: number], number> = task("basics.add", (a: number, b: number) => a + b);

/** Adds in a fan. */
export const fan: Task<[width: number, salt?: string], Expression<number>> = task(
  "basics.fan",
  (width: number, salt: string = "") => total(Array.from({ length: width }, (_, i) => leaf(i, salt))),
);
export const leaf: Task<[i: number, salt: string], number> = task(
  "basics.leaf",
  (i: number, _salt: string) => i,
);
export const total: Task<[xs: number[]], number> = task("basics.total", (xs: number[]) =>
  xs.reduce((a, b) => a + b, 0),
);

export const awaiting: Task<[n: number], Promise<number>> = task("basics.awaiting", async (n: number) => {
  const sum = await add(n, 1);
  return (await add(sum, 1)) * 10;
});

export const fails: Task<[what: string], never> = task("basics.fails", (what: string) => {
  console.log("about to fail");
  throw new RangeError(`no ${what}`);
});

/** The first that does not fail; those after it are never evaluated. */
export const firstOf: (...items: readonly unknown[]) => Expression<unknown> = schedulerTask(
  "basics.first_of",
  async (scheduler, ...items: readonly unknown[]): Promise<unknown> => {
    for (const item of items) {
      try {
        return { unit: scheduler.context.unit ?? null, value: await scheduler.evaluate(item) };
      } catch (error) {
        console.log("passed over:", (error as Error).message);
      }
    }
    throw new RangeError("all of them fail");
  },
);
export const scheduled: Task<[n: number], unknown> = task("basics.scheduled", (n: number) =>
  firstOf(fails("luck"), add(n, 1), add(n, 100)),
);
export const unscheduled: Task<[], unknown> = task("basics.unscheduled", () => [firstOf(fails("luck"))]);
function thrice(n: number): number {
  return 3 * n;
}
export const applied: Task<[n: number], unknown> = task("basics.applied", (n: number) =>
  applyFunc(thrice, add(n, 1)),
);

/** Waits in a scheduler task. */
export const waiting: Task<[ms: number], unknown> = task("basics.waiting", (ms: number) => wait(ms));
export const wait: (ms: number) => Expression<unknown> = schedulerTask(
  "basics.wait",
  (_scheduler, ms: number): Promise<number> =>
    new Promise((resolve) => {
      console.log("waiting");
      setTimeout(() => resolve(ms), ms);
    }),
);

/** Takes its time, a step after another. */
export const slow: Task<[steps: number, ms: number, salt?: string], Expression<number>> = task(
  "basics.slow",
  (steps: number, ms: number, salt: string = "") =>
    total(Array.from({ length: steps }, (_, i) => step(i, ms, salt))),
);
export const step: Task<[i: number, ms: number, salt: string], Promise<number>> = task(
  "basics.step",
  async (i: number, ms: number, _salt: string) => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return i;
  },
);

/** Links that take their time, each after the one before. */
export const chain: Task<[links: number, ms: number, salt: string], Promise<number>> = task(
  "basics.chain",
  async (links: number, ms: number, salt: string) => {
    let sum = 0;
    for (let i = 0; i < links; i++) sum = await link(sum, ms, salt);
    return sum;
  },
);
export const link: Task<[sum: number, ms: number, salt: string], Promise<number>> = task(
  "basics.link",
  async (sum: number, ms: number, _salt: string) => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return sum + 1;
  },
);

/** Notes when it begins and ends; only one at a time may do so. */
export const alone: Task<[name: string], Promise<number[]>> = task(
  { name: "basics.alone", limits: ["alone"] },
  async (_name: string) => {
    const start = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 60));
    return [start, Date.now()];
  },
);

/** Lets go of its unit while it waits for another that takes it. */
export const outer: Task<[name: string], Promise<number>> = task(
  { name: "basics.outer", limits: ["alone"] },
  async (name: string) => (await alone(`${name} inside`)).length,
);

export const hello: Task = task("basics.hello", () => script("echo hello"));
export const written: Task<[path: string, text?: string], Promise<File>> = task(
  "basics.written",
  async (path: string, text: string = "written") => {
    const file = new File(path);
    await file.write(text);
    return file;
  },
);

export const echo: Task<[value: unknown], unknown> = task("basics.echo", (value: unknown) => value);

/** A long text. */
export const repeated: Task<[text: string, times: number], string> = task(
  "basics.repeated",
  (text: string, times: number) => text.repeat(times),
);
