import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { batchOf, callOf, taskOf, valueRecord } from "../../src/backends/contract-records.ts";
import { SqlBackend } from "../../src/backends/sql-backend.ts";
import { SqliteBackend } from "../../src/backends/sqlite-backend.ts";
import { openSqlite } from "../../src/backends/sqlite-driver.ts";
import { Scheduler, task } from "../../src/index.ts";
import { Child } from "./child.ts";
import { problems, rowsOf, tempFolder, tempStore, withDatabase } from "./files.ts";

const work = taskOf("test.work");

/** A store with so many calls, closed. */
async function makeStore(path: string, calls = 10): Promise<void> {
  const backend = new SqliteBackend(path);
  await backend.load();
  const records = Array.from({ length: calls }, (_, i) =>
    callOf({ task: work, args: [valueRecord(i)], value: valueRecord(`result ${i}`.repeat(20)) }),
  );
  backend.write(batchOf({ tasks: [work], callNodes: records }));
  await backend.close();
}

describe("the file of a SQLite store", () => {
  test("is made with its folder, in write-ahead mode, and is one file when closed", async () => {
    const path = join(tempFolder(), "deep/er/redun.db");
    const backend = new SqliteBackend({ path });
    await backend.load();
    expect(rowsOf(path, "PRAGMA journal_mode")).toEqual([{ journal_mode: "wal" }]);
    backend.write(batchOf({ values: [valueRecord(1)] }));
    await backend.close();
    expect(readdirSync(dirname(path))).toEqual(["redun.db"]);
    expect(backend.path).toBe(path);
  });

  test("can be moved while it is closed", async () => {
    const path = tempStore();
    await makeStore(path);
    const copy = join(tempFolder(), "copy.db");
    copyFileSync(path, copy);
    const backend = new SqliteBackend(copy);
    await backend.load();
    expect(await backend.count({ type: "CallNode" })).toBe(10);
    await backend.close();
  });

  test("may be none: a store in memory", async () => {
    const backend = new SqliteBackend(":memory:");
    await backend.load();
    backend.write(batchOf({ values: [valueRecord(1)] }));
    expect(await backend.count({ type: "Value" })).toBe(1);
    await backend.close();
    expect(existsSync(":memory:")).toBe(false);
  });

  test("is opened once, and closed as often as one likes", async () => {
    const backend = new SqliteBackend(tempStore());
    await expect(backend.count({ type: "Value" })).rejects.toMatchObject({
      code: "backend",
      message: expect.stringContaining("it is not open"),
      hint: "Call load() first.",
    });
    expect(() => backend.write(batchOf({}))).toThrow("it is not open");
    await backend.load();
    await backend.load();
    await backend.close();
    await backend.close();
    await backend.load();
    expect(await backend.count({ type: "Value" })).toBe(0);
    await backend.close();
  });

  test("takes less than 1,000 bytes a small job", async () => {
    const path = tempStore();
    const add = task({ name: "test.size.add", version: "1" }, (a: number, b: number) => a + b);
    const main = task({ name: "test.size.main", version: "1" }, (n: number) =>
      Array.from({ length: n }, (_, i) => add(i, 0.5)),
    );
    const scheduler = new Scheduler({ backend: new SqliteBackend(path) });
    const count = 5000;
    expect(((await scheduler.run(main(count))) as number[]).length).toBe(count);
    await scheduler.close();
    expect(rowsOf(path, "SELECT count(*) AS n FROM job")).toEqual([{ n: count + 1 }]);
    const bytes = statSync(path).size / count;
    expect(bytes).toBeLessThan(1000);
    expect(bytes).toBeGreaterThan(100);
  });
});

