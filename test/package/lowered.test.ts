import { afterEach, beforeEach, describe, expect, test } from "vitest";
import * as redun from "../../src/index.ts";
import { buildPackage } from "../../src/package/index.ts";
import { useLoweredStorage } from "../../src/task/current-job.ts";
import { edges, newScheduler, turn, watchInfos, watchJobs } from "../scheduler/setup.ts";

const SOURCE = `import { task } from "redun";
declare const turn: () => Promise<void>;
export const leaf = task({ name: "low.leaf", cacheScope: "NONE" }, async (who: string, i: number) => {
  if (i % 2 === 0) await turn();
  return who;
});
const helper = async (who: string): Promise<boolean> => {
  await turn();
  const names = await Promise.all([leaf(who, 1), leaf(who, 2), (async () => { await turn(); return await leaf(who, 3); })()]);
  return names.every((name) => name === who);
};
export const branch = task({ name: "low.branch", cacheScope: "NONE" }, async (who: string) => {
  const first = await leaf(who, 0);
  let good = first === who;
  for await (const name of parts(who)) good &&= name === who;
  return good && (await helper(who));
});
async function* parts(who: string) {
  for (let i = 4; i < 6; i++) {
    await turn();
    yield await leaf(who, i);
  }
}
export const tree = task({ name: "low.tree", cacheScope: "NONE" }, async (who: string) => {
  const own = leaf(who, 9);
  const below: boolean[] = [];
  for (let i = 0; i < 3; i++) below.push(await branch(who + "/" + i));
  try {
    await fails(who);
  } catch (error) {
    below.push((error as Error).message === who);
  } finally {
    await turn();
  }
  return (await own) === who && below.every(Boolean);
});
export const fails = task({ name: "low.fails", cacheScope: "NONE" }, async (who: string) => {
  await turn();
  throw new Error(who);
});
export const last = task("low.last", async (x: number) => leaf(String(x), 0));
export const cached = task({ name: "low.cached", configArgs: ["quiet"] }, async ({ x }: { x: number }, quiet = true) => [
  await leaf(String(x), 0), quiet,
]);
export const late = task("low.late", async () => {
  const outcome = (async () => {
    await later();
    try { return await leaf("late", 0); } catch (error) { return (error as { code: string }).code; }
  })();
  report(outcome);
  return 1;
});
declare const later: () => Promise<void>;
declare const report: (outcome: Promise<string>) => void;
`;

/** Runs a lowered package with this very engine. */
async function load(): Promise<Record<string, redun.Task>> {
  const { code } = await buildPackage("main.ts", { files: { "main.ts": SOURCE }, lowerAsync: true });
  expect(code).not.toMatch(/\basync (function|\(|\w+ =>)/);
  Object.assign(globalThis, { loweredTest: redun });
  const text = code.replace(/import \{ (.*) \} from "redun";/, "const { $1 } = globalThis.loweredTest;");
  return await import(`data:text/javascript;base64,${Buffer.from(text).toString("base64")}`);
}

beforeEach(() => {
  useLoweredStorage(true);
});
afterEach(() => {
  useLoweredStorage(false);
});

describe("a package with lowered async functions, where the runtime can't follow asynchronous code", () => {
  test("has each awaited job under the job that awaits it, however many are in flight", async () => {
    Object.assign(globalThis, { turn });
    const { tree } = await load();
    const scheduler = newScheduler();
    const infos = watchInfos(scheduler);
    const names = Array.from({ length: 30 }, (_, i) => `${i}`);
    expect(await scheduler.run(names.map((who) => tree!(who)))).toEqual(names.map(() => true));
    const calls = new Map(infos.map((info) => [info.id, info.call]));
    const owner = (call: string) => /'([^']*)'/.exec(call)![1]!;
    const found = { "low.leaf": 0, "low.branch": 0, "low.fails": 0 };
    for (const info of infos) {
      if (!(info.task in found)) continue;
      found[info.task as keyof typeof found]++;
      const mine = owner(info.call);
      const parent = calls.get(info.parentId!)!;
      expect(owner(parent)).toBe(info.task === "low.branch" ? mine.replace(/\/\d$/, "") : mine);
      expect(
        parent.startsWith(mine.includes("/") && info.task === "low.leaf" ? "low.branch" : "low.tree"),
      ).toBe(true);
    }
    expect(found).toEqual({ "low.leaf": 30 * (1 + 3 * 6), "low.branch": 90, "low.fails": 30 });
  });

  test("may return an expression from an async function", async () => {
    Object.assign(globalThis, { turn });
    const { last } = await load();
    const scheduler = newScheduler();
    expect(await scheduler.run(last!(7))).toBe("7");
    expect(await edges(scheduler.backend)).toEqual(["- > low.last", "low.last > low.leaf"]);
  });

  test("caches async tasks by their whole calls, and knows their parameters", async () => {
    Object.assign(globalThis, { turn });
    const { cached } = await load();
    const scheduler = newScheduler();
    expect(await scheduler.run(cached!({ x: 1 }))).toEqual(["1", true]);
    const seen = watchJobs(scheduler);
    expect(await scheduler.run(cached!({ x: 1 }))).toEqual(["1", true]);
    expect(seen).toEqual(["low.cached: ultimate"]);
  });

  test("refuses to await once the job has ended", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    let outcome: Promise<string> | undefined;
    Object.assign(globalThis, {
      turn,
      later: () => promise,
      report: (given: Promise<string>) => {
        outcome = given;
      },
    });
    const { late } = await load();
    const scheduler = newScheduler();
    expect(await scheduler.run(late!())).toBe(1);
    resolve();
    expect(await outcome).toBe("no-current-job");
    expect(await edges(scheduler.backend)).toEqual(["- > low.late"]);
  });
});

describe("code that is not lowered, there", () => {
  const add = redun.task("low.add", (a: number, b: number) => a + b);

  test("may await at once, and is refused rather than given a wrong parent after its first await", async () => {
    const scheduler = newScheduler();
    const main = redun.task("low.native", async () => {
      const first = await add(1, 2);
      try {
        return [first, await add(first, 1)];
      } catch (error) {
        return [first, (error as redun.RedunError).code];
      }
    });
    expect(await scheduler.run([main(), add(5, 5)])).toEqual([[3, "no-current-job"], 10]);
  });
});
