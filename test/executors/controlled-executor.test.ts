import { expect, test } from "vitest";
import { ControlledExecutor } from "../../src/executors/controlled-executor.ts";
import { task } from "../../src/index.ts";
import { newScheduler } from "../scheduler/setup.ts";

const work = task(
  { name: "test.controlled.work", version: "1", executor: "controlled" },
  (n: number): unknown => n + 1,
);

test("jobs end in the order and with the results that the test gives", async () => {
  const executor = new ControlledExecutor();
  const scheduler = newScheduler({ executors: [executor] });
  const result = scheduler.run([work(1), work(2), work(3)]);
  const [first, second, third] = [await executor.next(), await executor.next(), await executor.next()];
  expect([first, second, third].map(({ args, spec }) => [spec.task, ...args])).toEqual([
    ["test.controlled.work", 1],
    ["test.controlled.work", 2],
    ["test.controlled.work", 3],
  ]);
  expect(executor.running).toEqual([first, second, third]);
  third.resolve(new Map([["c", 1n]]));
  await second.call();
  first.resolve("a");
  first.reject(new Error("too late"));
  expect(await result).toEqual(["a", 3, new Map([["c", 1n]])]);
  expect(executor.running).toEqual([]);
});

test("jobs fail as the test says, by their own error or with their place", async () => {
  const executor = new ControlledExecutor("controlled");
  const scheduler = newScheduler({ executors: [executor] });
  const failed = scheduler.run(work(1));
  (await executor.next()).reject(new RangeError("own error"));
  await expect(failed).rejects.toThrow(new RangeError("own error"));
  const lost = scheduler.run(work(1));
  (await executor.next()).lose(new Error("place lost"));
  await expect(lost).rejects.toThrow("place lost");
  const unsupported = scheduler.run(work(1));
  (await executor.next()).resolve({ items: [() => 1] });
  await expect(unsupported).rejects.toMatchObject({
    code: "unsupported-value",
    message: expect.stringContaining("result.items[0]"),
  });
});

test("jobs that are cancelled end by themselves", async () => {
  const executor = new ControlledExecutor();
  const scheduler = newScheduler({ executors: [executor] });
  const controller = new AbortController();
  const result = scheduler.run([work(1), work(2)], { signal: controller.signal });
  const job = await executor.next();
  expect(job.signal.aborted).toBe(false);
  controller.abort();
  await expect(result).rejects.toMatchObject({ code: "cancelled" });
  expect(job.signal.aborted).toBe(true);
  expect(executor.running).toEqual([]);
});

test("lines that the test logs are the job's", async () => {
  const executor = new ControlledExecutor();
  const scheduler = newScheduler({ executors: [executor] });
  const lines: string[] = [];
  scheduler.on("job-log", ({ line }) => lines.push(line));
  const result = scheduler.run(work(1));
  const job = await executor.next();
  job.log("half way");
  job.resolve(1);
  await result;
  expect(lines).toEqual(["half way"]);
});
