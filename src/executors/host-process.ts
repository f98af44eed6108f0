import { ExecutorError, PackageError } from "../errors/errors.ts";
import type {
  Evaluated,
  ExecutorContext,
  JobResult,
  JobSpec,
  PackageDescription,
} from "../executor/executor.ts";
import { fromJobError, toJobError } from "../executor/job-error.ts";
import { type Child, type ProcessSettings, startChild } from "./child-process.ts";
import { type FromHost, isFromHost, type ToHost } from "./host-messages.ts";
import { Lines } from "./lines.ts";

/** How the process of a package is started and watched. Times are in milliseconds. */
export interface HostSettings extends ProcessSettings {
  readonly maxScripts: number;
  /** How long it is kept without a job. */
  readonly idleTimeout: number;
  /** How long it may take to load its package. */
  readonly loadTimeout: number;
  /** How long it may take to answer when a job was cancelled, before it is ended. */
  readonly answerTimeout: number;
}

/** A job that the process was given. */
interface HostedEntry {
  readonly spec: JobSpec;
  readonly context: ExecutorContext;
  readonly log: string[];
  readonly abort: () => void;
  readonly done: PromiseWithResolvers<JobResult>;
}

/** So many of a job's last lines go with its result. */
const LOG_TAIL = 1000;
/** So many lines go with the error of a process that has ended. */
const LOST_TAIL = 20;

/**
 * The process of one package, which runs jobs at the same time, as they may wait long for others.
 *
 * It owns the process and the jobs in it, and starts no other: when it has ended, `over` is called once. A job that is
 * cancelled is answered at once, and its code is told; the process then has to show that it still listens. If code of
 * cancelled jobs is all that is left at work, the process ends.
 */
export class HostProcess {
  /** What the package defines. Rejects if it can't be loaded. */
  readonly description: Promise<PackageDescription>;
  private readonly hash: string;
  private readonly settings: HostSettings;
  private readonly over: () => void;
  private readonly loaded: PromiseWithResolvers<PackageDescription> = Promise.withResolvers();
  private readonly child: Child<ToHost>;
  private readonly jobs = new Map<number, HostedEntry>();
  /** Cancelled jobs whose code has not ended, as far as is known. */
  private readonly abandoned = new Set<number>();
  private readonly lines: string[] = [];
  private readonly gone: PromiseWithResolvers<void> = Promise.withResolvers();
  private nextId = 1;
  private idle: NodeJS.Timeout | undefined;
  /** When it was asked for an answer that has not come. */
  private asked: number | undefined;
  private check: NodeJS.Timeout | undefined;
  private readonly loading: NodeJS.Timeout;
  private isLoaded = false;
  /** Why it was told to end. */
  private ending: string | undefined;

  /** @param over - called when it takes no more jobs */
  constructor(hash: string, packagePath: string, settings: HostSettings, over: () => void) {
    this.hash = hash;
    this.settings = settings;
    this.over = over;
    this.description = this.loaded.promise;
    // Who asks for it is told; nobody need ask.
    this.description.catch(() => {});
    const output = new Lines((line) => this.note([line]));
    this.child = startChild<ToHost, FromHost>("host-worker", settings, isFromHost, {
      message: (message) => this.receive(message),
      output: (chunk) => output.add(chunk),
      ended: (reason) => {
        output.end();
        this.lost(this.ending ?? reason);
      },
    });
    const seconds = settings.loadTimeout / 1000;
    this.loading = setTimeout(
      () => this.end(`no answer: its package did not load within ${seconds} s`),
      settings.loadTimeout,
    );
    this.child.send({ type: "init", packagePath, maxScripts: settings.maxScripts });
  }

  run(spec: JobSpec, context: ExecutorContext): Promise<JobResult> {
    const id = this.nextId++;
    const done = Promise.withResolvers<JobResult>();
    const abort = (): void => this.cancel(id);
    const entry: HostedEntry = { spec, context, log: [], abort, done };
    context.signal.addEventListener("abort", abort, { once: true });
    this.jobs.set(id, entry);
    if (this.jobs.size === 1) this.hold();
    const bare = { ...spec, options: {} };
    this.child.send({ type: "run", id, spec: bare, evaluates: context.evaluate !== undefined });
    return done.promise;
  }

  /** Ends it. Its jobs fail. @param reason - how it ended, for their errors */
  close(reason: string): Promise<void> {
    this.end(reason);
    return this.gone.promise;
  }

  /** Resolves when the process is gone. */
  get ended(): Promise<void> {
    return this.gone.promise;
  }

  private end(reason: string): void {
    if (this.ending !== undefined) return;
    this.ending = reason;
    this.child.hold(true);
    this.child.kill();
    this.over();
  }

  private receive(message: FromHost): void {
    switch (message.type) {
      case "loaded":
        this.settled();
        this.loaded.resolve(message.description);
        this.hold();
        break;
      case "failed":
        this.settled();
        this.loaded.reject(unloadable(this.hash, fromJobError(message.error)));
        this.end("its package not loaded");
        break;
      case "result":
        this.finish(message.id, message.result);
        break;
      case "log": {
        const entry = message.id === undefined ? undefined : this.jobs.get(message.id);
        if (entry === undefined) this.note(message.lines);
        else for (const line of message.lines) log(entry, line);
        break;
      }
      case "evaluate":
        void this.evaluate(message.job, message.id, message.expression);
        break;
      case "pong":
        this.asked = undefined;
    }
  }

