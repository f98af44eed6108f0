/** What runs in the process of one code package: describes it, and runs its jobs that may await expressions. */
import { writeSync } from "node:fs";
import { format } from "node:util";
import "./index.ts";
import { captureStreams } from "./executors/capture-output.ts";
import { serveHost } from "./executors/host-loop.ts";
import type { ToHost } from "./executors/host-messages.ts";
import { runOwnedScript } from "./executors/script-runner.ts";
import { registerHttpFileSystem } from "./file-systems/http.ts";
import { registerLocalFileSystem } from "./file-systems/local.ts";
import { loadPackageFile } from "./package/load.ts";

registerLocalFileSystem();
registerHttpFileSystem();

// Jobs may put another in its place.
const send = process.send!.bind(process);

const host = serveHost({
  send: (message) => void send(message, undefined, undefined, () => {}),
  loadPackage: async (path) => (await loadPackageFile(path)).tasks,
  runScript: runOwnedScript,
});
captureStreams(host.log);

const escaped = (error: unknown): void => {
  if (host.fail(error)) return;
  // Past the capture, and before the process ends.
  writeSync(2, `${format(error)}\n`);
  process.exit(1);
};
process.on("uncaughtException", escaped);
process.on("unhandledRejection", escaped);

// Without its owner it has nothing to do.
process.on("disconnect", () => process.exit());
// An interrupt from the terminal is for the owner, which decides what it means.
process.on("SIGINT", () => {});
process.on("message", (message) => host.receive(message as ToHost));
