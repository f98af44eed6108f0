import type { Backend } from "../backend/backend.ts";
import { CancelledError, DryRunError, SchedulerError } from "../errors/errors.ts";
import type { Executor } from "../executor/executor.ts";
import type { TaskNode } from "../expression/node.ts";
import { jobStorage } from "../task/current-job.ts";
import type { TaskRegistry } from "../task/registry.ts";
import type { Task } from "../task/task.ts";
import type { Json } from "../value/json.ts";
import type { EncodedValue } from "../value/value.ts";
import type { Cell } from "./cell.ts";
import { ContextTable } from "./context.ts";
import type { EventHub } from "./event-hub.ts";
import type { JobCounts } from "./events.ts";
import { failJob } from "./finish.ts";
import type { Job, JobContext } from "./job.ts";
import type { LimitPool } from "./limits.ts";
import { flushLookups, seekAgain } from "./lookup.ts";
import { Recorder } from "./recorder.ts";
import { type TaskSet, TaskSets } from "./task-set.ts";

/** Reverses the end of a list in place. */
function reverseFrom(list: unknown[], start: number): void {
  for (let i = start, j = list.length - 1; i < j; i++, j--) {
    const item = list[i];
    list[i] = list[j];
    list[j] = item;
  }
}

/** What a finished call leaves behind for equal calls of the same execution. */
export interface FinishedCall {
  readonly failed: boolean;
  /** The value or error; `undefined` for one too large to keep, which is read back from the store. */
  readonly result: unknown;
  readonly encoded: EncodedValue | undefined;
  readonly valueHash: string;
  readonly callHash: string | undefined;
  readonly subtree: TaskSet;
  readonly kept: boolean;
}

/** What an execution is given. */
export interface ExecutionOptions {
  readonly id: string;
  readonly args: readonly string[];
  readonly backend: Backend;
  readonly executors: ReadonlyMap<string, Executor>;
  readonly registry: TaskRegistry<Task>;
  readonly limits: LimitPool;
  readonly events: EventHub;
  readonly cache: boolean;
  /** Interrupted executions that this one goes on with. */
  readonly resumes: readonly string[];
  readonly dryRun: boolean;
  readonly prov: boolean;
  readonly maxDepth: number;
  readonly context: Readonly<Record<string, unknown>>;
  readonly tags: readonly (readonly [string, Json])[];
}

type MutableCounts = { -readonly [K in keyof JobCounts]: number };

/** For how long, in milliseconds, work goes on before timers, signals and the page get their turn. */
const SLICE = 12;

/** A macrotask as soon as possible; a timer of 0 would wait for milliseconds. */
const nextTurn: (callback: () => void) => void = (() => {
  const immediate = (globalThis as { setImmediate?(callback: () => void): unknown }).setImmediate;
  if (typeof immediate === "function") return (callback) => void immediate(callback);
  if (typeof MessageChannel === "undefined") return (callback) => void setTimeout(callback, 0);
  const channel = new MessageChannel();
  const callbacks: (() => void)[] = [];
  channel.port1.onmessage = () => callbacks.shift()?.();
  return (callback) => {
    callbacks.push(callback);
    channel.port2.postMessage(null);
  };
})();

/**
 * One execution: reduces one root expression to a value.
 *
 * It owns the work stack, the jobs in flight and what they share (pending and finished calls), and when it is over.
 * It does not own the store, the executors or the limits, which outlive it. The steps of a job are in files of their
 * own: evaluate, lookup, call, finish.
 *
 * Invariants:
 * 1. All steps run from the work stack, one at a time; a step never waits. So the depth of an expression or of a
 *    recursion is bounded by memory, not by the stack.
 * 2. Each job ends once, and its cell settles after its records are handed to the recorder.
 * 3. `external` counts the promises that will push work; with none of them, no look-ups and no work, nothing more can
 *    happen.
 */