describe("a store that can't be used", () => {
  const failure = async (path: string): Promise<unknown> => {
    const backend = new SqliteBackend(path);
    try {
      await backend.load();
      await backend.exportRecords((await backend.find({ type: "CallNode" })).map(({ id }) => id));
      backend.write(batchOf({ values: [valueRecord("new")] }));
    } catch (error) {
      return error;
    } finally {
      await backend.close();
    }
    return undefined;
  };

  test("because Python's redun made it is refused and stays as it is", async () => {
    const path = tempStore();
    withDatabase(path, (db) =>
      db.exec(`CREATE TABLE alembic_version(version_num VARCHAR(32) NOT NULL PRIMARY KEY);
        INSERT INTO alembic_version VALUES ('0bee3d6dba76');
        CREATE TABLE redun_version(id VARCHAR PRIMARY KEY, version INTEGER NOT NULL, timestamp DATETIME NOT NULL);
        INSERT INTO redun_version VALUES ('x', 3, '2024-01-01');
        CREATE TABLE value(value_hash VARCHAR(40) PRIMARY KEY, type VARCHAR, format VARCHAR, value BLOB)`),
    );
    const before = readFileSync(path);
    expect(await failure(path)).toMatchObject({
      code: "backend-version",
      message: `Cannot open the store ${path}: it was made by Python's redun`,
      hint: expect.stringContaining("Use another folder"),
    });
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(readdirSync(dirname(path))).toEqual(["redun.db"]);
  });

  test.for([
    [1, 999],
    [2, 0],
    [99, 0],
  ])("because version %d.%d is newer is refused and stays as it is", async ([major, minor]) => {
    const path = tempStore();
    await makeStore(path);
    withDatabase(path, (db) =>
      db.exec(
        `INSERT INTO redun_version(id, version, minor, timestamp) VALUES ('new', ${major}, ${minor}, '2040-01-01')`,
      ),
    );
    const before = readFileSync(path);
    expect(await failure(path)).toMatchObject({
      code: "backend-version",
      message: expect.stringContaining(`its version ${major}.${minor} is too new for this redun`),
      fields: { path, version: `${major}.${minor}` },
    });
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test("because another program made it is refused and stays as it is", async () => {
    const path = tempStore();
    withDatabase(path, (db) => db.exec("CREATE TABLE value(name TEXT)"));
    const before = readFileSync(path);
    expect(await failure(path)).toMatchObject({
      code: "backend-version",
      message: `Cannot open the store ${path}: it holds tables of another program`,
    });
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test("because it is older is refused where it must not be changed", async () => {
    const path = tempStore();
    withDatabase(path, (db) =>
      db.exec(`CREATE TABLE redun_version(id TEXT PRIMARY KEY, version INTEGER NOT NULL, minor INTEGER NOT NULL, timestamp TEXT NOT NULL);
        INSERT INTO redun_version VALUES ('x', 0, 9, '2024-01-01')`),
    );
    const backend = new SqliteBackend(path);
    await expect(backend.load({ migrate: false })).rejects.toMatchObject({
      code: "backend-version",
      hint: expect.stringContaining("redun db upgrade"),
    });
    await backend.load();
    expect(await backend.count({ type: "Value" })).toBe(0);
    await backend.close();
  });

  test("because it is no database is told, and stays as it is", async () => {
    const path = tempStore();
    writeFileSync(path, "This is the text of a letter.\n".repeat(1000));
    const before = readFileSync(path);
    expect(await failure(path)).toMatchObject({
      code: "backend",
      message: `Cannot open the store ${path}: it is not a SQLite database`,
      hint: expect.stringContaining("Move the file away"),
    });
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test("because it is a folder, or its folder is a file, is told", async () => {
    const folder = tempFolder();
    mkdirSync(join(folder, "redun.db"));
    writeFileSync(join(folder, "file"), "");
    for (const path of [join(folder, "redun.db"), join(folder, "file", "redun.db")]) {
      expect(await failure(path)).toMatchObject({
        code: "backend",
        message: `Cannot open the store ${path}: the file cannot be opened`,
      });
    }
  });

  test("because it is damaged is told", async () => {
    const path = tempStore();
    await makeStore(path, 3000);
    const size = statSync(path).size;
    const bytes = readFileSync(path);
    // All but the first page.
    for (let at = 4096; at < size; at += 64) bytes.fill(0xff, at, at + 32);
    writeFileSync(path, bytes);
    expect(await failure(path)).toMatchObject({
      code: "backend",
      message: expect.stringContaining(`the store ${path}: it is damaged`),
      hint: expect.stringContaining("Restore a copy"),
    });
  });

  test("because it is cut short is told", async () => {
    const path = tempStore();
    await makeStore(path, 3000);
    truncateSync(path, 3 * 4096);
    expect(await failure(path)).toMatchObject({
      code: "backend",
      message: expect.stringContaining(`the store ${path}: it is damaged`),
    });
  });

  test("because of its permissions is told", async () => {
    const told = async (path: string): Promise<unknown> => {
      const opener = new Child("store-opener", path);
      expect(await opener.ended).toBe(0);
      return JSON.parse(opener.lines.join("\n"));
    };
    const folder = tempFolder();
    chmodSync(folder, 0o755);
    const path = join(folder, "store", "redun.db");
    await makeStore(path);
    // One that may be read only.
    chmodSync(path, 0o444);
    chmodSync(dirname(path), 0o555);
    expect(await told(path)).toMatchObject({
      code: "backend",
      message: expect.stringMatching(/^Cannot .* the store .*: (it is read-only|the file cannot be opened)$/),
      hint: expect.stringContaining("-c"),
    });
    // One that may not be read at all.
    chmodSync(path, 0o000);
    expect(await told(path)).toMatchObject({
      code: "backend",
      message: expect.stringContaining("the file cannot be opened"),
    });
    // A folder in which nothing can be made.
    for (const name of ["new.db", "new/redun.db"]) {
      expect(await told(join(folder, name))).toMatchObject({
        code: "backend",
        message: `Cannot open the store ${join(folder, name)}: the file cannot be opened`,
      });
    }
    expect(problems(path)).toEqual([]);
  });
});

describe("a full disk", () => {
  const limited = (path: string, pages: number): SqlBackend =>
    new SqlBackend(path, async () => {
      const db = await openSqlite(path);
      db.exec(`PRAGMA max_page_count = ${pages}`);
      return db;
    });

  test("fails a batch as a whole, and lets one go on when there is space", async () => {
    const path = tempStore();
    const small = limited(path, 200);
    await small.load();
    const calls = Array.from({ length: 40 }, (_, i) =>
      callOf({ task: work, args: [valueRecord(i)], value: valueRecord(`${i}`.repeat(20_000)) }),
    );
    small.write(batchOf({ tasks: [work], callNodes: calls.slice(0, 5) }));
    expect(() => small.write(batchOf({ callNodes: calls }))).toThrow(
      expect.objectContaining({
        code: "backend",
        message: `Cannot write the store ${path}: the disk is full`,
        hint: expect.stringContaining("Free some space"),
      }),
    );
    expect(await small.count({ type: "CallNode" })).toBe(5);
    expect(await small.missing(calls.slice(4, 6).map(({ callHash }) => callHash))).toEqual([
      calls[5]!.callHash,
    ]);
    await small.close();
    expect(problems(path)).toEqual([]);
    const roomy = limited(path, 20_000);
    await roomy.load();
    roomy.write(batchOf({ callNodes: calls }));
    expect(await roomy.count({ type: "CallNode" })).toBe(40);
    await roomy.close();
  });

  test("ends a run with what is the matter, and keeps what was stored", async () => {
    const path = tempStore();
    const big = task({ name: "test.big", version: "1" }, (n: number) => `${n}`.padEnd(50_000, "."));
    const main = task({ name: "test.many", version: "1" }, (n: number) =>
      Array.from({ length: n }, (_, i) => big(i)),
    );
    const scheduler = new Scheduler({ backend: limited(path, 500) });
    await expect(scheduler.run(main(200))).rejects.toMatchObject({
      code: "backend",
      message: expect.stringContaining("the disk is full"),
    });
    await scheduler.close();
    expect(problems(path)).toEqual([]);
    const again = new Scheduler({ backend: new SqliteBackend(path) });
    expect(((await again.run(main(200))) as string[]).length).toBe(200);
    await again.close();
  });

  test("is nothing to a value that is too large for the store, which is told by itself", async () => {
    const path = tempStore();
    const backend = new SqliteBackend({ path, maxValueSize: 1000 });
    await backend.load();
    backend.write(batchOf({ values: [valueRecord("é".repeat(499))] }));
    expect(() => backend.write(batchOf({ values: [valueRecord(1), valueRecord("é".repeat(500))] }))).toThrow(
      expect.objectContaining({
        code: "backend",
        message: "Cannot store a value of type string: its 1002 bytes are more than max_value_size, 1000",
        hint: expect.stringContaining("Write large data to a file"),
        fields: { size: 1002, limit: 1000, type: "string" },
      }),
    );
    expect(await backend.count({ type: "Value" })).toBe(1);
    await backend.close();
  });
});
