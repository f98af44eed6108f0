import { Dexie } from "dexie";
import { describe, expect, test, vi } from "vitest";
import { describeBackend } from "../../src/backends/contract.ts";
import {
  batchOf,
  callOf,
  errorOf,
  evaluationOf,
  hashOf,
  idOf,
  valueRecord,
} from "../../src/backends/contract-records.ts";
import { story } from "../../src/backends/contract-story.ts";
import { IndexedDbBackend } from "../../src/backends/indexed-db-backend.ts";
import { Scheduler, task } from "../../src/index.ts";
import { add, jobOf, main, newName, numbers, open, queryOf, remove } from "./indexed-db-setup.ts";

describeBackend(
  "IndexedDB",
  async () => {
    const name = newName();
    return {
      backend: new IndexedDbBackend(name),
      reopen: () => new IndexedDbBackend(name),
      close: () => remove(name),
    };
  },
  { describe, test, expect },
);

describe("two tabs with one database", () => {
  test("write the same and other records at once", async () => {
    const name = newName();
    const [a, b] = [await open(name), await open(name)];
    const calls = numbers(600);
    const half = (from: number, to: number): Promise<void>[] =>
      [a, b].map((backend, i) => {
        const own = calls.slice(from, to);
        return backend.write(
          batchOf({
            tasks: [add, main],
            callNodes: i === 0 ? own : own.toReversed(),
            evaluations: own.map((call) => evaluationOf(call)),
            jobs: own.map((call, n) => jobOf(`${i} ${from + n}`, { callHash: call.callHash })),
          }),
        );
      });
    await Promise.all([...half(0, 300), ...half(200, 600)]);
    for (const backend of [a, b]) {
      const counts = (["Job", "CallNode", "Task", "Value"] as const).map((type) => backend.count({ type }));
      expect(await Promise.all(counts)).toEqual([1200, 600, 2, 1202]);
      const hits = await backend.lookup(
        calls.map((call) => queryOf(call, "single")),
        () => true,
      );
      expect(hits.map((hit) => hit?.value.text)).toEqual(calls.map(({ value }) => value.text));
    }
  });

  test("go on with what the other wrote", async () => {
    const name = newName();
    const [a, b] = [await open(name), await open(name)];
    const [child] = numbers(1);
    await a.write(batchOf({ tasks: [add], callNodes: [child!], jobs: [jobOf("root")] }));
    const parent = callOf({ task: main, value: valueRecord(1), children: [child!, child!] });
    const end = { id: idOf("root"), endTime: 2000, cached: false, callHash: parent.callHash };
    await b.write(batchOf({ tasks: [main], callNodes: [parent], jobEnds: [end] }));
    await a.write(batchOf({ jobEnds: [{ ...end, endTime: 3000 }], callNodes: [parent] }));
    expect((await a.getCallNodes([parent.callHash]))[0]?.children).toEqual([
      child!.callHash,
      child!.callHash,
    ]);
    expect((await a.getJobs([idOf("root")]))[0]).toMatchObject({ status: "DONE", endTime: 2000 });
    // Each knows the key, and replaces the single reduction of the other.
    await a.write(batchOf({ evaluations: [evaluationOf(child!, valueRecord("a"))] }));
    await b.write(batchOf({ evaluations: [evaluationOf(child!, valueRecord("b"))] }));
    const [hit] = await a.lookup([queryOf(child!, "single")], () => true);
    expect(hit?.value.text).toBe(valueRecord("b").text);
    expect((await b.getValues([valueRecord("a").hash]))[0]?.text).toBe(valueRecord("a").text);
  });
});

describe("an interrupted batch", () => {
  const batch = batchOf({
    tasks: [main, add],
    values: [valueRecord("x".repeat(2000))],
    callNodes: numbers(50),
    jobs: Array.from({ length: 50 }, (_, i) => jobOf(`job ${i}`, { endTime: 2000 })),
    tags: story.batch.tags,
  });
  const ids = [
    main.hash,
    ...batch.callNodes.map(({ callHash }) => callHash),
    ...batch.jobs.map(({ id }) => id),
    ...batch.values.map(({ hash }) => hash),
    ...batch.tags.map(({ tagHash }) => tagHash),
  ];

  test.each([1, 60, 103])("leaves no trace where it ends before its record %i", async (last) => {
    const name = newName();
    const backend = await open(name);
    const original = IDBObjectStore.prototype.add;
    let count = 0;
    vi.spyOn(IDBObjectStore.prototype, "add").mockImplementation(function (this: IDBObjectStore, record) {
      if (++count === last) this.transaction.abort();
      return original.call(this, record);
    });
    await expect(backend.write(batch)).rejects.toMatchObject({ code: "backend" });
    expect(count).toBe(last);
    vi.restoreAllMocks();
    expect(await backend.missing(ids)).toEqual(ids);
    // What was made known by the batch is forgotten with it.
    await backend.write(batch);
    expect(await (await open(name)).missing(ids)).toEqual([]);
  });
});

