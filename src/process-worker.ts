/** What runs in a worker process or thread: loads code packages and runs the jobs it is sent. */
import { isMainThread, parentPort } from "node:worker_threads";
import "./index.ts";
import { serveJobs } from "./executors/worker-loop.ts";
import type { ToWorker } from "./executors/worker-messages.ts";
import { registerLocalFileSystem } from "./file-systems/local.ts";
import { loadPackageFile } from "./package/load.ts";

registerLocalFileSystem();

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
    loadPackageFile,
  );
} else {
  serveJobs(
    {
      send: (message) => parentPort!.postMessage(message),
      listen: (listener) => void parentPort!.on("message", (message: ToWorker) => listener(message)),
    },
    loadPackageFile,
  );
}
