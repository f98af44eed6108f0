import type { Backend, RecordJson } from "../backend/backend.ts";
import type { TagRecord } from "../backend/records.ts";
import { tagHash } from "../backend/tags.ts";
import { CancelledError, DryRunError, PackageError, UnknownTaskError } from "../errors/errors.ts";
import type { Executor } from "../executor/executor.ts";
import type { WorkerWatch } from "../executors/worker-watch.ts";
import { buildPackage, type Esbuild, loadWebPackage } from "../package/index.ts";
import { Scheduler } from "../scheduler/scheduler.ts";
import { errorTraceback } from "../scheduler/traceback.ts";
import { type TaskRegistry, taskRegistry } from "../task/registry.ts";
import type { Task } from "../task/task.ts";
import { uuid } from "../util/uuid.ts";
import { decodeValue, encodeValue } from "../value/value.ts";
import { argumentsOf, commandLine } from "./command-line.ts";
import type {
  BuiltWorkflow,
  EngineEvent,
  EngineInfo,
  EngineRecords,
  EngineRuns,
  LogLine,
  RunOutcome,
  RunRequest,
  StoreQueries,
  WorkflowSource,
} from "./engine-api.ts";
import type { EngineState, StoredPackage, StoredRun } from "./engine-state.ts";
import { cut, EventLog, logExecution, smallOutcome } from "./event-log.ts";
import { importDatabase } from "./import-database.ts";
import { KeptLog } from "./kept-logs.ts";
import type { StoreKind } from "./open-store.ts";
import { RESUMES, storedOutcome } from "./stored-outcome.ts";
import { plainRecord } from "./transport.ts";

/** What an {@link EngineHost} works with. */
export interface EngineParts {
  readonly repo: string;
  readonly version: string;
  readonly store: StoreKind;
  readonly backend: Backend;
  readonly executors: Readonly<Record<string, Executor>>;
  readonly workers: number;
  /** Sees what the pool's workers are at. */
  readonly watch: WorkerWatch;
  readonly state: EngineState;
  readonly esbuild: () => Promise<Esbuild>;
  /** Takes from this worker what code of workflows is not to reach. Called before any is loaded. */
  readonly confine: () => Promise<void>;
  /** Sends events to all pages. */
  readonly emit: (events: readonly EngineEvent[]) => void;
}

/** An execution that was asked for. */
interface Run {
  /** Id under which it is kept. */
  readonly stored: string;
  readonly abort: AbortController;
  readonly outcome: Promise<RunOutcome>;
  hasEnded: boolean;
}

/** So often is an execution begun again that ended its engines before they had lived for a while. */
const MOST_TRIES = 2;
/** Milliseconds after which an engine that has begun an execution again counts as alive. */
const ALIVE = 10_000;

/** So many executions are remembered with their results; older ones are read from the store. */
const REMEMBERED = 100;

/** The methods of a store that pages may call. */
const QUERIES: ReadonlySet<string> = new Set([
  "find",
  "count",
  "getValues",
  "getExecutions",
  "getJobs",
  "getCallNodes",
  "getTasks",
  "getTags",
  "tagCounts",
  "callsOfValue",
  "parentCalls",
  "nearestCall",
  "missing",
  "exportRecords",
] satisfies (keyof StoreQueries)[]);

/**
 * The engine of a repository, in its worker. It owns the scheduler, one execution after another, and remembers what is
 * asked of it until it is done, so that an engine that is started later goes on with it.
 */
export class EngineHost implements EngineRuns, EngineRecords {
  private readonly parts: EngineParts;
  private readonly scheduler: Scheduler;
  private readonly events: EventLog;
  /** Executions that were asked for since this engine began, the latest ones. */
  private readonly runs = new Map<string, Run>();
  private readonly accepted = new Map<string, Promise<void>>();
  private turn: Promise<unknown> = Promise.resolve();
  private isClosing = false;

  constructor(parts: EngineParts) {
    this.parts = parts;
    this.scheduler = new Scheduler({
      backend: parts.backend,
      executors: parts.executors,
      config: { ignoreWarnings: ["namespace"] },
    });
    this.events = new EventLog(parts.emit);
  }

  /** Opens the store, and goes on with the executions that had not ended when the last engine of this repository did. */
  async open(): Promise<void> {
    await this.scheduler.load();
    for (const run of await this.parts.state.unfinished()) await this.resume(run);
  }

  async info(): Promise<EngineInfo> {
    const { repo, version, store, workers } = this.parts;
    const [persisted, { usage, quota }] = await Promise.all([
      navigator.storage.persisted(),
      navigator.storage.estimate(),
    ]);
    return { repo, version, store, persisted, usage, quota, workers, running: [...this.running] };
  }

  private readonly running = new Set<string>();

  async build({ entry, files }: WorkflowSource): Promise<BuiltWorkflow> {
    const esbuild = await this.parts.esbuild();
    const built = await buildPackage(entry, { files, esbuild, npm: "inline", lowerAsync: true });
    await this.parts.state.addPackage(built);
    return { hash: built.hash, manifest: built.manifest, warnings: built.warnings ?? [] };
  }

