/** What runs in a worker process or thread: loads code packages and runs the jobs it is sent. */
import { isMainThread, parentPort } from "node:worker_threads";
import "./index.ts";
import { captureOutput } from "./executors/capture-output.ts";
import { openTickets } from "./executors/pipe-tickets.ts";
import { runOwnedScript } from "./executors/script-runner.ts";
import { serveJobs, type WorkerRuntime } from "./executors/worker-loop.ts";
import type { ToWorker } from "./executors/worker-messages.ts";
import { registerHttpFileSystem } from "./file-systems/http.ts";
import { registerLocalFileSystem } from "./file-systems/local.ts";
import { loadPackageFile } from "./package/load.ts";
import { loadedPackage } from "./package/loaded.ts";

registerLocalFileSystem();
registerHttpFileSystem();

const runtime: WorkerRuntime = {
  captureOutput,
  openTickets,
  loadPackage: async ({ packagePath, spec }) =>
    packagePath === undefined ? undefined : (loadedPackage(spec.package!) ?? loadPackageFile(packagePath)),
  runScript: runOwnedScript,
};

if (isMainThread) {
  // Without its owner a worker has nothing to do.
  process.on("disconnect", () => process.exit());
  // An interrupt from the terminal is for the owner, which decides what it means.
  process.on("SIGINT", () => {});
  serveJobs(
    {
      send: (message) =>
        new Promise((resolve) => process.send!(message, undefined, undefined, () => resolve())),
      listen: (listener) => void process.on("message", (message) => listener(message as ToWorker)),
    },
    runtime,
  );
} else {
  serveJobs(
    {
      send: (message) => parentPort!.postMessage(message),
      listen: (listener) => void parentPort!.on("message", (message: ToWorker) => listener(message)),
    },
    runtime,
  );
}
