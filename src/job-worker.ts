/** What runs in a Web Worker for jobs: loads code packages and runs the jobs that it is sent. */
import { confine } from "./browser/confine.ts";
import { captureConsole } from "./executors/capture-console.ts";
import { paceOutput } from "./executors/output-pace.ts";
import { SharedTickets } from "./executors/tickets.ts";
import { webScriptRunner } from "./executors/web-shell.ts";
import type { FilesPort, WorkerClosed } from "./executors/web-workers.ts";
import { serveJobs } from "./executors/worker-loop.ts";
import type { FromWorker, ToWorker } from "./executors/worker-messages.ts";
import { registerHttpFileSystem } from "./file-systems/http.ts";
import { openOpfsFolder, registerOpfsFileSystem } from "./file-systems/opfs.ts";
import { registerPickedFileSystem } from "./file-systems/picked.ts";
import { pickedOverPort } from "./file-systems/picked-port.ts";
import * as redun from "./index.ts";
import type { PackageManifest } from "./package/types.ts";
import { loadWebPackage } from "./package/web-load.ts";

/** The global scope of a dedicated worker, as far as it is used here. */
interface Scope {
  close(): void;
  postMessage(message: FromWorker | WorkerClosed): void;
  addEventListener(type: "message", listener: (event: MessageEvent<ToWorker | FilesPort>) => void): void;
  addEventListener(type: "messageerror", listener: () => void): void;
  addEventListener(type: "unhandledrejection", listener: (event: PromiseRejectionEvent) => void): void;
}

const scope = globalThis as unknown as Scope;
// Jobs may put others in their place.
const postMessage = scope.postMessage.bind(scope);
const close = scope.close.bind(scope);

scope.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  reportError(event.reason);
});
scope.addEventListener("messageerror", () => {
  throw new Error("Cannot read a message from the worker's owner");
});

// Paths mean the same here as beside the scheduler.
registerHttpFileSystem();
const directory = openOpfsFolder();
registerOpfsFileSystem({ schemes: ["opfs", "file"], directory });
const files = Promise.withResolvers<MessagePort>();
registerPickedFileSystem(pickedOverPort(files.promise));

// From here on, code of workflows may come.
confine();

const stop = serveJobs(
  {
    send: postMessage,
    listen: (listener) =>
      scope.addEventListener("message", ({ data }) => {
        if (data.type === "files") files.resolve(data.port);
        else listener(data);
      }),
  },
  {
    captureOutput(listener) {
      const output = paceOutput(listener);
      captureConsole(output.line);
      return output;
    },
    runScript: webScriptRunner(),
    openTickets: (place) => new SharedTickets(place as SharedArrayBuffer),
    async loadPackage({ spec }, content) {
      // Nothing but that folder is to pass where code of workflows can see it.
      await directory.catch(() => {});
      const { hash, code, manifest, map } = await content(spec.package!);
      const pkg = { hash, code, manifest: manifest as PackageManifest };
      return loadWebPackage(map === undefined ? pkg : { ...pkg, map }, { redun });
    },
  },
);

// Its owner would not hear of it otherwise.
scope.close = () => {
  stop();
  postMessage({ type: "closed" });
  close();
};
