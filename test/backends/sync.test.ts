import { describe, expect, test } from "vitest";
import type { Backend, RecordJson } from "../../src/backend/backend.ts";
import { batchOf, callOf, idOf, taskOf, valueRecord } from "../../src/backends/contract-records.ts";
import { story } from "../../src/backends/contract-story.ts";
import { allIds, exported } from "../../src/backends/contract-sync.ts";
import { MemoryBackend } from "../../src/backends/memory-backend.ts";
import { SqliteBackend } from "../../src/backends/sqlite-backend.ts";
import { type SyncProgress, type SyncTarget, syncRecords } from "../../src/backends/sync.ts";
import { Scheduler, task } from "../../src/index.ts";
import { tempFolder } from "./files.ts";

const double = task("sync.double", (n: number) => 2 * n);
const tree = task("sync.tree", (depth: number): unknown =>
  depth === 0 ? double(depth) : [tree(depth - 1), double(depth), double(depth + 1)],
);

async function storeWithWork(): Promise<Backend> {
  const backend = new MemoryBackend();
  backend.write(story.batch);
  await new Scheduler({ backend }).run(tree(12));
  return backend;
}

/** A store far away: it counts requests, and its line breaks before the one of a number. */
class FarStore implements SyncTarget {
  readonly backend: Backend;
  readonly batches: (readonly RecordJson[])[] = [];
  questions = 0;
  breaksBefore = Number.POSITIVE_INFINITY;

  constructor(backend: Backend) {
    this.backend = backend;
  }

  async missing(ids: readonly string[]): Promise<string[]> {
    this.questions++;
    return this.backend.missing(ids);
  }

  async importRecords(records: readonly RecordJson[]): Promise<number> {
    if (this.batches.length >= this.breaksBefore) throw new Error("The line is dead");
    this.batches.push(records);
    return this.backend.importRecords(records);
  }
}

/** Executions that lack something which they have in another store. */
async function incomplete(part: Backend, whole: Backend): Promise<string[]> {
  const lacking: string[] = [];
  for (const { id } of await part.find({ type: "Execution" })) {
    const ended = (await allIds(whole, [id])).filter((inner) => inner !== idOf("third root"));
    if ((await part.missing(ended)).length > 0) lacking.push(id);
  }
  return lacking;
}

