/**
 * What a browser adds to the engine: stores on its private file system and in IndexedDB, jobs in Web Workers, and the
 * engine of a tab in a worker of its own.
 *
 * @module
 */
export { IndexedDbBackend } from "./backends/indexed-db-backend.ts";
export { OpfsSqliteBackend } from "./backends/opfs-sqlite-backend.ts";
export {
  type SyncOptions,
  type SyncProgress,
  type SyncSource,
  type SyncTarget,
  syncRecords,
} from "./backends/sync.ts";
export type * from "./browser/engine-api.ts";
export { openRepo } from "./browser/open-repo.ts";
export { copyStore } from "./browser/open-store.ts";
export { startEngine } from "./browser/start-engine.ts";
export { WebWorkerExecutor, type WebWorkerExecutorOptions } from "./executors/web-worker-executor.ts";
export { OpfsFileSystem, type OpfsFileSystemOptions, registerOpfsFileSystem } from "./file-systems/opfs.ts";
export { PickedFileSystem, type PickedSource, registerPickedFileSystem } from "./file-systems/picked.ts";
