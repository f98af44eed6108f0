import { toJobError } from "../executor/job-error.ts";
import { runJob } from "../executor/run-job.ts";
import type { FromWorker, ToWorker } from "./worker-messages.ts";

/** The channel to the process that owns this worker. */
export interface WorkerChannel {
  send(message: FromWorker): void;
  listen(listener: (message: ToWorker) => void): void;
}

type JobMessage = Extract<ToWorker, { type: "job" }>;

/** So many of a job's last lines go with its result. */
const LOG_TAIL = 100;

/**
 * Runs the jobs that arrive on a channel, one after another. What a job prints becomes its log.
 *
 * @param loadPackage - loads the local copy of a code package
 */
export function serveJobs(channel: WorkerChannel, loadPackage: (path: string) => Promise<unknown>): void {
  const queue: JobMessage[] = [];
  let ready: Promise<unknown> = Promise.resolve();
  let busy = false;
  let current: { id: number; tail: string[] } | undefined;
  captureOutput((line) => {
    if (current === undefined) return;
    current.tail.push(line);
    if (current.tail.length > LOG_TAIL) current.tail.shift();
    channel.send({ type: "log", id: current.id, line });
  });

  const work = async (): Promise<void> => {
    if (busy) return;
    busy = true;
    for (let message = queue.shift(); message !== undefined; message = queue.shift()) {
      const { id, spec, packagePath } = message;
      const tail: string[] = [];
      current = { id, tail };
      const abort = new AbortController();
      try {
        await ready;
        const result = await runJob(
          spec,
          { signal: abort.signal, log: (line) => console.log(line) },
          { loadPackage: async () => (packagePath === undefined ? undefined : loadPackage(packagePath)) },
        );
        flushOutput();
        channel.send({ type: "result", id, result: tail.length === 0 ? result : { ...result, log: tail } });
      } catch (error) {
        channel.send({ type: "result", id, result: { ok: false, error: toJobError(error), log: tail } });
      }
      current = undefined;
    }
    busy = false;
  };

  channel.listen((message) => {
    if (message.type === "init") {
      ready = Promise.all(message.modules.map((module) => import(module)));
      // Its failure is told with the first job.
      ready.catch(() => {});
    } else if (message.type === "job") {
      queue.push(message);
      void work();
    } else {
      channel.send({ type: "returned", ids: queue.splice(0).map(({ id }) => id) });
    }
  });
}

let flushOutput: () => void = () => {};

/** Hands every line that is printed to a listener, in place of the streams. */
function captureOutput(listener: (line: string) => void): void {
  const flushes: (() => void)[] = [];
  for (const stream of [process.stdout, process.stderr]) {
    let partial = "";
    stream.write = ((chunk: string | Uint8Array, encoding?: unknown, callback?: unknown): boolean => {
      const lines = (partial + (typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk))).split(
        "\n",
      );
      partial = lines.pop()!;
      for (const line of lines) listener(line);
      const done = typeof encoding === "function" ? encoding : callback;
      if (typeof done === "function") queueMicrotask(() => (done as () => void)());
      return true;
    }) as typeof stream.write;
    flushes.push(() => {
      if (partial !== "") listener(partial);
      partial = "";
    });
  }
  flushOutput = () => {
    for (const flush of flushes) flush();
  };
}
