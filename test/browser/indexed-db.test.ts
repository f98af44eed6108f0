import { describe, expect, test } from "vitest";
import { describeBackend } from "../../src/backends/contract.ts";
import { IndexedDbBackend } from "../../src/backends/indexed-db-backend.ts";

/** Dexie would warn that it must wait until a connection is closed. */
const remove = (name: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error);
  });

let names = 0;
const newName = (): string => `redun-test-${++names}`;

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
