import { Dexie } from "dexie";
import { afterEach, describe, expect, test, vi } from "vitest";
import { cdp } from "vitest/browser";
import type { CacheQuery } from "../../src/backend/backend.ts";
import type { CallNodeRecord, JobRecord } from "../../src/backend/records.ts";
import { describeBackend } from "../../src/backends/contract.ts";
import {
  batchOf,
  callOf,
  errorOf,
  evaluationOf,
  hashOf,
  idOf,
  taskOf,
  valueRecord,
} from "../../src/backends/contract-records.ts";
import { story } from "../../src/backends/contract-story.ts";
import { IndexedDbBackend } from "../../src/backends/indexed-db-backend.ts";
import { packKey, rangesOf, unpackKey } from "../../src/backends/indexed-db-keys.ts";
import { SCHEMA, type SchemaStep } from "../../src/backends/indexed-db-schema.ts";
import { Scheduler, task } from "../../src/index.ts";

let names = 0;
const newName = (): string => `redun-test-${++names}`;

/** Dexie would warn that it must wait until a connection is closed. */
const remove = (name: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error);
  });

const opened: { readonly backend: IndexedDbBackend; readonly name: string }[] = [];

async function open(name = newName(), schema: readonly SchemaStep[] = SCHEMA): Promise<IndexedDbBackend> {
  const backend = new IndexedDbBackend(name, { schema });
  opened.push({ backend, name });
  await backend.load();
  return backend;
}

afterEach(async () => {
  vi.restoreAllMocks();
  const last = opened.splice(0);
  for (const { backend } of last) await backend.close();
  for (const name of new Set(last.map((one) => one.name))) await remove(name);
});

// First, before Chromium has seen how much room there is.
describe("a full disk", () => {
  const text = (i: number): string => `${i}${hashOf(String(i)).repeat(5000)}`;
  const large = task("indexedDb.large", (i: number) => text(i));

  async function limit(quotaSize?: number): Promise<void> {
    await cdp().send("Storage.overrideQuotaForOrigin", {
      origin: location.origin,
      ...(quotaSize === undefined ? {} : { quotaSize }),
    });
  }

  /** Waits until Chromium looks at the limit: for half a minute it trusts what it knew of the room there was. */
  async function enforced(backend: IndexedDbBackend): Promise<void> {
    let attempts = 0;
    const attempt = (): Promise<string> =>
      backend.write(batchOf({ values: [valueRecord(`${++attempts}${"x".repeat(3_000_000)}`)] })).then(
        () => "room",
        () => "full",
      );
    await expect.poll(attempt, { timeout: 60_000, interval: 500 }).toBe("full");
  }

  test("is told with what is used, keeps the result of a run, and leaves the store usable", {
    timeout: 90_000,
  }, async () => {
    const { usage = 0 } = await navigator.storage.estimate();
    await limit(usage + 2_000_000);
    const backend = await open();
    await enforced(backend);
    const scheduler = new Scheduler({ backend });
    const calls = Array.from({ length: 40 }, (_, i) => large(i));
    try {
      const failure = await scheduler.run(calls).then(
        () => undefined,
        (error) => error,
      );
      expect(failure).toMatchObject({ code: "backend" });
      expect(failure.message).toMatch(
        /gives this site no more room, and says that [\d.]+ \w+ of [\d.]+ \w+ are used$/,
      );
      expect(failure.result).toEqual(calls.map((_, i) => text(i)));
    } finally {
      await limit();
    }
    expect(await new Scheduler({ backend }).run(large(1))).toBe(text(1));
  });
});

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

const add = taskOf("math.add");
const main = taskOf("main");
const numbers = (count: number, from = 0): CallNodeRecord[] =>
  Array.from({ length: count }, (_, i) =>
    callOf({ task: add, args: [valueRecord(from + i)], value: valueRecord(-1 - from - i) }),
  );
const jobOf = (name: string, more: Partial<JobRecord> = {}): JobRecord => ({
  id: idOf(name),
  executionId: idOf("execution"),
  parentId: null,
  taskHash: main.hash,
  startTime: 1000,
  ...more,
});
const queryOf = (call: CallNodeRecord, ...allowed: CacheQuery["allowed"]): CacheQuery => ({
  evalHash: call.evalHash!,
  taskHash: call.taskHash,
  argsHash: call.argsHash,
  allowed,
  contextHash: undefined,
});

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
    jobs: Array.from({ length: 50 }, (_, i) => jobOf(`job ${i}`)),
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

describe("keys", () => {
  const codes = (key: string): number[] => Array.from(key, (char) => char.charCodeAt(0));

  test("are ids with three digits to a character", () => {
    expect(codes(packKey("0123456789abcdef0123456789abcdef01234567"))).toEqual([
      0x012, 0x345, 0x678, 0x9ab, 0xcde, 0xf01, 0x234, 0x567, 0x89a, 0xbcd, 0xef0, 0x123, 0x456, 0x700,
    ]);
    expect(codes(packKey("01234567-89ab-cdef-0123-456789abcdef"))).toEqual([
      0x012, 0x345, 0x678, 0x9ab, 0xcde, 0xf01, 0x234, 0x567, 0x89a, 0xbcd, 0xef0,
    ]);
    expect(packKey("job-1")).toBe("\u1000job-1");
  });

  const ids = [
    "",
    "job-1",
    "\u1000",
    "é".repeat(40),
    hashOf("a"),
    hashOf("a").toUpperCase(),
    hashOf("b"),
    `${hashOf("a").slice(1)}g`,
    hashOf("c").slice(4),
    idOf("a"),
    idOf("b"),
    idOf("a").toUpperCase(),
    idOf("a").replace("-", "0"),
    "0".repeat(40),
    "f".repeat(40),
  ];

  test("give their ids back, and sort as those do", () => {
    expect(ids.map((id) => unpackKey(packKey(id)))).toEqual(ids);
    const hashes = Array.from({ length: 100 }, (_, i) => hashOf(String(i))).sort();
    expect(hashes.map(packKey).sort().map(unpackKey)).toEqual(hashes);
  });

  test("are in the ranges of all prefixes of their ids", () => {
    for (const id of ids) {
      const key = packKey(id);
      for (let length = 0; length <= id.length; length++) {
        const ranges = rangesOf(id.slice(0, length));
        expect(ranges.filter(({ lower, upper }) => lower <= key && key <= upper)).toHaveLength(1);
      }
    }
  });
});

