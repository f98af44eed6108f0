import type { ScriptRunner } from "../executor/executor.ts";
import { fromJobError, toJobError } from "../executor/job-error.ts";
import { runJob } from "../executor/run-job.ts";
import { mayBegin } from "./lease.ts";
import type { CapturedOutput } from "./output-pace.ts";
import type { TicketPlace, Tickets } from "./tickets.ts";
import type { FromWorker, JobMessage, PackageContent, ToWorker } from "./worker-messages.ts";

/** The channel to the process that owns this worker. */
export interface WorkerChannel {
  /** @returns whether it went out, or a promise for that */
  send(message: FromWorker): void | Promise<void>;
  listen(listener: (message: ToWorker) => void): void;
}

/** What a worker's runtime provides. */
export interface WorkerRuntime {
  /** Hands what is printed to a listener, in place of showing it. */
  captureOutput(listener: (lines: readonly string[]) => void): CapturedOutput;
  openTickets(place: TicketPlace): Tickets;
  /**
   * Makes the tasks of a job's code package known. Called before each job of one, since several packages may define
   * tasks of the same name.
   *
   * @param content - asks the owner for a package's content; it travels once, unless the package can't be loaded
   */
  loadPackage(job: JobMessage, content: (hash: string) => Promise<PackageContent>): Promise<unknown>;
  /** How a worker runs scripts, if they come to it. */
  readonly runScript?: ScriptRunner;
}

/** Longer results, in characters, are on their way before the next job begins, which may end the worker. */
const LARGE = 50_000;

/**
 * Runs the jobs that arrive on a channel, one after another. What a job prints becomes its log.
 *
 * @returns what keeps further jobs from beginning
 */
export function serveJobs(channel: WorkerChannel, runtime: WorkerRuntime): () => void {
  let queue: JobMessage[] = [];
  let modules: readonly string[] = [];
  let tickets: Tickets | undefined;
  let until = 0;
  let stopped = false;
  let busy = false;
  let current: number | undefined;
  const packages = new Map<string, PromiseWithResolvers<PackageContent>>();
  const output = runtime.captureOutput((lines) => {
    if (current !== undefined) channel.send({ type: "log", id: current, lines });
  });

  // A job ends early with its worker only, so one signal, which never aborts, does for all.
  const context = { signal: new AbortController().signal, log: (line: string) => output.line(line) };

  const loadModules = once(() => Promise.all(modules.map((module) => import(/* @vite-ignore */ module))));

  const loadPackage = async (job: JobMessage, hash: string): Promise<void> => {
    try {
      await runtime.loadPackage(job, packageContent);
    } catch (error) {
      // What was sent may be at fault, so it is asked for again.
      packages.delete(hash);
      throw error;
    }
  };

  const packageContent = (hash: string): Promise<PackageContent> => {
    let asked = packages.get(hash);
    if (asked === undefined) {
      asked = Promise.withResolvers();
      packages.set(hash, asked);
      channel.send({ type: "package", hash });
    }
    return asked.promise;
  };

  const run = async (job: JobMessage): Promise<FromWorker & { type: "result" }> => {
    const id = current!;
    try {
      if (modules.length > 0) await loadModules();
      const result = await runJob(job.spec, context, {
        loadPackage: (hash) => loadPackage(job, hash),
        runScript: runtime.runScript,
      });
      return { type: "result", id, result };
    } catch (error) {
      return { type: "result", id, result: { ok: false, error: toJobError(error) } };
    }
  };

  /** The next job, if it may begin. Otherwise those that wait here go to another worker, and a message says which. */
  const begin = (): JobMessage | undefined => {
    const next = queue[0];
    if (next === undefined || stopped) return undefined;
    const { id, ticket } = next;
    const may =
      !ticket ||
      (tickets !== undefined
        ? tickets.take(1) === 1
        : mayBegin(until, (begun) => void channel.send({ type: "begun", id, begun })));
    return may ? queue.shift() : undefined;
  };

  const work = async (): Promise<void> => {
    if (busy) return;
    busy = true;
    for (let next = begin(); next !== undefined; next = begin()) {
      current = next.id;
      const message = await run(next);
      output.flush();
      current = undefined;
      const sent = channel.send(message);
      if (message.result.ok && message.result.value.length > LARGE) await sent;
    }
    busy = false;
  };

  channel.listen((message) => {
    switch (message.type) {
      case "init":
        ({ modules } = message);
        channel.send({ type: "ready" });
        break;
      case "tickets":
        tickets = runtime.openTickets(message.place);
        channel.send({ type: "tickets" });
        break;
      case "jobs":
        queue.push(...message.jobs);
        if (message.until !== undefined) until = message.until;
        void work();
        break;
      case "lease":
        ({ until } = message);
        void work();
        break;
      case "forget": {
        const ids = new Set(message.ids);
        queue = queue.filter(({ id }) => !ids.has(id));
        channel.send({ type: "forgotten" });
        void work();
        break;
      }
      case "package": {
        const asked = packages.get(message.hash)!;
        if ("content" in message) asked.resolve(message.content);
        else asked.reject(fromJobError(message.error));
      }
    }
  });
  return () => {
    stopped = true;
  };
}

/** A function that does its work at the first call, and gives the same promise at the others. */
function once<T>(work: () => Promise<T>): () => Promise<T> {
  let promise: Promise<T> | undefined;
  return () => {
    promise ??= work();
    return promise;
  };
}
