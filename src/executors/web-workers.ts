import { ExecutorError } from "../errors/errors.ts";
import { sharedTickets } from "./tickets.ts";
import type { WorkerHandle, WorkerKind, WorkerListener } from "./worker-handle.ts";
import type { FromWorker } from "./worker-messages.ts";

/** What a job worker says besides what every worker says: nothing else tells that a worker was closed from within. */
export interface WorkerClosed {
  readonly type: "closed";
}

/** Web Workers of a module as workers. @param url - address of the module */
export function webWorkerKind(url: string): WorkerKind {
  return {
    name: "Web Worker",
    hint: "Does the task close its worker, let an error escape, or use more memory than there is?",
    start: (listener) => startWebWorker(listener, url),
    // Memory is shared where the page is isolated from other origins.
    makeTickets: () => (globalThis.crossOriginIsolated ? sharedTickets() : undefined),
  };
}

function startWebWorker(listener: WorkerListener, url: string): WorkerHandle {
  let worker: Worker | undefined;
  let started = false;
  let ending = false;
  const end = (reason: string): void => {
    if (ending) return;
    ending = true;
    listener.ending();
    // What it said before is heard first; once it is terminated, that would be lost.
    afterMessages(() => {
      worker?.terminate();
      if (started) listener.ended(reason);
      else listener.neverStarted((task) => startError(task, url, reason));
    });
  };
  try {
    worker = new Worker(url, { type: "module", name: "redun job" });
  } catch (error) {
    // A pool hears of its end when it has the handle.
    queueMicrotask(() => end(error instanceof Error ? error.message : String(error)));
  }
  worker?.addEventListener("message", ({ data }: MessageEvent<FromWorker | WorkerClosed>) => {
    started = true;
    if (data.type === "closed") end("a call of close()");
    else listener.message(data);
  });
  worker?.addEventListener("error", (event) => {
    event.preventDefault();
    end(event.message || "an error that the browser does not describe");
  });
  worker?.addEventListener("messageerror", () => end("a message that can't be read"));
  return {
    send: (message) => worker?.postMessage(message),
    kill: () => end("its termination"),
    hold() {},
  };
}

function startError(task: string, url: string, reason: string): ExecutorError {
  return new ExecutorError(`Cannot run ${task}: the job worker ${url} does not start: ${reason}`, {
    hint: "Is the address right, and does it answer with a JavaScript module, on the page's own origin?",
    fields: { url, reason },
  });
}

/** Calls a function when the messages that have arrived here are handled. */
function afterMessages(then: () => void): void {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    then();
  };
  port2.postMessage(null);
}
