import { expect } from "vitest";
import type { Backend } from "../../src/backend/backend.ts";
import { describeBackend } from "../../src/backends/contract.ts";
import { batchOf, valueRecord } from "../../src/backends/contract-records.ts";
import { IndexedDbBackend } from "../../src/backends/indexed-db-backend.ts";
import { OpfsSqliteBackend } from "../../src/backends/opfs-sqlite-backend.ts";
import { openOpfsSqlite, removeOpfsSqlite } from "../../src/backends/sqlite-wasm-driver.ts";
import { copyStore } from "../../src/browser/open-store.ts";
import { Scheduler, task } from "../../src/index.ts";
import { serveSuite } from "./worker-suite.ts";

const newName = (): string => `test ${crypto.randomUUID()}`;

serveSuite((functions) => {
  const { describe, test } = functions;

  describeBackend(
    "SQLite on OPFS",
    async () => {
      const name = newName();
      return {
        backend: new OpfsSqliteBackend(name),
        reopen: () => new OpfsSqliteBackend(name),
        close: () => removeOpfsSqlite(name),
      };
    },
    { ...functions, expect },
  );

  describe("a store on OPFS", () => {
    test("is open in one worker at a time, and in the next when it is closed", async () => {
      const name = newName();
      const other = new Worker(new URL("./opfs-opener.ts", import.meta.url), { type: "module" });
      const opened = (): Promise<string> =>
        new Promise((resolve) => {
          other.onmessage = ({ data }: MessageEvent<string>) => resolve(data);
          other.postMessage(name);
        });
      const backend = new OpfsSqliteBackend(name);
      await backend.load();
      await backend.write(batchOf({ values: [valueRecord(1), valueRecord(2)] }));
      expect(await opened()).toBe(`Cannot open the store ${name}: another tab has it open`);
      await backend.close();
      expect(await opened()).toBe("opened, 2 values");
      await backend.load();
      expect(await backend.count({ type: "Value" })).toBe(2);
      await backend.close();
      other.terminate();
      await removeOpfsSqlite(name);
    });

    test("that a newer version has made is refused, and left as it is", async () => {
      const name = newName();
      const backend = new OpfsSqliteBackend(name);
      await backend.load();
      await backend.close();
      const driver = await openOpfsSqlite(name);
      driver.exec("INSERT INTO redun_version(id, version, minor, timestamp) VALUES ('x', 99, 0, '')");
      driver.close();
      await expect(backend.load()).rejects.toMatchObject({ code: "backend-version" });
      await expect(backend.load()).rejects.toThrow("too new");
      await removeOpfsSqlite(name);
    });

    test("moves to IndexedDB and back with all its records, and nothing runs again", async () => {
      const [one, two, three] = [newName(), newName(), newName()];
      const first = new OpfsSqliteBackend(one);
      const between = new IndexedDbBackend(two);
      const last = new OpfsSqliteBackend(three);
      for (const backend of [first, between, last]) await backend.load();
      let ran = 0;
      const double = task("moved.double", (n: number) => {
        ran++;
        return 2 * n;
      });
      const all = task("moved.all", (n: number) => {
        ran++;
        return Array.from({ length: n }, (_, i) => double(i));
      });
      await new Scheduler({ backend: first }).run(all(50));
      expect(await copyStore(first, between)).toBeGreaterThan(100);
      expect(await copyStore(between, last)).toBeGreaterThan(100);
      expect(await copyStore(between, last)).toBe(0);
      for (const type of ["Execution", "Job", "CallNode", "Task"] as const) {
        const ids = async (backend: Backend): Promise<string[]> =>
          (await backend.find({ type })).map(({ id }) => id).sort();
        expect(await ids(last)).toEqual(await ids(first));
      }
      expect(ran).toBe(51);
      for (const backend of [between, last]) {
        const scheduler = new Scheduler({ backend });
        expect(await scheduler.run(all(50))).toHaveLength(50);
        expect(scheduler.status().get("moved.double")).toMatchObject({ CACHED: 50, DONE: 0 });
      }
      expect(ran).toBe(51);
      for (const backend of [first, between, last]) await backend.close();
      for (const name of [one, three]) await removeOpfsSqlite(name);
      indexedDB.deleteDatabase(two);
    });
  });
});