describe("records are copied", () => {
  test("from one kind of store to another, once", async () => {
    const source = await storeWithWork();
    const records = await exported(source);
    const file = new SqliteBackend(`${tempFolder()}/redun.db`);
    const last = new MemoryBackend();
    await file.load();
    expect(await syncRecords(source, file)).toEqual({ sent: records.length, added: records.length });
    expect(await exported(file)).toEqual(records);
    expect(await syncRecords(file, last)).toEqual({ sent: records.length, added: records.length });
    expect(await exported(last)).toEqual(records);
    // One job is still running, and may have ended in the meantime.
    expect(await syncRecords(file, last)).toEqual({ sent: 1, added: 0 });
    await file.close();
  });

  test("with the ends of jobs that were running, and what came since", async () => {
    const source = await storeWithWork();
    const target = new MemoryBackend();
    await syncRecords(source, target);
    const end = { endTime: 3500, cached: true, callHash: story.calls.main.callHash };
    await source.write(batchOf({ jobEnds: [{ id: idOf("third root"), ...end }] }));
    await new Scheduler({ backend: source }).run(tree(13));
    const { sent, added } = await syncRecords(source, target);
    expect(sent).toBe(added + 1);
    expect((await target.getJobs([idOf("third root")]))[0]?.status).toBe("CACHED");
    expect(await exported(target)).toEqual(await exported(source));
    expect(await syncRecords(source, target)).toEqual({ sent: 0, added: 0 });
  });

  test("of some executions only", async () => {
    const source = await storeWithWork();
    const target = new MemoryBackend();
    await syncRecords(source, target, { ids: [idOf("first")] });
    expect(await target.find({ type: "Execution" })).toEqual([{ type: "Execution", id: idOf("first") }]);
    expect(await exported(target)).toEqual(
      await source.exportRecords((await allIds(source, [idOf("first")])).sort()),
    );
  });

  test("after any break, and meanwhile no execution is there without all of it", async () => {
    const source = await storeWithWork();
    const records = await exported(source);
    const target = new FarStore(new MemoryBackend());
    for (let breaks = 1; ; breaks += 2) {
      target.breaksBefore = breaks;
      const copying = syncRecords(source, target, { maxRecords: 7 });
      const end = await copying.then(
        () => "done",
        () => "broken",
      );
      expect(await incomplete(target.backend, source)).toEqual([]);
      if (end === "done") break;
    }
    expect(target.batches.length).toBeGreaterThan(10);
    // The job that is running is sent each time, the others once.
    const sent = target.batches.flat().filter(({ id }) => id !== idOf("third root"));
    expect(sent.length).toBe(records.length - 1);
    expect(await exported(target.backend)).toEqual(records);
  });

  test("in few requests, of which the caller is told", async () => {
    const source = new MemoryBackend();
    const wide = task("sync.wide", (n: number) => Array.from({ length: n }, (_, i) => double(i)));
    await new Scheduler({ backend: source }).run(wide(3000));
    const count = (await allIds(source)).length;
    const target = new FarStore(new MemoryBackend());
    const told: SyncProgress[] = [];
    await syncRecords(source, target, { onProgress: (progress) => told.push(progress) });
    expect(target.questions).toBe(Math.ceil(count / 5000));
    expect(target.batches.length).toBeLessThan(2 + count / 2000);
    expect(told.length).toBe(target.questions + target.batches.length);
    expect(told.at(-1)).toEqual({ found: count, missing: count, sent: count, added: count });
  });

  test("in batches that are no larger than they need be", async () => {
    const source = new MemoryBackend();
    const reader = taskOf("read");
    const large = Array.from({ length: 30 }, (_, i) => valueRecord(String(i).padStart(500_000, "x")));
    const callNodes = large.map((value, i) => callOf({ task: reader, args: [valueRecord(i)], value }));
    source.write(batchOf({ tasks: [reader], callNodes }));
    const ids = callNodes.map(({ callHash }) => callHash);
    const target = new FarStore(new MemoryBackend());
    const { sent } = await syncRecords(source, target, { ids });
    expect(sent).toBe(30 * 3 + 1);
    const sizes = target.batches.map((batch) => JSON.stringify(batch).length);
    expect(Math.max(...sizes)).toBeLessThan(5_000_000);
    expect(sizes.length).toBeLessThan(8);
    expect(await target.backend.missing(await allIds(source, ids))).toEqual([]);
  });

  test("from a source that gives less than was asked for", async () => {
    const source = await storeWithWork();
    const target = new MemoryBackend();
    const slow = {
      reachable: (ids?: readonly string[]) => source.reachable(ids),
      exportRecords: (ids: readonly string[]) => source.exportRecords(ids.slice(0, 3)),
    };
    await syncRecords(slow, target);
    expect(await exported(target)).toEqual(await exported(source));
  });

  test("from a source that gives more than was asked for, or has lost some", async () => {
    const source = await storeWithWork();
    const lost = new Set((await allIds(source)).filter((id) => id.length === 40).slice(0, 20));
    const target = new MemoryBackend();
    const careless = {
      reachable: (ids?: readonly string[]) => source.reachable(ids),
      exportRecords: (ids: readonly string[]) => source.exportRecords(ids.filter((id) => !lost.has(id))),
    };
    await syncRecords(careless, target, { maxSize: 1000, maxRecords: 50 });
    expect(new Set(await target.missing(await allIds(source)))).toEqual(
      new Set([...lost, idOf("third root")]),
    );
    await syncRecords(source, target);
    expect(await exported(target)).toEqual(await exported(source));
  });

  test("unless the target refuses one, which it names", async () => {
    const source = await storeWithWork();
    const forging = {
      reachable: (ids?: readonly string[]) => source.reachable(ids),
      exportRecords: async (ids: readonly string[]) => {
        const records = await source.exportRecords(ids);
        return records.map((record) => (record._type === "Value" ? { ...record, data: btoa("7") } : record));
      },
    };
    const target = new MemoryBackend();
    await expect(syncRecords(forging, target)).rejects.toMatchObject({ code: "backend" });
    expect(await target.find({ type: "Execution" })).toEqual([]);
  });
});
