/**
 * The sources from which tasks were built in this browser, by the tasks' hashes. The store keeps a task's own text only,
 * and the change that made it another task may be elsewhere.
 *
 * @module
 */
import type { BuiltWorkflow } from "../../src/browser/engine-api.ts";

const DATABASE = "redun-app";
const SOURCES = "sources";
const TASKS = "tasks";

let opened: Promise<IDBDatabase> | undefined;

function open(): Promise<IDBDatabase> {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(SOURCES);
      request.result.createObjectStore(TASKS);
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened;
}

/** Remembers what a workflow's tasks were built from. A browser that keeps nothing loses no more than this. */
export async function rememberSource({ hash, manifest }: BuiltWorkflow, source: string): Promise<void> {
  try {
    const transaction = (await open()).transaction([SOURCES, TASKS], "readwrite");
    transaction.objectStore(SOURCES).put(source, hash);
    for (const task of manifest.tasks) transaction.objectStore(TASKS).put(hash, task.hash);
  } catch {
    // As said above.
  }
}

/** The source from which a task was built last, if it was in this browser. */
export async function sourceOfTask(taskHash: string): Promise<string | undefined> {
  try {
    const transaction = (await open()).transaction([SOURCES, TASKS]);
    const hash = await get<string>(transaction.objectStore(TASKS), taskHash);
    return hash === undefined ? undefined : await get<string>(transaction.objectStore(SOURCES), hash);
  } catch {
    return undefined;
  }
}

function get<T>(store: IDBObjectStore, key: string): Promise<T | undefined> {
  const request: IDBRequest<T | undefined> = store.get(key);
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
