import broken from "package:broken";
import endless from "package:endless";
import trouble from "package:trouble";
import { describe, expect, test } from "vitest";
import { recordingContext } from "../../src/executor/contract.ts";
import { executorOf } from "./executors.ts";
import { call, outcome, schedulerOf, specOf } from "./setup.ts";

/** Other jobs of the same package, before, while and after something goes wrong. */
async function goesOn(executor: ReturnType<typeof executorOf>): Promise<void> {
  expect(await call(executor, trouble, "trouble.fine", [1])).toBe(2);
}

describe("code that computes without end", () => {
  const executor = executorOf([trouble], { turnMs: 150 });

  for (const name of ["spin", "stubborn", "recursion", "microtasks"]) {
    test(`fails alone: ${name}`, async () => {
      await goesOn(executor);
      const others = Promise.all([1, 2, 3].map((n) => call(executor, trouble, "trouble.fine", [n])));
      await expect(call(executor, trouble, `trouble.${name}`)).rejects.toMatchObject({
        code: "executor",
        message: "Cannot go on: the code computed for more than 150 ms without a pause",
      });
      expect(await others).toEqual([2, 3, 4]);
      await goesOn(executor);
    });
  }

  test("ends with its timeout, where it has one", async () => {
    const { run } = await schedulerOf(trouble, executorOf([trouble]));
    const started = Date.now();
    await expect(run("trouble.hurried")).rejects.toThrow();
    expect(Date.now() - started).toBeLessThan(5000);
  });

  test("may compute longer if it pauses", async () => {
    expect(await call(executor, trouble, "trouble.patient")).toBe(true);
  });
});

test("a package that computes without end while it is loaded is not loaded", async () => {
  await expect(executorOf([endless]).describe(endless.hash)).rejects.toMatchObject({
    code: "package",
    message: expect.stringContaining("without a pause") as string,
  });
});

describe("an isolate that ends", () => {
  test("fails its own jobs only", async () => {
    const executor = executorOf([trouble]);
    await goesOn(executor);
    const slow = call(executor, trouble, "trouble.slow", [100]);
    await goesOn(executor);
    await expect(call(executor, trouble, "trouble.exit")).rejects.toMatchObject({
      code: "executor",
      message: expect.stringContaining(
        "Cannot finish trouble.exit: the isolate of its package ended",
      ) as string,
    });
    await goesOn(executor);
    expect(await slow).toBe(100);
  });

  test("takes no other jobs along when its code has the runtime end it", async () => {
    const executor = executorOf([trouble]);
    await goesOn(executor);
    // workerd ends the job's code on one's own machine, and tells nobody.
    const signal = AbortSignal.timeout(300);
    await expect(call(executor, trouble, "trouble.abort", [], { signal })).rejects.toThrow();
    await goesOn(executor);
  });

  test("is followed by a fresh one", async () => {
    const executor = executorOf([trouble]);
    expect(await call(executor, trouble, "trouble.remember", ["count"])).toBe(1);
    expect(await call(executor, trouble, "trouble.remember", ["count"])).toBe(2);
    await expect(call(executor, trouble, "trouble.exit")).rejects.toThrow();
    expect(await call(executor, trouble, "trouble.remember", ["count"])).toBe(1);
  });

  test("fails the job and not the execution that catches it", async () => {
    const { run } = await schedulerOf(trouble, executorOf([trouble]));
    await expect(run("trouble.exit")).rejects.toMatchObject({ code: "executor" });
    expect(await run("trouble.fine", [2])).toBe(3);
  });
});

describe("a package that can't be loaded", () => {
  const executor = executorOf([broken]);

  test("fails its jobs with what its code threw, and the place in its source", async () => {
    const error = (await call(executor, broken, "broken.never").catch((thrown) => thrown)) as Error;
    expect(error).toMatchObject({
      code: "package",
      message: `Cannot load the code package ${broken.hash}: no good`,
      cause: { name: "TypeError" },
    });
    expect((error.cause as Error).stack).toContain("file:///broken.ts:6");
  });

  test("can't be described", async () => {
    await expect(executor.describe(broken.hash)).rejects.toMatchObject({ code: "package" });
  });

  test("is said to be missing if it is", async () => {
    await expect(executor.describe("0".repeat(40))).rejects.toMatchObject({
      code: "package",
      message: `Cannot load the code package ${"0".repeat(40)}: it is not here`,
    });
  });
});

describe("values", () => {
  const executor = executorOf([trouble], { maxValueBytes: 30_000_000 });

  test("of many megabytes go both ways", async () => {
    const text = "x\u4e00".repeat(3_000_000);
    expect(await call(executor, trouble, "trouble.sized", [text])).toBe(text.length);
    expect(((await call(executor, trouble, "trouble.large", [12_000_000])) as string).length).toBe(
      12_000_000,
    );
  });

  test("that are too large fail their job, and say what to do", async () => {
    await expect(call(executor, trouble, "trouble.large", [20_000_000])).rejects.toMatchObject({
      code: "executor",
      message: expect.stringContaining("it has 35000002 bytes, and at most 30000000 can be sent") as string,
      hint: expect.stringContaining("File") as string,
    });
    await expect(call(executor, trouble, "trouble.sized", ["x".repeat(31_000_000)])).rejects.toMatchObject({
      code: "executor",
      message: expect.stringContaining("its arguments have") as string,
    });
    await goesOn(executor);
  });
});

describe("cancelling", () => {
  test("answers at once, and lets the batch end", async () => {
    const executor = executorOf([trouble]);
    const controller = new AbortController();
    const running = call(executor, trouble, "trouble.slow", [60_000], { signal: controller.signal });
    const slow = call(executor, trouble, "trouble.slow", [50]);
    await goesOn(executor);
    const reason = new Error("not wanted");
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
    expect(await slow).toBe(50);
    await goesOn(executor);
  });

  test("takes back a job that waits", async () => {
    const executor = executorOf([trouble]);
    const controller = new AbortController();
    const running = call(executor, trouble, "trouble.fine", [1], { signal: controller.signal });
    controller.abort(new Error("not wanted"));
    await expect(running).rejects.toThrow("not wanted");
    await expect(call(executor, trouble, "trouble.fine", [1], { signal: controller.signal })).rejects.toThrow(
      "not wanted",
    );
    await goesOn(executor);
  });

  test("ends jobs that take longer than their timeout", async () => {
    const { run } = await schedulerOf(trouble, executorOf([trouble]));
    await expect(run("trouble.patience")).rejects.toMatchObject({ code: "timeout" });
  });

  test("fails what is left when the executor is closed", async () => {
    const executor = executorOf([trouble]);
    const running = call(executor, trouble, "trouble.slow", [60_000]);
    await goesOn(executor);
    await executor.close();
    await expect(running).rejects.toThrow("is closed");
    await expect(call(executor, trouble, "trouble.fine", [1])).rejects.toThrow("is closed");
  });
});

test("a fast job does not wait for a slow one that travelled with it", async () => {
  const executor = executorOf([trouble]);
  const ended: string[] = [];
  const job = (name: string, args: readonly unknown[]) =>
    outcome(executor.run(specOf(trouble, name, args), recordingContext())).then(() => ended.push(name));
  await Promise.all([job("trouble.slow", [100]), job("trouble.fine", [1])]);
  expect(ended).toEqual(["trouble.fine", "trouble.slow"]);
});
