import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { describeBackend } from "../../src/backends/contract.ts";
import {
  batchOf,
  callOf,
  evaluationOf,
  hashOf,
  taskOf,
  valueRecord,
} from "../../src/backends/contract-records.ts";
import { DurableObjectBackend } from "../../src/backends/durable-object-backend.ts";
import { openDurableObject } from "../../src/backends/durable-object-driver.ts";
import { R2ValueStore } from "../../src/backends/r2-value-store.ts";
import { LATEST_VERSION, MIGRATIONS, migrate, schemaVersion } from "../../src/backends/sql-schema.ts";
import { Scheduler, task } from "../../src/index.ts";
import { backendIn, inObject, newObject } from "./objects.ts";

describeBackend(
  "Durable Object",
  async () => {
    const stub = newObject();
    const valueStore = new R2ValueStore(env.BUCKET, { prefix: crypto.randomUUID() });
    return { backend: backendIn(stub, { valueStore }), reopen: () => backendIn(stub, { valueStore }, true) };
  },
  { describe, test, expect },
);

const work = taskOf("test.work");

describe("a store in a Durable Object", () => {
  test("answers the scheduler at once", async () => {
    await inObject(newObject(), async (storage) => {
      const backend = new DurableObjectBackend(storage);
      await backend.load();
      const call = callOf({ task: work, value: valueRecord(1) });
      expect(backend.write(batchOf({ tasks: [work], evaluations: [evaluationOf(call)] }))).toBe(undefined);
      const query = {
        ...call,
        evalHash: call.evalHash!,
        allowed: ["single"] as const,
        contextHash: undefined,
      };
      expect(backend.lookup([query], () => true)).toMatchObject([{ value: { text: "1" } }]);
    });
  });

  test("goes up and down step by step, to the same schema each time", async () => {
    await inObject(newObject(), (storage) => {
      const db = openDurableObject(storage, "here");
      const objects = (): unknown[] =>
        db
          .prepare("SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name")
          .all();
      migrate(db, "0.0");
      const schemas = [objects()];
      for (const { version } of MIGRATIONS) {
        migrate(db, version);
        expect(schemaVersion(db)).toBe(version);
        schemas.push(objects());
      }
      for (let i = MIGRATIONS.length - 1; i >= 0; i--) {
        expect(objects()).toEqual(schemas[i + 1]);
        migrate(db, MIGRATIONS[i - 1]?.version ?? "0.0");
        expect(objects()).toEqual(schemas[i]);
      }
      migrate(db, LATEST_VERSION);
      expect(objects()).toEqual(schemas.at(-1));
    });
  });

  test("is refused where it is newer, or is somebody else's", async () => {
    await inObject(newObject(), async (storage) => {
      await new DurableObjectBackend(storage).load();
      storage.sql.exec("CREATE TABLE own(id INTEGER)");
      // Tables beside it are no matter.
      await new DurableObjectBackend(storage).load();
      storage.sql.exec("INSERT INTO redun_version(id, version, minor, timestamp) VALUES ('x', 99, 0, '')");
      await expect(new DurableObjectBackend(storage).load()).rejects.toMatchObject({
        code: "backend-version",
        message: expect.stringContaining("in this Durable Object: its version 99.0 is too new"),
      });
    });
    await inObject(newObject(), async (storage) => {
      storage.sql.exec("CREATE TABLE own(id INTEGER)");
      await expect(new DurableObjectBackend(storage).load()).rejects.toMatchObject({
        code: "backend-version",
        message: expect.stringContaining("it holds tables of another program"),
      });
    });
  });

  test("cannot be opened where the object has no SQLite", async () => {
    await inObject(env.PLAIN.get(env.PLAIN.newUniqueId()), async (storage) => {
      await expect(new DurableObjectBackend(storage).load()).rejects.toMatchObject({
        code: "backend",
        message: "Cannot open the store in this Durable Object: its class has no SQLite",
        hint: expect.stringContaining("new_sqlite_classes"),
      });
    });
  });

  test("says what is wrong with a statement", async () => {
    await inObject(newObject(), (storage) => {
      const db = openDurableObject(storage, "here");
      expect(() => db.exec("SELECT * FROM absent")).toThrow(
        expect.objectContaining({
          code: "backend",
          message: expect.stringContaining("Cannot use the store here: no such table"),
          fields: { place: "here", sqlite: "SQLITE_ERROR" },
        }),
      );
      db.exec("CREATE TABLE t(bytes BLOB, text TEXT)");
      expect(() => db.prepare("INSERT INTO t(text) VALUES (?)").run("x".repeat(30_000_000))).toThrow(
        "a row or a parameter would be larger than the 2 MB that a Durable Object allows",
      );
      db.prepare("INSERT INTO t VALUES (?, ?)").run(new Uint8Array([1, 2]), null);
      expect(db.prepare("SELECT * FROM t").get()).toEqual({ bytes: new Uint8Array([1, 2]), text: null });
    });
  });

  test("takes a call of more children than one parameter can hold", async () => {
    await inObject(newObject(), async (storage) => {
      const backend = new DurableObjectBackend(storage);
      await backend.load();
      const leaf = callOf({ task: work, value: valueRecord(1) });
      const unknown = Array.from({ length: 50_000 }, (_, i) => hashOf(`unknown ${i}`));
      const root = callOf({ task: work, args: [valueRecord(2)], value: valueRecord(2) });
      const children = [...unknown, ...Array<string>(50_000).fill(leaf.callHash)];
      backend.write(batchOf({ tasks: [work], callNodes: [leaf, { ...root, children }] }));
      const [row] = await backend.getCallNodes([root.callHash]);
      expect(row?.children.length).toBe(50_000);
      expect(
        backend.lookup(
          unknown.map((evalHash) => ({ ...root, evalHash, allowed: ["single"], contextHash: undefined })),
          () => true,
        ),
      ).toEqual(unknown.map(() => undefined));
    });
  });
});

