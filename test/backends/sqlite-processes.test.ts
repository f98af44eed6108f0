import { describe, expect, test } from "vitest";
import { batchOf, callOf, idOf, taskOf, valueRecord } from "../../src/backends/contract-records.ts";
import { SqlBackend } from "../../src/backends/sql-backend.ts";
import { SqliteBackend } from "../../src/backends/sqlite-backend.ts";
import { openSqlite } from "../../src/backends/sqlite-driver.ts";
import { Child } from "./child.ts";
import { problems, rowsOf, tempStore } from "./files.ts";

const count = (path: string, table: string): number =>
  rowsOf(path, `SELECT count(*) AS n FROM ${table}`)[0]!.n as number;

describe("processes that share a SQLite store", () => {
  test("open a new one at once and write at once, each record once", async () => {
    const path = tempStore();
    const [batches, size] = [15, 100];
    const writers = ["a", "b", "c"].map((name) => new Child("store-writer", path, name, batches, size));
    await Promise.all(writers.map((writer) => writer.until((line) => line === "ready")));
    for (const writer of writers) writer.say("go");
    expect(await Promise.all(writers.map((writer) => writer.ended))).toEqual([0, 0, 0]);
    expect(problems(path)).toEqual([]);
    expect(count(path, "redun_version")).toBe(1);
    expect(count(path, "execution")).toBe(3 * batches);
    expect(count(path, "job")).toBe(3 * batches * (size + 1));
    // Half of the calls are shared.
    const own = 3 * batches * (size / 2 + 1);
    expect(count(path, "call_node")).toBe(own + batches * (size / 2));
    expect(count(path, "call_edge")).toBe(3 * batches * size);
    expect(count(path, "task")).toBe(2);
    const backend = new SqliteBackend(path);
    await backend.load();
    expect(await backend.count({ type: "Job", jobStatus: ["DONE"] })).toBe(3 * batches * (size + 1));
    const [job] = await backend.getJobs([idOf("job b 3 7")]);
    expect(job).toMatchObject({
      executionId: idOf("execution b 3"),
      parentId: idOf("root b 3"),
      status: "DONE",
    });
    await backend.close();
  });

  test("see each other's records at once", async () => {
    const path = tempStore();
    const [a, b] = [new SqliteBackend(path), new SqliteBackend(path)];
    await a.load();
    await b.load();
    const task = taskOf("test.work");
    for (let i = 0; i < 20; i++) {
      const [writer, reader] = i % 2 === 0 ? [a, b] : [b, a];
      const call = callOf({ task, args: [valueRecord(i)], value: valueRecord(-i) });
      writer.write(batchOf({ tasks: [task], callNodes: [call] }));
      const { evalHash, taskHash, argsHash } = call;
      const [hit] = await reader.lookup(
        [{ evalHash: evalHash!, taskHash, argsHash, allowed: ["ultimate"], contextHash: undefined }],
        () => true,
      );
      expect(hit?.callHash).toBe(call.callHash);
    }
    await a.close();
    await b.close();
    expect(problems(path)).toEqual([]);
    expect(count(path, "call_node")).toBe(20);
  });

  test("wait for one that is writing", async () => {
    const path = tempStore();
    const backend = new SqliteBackend(path);
    await backend.load();
    const locker = new Child("store-locker", path, 300);
    await locker.until((line) => line === "locked");
    backend.write(batchOf({ values: [valueRecord("after")] }));
    expect(await backend.missing([valueRecord("after").hash])).toEqual([]);
    expect(await locker.ended).toBe(0);
    await backend.close();
  });

  test("give up on one that does not end, say so, and can go on later", async () => {
    const path = tempStore();
    const backend = new SqlBackend(path, async () => {
      const db = await openSqlite(path);
      db.exec("PRAGMA busy_timeout = 50");
      return db;
    });
    await backend.load();
    const locker = new Child("store-locker", path, 60_000);
    await locker.until((line) => line === "locked");
    const batch = batchOf({ values: [valueRecord("after")] });
    expect(() => backend.write(batch)).toThrow(
      expect.objectContaining({
        code: "backend",
        message: `Cannot use the store ${path}: another process keeps it locked`,
        hint: expect.stringContaining("Wait for the other run to end"),
      }),
    );
    // Reading goes on meanwhile.
    expect(await backend.count({ type: "Value" })).toBe(0);
    locker.process.kill("SIGKILL");
    expect(await locker.ended).toBe("SIGKILL");
    backend.write(batch);
    expect(await backend.count({ type: "Value" })).toBe(1);
    await backend.close();
  });
});

describe("a process that is killed", () => {
  test("while it writes leaves only whole batches", async () => {
    const path = tempStore();
    const size = 50;
    for (let round = 0; round < 3; round++) {
      const writer = new Child("store-writer", path, `round ${round}`, 100_000, size);
      await writer.until((line) => line === "ready");
      writer.say("go");
      await writer.until((line) => line === String(3 + 2 * round));
      writer.process.kill("SIGKILL");
      expect(await writer.ended).toBe("SIGKILL");
      const written = Number(writer.lines.at(-1));
      expect(problems(path)).toEqual([]);
      const stored = rowsOf(path, `SELECT count(*) AS n FROM execution WHERE args = '["round ${round}"]'`)[0]!
        .n;
      // What it said it has written is there, and perhaps one more.
      expect([written, written + 1]).toContain(stored);
      expect(count(path, "job")).toBe(count(path, "execution") * (size + 1));
    }
  });

  test("in the middle of a run leaves what the next one resumes from", async () => {
    const path = tempStore();
    const first = new Child("long-run", path, 70);
    await first.until((line) => line === "ran 70");
    first.process.kill("SIGKILL");
    await first.ended;
    expect(problems(path)).toEqual([]);
    const backend = new SqliteBackend(path);
    await backend.load();
    expect(await backend.count({ type: "Execution", executionStatus: ["RUNNING"] })).toBe(1);
    await backend.close();
    const second = new Child("long-run", path);
    expect(await second.ended).toBe(0);
    expect(second.lines.at(-1)).toBe("result 100");
    // At most the last moments before the end are lost.
    const again = second.lines.filter((line) => line.startsWith("ran ")).length;
    expect(again).toBeLessThan(90);
    expect(again).toBeGreaterThanOrEqual(30);
    expect(problems(path)).toEqual([]);
  });
});
