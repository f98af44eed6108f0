/**
 * What Node and Deno add to the engine: the SQLite store in a file, executors in other processes, and the file
 * systems of disk and Web, which importing this module registers.
 *
 * @module
 */
import { registerFileSystems } from "./cli/runtime.ts";

export { SqliteBackend, type SqliteBackendOptions } from "./backends/sqlite-backend.ts";
export {
  type SyncOptions,
  type SyncProgress,
  type SyncSource,
  type SyncTarget,
  syncRecords,
} from "./backends/sync.ts";
export { openRepository as openRepo } from "./cli/repository.ts";
export { AliasExecutor } from "./executors/alias-executor.ts";
export { ProcessExecutor, type ProcessExecutorOptions } from "./executors/process-executor.ts";
export { runScript } from "./executors/script-runner.ts";
export { LocalFileSystem } from "./file-systems/local.ts";

registerFileSystems();
