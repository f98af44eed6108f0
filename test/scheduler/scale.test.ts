import { describe, expect, test } from "vitest";
import { map, plus, type Task, task } from "../../src/index.ts";
import { newScheduler, turn } from "./setup.ts";

const DEEP = 100_000;
const inc = task("scale.inc", (x: number) => x + 1);
const sum = task("scale.sum", (xs: number[]) => xs.reduce((a, b) => a + b, 0));

describe("large workflows", { timeout: 120_000 }, () => {
  test("a fan-out of 20,000 jobs ends, cold and cached", async () => {
    const scheduler = newScheduler();
    const fan = task("scale.fan", (n: number) => sum(Array.from({ length: n }, (_, i) => inc(i))));
    expect(await scheduler.run(fan(20_000))).toBe(200_010_000);
    expect(await scheduler.run(fan(20_000))).toBe(200_010_000);
    expect(scheduler.status().get("scale.inc")).toMatchObject({ CACHED: 20_000 });
  });

  test("a fan-out of 5,000 async jobs ends", async () => {
    const scheduler = newScheduler();
    const later = task("scale.later", async (x: number) => {
      if (x % 100 === 0) await turn();
      return x;
    });
    const values = await scheduler.run(
      map(
        later,
        Array.from({ length: 5000 }, (_, i) => i),
      ),
    );
    expect(values).toEqual(Array.from({ length: 5000 }, (_, i) => i));
  });

  test("a chain of calls 100,000 deep neither overflows nor stalls", async () => {
    const scheduler = newScheduler();
    let chain: unknown = 0;
    for (let i = 0; i < DEEP; i++) chain = inc(chain as number);
    expect(await scheduler.run(chain)).toBe(DEEP);
  });

  test("a recursion 100,000 deep neither overflows nor stalls", async () => {
    const scheduler = newScheduler();
    const down: Task<[number], unknown> = task("scale.down", (n: number): unknown =>
      n === 0 ? "bottom" : down(n - 1),
    );
    expect(await scheduler.run(down(DEEP))).toBe("bottom");
  });

  test("a failure 5,000 calls deep reaches the root", async () => {
    const scheduler = newScheduler();
    const down: Task<[number], unknown> = task("scale.fails", (n: number): unknown => {
      if (n === 0) throw new Error("bottom");
      return down(n - 1);
    });
    await expect(scheduler.run(down(5000))).rejects.toThrow("bottom");
  });

  test("operations and containers nest 20,000 deep", async () => {
    const scheduler = newScheduler();
    let total: unknown = inc(0);
    for (let i = 0; i < 20_000; i++) total = plus(total as number, 1);
    expect(await scheduler.run(total)).toBe(20_001);
    const first = task("scale.first", ([x]: number[]) => x! + 1);
    let nested: unknown = 0;
    for (let i = 0; i < 20_000; i++) nested = first([nested as number]);
    expect(await scheduler.run(nested)).toBe(20_000);
  });

  test("async recursion 2,000 deep ends", async () => {
    const scheduler = newScheduler();
    const down: Task<[number], unknown> = task(
      "scale.awaits",
      async (n: number): Promise<unknown> => (n === 0 ? 0 : ((await down(n - 1)) as number) + 1),
    );
    expect(await scheduler.run(down(2000))).toBe(2000);
  });

  test("fib(1000) takes a thousand jobs, not the age of the universe", async () => {
    const scheduler = newScheduler();
    const fib: Task<[number], unknown> = task("scale.fib", (n: number): unknown =>
      n < 2 ? BigInt(n) : plus(fib(n - 1) as unknown as bigint, fib(n - 2) as unknown as bigint),
    );
    let [a, b] = [0n, 1n];
    for (let i = 0; i < 1000; i++) [a, b] = [b, a + b];
    expect(await scheduler.run(fib(1000))).toBe(a);
    expect(scheduler.status().get("scale.fib")).toMatchObject({ DONE: 1001 });
  });

  test("timers and messages get their turn while much is to be done", async () => {
    const scheduler = newScheduler();
    const fan = task("scale.busy", (n: number) => sum(Array.from({ length: n }, (_, i) => inc(-i))));
    let turns = 0;
    let over = false;
    const run = scheduler.run(fan(5000)).finally(() => {
      over = true;
    });
    while (!over) {
      await turn();
      turns++;
    }
    await run;
    expect(turns).toBeGreaterThan(3);
  });
});
