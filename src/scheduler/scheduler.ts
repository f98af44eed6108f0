import type { Backend } from "../backend/backend.ts";
import { rootTask } from "../builtins/control.ts";
import type { TagList } from "../builtins/ops.ts";
import {
  BackendError,
  CancelledError,
  DryRunError,
  SchedulerError,
  UnknownTaskError,
} from "../errors/errors.ts";
import type { Executor } from "../executor/executor.ts";
import { InProcessExecutor } from "../executor/in-process-executor.ts";
import { asError } from "../executor/job-error.ts";
import { describeNode } from "../expression/describe.ts";
import { addEvaluator, lazy, quote } from "../expression/expression.ts";
import { nodeOf, TaskNode } from "../expression/node.ts";
import type { Resolved } from "../expression/types.ts";
import { jobStorage } from "../task/current-job.ts";
import { type TaskRegistry, taskRegistry } from "../task/registry.ts";
import type { Task } from "../task/task.ts";
import { uuid } from "../util/uuid.ts";
import { trim } from "../value/display.ts";
import { mergeObjects } from "../value/nested.ts";
import { awaitExpression, logLine } from "./call.ts";
import { Cell } from "./cell.ts";
import { evaluate, hasExpression } from "./evaluate.ts";
import { EventHub } from "./event-hub.ts";
import type { EventOf, JobCounts, JobInfo, SchedulerEvent, SchedulerEventType } from "./events.ts";
import { Execution } from "./execution.ts";
import { Job } from "./job.ts";
import { LimitPool } from "./limits.ts";
import { jobTags, recordTags } from "./tags.ts";

/** Options of a {@link Scheduler}. */
export interface SchedulerOptions {
  /** Where results and provenance are kept. It is loaded at the first run if it was not before. */
  readonly backend: Backend;
  /** Places where jobs run, besides the in-process executor `default`, which one of that name replaces. */
  readonly executors?: readonly Executor[] | Readonly<Record<string, Executor>>;
  /** Units of each limited resource; others have one. */
  readonly limits?: Readonly<Record<string, number>>;
  /** Context of every execution. */
  readonly context?: Readonly<Record<string, unknown>>;
  readonly config?: SchedulerConfig;
  /** The tasks it knows; by default all that are defined in this runtime. */
  readonly registry?: TaskRegistry<Task>;
}

/** Settings that a configuration file may give. */
export interface SchedulerConfig {
  /** Tags of every execution. */
  readonly tags?: TagList;
  /** Warnings not to give, such as `namespace`. */
  readonly ignoreWarnings?: readonly string[];
  /** Most jobs that a job may be inside of; one that is deeper fails. Default: as many as there is memory for. */
  readonly maxDepth?: number;
}

/** Options of one {@link Scheduler.run}. */
export interface RunOptions {
  /** `false` reads no result of an earlier execution; results are written all the same. */
  readonly cache?: boolean;
  /**
   * Ids of interrupted executions in whose place this one goes on. What their jobs came to counts as done in this one,
   * also where results of earlier executions do not.
   */
  readonly resumes?: readonly string[];
  /** Find out what would run, and run nothing. Rejects with a `DryRunError` if anything would. */
  readonly dryRun?: boolean;
  /** `false` records nothing. */
  readonly prov?: boolean;
  /** Tags of the execution. */
  readonly tags?: TagList;
  /** Context, on top of the scheduler's. */
  readonly context?: Readonly<Record<string, unknown>>;
  /** Id of the execution; by default a new UUID. */
  readonly executionId?: string;
  /** Cancels the execution. */
  readonly signal?: AbortSignal;
  /** Command line to record. */
  readonly args?: readonly string[];
}

/** Milliseconds between signs of life of an execution in the store. */
const HEARTBEAT = 20_000;

/**
 * Evaluates expressions: runs what is not cached, in parallel, and records what happened.
 *
 * It owns its executors and event listeners, and one execution at a time; further runs wait their turn. The store is
 * its user's, except that {@link close} closes it.
 *
 * @example Run a task
 * ```ts
 * import { Scheduler, task } from "redun";
 * import { MemoryBackend } from "redun/testing";
 *
 * const add = task("demo.add", (a: number, b: number) => a + b);
 * const scheduler = new Scheduler({ backend: new MemoryBackend() });
 * const three: number = await scheduler.run(add(1, 2));
 * await scheduler.close();
 * ```
 */
export class Scheduler {
  readonly backend: Backend;
  readonly executors: ReadonlyMap<string, Executor>;
  private readonly limits: LimitPool;
  private readonly context: Readonly<Record<string, unknown>>;
  private readonly config: SchedulerConfig;
  private readonly registry: TaskRegistry<Task>;
  private readonly hub = new EventHub();
  private loaded: Promise<void> | undefined = undefined;
  private queue: Promise<unknown> = Promise.resolve();
  private current: Execution | undefined = undefined;
  private warnedNamespaces = false;

