import { beforeEach, describe, expect, test } from "vitest";
import { type SchedulerEvent, task } from "../../src/index.ts";
import { Gate, newScheduler, ran, same, until } from "./setup.ts";

beforeEach(() => {
  ran();
});

const add = task("event.add", (a: number, b: number) => a + b);

/** An event in a few words. */
function brief(event: SchedulerEvent): string {
  switch (event.type) {
    case "execution-start":
      return `start ${event.args.join(" ")}`;
    case "execution-end":
      return `end ${event.status}`;
    case "job-start":
      return `run ${event.job.call} on ${event.executor}`;
    case "job-cached":
      return `${event.kind} ${event.job.call}`;
    case "job-end":
      return `${event.status} ${event.job.call}`;
    default:
      return event.type;
  }
}

describe("events", () => {
  test("come in order, and tell of every job", async () => {
    const scheduler = newScheduler({ config: { ignoreWarnings: ["namespace"] } });
    const fails = task("event.fails", (x: number) => {
      throw new Error(`broken ${x}`);
    });
    const main = task("event.main", () => add(add(1, 2), same(3)));
    const list: string[] = [];
    const reading = (async () => {
      for await (const event of scheduler.events) list.push(brief(event));
    })();
    await scheduler.run(main());
    await scheduler.run(main.options({ checkValid: "shallow" })());
    await scheduler.run(fails(1)).catch(() => {});
    await scheduler.close();
    await reading;
    expect(list).toEqual([
      "start scheduler.run event.main()",
      "run event.main() on default",
      "run event.add(a=1, b=2) on default",
      "DONE event.add(a=1, b=2)",
      "run test.same(value=3) on default",
      "DONE test.same(value=3)",
      "run event.add(a=3, b=3) on default",
      "DONE event.add(a=3, b=3)",
      "DONE event.main()",
      "end DONE",
      "start scheduler.run event.main()",
      "ultimate event.main()",
      "CACHED event.main()",
      "end DONE",
      "start scheduler.run event.fails(1)",
      "run event.fails(x=1) on default",
      "FAILED event.fails(x=1)",
      "end FAILED",
    ]);
  });

  test("reach every reader and listener, each from when it began to when it stopped", async () => {
    const scheduler = newScheduler();
    const heard: string[] = [];
    const stop = scheduler.on("job-end", ({ job }) => heard.push(job.call));
    const read = async (count: number) => {
      const types: string[] = [];
      for await (const event of scheduler.events) {
        types.push(event.type);
        if (types.length === count) break;
      }
      return types;
    };
    const readers = [read(2), read(3)];
    await scheduler.run(add(1, 2));
    stop();
    await scheduler.run(add(3, 4));
    expect(heard).toEqual(["event.add(a=1, b=2)"]);
    const [two, three] = await Promise.all(readers);
    expect(three!.slice(0, 2)).toEqual(two);
    await scheduler.close();
    expect(await read(1)).toEqual([]);
  });

  test("name the execution, the parent and the result's call of a job", async () => {
    const scheduler = newScheduler();
    const infos = new Map<string, { id: string; parentId: string | null; executionId: string }>();
    const calls: (string | undefined)[] = [];
    scheduler.on("job-start", ({ job }) => infos.set(job.task, job));
    scheduler.on("job-end", ({ callHash }) => calls.push(callHash));
    const main = task("event.parent", () => add(1, 2));
    await scheduler.run(main(), { executionId: "known" });
    expect(infos.get("event.parent")).toMatchObject({ parentId: null, executionId: "known" });
    expect(infos.get("event.add")!.parentId).toBe(infos.get("event.parent")!.id);
    expect((await scheduler.backend.getCallNodes(calls as string[])).map((call) => call!.taskName)).toEqual([
      "event.add",
      "event.parent",
    ]);
  });

  test("a listener that throws fails the run rather than be passed over", async () => {
    const scheduler = newScheduler();
    scheduler.on("job-start", () => {
      throw new Error("listener is broken");
    });
    await expect(scheduler.run(add(1, 2))).rejects.toThrow("listener is broken");
  });

  test("TSK-005: one warning at the first run names the tasks without a namespace", async () => {
    task(function bare() {});
    const warnings: string[] = [];
    const scheduler = newScheduler();
    scheduler.on("warning", ({ code, message }) => code === "namespace" && warnings.push(message));
    await scheduler.run(1);
    await scheduler.run(2);
    expect(warnings).toEqual([expect.stringMatching(/events\.test.*:bare/)]);
    const silent = newScheduler({ config: { ignoreWarnings: ["namespace"] } });
    silent.on("warning", ({ code }) => code === "namespace" && warnings.push("again"));
    await silent.run(1);
    expect(warnings).toHaveLength(1);
  });

  test("TSK-006: the later of two definitions of a name wins, and a warning names both places", async () => {
    const warnings: string[] = [];
    const scheduler = newScheduler();
    scheduler.on("warning", ({ code, message }) => code === "duplicate-task" && warnings.push(message));
    const first = task("event.twice", () => 1);
    task("event.twice", () => 2);
    expect(await scheduler.run(first())).toBe(2);
    expect(warnings).toEqual([
      expect.stringMatching(
        /^Two tasks are named event\.twice: the one at .*events\.test.* replaces the one at .*events\.test/,
      ),
    ]);
    // The same definition again, as when a module is loaded twice, is no conflict.
    const define = () => task("event.alike", () => 1);
    define();
    define();
    await scheduler.run(1);
    expect(warnings).toHaveLength(1);
  });

  test("status and running tell of the run at work, and afterwards of the last one", async () => {
    const scheduler = newScheduler();
    const gate = new Gate<number>();
    const waits = task("event.waits", () => gate.opened);
    expect(scheduler.status().size).toBe(0);
    const run = scheduler.run([waits(), waits()]);
    await until(() => scheduler.running().some((job) => job.task === "event.waits"));
    expect(scheduler.status().get("event.waits")).toEqual({
      PENDING: 0,
      RUNNING: 1,
      FAILED: 0,
      CACHED: 0,
      DONE: 0,
    });
    gate.open(1);
    await run;
    expect(scheduler.running()).toEqual([]);
    expect(scheduler.status().get("event.waits")).toEqual({
      PENDING: 0,
      RUNNING: 0,
      FAILED: 0,
      CACHED: 0,
      DONE: 1,
    });
  });
});
