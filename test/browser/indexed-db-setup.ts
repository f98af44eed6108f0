import { afterEach, vi } from "vitest";
import type { CacheQuery } from "../../src/backend/backend.ts";
import type { CallNodeRecord, JobRecord, TaskRecord } from "../../src/backend/records.ts";
import { callOf, idOf, taskOf, valueRecord } from "../../src/backends/contract-records.ts";
import { IndexedDbBackend } from "../../src/backends/indexed-db-backend.ts";
import { SCHEMA, type SchemaStep } from "../../src/backends/indexed-db-schema.ts";

/** A name that no test before had, also in another file of the same origin. */
export const newName = (): string => `redun-test-${crypto.randomUUID()}`;

/** Dexie would warn that it must wait until a connection is closed. */
export const remove = (name: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error);
  });

const opened: { readonly backend: IndexedDbBackend; readonly name: string }[] = [];

/** A loaded store, closed and removed after the test. */
export async function open(
  name: string = newName(),
  schema: readonly SchemaStep[] = SCHEMA,
): Promise<IndexedDbBackend> {
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

export const add: TaskRecord = taskOf("math.add");
export const main: TaskRecord = taskOf("main");

/** Calls with numbers as arguments and results. */
export const numbers = (count: number, from = 0): CallNodeRecord[] =>
  Array.from({ length: count }, (_, i) =>
    callOf({ task: add, args: [valueRecord(from + i)], value: valueRecord(-1 - from - i) }),
  );

export const jobOf = (name: string, more: Partial<JobRecord> = {}): JobRecord => ({
  id: idOf(name),
  executionId: idOf("execution"),
  parentId: null,
  taskHash: main.hash,
  startTime: 1000,
  ...more,
});

export const queryOf = (call: CallNodeRecord, ...allowed: CacheQuery["allowed"]): CacheQuery => ({
  evalHash: call.evalHash!,
  taskHash: call.taskHash,
  argsHash: call.argsHash,
  allowed,
  contextHash: undefined,
});