  private settled(): void {
    clearTimeout(this.loading);
    this.isLoaded = true;
  }

  private async evaluate(job: number, id: number, expression: string): Promise<void> {
    const context = this.jobs.get(job)?.context;
    if (context?.evaluate === undefined) return;
    let outcome: Evaluated;
    try {
      outcome = await context.evaluate(expression);
    } catch (error) {
      outcome = { ok: false, error: toJobError(error) };
    }
    if (this.jobs.has(job)) this.child.send({ type: "evaluated", job, id, outcome });
  }

  private finish(id: number, result: JobResult): void {
    this.abandoned.delete(id);
    const entry = this.take(id);
    if (entry === undefined) return;
    const { log } = entry;
    entry.done.resolve(log.length === 0 ? result : { ...result, log: log.slice(-LOG_TAIL) });
    this.endIfAbandoned();
  }

  private cancel(id: number): void {
    const entry = this.take(id);
    if (entry === undefined) return;
    const { reason } = entry.context.signal;
    entry.done.reject(reason);
    if (this.ending !== undefined) return;
    this.abandoned.add(id);
    this.child.send({ type: "cancel", id, reason: toJobError(reason) });
    if (this.asked === undefined) {
      this.asked = Date.now();
      this.child.send({ type: "ping" });
    }
    this.checkIn(this.settings.answerTimeout);
  }

  private checkIn(delay: number): void {
    if (this.check !== undefined) return;
    this.check = setTimeout(() => {
      this.check = undefined;
      this.checkAnswer();
    }, delay);
    this.check.unref();
  }

  /** Some time after a job was cancelled. */
  private checkAnswer(): void {
    const { answerTimeout } = this.settings;
    const waited = this.asked === undefined ? 0 : Date.now() - this.asked;
    if (waited >= answerTimeout - 1)
      this.end(`no answer: it did not listen for ${answerTimeout / 1000} s after a job was cancelled`);
    else if (this.asked !== undefined) this.checkIn(answerTimeout - waited);
    else this.endIfAbandoned();
  }

  /** Forgets a job. */
  private take(id: number): HostedEntry | undefined {
    const entry = this.jobs.get(id);
    if (entry === undefined) return undefined;
    this.jobs.delete(id);
    entry.context.signal.removeEventListener("abort", entry.abort);
    if (this.jobs.size === 0) this.hold();
    return entry;
  }

  /** What goes on in cancelled jobs that don't heed their signal serves nobody. */
  private endIfAbandoned(): void {
    if (this.jobs.size === 0 && this.abandoned.size > 0 && this.check === undefined)
      this.end("no jobs but cancelled ones");
  }

  /** Keeps this process alive while there are jobs, and ends the other after a while without. */
  private hold(): void {
    const isNeeded = this.jobs.size > 0 || !this.isLoaded;
    clearTimeout(this.idle);
    this.idle = undefined;
    if (this.ending !== undefined) return;
    this.child.hold(isNeeded);
    if (isNeeded) return;
    this.idle = setTimeout(() => this.end("no jobs"), this.settings.idleTimeout);
    this.idle.unref();
  }

  private note(lines: readonly string[]): void {
    this.lines.push(...lines.slice(-LOST_TAIL));
    if (this.lines.length > 2 * LOST_TAIL) this.lines.splice(0, this.lines.length - LOST_TAIL);
  }

  /** It has ended: its jobs fail. */
  private lost(reason: string): void {
    clearTimeout(this.idle);
    clearTimeout(this.check);
    clearTimeout(this.loading);
    if (this.ending === undefined) {
      this.ending = reason;
      this.over();
    }
    this.loaded.reject(this.lostError(`load the code package ${this.hash}`, reason, []));
    for (const [id, { spec, log, done }] of [...this.jobs]) {
      this.take(id);
      done.reject(this.lostError(`finish ${spec.task}`, reason, log, spec.jobId));
    }
    this.gone.resolve();
  }

  private lostError(what: string, reason: string, log: readonly string[], jobId?: string): ExecutorError {
    const lines = [...log.slice(-LOST_TAIL), ...this.lines].slice(-LOST_TAIL);
    return new ExecutorError(`Cannot ${what}: the process of its code ended with ${reason}`, {
      hint: "Does one of its tasks end the process, compute without a pause, or use more memory than there is?",
      fields: { jobId, package: this.hash, reason, log: lines },
    });
  }
}

function log({ log, context }: HostedEntry, line: string): void {
  log.push(line);
  if (log.length > 2 * LOG_TAIL) log.splice(0, LOG_TAIL);
  context.log(line);
}

function unloadable(hash: string, cause: Error): PackageError {
  return new PackageError(`Cannot load the code package ${hash}: ${cause.message}`, {
    hint: (cause as { hint?: string }).hint ?? "See the cause, which its code has thrown when it was loaded.",
    fields: { hash },
    cause,
  });
}