describe("the schema", () => {
  /** The first version as it was released. */
  const FIRST = {
    executions: "id, [startTime+id]",
    jobs: "id, [startTime+id], [executionId+startTime+id], parentId, callHash",
    calls: "evalHash, *callHashes, *held, *uses, *below, [taskHash+time]",
    values: "hash, *subvalues, type, file",
    tasks: "hash, name, fullname",
    tags: "tagHash, entityId, key, *parents",
  };
  const next: SchemaStep = {
    version: 2,
    stores: { jobs: `${FIRST.jobs}, taskHash` },
    upgrade: (transaction) =>
      transaction
        .table("jobs")
        .toCollection()
        .modify((job: { startTime: number }) => {
          job.startTime += 1;
        })
        .then(() => undefined),
  };

  /** A database as the first version wrote it. */
  async function writeFirst(name: string): Promise<void> {
    const db = new Dexie(name);
    db.version(1).stores(FIRST);
    await db.open();
    const [call] = numbers(1);
    const { type, format, text } = call!.value;
    const [evalHash, argsHash, callHash, value, taskHash] = [
      call!.evalHash!,
      call!.argsHash,
      call!.callHash,
      call!.value.hash,
      add.hash,
    ].map(packKey);
    await db.table("jobs").add({
      id: packKey(idOf("old")),
      executionId: packKey(idOf("execution")),
      parentId: null,
      taskHash,
      startTime: 1000,
      endTime: 2000,
      cached: false,
      callHash,
      failed: false,
    });
    const stored = { taskName: "math.add", value, timestamp: 1000, args: [], children: [] };
    await db.table("calls").add({
      evalHash,
      taskHash,
      argsHash,
      single: value,
      callHashes: [callHash],
      calls: [{ ...stored, subtreeTasks: [taskHash], failed: false }],
      held: [value],
      values: [{ type, format, text }],
      uses: [],
      below: [],
      time: 1000,
    });
    db.close();
  }

  test("reads what the first version wrote", async () => {
    const name = newName();
    await writeFirst(name);
    const backend = await open(name);
    const [call] = numbers(1);
    expect((await backend.getJobs([idOf("old")]))[0]).toMatchObject({ status: "DONE", startTime: 1000 });
    const [single, ultimate] = await backend.lookup(
      [queryOf(call!, "single"), queryOf(call!, "ultimate")],
      () => true,
    );
    expect([single?.value.text, ultimate?.callHash]).toEqual([call!.value.text, call!.callHash]);
  });

  test("is brought up to date, unless that is refused", async () => {
    const name = newName();
    await writeFirst(name);
    const refusing = new IndexedDbBackend(name, { schema: [...SCHEMA, next] });
    await expect(refusing.load({ migrate: false })).rejects.toMatchObject({
      code: "backend-version",
      message: `Cannot open the store ${name}: its version 1 is older than 2`,
    });
    const backend = await open(name, [...SCHEMA, next]);
    expect((await backend.getJobs([idOf("old")]))[0]?.startTime).toBe(1001);
    expect(await backend.find({ type: "Job" })).toEqual([{ type: "Job", id: idOf("old") }]);
    // An empty store is made, whatever the option says.
    const empty = new IndexedDbBackend(newName());
    await empty.load({ migrate: false });
    await empty.close();
  });

  test("is refused where it is newer, and left as it is", async () => {
    const name = newName();
    await (await open(name, [...SCHEMA, next])).close();
    await expect(new IndexedDbBackend(name).load()).rejects.toMatchObject({
      code: "backend-version",
      message: `Cannot open the store ${name}: its version 2 is too new for this redun, which knows up to 1`,
      fields: { path: name, version: 2 },
    });
    await (await open(name, [...SCHEMA, next])).close();
  });

  test("is refused where it is another program's", async () => {
    const name = newName();
    const db = new Dexie(name);
    db.version(1).stores({ notes: "id" });
    await db.open();
    db.close();
    await expect(new IndexedDbBackend(name).load()).rejects.toMatchObject({ code: "backend-version" });
    await remove(name);
  });

  test("goes on to a newer one while another tab is open, which then says so", async () => {
    const name = newName();
    const old = await open(name);
    const newer = await open(name, [...SCHEMA, next]);
    await newer.write(batchOf({ tasks: [main] }));
    await expect(old.write(batchOf({ tasks: [add] }))).rejects.toMatchObject({
      code: "backend",
      message: `Cannot use the store ${name}: it is not open`,
    });
    await expect(old.getTasks([main.hash])).rejects.toMatchObject({ code: "backend" });
  });

  test("must be loaded before it is used", async () => {
    const backend = new IndexedDbBackend(newName());
    await expect(backend.getTasks([main.hash])).rejects.toMatchObject({ code: "backend" });
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
