import hostile from "package:hostile";
import mute from "package:mute";
import trouble from "package:trouble";
import { describe, expect, test } from "vitest";
import { recordingContext } from "../../src/executor/contract.ts";
import { packageHash } from "../../src/package/manifest.ts";
import type { CodePackage } from "../../src/package/types.ts";
import { executorOf } from "./executors.ts";
import { call, outcome, specOf } from "./setup.ts";

/** Packages that differ in nothing but their hashes. */
const packages: CodePackage[] = Array.from({ length: 12 }, (_, i) => {
  const manifest = { ...trouble.manifest, dependencies: { some: `1.0.${i}` } };
  return { ...trouble, manifest, hash: packageHash(trouble.code, manifest) };
});

test("packages run at the same time, as many as are allowed", async () => {
  const executor = executorOf(packages, { maxIsolates: 3 });
  let most = 0;
  let running = 0;
  await Promise.all(
    packages.map(async (pkg) => {
      const context = recordingContext();
      const result = await executor.run(specOf(pkg, "trouble.meet"), {
        ...context,
        evaluate: async () => {
          most = Math.max(most, ++running);
          await new Promise((resolve) => setTimeout(resolve, 20));
          running--;
          return { ok: true, value: "1" };
        },
      });
      expect(await outcome(result)).toBe(1);
    }),
  );
  expect(most).toBe(3);
});

test("a package that always has jobs leaves its place to others", async () => {
  const executor = executorOf(packages, { maxIsolates: 1 });
  const [busy, other] = packages as [CodePackage, CodePackage];
  const stop = new AbortController();
  const stream = async (): Promise<void> => {
    while (!stop.signal.aborted) await call(executor, busy, "trouble.slow", [10]);
  };
  const streams = Promise.all(Array.from({ length: 20 }, stream));
  await call(executor, busy, "trouble.fine", [1]);
  expect(await call(executor, other, "trouble.fine", [1])).toBe(2);
  stop.abort();
  await streams;
});

test("a package whose jobs wait for others of its own keeps its place until those have run", async () => {
  const executor = executorOf(packages, { maxIsolates: 1 });
  const [first, other] = packages as [CodePackage, CodePackage];
  const deep = executor.run(specOf(first, "trouble.meet"), {
    ...recordingContext(),
    evaluate: async () => {
      // Longer than an isolate's fair share of time.
      await new Promise((resolve) => setTimeout(resolve, 700));
      const value = await call(executor, first, "trouble.fine", [1]);
      return { ok: true, value: String(value) };
    },
  });
  const waiting = call(executor, other, "trouble.fine", [5]);
  expect(await outcome(deep)).toBe(2);
  expect(await waiting).toBe(6);
});

test("an execution with one job does not wait for another's thousands", async () => {
  const executor = executorOf([trouble]);
  const ended: string[] = [];
  const run = async (execution: string) => {
    await call(executor, trouble, "trouble.fine", [1], { executionId: execution });
    ended.push(execution);
  };
  const many = Array.from({ length: 5000 }, () => run("large"));
  await Promise.all([...many, run("small")]);
  expect(ended.indexOf("small")).toBeLessThan(2000);
});

test("a cancelled job that waits for its turn is not run", async () => {
  const executor = executorOf(packages, { maxIsolates: 1 });
  const [first, other] = packages as [CodePackage, CodePackage];
  const slow = call(executor, first, "trouble.slow", [100]);
  await call(executor, first, "trouble.fine", [1]);
  const controller = new AbortController();
  const waiting = call(executor, other, "trouble.remember", ["runs"], { signal: controller.signal });
  controller.abort(new Error("not wanted"));
  await expect(waiting).rejects.toThrow("not wanted");
  await slow;
  expect(await call(executor, other, "trouble.remember", ["runs"])).toBe(1);
});

test("jobs that follow each other without a pause let timers and connections have their turn", async () => {
  const executor = executorOf([trouble]);
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  for (let i = 0; i < 300; i++) await call(executor, trouble, "trouble.fine", [i]);
  clearInterval(timer);
  expect(ticks).toBeGreaterThan(5);
});

describe("a package that does not end", () => {
  const executor = executorOf([hostile, mute, trouble], {
    ...{ maxIsolates: 1, maxJobMs: 1000, maxLoadMs: 1000, cpuMs: 200, answerTimeout: 200 },
  });
  const others = async () => expect(await call(executor, trouble, "trouble.fine", [1])).toBe(2);

  test("gives up its place when its job has run too long", async () => {
    const sleeps = call(executor, hostile, "hostile.sleep");
    await expect(Promise.race([sleeps, others()])).rejects.toMatchObject({
      code: "executor",
      message: "Cannot finish hostile.sleep: it ran for more than 1 s",
    });
    await others();
  });

  test("gives up its place when it does not hear that its job is not wanted", async () => {
    const signal = AbortSignal.timeout(200);
    await expect(call(executor, hostile, "hostile.deaf", [], { signal })).rejects.toThrow("timeout");
    await others();
  });

  for (const what of ["text", "silent", "failing"]) {
    test(`gives up its place when there is no way to tell it something: ${what}`, async () => {
      await call(executor, hostile, "hostile.control", [what]);
      const signal = AbortSignal.timeout(200);
      await expect(call(executor, hostile, "hostile.sleep", [], { signal })).rejects.toThrow("timeout");
      await others();
    });
  }

  test("gives up its place when it does not say what it defines", async () => {
    await expect(executor.describe(mute.hash)).rejects.toMatchObject({
      code: "package",
      message: `Cannot load the code package ${mute.hash}: it took more than 1 s`,
    });
    await others();
  });

  test("may wait for expressions as long as they take", async () => {
    const waits = executor.run(specOf(trouble, "trouble.meet"), {
      ...recordingContext(),
      evaluate: async () => {
        await new Promise((resolve) => setTimeout(resolve, 1500));
        return { ok: true, value: "1" };
      },
    });
    expect(await outcome(waits)).toBe(1);
  });
});