export class Execution {
  readonly id: string;
  readonly options: ExecutionOptions;
  readonly recorder: Recorder;
  readonly contexts: ContextTable = new ContextTable();
  readonly taskSets: TaskSets = new TaskSets();
  /** Jobs at work, by evaluation and context hash: equal calls join them. */
  readonly pending: Map<string, Job> = new Map();
  readonly finished: Map<string, FinishedCall> = new Map();
  readonly running: Set<Job> = new Set();
  readonly lookups: Job[] = [];
  readonly counts: Map<string, MutableCounts> = new Map();
  readonly recordedTasks: Set<string> = new Set();
  readonly recordedContexts: Set<JobContext> = new Set();
  /** What tells code that waits for expressions that there will be none, when the execution is cancelled. */
  readonly awaiting: Set<(error: unknown) => void> = new Set();
  /** The same for code elsewhere, however the execution ends: it would be kept for ever. */
  readonly awaitingElsewhere: Set<(error: unknown) => void> = new Set();
  readonly context: JobContext;
  rootJob: Job | undefined = undefined;
  /** Whether any function has awaited an expression. */
  hasAwaited = false;
  /** Jobs that a dry run would have run. */
  dryRunMisses = 0;
  private readonly outside = jobStorage.outside();
  private readonly stack: (() => void)[] = [];
  /** From this index on the stack holds what was added last, still in the order of adding. */
  private fresh = 0;
  private readonly done: PromiseWithResolvers<Cell> = Promise.withResolvers();
  private external = 0;
  /** How many of the external promises are those of scheduler tasks, which wait for the execution in turn. */
  held = 0;
  private starving = false;
  private scheduled = false;
  private looping = false;
  private flushTimer: ReturnType<typeof setTimeout> | undefined = undefined;
  private over = false;
  private cancelled = false;

  constructor(options: ExecutionOptions) {
    this.id = options.id;
    this.options = options;
    this.recorder = new Recorder(options.backend);
    this.context = this.contexts.of(options.context);
    // It may be rejected before anybody waits for it.
    this.done.promise.catch(() => {});
  }

  get isOver(): boolean {
    return this.over;
  }

  get isCancelled(): boolean {
    return this.cancelled;
  }

  /** Whether there is a record of the execution itself. */
  get isRecorded(): boolean {
    return this.rootJob?.recordedStart === true;
  }

  /** Settles when the root cell does, or the execution is aborted. */
  get result(): Promise<Cell> {
    return this.done.promise;
  }

  /** Adds work, to be done next. What one step adds is done in the order in which it was added. */
  push(work: () => void): void {
    this.stack.push(work);
    if (!this.looping) this.wake();
  }

  /** Settles a cell; its listeners go through the work stack. */
  settle(cell: Cell, failed: boolean, result: unknown, encoded?: EncodedValue): void {
    for (const listener of cell.settle(failed, result, encoded)) this.push(() => listener(cell));
  }

  /** Counts on a promise: its outcome is handled as work, and the execution doesn't end for lack of it before. */
  await<T>(promise: PromiseLike<T>, onValue: (value: T) => void, onError: (error: unknown) => void): void {
    this.external++;
    const arrived = (value: T): void => {
      this.external--;
      if (!this.over) this.push(() => onValue(value));
    };
    const failed = (error: unknown): void => {
      this.external--;
      if (!this.over) this.push(() => onError(error));
    };
    this.outside(() => promise.then(arrived, failed));
  }

  /** Like {@link await}, for what a job's function gives. Jobs wait by the hundred thousand, so this keeps little. */
  awaitJob<T>(
    job: Job,
    promise: PromiseLike<T>,
    onValue: (exec: Execution, job: Job, value: T) => void,
    onError: (exec: Execution, job: Job, error: unknown) => void,
  ): void {
    this.external++;
    const arrived = (value: T): void => {
      this.external--;
      if (!this.over) this.push(() => onValue(this, job, value));
    };
    const failed = (error: unknown): void => {
      this.external--;
      if (!this.over) this.push(() => onError(this, job, error));
    };
    this.outside(() => promise.then(arrived, failed));
  }

  /** Like {@link await}, for a promise that may itself wait for something of this execution. */
  hold<T>(promise: PromiseLike<T>, onValue: (value: T) => void, onError: (error: unknown) => void): void {
    this.held++;
    const released =
      <V>(next: (value: V) => void) =>
      (value: V): void => {
        this.held--;
        next(value);
      };
    this.await(promise, released(onValue), released(onError));
  }

  /** Ends the execution when this cell settles. */
  watch(root: Cell): void {
    root.listen((cell) => this.finish(() => this.done.resolve(cell)));
  }

  /** Ends the execution with an error of the engine itself, such as a store that fails. */
  abort(error: unknown): void {
    this.finish(() => this.done.reject(error));
  }

