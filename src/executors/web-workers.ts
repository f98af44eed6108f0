import { ExecutorError } from "../errors/errors.ts";
import { afterMessages } from "./lease.ts";
import { sharedTickets } from "./tickets.ts";
import type { WorkerHandle, WorkerKind, WorkerListener } from "./worker-handle.ts";
import type { FromWorker } from "./worker-messages.ts";
import type { WorkerWatch } from "./worker-watch.ts";

/** What a job worker says besides what every worker says: nothing else tells that a worker was closed from within. */
export interface WorkerClosed {
  readonly type: "closed";
}

/** What a job worker hears besides what every worker hears: where to ask for files. */
export interface FilesPort {
  readonly type: "files";
  readonly port: MessagePort;
}

interface Aside {
  /** Answers what a worker asks about files. */
  readonly serveFiles?: ((port: MessagePort) => void) | undefined;
  readonly watch?: WorkerWatch | undefined;
}

/**
 * Web Workers of a module as workers.
 *
 * @param url - address of the module
 * @param shareMemory - whether memory may be shared with them
 * @param aside - what else an owner does with each
 */
export function webWorkerKind(
  url: string,
  shareMemory: boolean,
  { serveFiles, watch }: Aside = {},
): WorkerKind {
  // Taken here, as whoever owns the pool may withhold it later from the code that runs beside it.
  const { Worker } = globalThis;
  const start = (): Worker => {
    const worker = new Worker(url, { type: "module", name: "redun job" });
    if (serveFiles !== undefined) {
      const { port1, port2 } = new MessageChannel();
      serveFiles(port1);
      worker.postMessage({ type: "files", port: port2 } satisfies FilesPort, [port2]);
    }
    return worker;
  };
  return {
    name: "Web Worker",
    hint: "Does the task close its worker, let an error escape, or use more memory than there is?",
    start: (listener) => startWebWorker(listener, url, start, watch),
    makeTickets: () => (shareMemory ? sharedTickets() : "lease"),
  };
}

function startWebWorker(
  listener: WorkerListener,
  url: string,
  make: () => Worker,
  watch: WorkerWatch | undefined,
): WorkerHandle {
  let worker: Worker | undefined;
  let started = false;
  let ending = false;
  const number = watch?.begin() ?? 0;
  const end = (reason: string, atStart: boolean): void => {
    if (ending) return;
    ending = true;
    listener.ending(() => {
      // What it said before is heard first; once it is terminated, that would be lost.
      afterMessages(() => {
        worker?.terminate();
        watch?.end(number);
        if (atStart) listener.neverStarted((task) => startError(task, url, reason));
        else listener.ended(reason);
      });
    });
  };
  try {
    worker = make();
  } catch (error) {
    // A pool hears of its end when it has the handle.
    queueMicrotask(() => end(error instanceof Error ? error.message : String(error), true));
  }
  worker?.addEventListener("message", ({ data }: MessageEvent<FromWorker | WorkerClosed>) => {
    started = true;
    if (data.type === "closed") return end("a call of close()", false);
    watch?.heard(number, data);
    listener.message(data);
  });
  worker?.addEventListener("error", (event) => {
    event.preventDefault();
    end(event.message || "an error that the browser does not describe", !started);
  });
  worker?.addEventListener("messageerror", () => end("a message that can't be read", false));
  return {
    // Text is cloned. As bytes it could be transferred, but to encode and decode it takes longer: for 20 million
    // characters 80 ms instead of 20 in Chromium, if they are Latin, and 220 instead of 45 if not.
    send: (message) => {
      worker?.postMessage(message);
      watch?.told(number, message);
    },
    kill: () => end("its termination", false),
    hold() {},
  };
}

function startError(task: string, url: string, reason: string): ExecutorError {
  return new ExecutorError(`Cannot run ${task}: the job worker ${url} does not start: ${reason}`, {
    hint: "Is the address right, and does it answer with a JavaScript module, on the page's own origin?",
    fields: { url, reason },
  });
}
