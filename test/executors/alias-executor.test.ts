import { expect, test } from "vitest";
import { MemoryBackend } from "../../src/backends/memory-backend.ts";
import { AliasExecutor } from "../../src/executors/alias-executor.ts";
import { ControlledExecutor } from "../../src/executors/controlled-executor.ts";
import { type Executor, Scheduler, task } from "../../src/index.ts";

const work = task({ name: "test.alias.work", version: "1", executor: "cluster" }, (n: number) => n + 1);

test("a job goes to the executor that the name stands for at that time", async () => {
  const [small, large] = [new ControlledExecutor("small"), new ControlledExecutor("large")];
  const executors = new Map<string, Executor>([["target", small]]);
  const alias = new AliasExecutor("cluster", "target", executors);
  const scheduler = new Scheduler({ backend: new MemoryBackend(), executors: [alias] });
  const first = scheduler.run(work(1));
  await (await small.next()).call();
  expect(await first).toBe(2);
  executors.set("target", large);
  const second = scheduler.run(work(2));
  const job = await large.next();
  expect(job.spec.task).toBe("test.alias.work");
  await job.call();
  expect(await second).toBe(3);
  await scheduler.close();
});

test("a name that stands for nothing fails the job, and says what there is", async () => {
  const executors = new Map<string, Executor>([["batch", new ControlledExecutor("batch")]]);
  const scheduler = new Scheduler({
    backend: new MemoryBackend(),
    executors: [new AliasExecutor("cluster", "missing", executors)],
  });
  await expect(scheduler.run(work(1))).rejects.toMatchObject({
    code: "executor",
    message: "Cannot run test.alias.work on cluster: it stands for missing, which is not configured",
    hint: "Configured executors: batch.",
  });
});

test("a chain of names is followed; one that leads back to itself is told", async () => {
  const executors = new Map<string, Executor>();
  const target = new ControlledExecutor("target");
  executors.set("target", target);
  executors.set("b", new AliasExecutor("b", "target", executors));
  executors.set("cluster", new AliasExecutor("cluster", "b", executors));
  const scheduler = new Scheduler({ backend: new MemoryBackend(), executors: [executors.get("cluster")!] });
  const result = scheduler.run(work(1));
  await (await target.next()).call();
  expect(await result).toBe(2);
  executors.set("b", new AliasExecutor("b", "cluster", executors));
  await expect(scheduler.run(work(5))).rejects.toMatchObject({
    code: "executor",
    message: expect.stringContaining("stands for itself"),
  });
});

test("a name for the executor in process calls functions where they may await expressions", async () => {
  const scheduler = new Scheduler({ backend: new MemoryBackend() });
  const executors = new Map<string, Executor>(scheduler.executors);
  executors.set("cluster", new AliasExecutor("cluster", "default", executors));
  const aliased = new Scheduler({ backend: new MemoryBackend(), executors: Object.fromEntries(executors) });
  const double = task({ name: "test.alias.double", version: "1" }, (n: number) => n * 2);
  const eager = task(
    { name: "test.alias.eager", version: "1", executor: "cluster" },
    async (n: number) => (await double(n)) + 1,
  );
  expect(await aliased.run(eager(4))).toBe(9);
});