  /** Ends the execution because its caller gave up: the jobs at work fail, are told so, and are recorded. */
  cancel(error: CancelledError): void {
    if (this.over) return;
    this.cancelled = true;
    const jobs = [...this.running];
    for (const job of jobs) job.abort?.abort(error);
    // Children fail before their parents, so that each parent's record knows them.
    for (const job of jobs.reverse()) failJob(this, job, error);
    if (this.rootJob !== undefined && !this.rootJob.isEnded) failJob(this, this.rootJob, error);
    this.finish(() => this.done.reject(error), error);
    for (const giveUp of this.awaiting) giveUp(error);
    this.awaiting.clear();
  }

  private finish(
    settle: () => void,
    reason: CancelledError = new CancelledError("The execution has ended"),
  ): void {
    if (this.over) return;
    this.over = true;
    clearTimeout(this.flushTimer);
    settle();
    for (const giveUp of this.awaitingElsewhere) giveUp(reason);
    this.awaitingElsewhere.clear();
  }

  private wake(): void {
    if (this.scheduled || this.over) return;
    this.scheduled = true;
    // A microtask collects all that settles at once, such as many promises of one tick.
    queueMicrotask(this.turn);
  }

  private readonly turn = (): void => {
    this.scheduled = false;
    if (this.over) return;
    this.looping = true;
    try {
      this.work();
    } catch (error) {
      // A step handles the errors of jobs itself, so this one is the engine's or the store's.
      this.abort(error);
    } finally {
      this.looping = false;
    }
  };

  private work(): void {
    const { stack } = this;
    const end = performance.now() + SLICE;
    for (let steps = 1; !this.over; steps++) {
      if (stack.length - this.fresh > 1) reverseFrom(stack, this.fresh);
      const step = stack.pop();
      this.fresh = stack.length;
      if (step !== undefined) step();
      else if (this.lookups.length > 0) flushLookups(this);
      else break;
      if ((steps & 31) === 0) {
        if (this.recorder.isDue(Date.now())) this.flush();
        if (performance.now() > end) {
          this.scheduled = true;
          nextTurn(this.turn);
          return;
        }
      }
    }
    if (this.over) return;
    if (this.external === 0) this.starve();
    else if (this.dryRunMisses > 0 && this.external === this.held) this.starveSoon();
    else if (this.recorder.isDue(Date.now())) this.flush();
    else if (this.recorder.isDirty) this.flushTimer ??= setTimeout(this.flushLater, 250);
  }

  private readonly flushLater = (): void => {
    this.flushTimer = undefined;
    if (this.over) return;
    try {
      this.flush();
    } catch (error) {
      this.abort(error);
    }
  };

  /** Starts writing; a store that fails ends the execution. */
  flush(): void {
    const writing = this.recorder.flush();
    if (writing !== undefined) writing.catch((error) => this.abort(error));
  }

  /** What scheduler tasks of a dry run still wait for may never come; but first let them take what has come. */
  private starveSoon(): void {
    if (this.starving) return;
    this.starving = true;
    const end = (): void => {
      this.starving = false;
      if (!this.over && !this.scheduled && this.external === this.held) this.starve();
    };
    // What is asked for at the same time elsewhere comes in several messages.
    if (this.options.registry.elsewhere === undefined) nextTurn(end);
    else setTimeout(end, 100);
  }

  /** Nothing is left to do and the root has no value. */
  private starve(): void {
    if (this.options.dryRun && this.dryRunMisses > 0) this.abort(new DryRunError());
    else if (!this.over) {
      const stuck = this.rootJob === undefined ? "" : ` (${this.rootJob.call})`;
      this.abort(
        new SchedulerError(`Cannot go on with the execution${stuck}: an expression depends on itself`),
      );
    }
  }

  /** Has the jobs that wait for units, and now fit, try again in order; a twin that ended meanwhile may satisfy them. */
  retryWaiting(): void {
    const jobs = this.options.limits.takeFitting();
    for (let i = jobs.length - 1; i >= 0; i--) {
      const job = jobs[i]!;
      this.push(() => seekAgain(this, job));
    }
  }

  /** Moves a job from one column of the status table to another. */
  count(job: Job, from: keyof JobCounts | undefined, to: keyof JobCounts): void {
    const name = job.task.fullname;
    let counts = this.counts.get(name);
    if (counts === undefined) {
      counts = { PENDING: 0, RUNNING: 0, FAILED: 0, CACHED: 0, DONE: 0 };
      this.counts.set(name, counts);
    }
    if (from !== undefined) counts[from]--;
    counts[to]++;
  }

  /** The task that a node calls, as it is defined now. */
  taskOf(node: TaskNode): Task | undefined {
    return this.options.registry.get(node.taskName);
  }
}
