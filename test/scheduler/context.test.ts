import { beforeEach, describe, expect, test } from "vitest";
import { decodeValue, getContext, type RunOptions, type Scheduler, seq, task } from "../../src/index.ts";
import { jobRows, jobsOf, newScheduler, note, ran, same, watchJobs } from "./setup.ts";

beforeEach(() => {
  ran();
});

const size = task({ name: "ctx.size", defaults: [getContext("size")] }, (value?: unknown) => {
  note(`size ${JSON.stringify(value)}`);
  return value;
});
const read = (path: string, fallback?: unknown) =>
  task({ name: "ctx.read", defaults: [getContext(path, fallback)] }, (value?: unknown) => value)();

describe("the context of a job", () => {
  test("CTX-001: is inherited from job to job", async () => {
    const scheduler = newScheduler();
    const mid = task("ctx.mid", () => size());
    const main = task("ctx.main", () => mid());
    expect(await scheduler.run(main(), { context: { size: 4 } })).toBe(4);
  });

  test("CTX-002: is merged of the scheduler's, the run's, and of what is nearest to the reader", async () => {
    const scheduler = newScheduler({ context: { a: 1, deep: { x: 1, y: 1, z: 1 } } });
    const all = task(
      { name: "ctx.all", defaults: [getContext("a"), getContext("deep")] },
      (a?: unknown, deep?: unknown) => [a, deep],
    );
    const mid = task("ctx.nearer", () => all.updateContext({ deep: { z: 4 } })());
    const main = task("ctx.far", () => mid.updateContext({ deep: { y: 3, z: 3 } })());
    expect(await scheduler.run(main(), { context: { deep: { x: 2, y: 2, z: 2 } } })).toEqual([
      1,
      { x: 2, y: 3, z: 4 },
    ]);
  });

  test.each<[string, string, unknown, unknown]>([
    ["a number", "n", undefined, 5],
    ["null, which is a value", "nothing", 7, null],
    ["a list", "list", undefined, [1, 2]],
    ["a part", "a.b", undefined, { c: "deep" }],
    ["a deep part", "a.b.c", undefined, "deep"],
    ["a missing key", "a.x", undefined, null],
    ["a missing key with a fallback", "a.x", 7, 7],
    ["a step into what is no object", "n.x", 7, 7],
    ["a step into a list", "list.0", 7, 7],
    ["a step into a prototype", "a.constructor.name", 7, 7],
  ])("CTX-003: a dot path leads to %s", async (_what, path, fallback, value) => {
    const scheduler = newScheduler();
    const context = { n: 5, nothing: null, list: [1, 2], a: { b: { c: "deep" } } };
    expect(await scheduler.run(read(path, fallback), { context })).toEqual(value);
  });

  test("CTX-004: a change of the context reruns just the tasks that read what has changed", async () => {
    const scheduler = newScheduler();
    const other = task("ctx.other", () => note("other"));
    const main = task("ctx.readers", () => {
      note("main");
      return [size(), other()];
    });
    await scheduler.run(main(), { context: { size: 1, unread: 1 } });
    expect(ran().sort()).toEqual(["main", "other", "size 1"]);
    await scheduler.run(main(), { context: { size: 1, unread: 2 } });
    expect(ran()).toEqual([]);
    await scheduler.run(main(), { context: { size: 2, unread: 2 } });
    expect(ran()).toEqual(["size 2"]);
  });

  test("CTX-005, TSK-062: a default sees the job's own context, and its calls are siblings of the job", async () => {
    const scheduler = newScheduler();
    const double = task("ctx.double", (x: number) => x * 2);
    const user = task(
      { name: "ctx.user", defaults: [double(getContext<number>("size"))] },
      (value?: number) => value,
    );
    const main = task("ctx.users", () => [user(), user.updateContext({ size: 10 })()]);
    expect(await scheduler.run(main(), { context: { size: 1 } })).toEqual([2, 20]);
    const [parent] = await jobsOf(scheduler.backend, "ctx.users");
    const doubles = await jobsOf(scheduler.backend, "ctx.double");
    expect(doubles.map((job) => job.parentId)).toEqual([parent!.id, parent!.id]);
  });

  test("CTX-007: is recorded as a value, which its calls refer to", async () => {
    const scheduler = newScheduler();
    await scheduler.run(size.updateContext({ size: 3 })());
    const [job] = await jobsOf(scheduler.backend, "ctx.size");
    const [call] = await scheduler.backend.getCallNodes([job!.callHash!]);
    const [value] = await scheduler.backend.getValues([call!.contextHash!]);
    expect(decodeValue(value!.text)).toEqual({ size: 3 });
    await scheduler.run(same(1));
    const [plain] = await jobsOf(scheduler.backend, "test.same");
    const [without] = await scheduler.backend.getCallNodes([plain!.callHash!]);
    expect(without!.contextHash).toBe(null);
  });

  test("TSK-057: changes of the context add up on a task, and leave the task they were made of as it was", async () => {
    const scheduler = newScheduler();
    const all = task(
      { name: "ctx.sums", defaults: [getContext("a"), getContext("b")] },
      (a?: unknown, b?: unknown) => [a, b],
    );
    const first = all.updateContext({ a: { x: 1 } });
    const second = first.updateContext({ a: { y: 2 }, b: 3 });
    expect(await scheduler.run([all(), first(), second()])).toEqual([
      [null, null],
      [{ x: 1 }, null],
      [{ x: 1, y: 2 }, 3],
    ]);
  });

  test("getContext may stand anywhere, and as the root", async () => {
    const scheduler = newScheduler();
    const main = task("ctx.anywhere", () => ({ here: getContext("size"), there: same(getContext("size")) }));
    expect(await scheduler.run(main(), { context: { size: 1 } })).toEqual({ here: 1, there: 1 });
    expect(await scheduler.run(getContext("size"), { context: { size: 2 } })).toBe(2);
  });
});