  getPackage(hash: string): Promise<StoredPackage | undefined> {
    return this.parts.state.package(hash);
  }

  start(request: RunRequest): Promise<void> {
    const id = request.executionId;
    // One that an earlier engine was asked for goes on already.
    if (this.runs.has(id)) return Promise.resolve();
    let accepted = this.accepted.get(id);
    if (accepted === undefined) {
      accepted = this.accept(request);
      this.accepted.set(id, accepted);
      accepted.catch(() => this.accepted.delete(id));
    }
    return accepted;
  }

  private async accept(request: RunRequest): Promise<void> {
    const id = request.executionId;
    const stored = await this.package(request.package);
    await this.parts.state.keepPackage(request.package);
    // It may have ended in an engine before this one, whose answer never came.
    if ((await this.parts.backend.getExecutions([id]))[0] !== undefined) return;
    const args = commandLine(stored, request);
    const run = { id, current: id, interrupted: [], tries: 0, request, args, time: Date.now() };
    // Kept first, so that what has begun is never forgotten.
    await this.parts.state.addRun(run);
    this.begin(run, false);
  }

  /**
   * Goes on with an execution that was interrupted: it stays as it is, and another in its place takes what it has done
   * from the cache. One that keeps taking the engine down with it is given up.
   */
  private async resume(run: StoredRun): Promise<void> {
    const { state, backend } = this.parts;
    const [begun] = await backend.getExecutions([run.current]);
    if (begun !== undefined) await backend.addTags([interruptedTag(run.current)]);
    if (run.tries >= MOST_TRIES) {
      await state.removeRun(run.id);
      return;
    }
    const next =
      begun === undefined ? run : { ...run, current: uuid(), interrupted: [...run.interrupted, run.current] };
    await state.addRun(next);
    this.begin(next, true);
  }

  /** Counts a try of an execution that was interrupted, until the engine has lived on. @returns what stops that */
  private async countTry(run: StoredRun, signal: AbortSignal): Promise<() => void> {
    const { state } = this.parts;
    if (signal.aborted) return () => {};
    await state.addRun({ ...run, tries: run.tries + 1 });
    const alive = setTimeout(() => {
      if (!signal.aborted) void state.addRun({ ...run, tries: 0 }).catch(() => {});
    }, ALIVE);
    return () => clearTimeout(alive);
  }

  private begin(run: StoredRun, isResumed: boolean): void {
    const abort = new AbortController();
    const outcome = this.turn.then(async () => {
      // One that only waits behind another that ends the engine has not been tried.
      const stop = isResumed ? await this.countTry(run, abort.signal) : undefined;
      try {
        return await this.execute(run, abort.signal);
      } finally {
        stop?.();
      }
    });
    const ended = outcome.catch(() => {});
    this.turn = ended;
    const entry: Run = { stored: run.id, abort, outcome, hasEnded: false };
    for (const id of new Set([run.id, ...run.interrupted, run.current])) this.runs.set(id, entry);
    void ended.then(() => {
      entry.hasEnded = true;
      for (const [id, { hasEnded }] of this.runs) {
        if (this.runs.size <= REMEMBERED) break;
        if (hasEnded) this.runs.delete(id);
      }
    });
  }

  private async execute(run: StoredRun, signal: AbortSignal): Promise<RunOutcome> {
    const { current: executionId } = run;
    const started = Date.now();
    const resumes = run.interrupted.at(-1);
    this.running.add(executionId);
    const start = { type: "execution-start", executionId, time: started, args: run.args.map(cut) } as const;
    this.events.add(resumes === undefined ? start : { ...start, resumes });
    const stop = logExecution(this.scheduler, executionId, this.events, this.parts.watch);
    const kept = new KeptLog(this.parts.state, executionId);
    const stopLog = this.scheduler.on("job-log", ({ job, line }) =>
      kept.add({ jobId: job.id, line: cut(line) }),
    );
    let outcome: RunOutcome;
    try {
      outcome = await this.evaluate(run, signal);
    } catch (error) {
      const status =
        error instanceof CancelledError ? "CANCELLED" : error instanceof DryRunError ? "DRYRUN" : "FAILED";
      outcome = { status, error: plainRecord(error), traceback: errorTraceback(error) };
    } finally {
      stop();
      stopLog();
      await kept.close();
      this.running.delete(executionId);
    }
    // What is cut off because this engine ends is for the next one.
    if (this.isClosing && signal.aborted) return outcome;
    // One that can't be removed is only taken from the cache once more.
    await this.parts.state.removeRun(run.id).catch(() => {});
    this.accepted.delete(run.id);
    const time = Date.now();
    const { status } = outcome;
    const small = smallOutcome(outcome);
    const end = { type: "execution-end", executionId, time, duration: time - started, status } as const;
    this.events.add(small === undefined ? end : { ...end, outcome: small });
    this.events.flush();
    return outcome;
  }