  constructor(options: SchedulerOptions) {
    if (typeof options?.backend !== "object" || options.backend === null) {
      throw new SchedulerError(
        "Cannot make a scheduler without a backend: name the one that keeps its results",
        {
          hint: "Use openRepo() for the runtime's durable store, or pass `backend: new MemoryBackend()` from redun/testing.",
        },
      );
    }
    this.backend = options.backend;
    const given = Array.isArray(options.executors)
      ? options.executors.map((executor: Executor): [string, Executor] => [executor.name, executor])
      : Object.entries((options.executors ?? {}) as Record<string, Executor>);
    this.executors = new Map<string, Executor>([["default", new InProcessExecutor()], ...given]);
    this.limits = new LimitPool(options.limits);
    this.context = options.context ?? {};
    this.config = options.config ?? {};
    this.registry = options.registry ?? (taskRegistry as TaskRegistry<Task>);
  }

  /** All events from now on. Each loop over it sees all of them. */
  get events(): AsyncIterable<SchedulerEvent> {
    return this.hub.stream();
  }

  /** Calls a listener at each event of a type. @returns what stops it */
  on<T extends SchedulerEventType>(type: T, listener: (event: EventOf<T>) => void): () => void {
    return this.hub.on(type, listener);
  }

  /** Numbers of jobs by task and status, in the current execution or the last one. */
  status(): ReadonlyMap<string, JobCounts> {
    return this.current?.counts ?? new Map();
  }

  /** Stores what has been recorded of the execution at work so far. Others are stored soon, and all of one at its end. */
  async flush(): Promise<void> {
    await this.current?.recorder.flush();
  }

  /** The jobs at work. */
  running(): JobInfo[] {
    return [...(this.current?.running ?? [])].map((job) => job.info);
  }

  /** Opens the store. Runs do so themselves. */
  load(): Promise<void> {
    this.loaded ??= this.backend.load().catch((error) => {
      // A store that is locked or offline now may be there at the next run.
      this.loaded = undefined;
      throw error;
    });
    return this.loaded;
  }

  /**
   * Evaluates an expression, or a nested value that holds some, to a value.
   *
   * @returns the value, after all records of the run are stored
   * @throws the task's own error; `errorTraceback(error)` tells how it came about
   * @throws CancelledError if the signal aborts, DryRunError if a dry run has something to run
   */
  run<T>(expression: T, options: RunOptions = {}): Promise<Resolved<T>> {
    const turn = this.queue.then(() => this.runNow(expression, options));
    this.queue = turn.catch(() => {});
    return turn as Promise<Resolved<T>>;
  }

  private async runNow(expression: unknown, options: RunOptions): Promise<unknown> {
    const { signal } = options;
    if (signal?.aborted) throw cancelled(signal.reason);
    await this.load();
    this.warn();
    const exec = this.execution(expression, options);
    this.current = exec;
    trackExecution(exec, true);
    const cancel = (): void => exec.cancel(cancelled(signal?.reason));
    signal?.addEventListener("abort", cancel, { once: true });
    if (signal?.aborted) cancel();
    const heartbeat = setInterval(() => beat(this.backend, exec.id), HEARTBEAT);
    (heartbeat as { unref?(): void }).unref?.();
    const start = Date.now();
    this.hub.emit({ type: "execution-start", executionId: exec.id, args: exec.options.args, time: start });
    let status: EventOf<"execution-end">["status"] = "DONE";
    let failure: unknown;
    try {
      for (const executor of this.executors.values()) await executor.start?.();
      return await this.evaluateRoot(exec, expression);
    } catch (error) {
      failure = error;
      status = exec.isCancelled ? "CANCELLED" : error instanceof DryRunError ? "DRYRUN" : "FAILED";
      throw error;
    } finally {
      clearInterval(heartbeat);
      trackExecution(exec, false);
      signal?.removeEventListener("abort", cancel);
      await this.stopExecutors();
      const time = Date.now();
      this.hub.emit({
        type: "execution-end",
        executionId: exec.id,
        status,
        time,
        duration: time - start,
        error: failure,
      });
    }
  }

  /** One that can't be stopped costs neither the run its result nor the others their stop. */
  private async stopExecutors(): Promise<void> {
    for (const executor of this.executors.values()) {
      try {
        await executor.stop?.();
      } catch (error) {
        const message = `Cannot stop executor ${executor.name}: ${String(error)}`;
        this.hub.emit({ type: "warning", code: "executor-stop", message });
      }
    }
  }