describe("equal calls in different contexts", () => {
  const deep = task("ctx.deep", (x: number) => [x, size()]);
  const kinds = async (scheduler: Scheduler, seen: string[], expression: unknown, options?: RunOptions) => {
    seen.length = 0;
    const value = await scheduler.run(expression, options);
    return { value, seen: seen.filter((text) => text.startsWith("ctx.deep")) };
  };

  test("CCH-022, CTX-006: are not merged within an execution", async () => {
    const scheduler = newScheduler();
    const seen = watchJobs(scheduler);
    const calls = () => [
      deep(1),
      deep.updateContext({ size: 5 })(1),
      deep.updateContext({ size: 5 })(same(1)),
    ];
    const pending = await kinds(scheduler, seen, calls());
    expect(pending.value).toEqual([
      [1, null],
      [1, 5],
      [1, 5],
    ]);
    expect(pending.seen.filter((text) => text === "ctx.deep: pending")).toHaveLength(1);
    const finished = await kinds(scheduler, seen, seq(calls()), { cache: false });
    expect(finished.value).toEqual(pending.value);
    expect(finished.seen).toEqual(["ctx.deep: run", "ctx.deep: run", "ctx.deep: cse"]);
  });

  test("CCH-022, CTX-006: don't share whole calls, but share the reduction, into which no context enters", async () => {
    const scheduler = newScheduler();
    const seen = watchJobs(scheduler);
    const shallow = deep.options({ checkValid: "shallow" });
    await kinds(scheduler, seen, shallow(1), { context: { size: 1 } });
    const other = await kinds(scheduler, seen, shallow(1), { context: { size: 2 } });
    expect(other).toEqual({ value: [1, 2], seen: ["ctx.deep: single"] });
    const again = await kinds(scheduler, seen, shallow(1), { context: { size: 1 } });
    expect(again).toEqual({ value: [1, 1], seen: ["ctx.deep: ultimate"] });
  });

  test("CCH-031: a call without a context does not take a result that had one, nor the other way round", async () => {
    const scheduler = newScheduler();
    const seen = watchJobs(scheduler);
    const shallow = deep.options({ checkValid: "shallow" });
    await kinds(scheduler, seen, shallow(1), { context: { size: 1 } });
    expect((await kinds(scheduler, seen, shallow(1))).value).toEqual([1, null]);
    expect((await kinds(scheduler, seen, shallow(1), { context: { size: 1 } })).value).toEqual([1, 1]);
    const mixed = seq([deep.updateContext({ size: 5 })(2), deep(2)]);
    expect((await kinds(scheduler, seen, mixed)).value).toEqual([
      [2, 5],
      [2, null],
    ]);
  });

  test("contexts that are equal in content are one", async () => {
    const scheduler = newScheduler();
    await scheduler.run([
      deep.updateContext({ size: 1, b: 2 })(1),
      deep.updateContext({ b: 2, size: 1 })(same(1)),
    ]);
    const rows = (await jobRows(scheduler.backend)).filter((row) => row.taskName === "ctx.deep");
    expect(rows.map((row) => row.cached).sort()).toEqual([false, true]);
  });
});
