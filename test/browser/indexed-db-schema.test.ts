import { Dexie } from "dexie";
import { describe, expect, test } from "vitest";
import { batchOf, hashOf, idOf } from "../../src/backends/contract-records.ts";
import { IndexedDbBackend } from "../../src/backends/indexed-db-backend.ts";
import { packKey, rangesOf, unpackKey } from "../../src/backends/indexed-db-keys.ts";
import { SCHEMA, type SchemaStep } from "../../src/backends/indexed-db-schema.ts";
import { add, main, newName, numbers, open, queryOf, remove } from "./indexed-db-setup.ts";

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
