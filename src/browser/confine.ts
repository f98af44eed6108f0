/**
 * What code of a workflow may reach in a worker. It runs on the app's own origin, so all that this site keeps would be
 * open to it: other repositories, the app's own files in its cache, the channel on which pages and engines talk.
 *
 * {@link confine} takes the ways there out of a worker, for good, before the first line of such code is loaded. What is
 * left: the network, timers, `crypto`, WebAssembly, and the files that the engine's file systems give it. A job worker
 * holds nothing else. The engine's worker does hold its own repository, and `async` functions run there: they are kept
 * from everything but that repository.
 *
 * Whatever the worker's own code needs of these it takes before, and keeps to itself.
 *
 * @module
 */

/** Ways to what this site keeps, to other threads and to other code. */
const WITHHELD = [
  "BroadcastChannel",
  "Cache",
  "CacheStorage",
  "FileSystemObserver",
  "IDBFactory",
  "LockManager",
  "ServiceWorkerContainer",
  "SharedWorker",
  "StorageBucketManager",
  "StorageManager",
  "Worker",
  "caches",
  "cookieStore",
  "importScripts",
  "indexedDB",
  "webkitRequestFileSystem",
  "webkitRequestFileSystemSync",
  "webkitResolveLocalFileSystemSyncURL",
  "webkitResolveLocalFileSystemURL",
] as const;

/** The same, of `navigator`. */
const WITHHELD_OF_NAVIGATOR = ["locks", "serviceWorker", "storage", "storageBuckets"] as const;

/** Takes those ways out of this worker. May be called again. */
export function confine(): void {
  const scope = globalThis as unknown as Record<string, unknown>;
  const { navigator } = globalThis;
  const storage = navigator.storage as StorageManager | undefined;
  for (const name of WITHHELD) {
    const type = scope[name];
    if (typeof type === "function" && type.prototype !== undefined) seal(type.prototype as object);
    remove(scope, name);
  }
  for (const name of WITHHELD_OF_NAVIGATOR) remove(navigator, name);
  // How much space there is tells nothing of what is in it, and errors say it.
  const space = Object.freeze({
    estimate: async () => storage?.estimate() ?? {},
    persisted: async () => storage?.persisted() ?? false,
  });
  Object.defineProperty(navigator, "storage", { value: space });
}

/** Objects of a class that stay in use lead to it by `constructor`, and to whoever puts a method in another's place. */
function seal(prototype: object): void {
  delete (prototype as { constructor?: unknown }).constructor;
  Object.freeze(prototype);
}

/** Removes a property wherever on the way up it is. @throws TypeError if the browser does not let it go */
function remove(from: object, name: string): void {
  for (let at: object | null = from; at !== null; at = Object.getPrototypeOf(at)) {
    if (Object.hasOwn(at, name)) delete (at as Record<string, unknown>)[name];
  }
  if (name in from) throw new TypeError(`Cannot confine the worker: the browser does not let go of ${name}`);
}
