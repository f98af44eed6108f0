import { afterAll, describe, expect, test } from "vitest";
import { describeExecutor } from "../../src/executor/contract.ts";
import { InProcessExecutor } from "../../src/executor/in-process-executor.ts";

describeExecutor("in process", () => new InProcessExecutor(), {
  describe,
  test,
  expect,
  afterAll,
  skip: {
    scripts: "it was given no shell",
    cancel: "a function in the scheduler's own thread can't be stopped",
    capture: "what a function prints is the program's own output",
  },
});

describe("the executor in process", () => {
  test("calls a function with the very values", () => {
    const executor = new InProcessExecutor();
    const value = { callback: () => 1 };
    expect(executor.invoke({ fn: (x) => x, args: [value] })).toBe(value);
  });

  test("says that it has no shell", async () => {
    const spec = { jobId: "j", executionId: "e", evalHash: "h", task: "t", taskHash: "", package: undefined };
    const context = { signal: new AbortController().signal, log: () => {} };
    const result = await new InProcessExecutor().run(
      { ...spec, args: "[]", options: {}, script: "true", reuse: false },
      context,
    );
    expect(result).toMatchObject({ ok: false, error: { record: { code: "executor" } } });
    expect(JSON.stringify(result)).toContain("no shell");
  });

  test("runs at most so many scripts at once", async () => {
    let running = 0;
    let most = 0;
    const gates: (() => void)[] = [];
    const executor = new InProcessExecutor({
      maxScripts: 2,
      runScript: async () => {
        most = Math.max(most, ++running);
        await new Promise<void>((resolve) => gates.push(resolve));
        running--;
        return new Uint8Array();
      },
    });
    const spec = { jobId: "j", executionId: "e", evalHash: "h", task: "t", taskHash: "", package: undefined };
    const context = { signal: new AbortController().signal, log: () => {} };
    const all = Array.from({ length: 5 }, () =>
      executor.run({ ...spec, args: "[]", options: {}, script: "true", reuse: false }, context),
    );
    let ended = 0;
    for (const job of all) void job.then(() => ended++);
    while (ended < 5) {
      await Promise.resolve();
      gates.shift()?.();
    }
    expect(most).toBe(2);
    expect((await Promise.all(all)).every(({ ok }) => ok)).toBe(true);
  });
});