describe("large stores", () => {
  test("are searched page by page", async () => {
    const backend = await open();
    const calls = numbers(2500);
    const failed = callOf({ task: main, args: [valueRecord(0)], value: errorOf("boom") });
    const jobs = calls.map(({ callHash }, i) =>
      // Many start at the same time.
      jobOf(`job ${i}`, {
        startTime: i < 2000 ? 1000 : i,
        endTime: 9000,
        callHash: i % 500 === 0 ? failed.callHash : callHash,
        taskHash: i % 2 === 0 ? main.hash : add.hash,
        executionId: idOf(i % 10 === 0 ? "odd" : "execution"),
      }),
    );
    await backend.write(batchOf({ tasks: [add, main], callNodes: [...calls, failed], jobs }));
    const pages = [];
    for (let offset = 0; offset < 2700; offset += 700) {
      pages.push(...(await backend.find({ type: "Job", limit: 700, offset })));
    }
    expect(new Set(pages.map(({ id }) => id)).size).toBe(2500);
    const rows = await backend.getJobs(pages.map(({ id }) => id));
    const starts = rows.map((row) => row!.startTime);
    expect(starts).toEqual(starts.toSorted((a, b) => b - a));
    expect(await backend.count({ type: "Value" })).toBe(5003);
    expect((await backend.find({ type: "Value", limit: 10_000 })).length).toBe(5003);
    expect((await backend.find({ type: "CallNode", limit: 10_000 })).length).toBe(2501);
    expect(await backend.count({ type: "CallNode", taskNames: ["add"] })).toBe(2500);
    expect(await backend.count({ type: "Value", valueTypes: ["number"] })).toBe(5000);
    expect(await backend.count({ type: "Job", taskNames: ["math.add"] })).toBe(1250);
    expect(await backend.count({ type: "Job", jobStatus: ["FAILED"] })).toBe(5);
    expect(await backend.count({ type: "Job", executionIds: [idOf("execution")] })).toBe(2250);
    expect(await backend.count({ type: "Job", executionIds: ["odd", "execution"].map(idOf) })).toBe(2500);
    expect(await backend.count({ type: "CallNode", executionIds: [idOf("odd")] })).toBe(246);
  });
});

describe("a call that ends differently each time", () => {
  test("is kept in records that do not grow for ever", async () => {
    const name = newName();
    const backend = await open(name);
    const calls = Array.from({ length: 40 }, (_, i) =>
      // The fifth is the newest, though others come later.
      callOf({
        task: main,
        args: [valueRecord("x")],
        value: valueRecord(i),
        timestamp: i === 5 ? 9000 : 1000 + i,
      }),
    );
    for (const call of calls) {
      await backend.write(
        batchOf({ tasks: [main], evaluations: [evaluationOf(call)], callNodes: [call, call] }),
      );
    }
    // A connection that does not know them finds each where it is.
    const other = await open(name);
    for (const call of calls) await other.write(batchOf({ callNodes: [call] }));
    for (const store of [backend, other]) {
      expect(await store.count({ type: "CallNode" })).toBe(40);
      expect((await store.find({ type: "CallNode", taskNames: ["main"] })).length).toBe(40);
      // Results, the argument and the task.
      expect(await store.count({ type: "Value" })).toBe(42);
      const rows = await store.getCallNodes(calls.map(({ callHash }) => callHash));
      expect(rows.map((row) => row?.valueHash)).toEqual(calls.map(({ value }) => value.hash));
      const [single, ultimate, old] = await store.lookup(
        [
          queryOf(calls[0]!, "single"),
          queryOf(calls[0]!, "ultimate"),
          queryOf(calls[0]!, "single", "ultimate"),
        ],
        () => true,
      );
      expect([single?.value.text, ultimate?.callHash, old?.kind]).toEqual([
        calls[39]!.value.text,
        calls[5]!.callHash,
        "single",
      ]);
      const near = { taskName: "main", taskHash: main.hash, argsHash: hashOf("other") };
      expect((await store.nearestCall(near))?.callHash).toBe(calls[5]!.callHash);
    }
    await other.write(batchOf({ evaluations: [evaluationOf(calls[0]!, valueRecord("new"))] }));
    const [single] = await backend.lookup([queryOf(calls[0]!, "single")], () => true);
    expect(single?.value.text).toBe(valueRecord("new").text);
    const db = await new Dexie(name).open();
    const sizes = (await db.table("calls").toArray()).map((record) => record.calls.length);
    db.close();
    expect(sizes).toEqual([8, 16, 16]);
  });
});

test("a fan-out of 10,000 small jobs", { timeout: 120_000 }, async () => {
  const backend = await open();
  const small = task("indexedDb.small", (n: number) => n + 1);
  const fan = task("indexedDb.fan", (n: number) => Array.from({ length: n }, (_, i) => small(i)));
  for (const kind of ["cold", "cached"]) {
    const start = performance.now();
    const result = await new Scheduler({ backend }).run(fan(10_000));
    const perJob = ((performance.now() - start) * 1000) / 10_000;
    console.info(`IndexedDB, fan-out of 10,000, ${kind}: ${perJob.toFixed(0)} µs a job`);
    expect(result.length).toBe(10_000);
  }
  expect(await backend.count({ type: "CallNode" })).toBe(10_001);
});