  private async evaluate(run: StoredRun, signal: AbortSignal): Promise<RunOutcome> {
    const { request, current: executionId } = run;
    if (signal.aborted) throw new CancelledError("The execution was cancelled");
    const task = await this.loadTask(request);
    const tags = [...(request.tags ?? [])];
    const resumes = run.interrupted.at(-1);
    if (resumes !== undefined) tags.push([RESUMES, resumes]);
    const value: unknown = await this.scheduler.run(task(...argumentsOf(request)), {
      executionId,
      args: run.args,
      tags,
      signal,
      resumes: run.interrupted,
      ...(request.cache === undefined ? {} : { cache: request.cache }),
      ...(request.dryRun === undefined ? {} : { dryRun: request.dryRun }),
      ...(request.context === undefined ? {} : { context: contextOf(request.context) }),
    });
    const encoded = encodeValue(value, "result");
    return { status: "DONE", value: encoded.text, valueHash: encoded.hash };
  }

  private async loadTask({ package: hash, task: fullname }: RunRequest): Promise<Task> {
    const stored = await this.package(hash);
    // Tasks of a workflow that was run before are neither known nor current in this one.
    for (const { fullname: name, definition } of registry.all()) {
      if (definition.package !== undefined && definition.package !== hash) registry.remove(name);
    }
    await this.parts.confine();
    await loadWebPackage(stored);
    const task = registry.get(fullname);
    if (task === undefined) {
      throw new UnknownTaskError(
        fullname,
        registry.names().filter((name) => !name.startsWith("redun.")),
      );
    }
    return task;
  }

  /** A package by its hash. @throws PackageError if it was not built here */
  private async package(hash: string): Promise<StoredPackage> {
    const stored = await this.parts.state.package(hash);
    if (stored !== undefined) return stored;
    throw new PackageError(`Cannot load the package ${hash}: it is not here`, {
      hint: "Build the workflow again.",
      fields: { hash },
    });
  }

  async outcome(executionId: string): Promise<RunOutcome | undefined> {
    // An execution may have ended in an engine before this one.
    return this.runs.get(executionId)?.outcome ?? storedOutcome(this.parts.backend, executionId);
  }

  async cancel(executionId: string): Promise<void> {
    const run = this.runs.get(executionId);
    if (run === undefined) return;
    run.abort.abort();
    // One that waits for its turn must not begin in a later engine.
    await this.parts.state.removeRun(run.stored);
  }

  async eventsAfter(seq: number): Promise<readonly EngineEvent[]> {
    return this.events.after(seq);
  }

  log(executionId: string): Promise<readonly LogLine[]> {
    return this.parts.state.log(executionId);
  }

  async query<M extends keyof StoreQueries>(
    method: M,
    ...args: Parameters<StoreQueries[M]>
  ): Promise<Awaited<ReturnType<StoreQueries[M]>>> {
    if (!QUERIES.has(method)) throw new TypeError(`The store has no query ${method}`);
    const { backend } = this.parts;
    const query = backend[method] as (...given: unknown[]) => Promise<Awaited<ReturnType<StoreQueries[M]>>>;
    return query.apply(backend, args);
  }

  async exportRecords(executionIds?: readonly string[]): Promise<readonly RecordJson[]> {
    const records: RecordJson[] = [];
    for await (const ids of this.parts.backend.reachable(executionIds)) {
      records.push(...(await this.parts.backend.exportRecords(ids)));
    }
    return records;
  }

  async reachable(executionIds?: readonly string[]): Promise<readonly string[]> {
    const all: string[] = [];
    for await (const ids of this.parts.backend.reachable(executionIds)) for (const id of ids) all.push(id);
    return all;
  }

  importRecords(records: readonly RecordJson[]): Promise<number> {
    return this.parts.backend.importRecords(records);
  }

  async importDatabase(database: Blob): Promise<number> {
    return importDatabase(this.parts.backend, new Uint8Array(await database.arrayBuffer()));
  }

  /** Ends what is at work; the next engine goes on with it. */
  async close(): Promise<void> {
    this.isClosing = true;
    for (const { abort } of this.runs.values()) abort.abort();
    await this.turn;
    await this.scheduler.close();
    this.parts.state.close();
  }
}

const registry = taskRegistry as TaskRegistry<Task>;

/** What an execution is tagged with whose engine ended before it did. */
function interruptedTag(entityId: string): TagRecord {
  const [key, value] = ["redun.status", "interrupted"];
  const hash = tagHash(entityId, key, value);
  return { tagHash: hash, entityType: "Execution", entityId, key, value, parents: [] };
}

function contextOf(text: string): Record<string, unknown> {
  const context = decodeValue(text);
  if (typeof context === "object" && context !== null && !Array.isArray(context)) {
    return context as Record<string, unknown>;
  }
  throw new TypeError("Cannot use the context: it is not an object");
}