  private async evaluateRoot(exec: Execution, expression: unknown): Promise<unknown> {
    const root = new Cell();
    exec.watch(root);
    exec.push(() =>
      evaluate(exec, rootExpression(exec, expression), undefined, (failed, result, encoded) =>
        exec.settle(root, failed, result, encoded),
      ),
    );
    let cell: Cell;
    try {
      cell = await exec.result;
    } catch (error) {
      if (exec.isCancelled && exec.isRecorded)
        recordTags(exec, "Execution", exec.id, [["redun.status", "cancelled"]]);
      await flushQuietly(exec);
      throw error;
    }
    if (cell.isFailed) {
      await flushQuietly(exec);
      throw cell.error;
    }
    try {
      await exec.recorder.flush();
    } catch (error) {
      // The work is done, so its result is not lost with the record of it.
      const failure = Object.isExtensible(error)
        ? (error as Error)
        : new BackendError(asError(error).message, { cause: error });
      Object.defineProperty(failure, "result", { value: cell.value, configurable: true });
      throw failure;
    }
    return cell.value;
  }

  private execution(expression: unknown, options: RunOptions): Execution {
    const node = nodeOf(expression);
    const text = node === undefined ? "value" : trim(describeNode(node));
    // What an earlier run left at work holds nothing in this one.
    this.limits.reset();
    return new Execution({
      id: options.executionId ?? uuid(),
      args: options.args ?? ["scheduler.run", text],
      backend: this.backend,
      executors: this.executors,
      registry: this.registry,
      limits: this.limits,
      events: this.hub,
      cache: options.cache ?? true,
      resumes: options.resumes ?? [],
      dryRun: options.dryRun ?? false,
      prov: options.prov ?? true,
      maxDepth: this.config.maxDepth ?? Number.POSITIVE_INFINITY,
      context: mergeObjects(
        this.context as Record<string, unknown>,
        (options.context ?? {}) as Record<string, unknown>,
      ),
      tags: [...jobTags(this.config.tags), ...jobTags(options.tags)],
    });
  }

  private warn(): void {
    for (const { fullname, earlier, later } of this.registry.takeDuplicates()) {
      const message = `Two tasks are named ${fullname}: the one at ${later} replaces the one at ${earlier}`;
      this.hub.emit({ type: "warning", code: "duplicate-task", message });
    }
    if (this.warnedNamespaces || this.config.ignoreWarnings?.includes("namespace")) return;
    this.warnedNamespaces = true;
    const bare = this.registry.all().filter((task) => task.namespace === "");
    if (bare.length === 0) return;
    const places = bare.map((task) => `${task.definition.location?.file ?? "?"}:${task.fullname}`);
    this.hub.emit({
      type: "warning",
      code: "namespace",
      message: `Tasks without a namespace: ${places.join(", ")}`,
    });
  }

  /** Gives back executors and store. A scheduler can't be used afterwards. */
  async close(): Promise<void> {
    await this.queue;
    this.hub.close();
    for (const executor of this.executors.values()) await executor.close?.();
    await this.backend.close();
  }
}

const cancelled = (reason: unknown): CancelledError =>
  new CancelledError("The execution was cancelled", { cause: reason });

/** Says that an execution is alive. A store that can't take it now will say so when there is something to keep. */
function beat(backend: Backend, executionId: string): void {
  try {
    void Promise.resolve(backend.heartbeat(executionId, Date.now())).catch(() => {});
  } catch {
    // As above.
  }
}

async function flushQuietly(exec: Execution): Promise<void> {
  try {
    await exec.recorder.flush();
  } catch {
    // The run has failed for another reason, which is the one to tell.
  }
}

/** A call with plain arguments is the root job itself; anything else is wrapped, so that there is one root job. */
function rootExpression(exec: Execution, expression: unknown): unknown {
  const node = nodeOf(expression);
  if (node instanceof TaskNode) {
    const task = exec.taskOf(node);
    if (task === undefined) {
      throw new UnknownTaskError(
        node.taskName,
        exec.options.registry.names().filter((name) => !name.startsWith("redun.")),
      );
    }
    const lazyParts = [
      node.args,
      task.definition.defaults.filter((_default, i) => node.args[i] === undefined),
      task.definition.options,
      node.options,
    ];
    if (!lazyParts.some(hasExpression)) return expression;
  }
  return rootTask(quote(expression));
}

/** The job of this thread's schedulers whose code is running, with its execution. */
function currentJob(): [job: Job, exec: Execution] | undefined {
  const job = jobStorage.current();
  if (!(job instanceof Job)) return undefined;
  const exec = executions.get(job.executionId);
  return exec === undefined ? undefined : [job, exec];
}

addEvaluator(() => {
  const current = currentJob();
  if (current === undefined) return undefined;
  const [job, exec] = current;
  return (node) => awaitExpression(exec, job, lazy(node), () => trim(describeNode(node)));
});

/**
 * Adds a line to the log of the job whose code is running in this thread.
 *
 * @returns whether there is one
 */
export function logInCurrentJob(line: string): boolean {
  const current = currentJob();
  if (current === undefined) return false;
  const [job, exec] = current;
  logLine(exec, job, line);
  return true;
}

const executions = new Map<string, Execution>();

/** Makes the executions of running jobs known to what awaits expressions. */
function trackExecution(exec: Execution, running: boolean): void {
  if (running) executions.set(exec.id, exec);
  else executions.delete(exec.id);
}
