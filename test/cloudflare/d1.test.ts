import { env } from "cloudflare:workers";
import type { D1Database } from "@cloudflare/workers-types";
import { describe, expect, test } from "vitest";
import { describeBackend } from "../../src/backends/contract.ts";
import { batchOf, callOf, taskOf, valueRecord } from "../../src/backends/contract-records.ts";
import { D1Backend } from "../../src/backends/d1-backend.ts";
import { DurableObjectBackend } from "../../src/backends/durable-object-backend.ts";
import { R2ValueStore } from "../../src/backends/r2-value-store.ts";
import { LATEST_VERSION } from "../../src/backends/sql-schema.ts";
import { Scheduler, task } from "../../src/index.ts";
import { inObject, newObject } from "./objects.ts";

let used = 0;

/** A database that nobody used before. */
function newDatabase(): D1Database {
  const db = env[`D1_${used++}`];
  if (db === undefined) throw new Error(`The ${used} databases of vitest.config.ts are not enough`);
  return db;
}

describeBackend(
  "D1",
  async () => {
    const db = newDatabase();
    const valueStore = new R2ValueStore(env.BUCKET, { prefix: crypto.randomUUID() });
    return {
      backend: new D1Backend(db, { valueStore }),
      reopen: () => new D1Backend(db, { valueStore }),
    };
  },
  { describe, test, expect },
);

const work = taskOf("test.work");

describe("a store in D1", () => {
  test("is made once, however many Workers open it at the same time", async () => {
    const db = newDatabase();
    const backends = Array.from({ length: 5 }, () => new D1Backend(db));
    await Promise.all(backends.map((backend) => backend.load()));
    const { results } = await db.prepare("SELECT version, minor FROM redun_version").all();
    expect(results.map(({ version, minor }) => `${version}.${minor}`)).toEqual([LATEST_VERSION]);
  });

  test("has the same schema as any other", async () => {
    const db = newDatabase();
    await new D1Backend(db).load();
    const sql = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name";
    const { results } = await db.prepare(sql).all<{ name: string }>();
    const expected = await inObject(newObject(), async (storage) => {
      await new DurableObjectBackend(storage).load();
      return storage.sql.exec(sql).toArray();
    });
    const own = (rows: readonly Record<string, unknown>[]): unknown[] =>
      rows.filter(({ name }) => !String(name).startsWith("_cf_"));
    expect(own(results)).toEqual(own(expected));
  });

  test("is refused where it is newer, older and not to be migrated, or somebody else's", async () => {
    const db = newDatabase();
    await new D1Backend(db).load();
    await db.exec("INSERT INTO redun_version(id, version, minor, timestamp) VALUES ('x', 0, 1, '')");
    await expect(new D1Backend(db).load({ migrate: false })).rejects.toMatchObject({
      code: "backend-version",
      message: expect.stringContaining("in D1: its version 0.1 is older than"),
    });
    await db.exec("INSERT INTO redun_version(id, version, minor, timestamp) VALUES ('y', 99, 0, '')");
    await expect(new D1Backend(db).load()).rejects.toMatchObject({
      code: "backend-version",
      message: expect.stringContaining("its version 99.0 is too new"),
    });
    const other = newDatabase();
    await other.exec("CREATE TABLE own(id INTEGER)");
    await expect(new D1Backend(other).load()).rejects.toThrow("it holds tables of another program");
  });

  test("takes what two Workers write at once, and what both write once", async () => {
    const db = newDatabase();
    const [a, b] = [new D1Backend(db), new D1Backend(db)];
    await a.load();
    await b.load();
    const calls = Array.from({ length: 30 }, (_, i) =>
      callOf({ task: work, args: [valueRecord(i)], value: valueRecord(-i) }),
    );
    const batches = calls.map((call, i) =>
      batchOf({ tasks: [work], callNodes: [call, calls[(i + 1) % 30]!] }),
    );
    await Promise.all(batches.map((batch, i) => (i % 2 === 0 ? a : b).write(batch)));
    expect(await a.count({ type: "CallNode" })).toBe(30);
    const rows = await b.getCallNodes(calls.map(({ callHash }) => callHash));
    expect(rows.map((row) => row?.args.length)).toEqual(calls.map(() => 1));
  });

  test("says what is wrong, and stores nothing of a batch that fails", async () => {
    const db = newDatabase();
    const backend = new D1Backend(db, { maxValueSize: 100_000_000 });
    await expect(backend.count({ type: "Value" })).rejects.toThrow("in D1: it is not open");
    await backend.load();
    await db.exec(
      "CREATE TRIGGER refuse BEFORE INSERT ON r_job BEGIN SELECT RAISE(ABORT, 'no more jobs'); END",
    );
    const job = { id: "job", executionId: "run", parentId: null, taskHash: work.hash, startTime: 1 };
    await expect(backend.write(batchOf({ tasks: [work], jobs: [job] }))).rejects.toMatchObject({
      code: "backend",
      message: expect.stringContaining("Cannot write to the store in D1: no more jobs"),
    });
    expect(await backend.missing([work.hash])).toEqual([work.hash]);
  });

  test("serves a scheduler, values of 5 MB too", async () => {
    const db = newDatabase();
    let calls = 0;
    const big = task({ name: "test.big", version: "1" }, (n: number) => {
      calls++;
      return `${n}`.repeat(5_000_000);
    });
    const size = task({ name: "test.size", version: "1" }, (text: string) => text.length);
    const main = task({ name: "test.main", version: "1" }, () => [1, 2, 3].map((n) => size(big(n))));
    const valueStore = new R2ValueStore(env.BUCKET, { prefix: crypto.randomUUID() });
    for (let turn = 0; turn < 2; turn++) {
      const scheduler = new Scheduler({ backend: new D1Backend(db, { valueStore }) });
      expect(await scheduler.run(main())).toEqual([5_000_000, 5_000_000, 5_000_000]);
      await scheduler.close();
    }
    expect(calls).toBe(3);
  });
});
