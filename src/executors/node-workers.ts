import { Worker } from "node:worker_threads";
import { isFromWorker } from "./check-message.ts";
import { engineModule, type ProcessSettings, startChild } from "./child-process.ts";
import { processTickets } from "./pipe-tickets.ts";
import { sharedTickets } from "./tickets.ts";
import type { WorkerHandle, WorkerKind, WorkerListener } from "./worker-handle.ts";
import type { FromWorker, ToWorker } from "./worker-messages.ts";

/** How workers are started. */
export type WorkerSettings = ProcessSettings;

/** The module that a worker runs. */
const MODULE = "process-worker";

/** Child processes as workers. */
export function processKind(settings: WorkerSettings): WorkerKind {
  return {
    name: "worker process",
    hint: "Does the task end the process, or use more memory than there is?",
    start: (listener) => startChild<ToWorker, FromWorker>(MODULE, settings, isFromWorker, listener),
    makeTickets: processTickets,
  };
}

/** Threads of this process as workers. */
export function threadKind(settings: WorkerSettings): WorkerKind {
  return {
    name: "worker thread",
    hint: "Does the task end the process, or use more memory than there is?",
    start: (listener) => startThread(listener, settings),
    makeTickets: sharedTickets,
  };
}

function startThread(listener: WorkerListener, { execArgv, env }: WorkerSettings): WorkerHandle {
  const worker = new Worker(engineModule(MODULE), {
    stdout: true,
    stderr: true,
    ...(execArgv === undefined ? {} : { execArgv: [...execArgv] }),
    ...(env === undefined ? {} : { env: env as NodeJS.ProcessEnv }),
  });
  let failure: string | undefined;
  worker.on("message", (message: FromWorker) => listener.message(message));
  worker.on("error", (error) => {
    failure = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  });
  worker.on("exit", (code) => listener.ended(failure ?? `exit code ${code}`));
  for (const stream of [worker.stdout, worker.stderr])
    stream.on("data", (chunk: Uint8Array) => listener.output(chunk));
  return {
    send: (message) => worker.postMessage(message),
    kill: () => void worker.terminate(),
    hold: (on) => (on ? worker.ref() : worker.unref()),
  };
}
