import { WebWorkerExecutor } from "../executors/web-worker-executor.ts";
import { registerHttpFileSystem } from "../file-systems/http.ts";
import { registerMemoryFileSystem } from "../file-systems/memory.ts";
import { registerOpfsFileSystem } from "../file-systems/opfs.ts";
import { Scheduler } from "../scheduler/scheduler.ts";
import { bestStore, makeStore } from "./open-store.ts";

/**
 * Opens a repository of this site in this very thread, making it where there is none: in SQLite on OPFS in a dedicated
 * worker, in IndexedDB on a page. A page that wants the scheduler off its thread has {@link startEngine}.
 *
 * @param name - of the repository. Default `default`
 */
export async function openRepo(name = "default"): Promise<Scheduler> {
  registerHttpFileSystem();
  registerMemoryFileSystem();
  registerOpfsFileSystem({ schemes: ["opfs", "file"] });
  const scheduler = new Scheduler({
    backend: makeStore(bestStore(), name),
    executors: [new WebWorkerExecutor()],
    config: { ignoreWarnings: ["namespace"] },
  });
  await scheduler.load();
  return scheduler;
}