describe("large values", () => {
  const big = task({ name: "test.big", version: "1" }, (n: number) => `${n}`.repeat(5_000_000));
  const size = task({ name: "test.size", version: "1" }, (text: string) => text.length);
  let calls = 0;
  const main = task({ name: "test.main", version: "1" }, () => {
    calls++;
    return [size(big(1)), size(big(2))];
  });

  test("of 5 MB are in R2, and come back after an eviction", async () => {
    const stub = newObject();
    const prefix = `repos/${crypto.randomUUID()}`;
    calls = 0;
    const run = () =>
      inObject(stub, async (storage) => {
        const valueStore = new R2ValueStore(env.BUCKET, { prefix: `${prefix}/` });
        const scheduler = new Scheduler({ backend: new DurableObjectBackend(storage, { valueStore }) });
        const sizes = await scheduler.run(main());
        const text = await scheduler.run(big(1));
        await scheduler.close();
        return [sizes, text.length];
      });
    expect(await run()).toEqual([[5_000_000, 5_000_000], 5_000_000]);
    const { objects } = await env.BUCKET.list({ prefix });
    expect(objects.map(({ size }) => size)).toEqual([5_000_002, 5_000_002]);
    for (const { key } of objects) expect(key.slice(prefix.length)).toMatch(/^\/[0-9a-f]{2}\/[0-9a-f]{38}$/);
    expect(await run()).toEqual([[5_000_000, 5_000_000], 5_000_000]);
    // What is lost is made again.
    for (const { key } of objects) await env.BUCKET.delete(key);
    expect(await run()).toEqual([[5_000_000, 5_000_000], 5_000_000]);
    expect((await env.BUCKET.list({ prefix })).objects.length).toBeGreaterThan(0);
    expect(calls).toBe(1);
  });

  test("are refused where there is no value store", async () => {
    await inObject(newObject(), async (storage) => {
      const scheduler = new Scheduler({ backend: new DurableObjectBackend(storage) });
      await expect(scheduler.run(big(1))).rejects.toThrow("5000002 bytes are more than max_value_size");
    });
  });
});
