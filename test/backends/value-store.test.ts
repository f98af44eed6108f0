import { expect, test } from "vitest";
import type { ValueStore } from "../../src/backend/value-store.ts";
import { batchOf, callOf, evaluationOf, taskOf, valueRecord } from "../../src/backends/contract-records.ts";
import { SqliteBackend } from "../../src/backends/sqlite-backend.ts";
import { rowsOf, tempStore } from "./files.ts";

/** A value store in memory that notes what it is asked. */
class MapStore implements ValueStore {
  readonly texts = new Map<string, string>();
  readonly calls: string[] = [];

  async get(hash: string): Promise<string | undefined> {
    this.calls.push(`get ${hash}`);
    return this.texts.get(hash);
  }

  async put(hash: string, text: string): Promise<void> {
    this.calls.push(`put ${hash}`);
    this.texts.set(hash, text);
  }
}

const task = taskOf("test.work");
const large = valueRecord("é".repeat(250));
const small = valueRecord("é".repeat(249));
const call = callOf({ task, args: [valueRecord(1)], value: large });
const query = { ...call, evalHash: call.evalHash!, contextHash: undefined };

async function open(path: string, valueStore: ValueStore): Promise<SqliteBackend> {
  // In quotes, the large value has 502 bytes and the small one 500.
  const backend = new SqliteBackend({ path, valueStore, valueStoreMinSize: 501, maxValueSize: 10_000 });
  await backend.load();
  return backend;
}

test("large values go to the value store before their rows are written, and come back", async () => {
  const [path, store] = [tempStore(), new MapStore()];
  const backend = await open(path, store);
  const list = valueRecord("x".repeat(600), { subvalues: [large, small] });
  const written = backend.write(
    batchOf({ tasks: [task], values: [list], evaluations: [evaluationOf(call)], callNodes: [call] }),
  );
  expect(await backend.count({ type: "Value" })).toBe(0);
  await written;
  expect([...store.texts.keys()].sort()).toEqual([large.hash, list.hash].sort());
  expect(rowsOf(path, "SELECT value_hash FROM value WHERE value IS NULL ORDER BY 1")).toEqual(
    [large.hash, list.hash].sort().map((value_hash) => ({ value_hash })),
  );
  for (const kind of ["single", "ultimate"] as const) {
    const [hit] = await backend.lookup([{ ...query, allowed: [kind] }], () => true);
    expect([hit?.kind, hit?.value.text]).toEqual([kind, large.text]);
  }
  expect((await backend.getValues([small.hash, list.hash, large.hash])).map((row) => row?.text)).toEqual([
    small.text,
    list.text,
    large.text,
  ]);
  await backend.close();
});

test("what is small asks no value store, and waits for none", async () => {
  const store = new MapStore();
  const backend = await open(tempStore(), store);
  expect(backend.write(batchOf({ values: [small] }))).toBe(undefined);
  expect(Array.isArray(backend.lookup([{ ...query, allowed: ["single"] }], () => true))).toBe(true);
  expect(store.calls).toEqual([]);
  await backend.close();
});

test("a value that the store has lost is a miss, and is put again when it comes again", async () => {
  const store = new MapStore();
  const backend = await open(tempStore(), store);
  const batch = batchOf({ tasks: [task], evaluations: [evaluationOf(call)] });
  await backend.write(batch);
  await backend.write(batch);
  expect(store.calls).toEqual([`put ${large.hash}`]);
  store.texts.clear();
  const look = async () =>
    (await backend.lookup([{ ...query, allowed: ["single"] }], () => true))[0]?.value.text;
  expect(await look()).toBe(undefined);
  expect(await backend.getValues([large.hash])).toEqual([undefined]);
  await backend.write(batch);
  expect(await look()).toBe(large.text);
  await backend.close();
});

test("without its value store, a database reads what went there as missing", async () => {
  const path = tempStore();
  const backend = await open(path, new MapStore());
  await backend.write(batchOf({ tasks: [task], values: [small], evaluations: [evaluationOf(call)] }));
  await backend.close();
  const bare = new SqliteBackend(path);
  await bare.load();
  expect(await bare.lookup([{ ...query, allowed: ["single"] }], () => true)).toEqual([undefined]);
  expect((await bare.getValues([large.hash, small.hash])).map((row) => row?.hash)).toEqual([
    undefined,
    small.hash,
  ]);
  await bare.close();
});

test("a value store that fails, and a value that is too large, leave nothing written", async () => {
  const failing: ValueStore = {
    get: async () => undefined,
    put: async () => {
      throw new Error("no such bucket");
    },
  };
  const backend = await open(tempStore(), failing);
  await expect(backend.write(batchOf({ values: [valueRecord(1), large] }))).rejects.toThrow("no such bucket");
  const huge = valueRecord("x".repeat(10_001));
  expect(() => backend.write(batchOf({ values: [valueRecord(1), huge] }))).toThrow(
    "more than max_value_size",
  );
  expect(await backend.count({ type: "Value" })).toBe(0);
  await backend.close();
});

test("exported records hold large values, and an import puts them", async () => {
  const [from, to] = [new MapStore(), new MapStore()];
  const [source, target] = [await open(tempStore(), from), await open(tempStore(), to)];
  await source.write(
    batchOf({ tasks: [task], values: [valueRecord([1], { subvalues: [large] })], callNodes: [call] }),
  );
  const ids = [large.hash, call.callHash, task.hash];
  await target.importRecords(await source.exportRecords(ids));
  expect([...to.texts]).toEqual([[large.hash, large.text]]);
  expect((await target.getValues([large.hash]))[0]?.text).toBe(large.text);
  await source.close();
  await target.close();
});
