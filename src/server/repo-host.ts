import type { Backend } from "../backend/backend.ts";
import type { TagRecord } from "../backend/records.ts";
import { tagHash } from "../backend/tags.ts";
import { CancelledError } from "../errors/errors.ts";
import type { PackageExecutor } from "../executor/executor.ts";
import { errorRecord } from "../executor/job-error.ts";
import type { FileSystem } from "../file/file-system.ts";
import { verifyPackage } from "../package/manifest.ts";
import type { StoredPackage } from "../package/types.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import { Turns } from "../util/turns.ts";
import { uuid } from "../util/uuid.ts";
import type { Json } from "../value/json.ts";
import { ApiError } from "./api-error.ts";
import type { ExecutionEvent, HostedOutcome, HostedRun } from "./execution-types.ts";
import type { HostState } from "./host-state.ts";
import { failure } from "./outcome.ts";
import { PackageSchedulers, type PackageSchedulersParts } from "./package-schedulers.ts";
import { RunEvents } from "./run-events.ts";
import { RunNews } from "./run-news.ts";
import { type RunOrder, runOf } from "./run-order.ts";
import { SharedLimits } from "./shared-limits.ts";
import { Uploads, type UploadsOptions } from "./uploads.ts";
import "./whole-engine.ts";

/** What a {@link RepoHost} works with. */
export interface RepoHostParts extends PackageSchedulersParts {
  readonly state: HostState;
  /** Most executions at work at once; others wait. Default 16. */
  readonly maxRunning?: number | undefined;
  /** Most executions that wait; more are refused. Default 1000. */
  readonly maxQueued?: number | undefined;
  /** Told of each change of a run's status, in the same turn in which it is stored. */
  readonly onRun?: (run: HostedRun) => void;
  /** Told of faults of this home itself, such as a database that can't be written. */
  readonly onFault?: (error: unknown) => void;
  /** Told of events when they are stored. */
  readonly onEvents?: (run: string, events: readonly ExecutionEvent[]) => void;
  /** Where files are kept that clients send. Without it none are taken. */
  readonly uploads?: UploadsOptions;
  /** Waits until all that was written so far outlives a crash, where the database does not do so by itself. */
  readonly sync?: () => Promise<void>;
}

/** A run that waits or is at work. */
interface Active {
  readonly abort: AbortController;
  readonly events: RunEvents;
  /** Whether its turn has not come. */
  waits: boolean;
  done: Promise<void>;
}

/** So often is an execution begun again whose scheduler's home ended before it had lived for a while. */
const MOST_TRIES = 3;
/** Milliseconds after which a scheduler that has begun an execution again counts as alive. */
const ALIVE = 10_000;
/** Milliseconds until what could not be written is tried again. */
const RETRY = 2_000;
const STATUS = "redun.status";

/**
 * The scheduler's home of one hosted repository. It owns the executions that were asked for, and remembers them until
 * they are done, so that the next home goes on with them. It loads no user's code.
 */
export class RepoHost {
  readonly backend: Backend;
  readonly state: HostState;
  /** Files that clients have sent, if the repository takes any. */
  readonly uploads: Uploads | undefined;
  /** Where executions have their files, if they can be read from here. */
  readonly files: FileSystem | undefined;
  private readonly parts: RepoHostParts;
  private readonly active = new Map<string, Active>();
  private readonly executor: PackageExecutor;
  private readonly turns: Turns;
  private readonly schedulers: PackageSchedulers;
  /** The next event of a run, or its end. */
  private readonly news = new RunNews();
  private isClosing = false;
  /** Whether nothing may begin any more. */
  private isOver = false;

  constructor(parts: RepoHostParts) {
    this.parts = parts;
    this.backend = parts.backend;
    this.state = parts.state;
    this.files = parts.uploads?.files;
    this.uploads =
      parts.uploads === undefined
        ? undefined
        : new Uploads(parts.uploads, { ...parts, ledger: parts.state.uploads });
    this.executor = new SharedLimits(parts.executor, parts.limits);
    this.schedulers = new PackageSchedulers({ ...parts, executor: this.executor });
    this.turns = new Turns(parts.maxRunning ?? 16);
  }

  /** Opens the store, and goes on with the executions that had not ended when the last home did. */
  async open(): Promise<void> {
    await this.backend.load();
    const left: string[] = [];
    // Read one by one, since together they may be more than there is memory.
    for (const id of this.state.unfinished()) if (await this.goesOn(this.state.run(id)!)) left.push(id);
    // Only now, so that a home that can't be opened has nothing at work when another takes its place.
    for (const id of left) this.begin(this.state.run(id)!);
  }

  /** Whether executions wait or are at work. */
  get isBusy(): boolean {
    return this.active.size > 0;
  }

  /** Keeps a package. @throws PackageError if it is not what its hash says */
  addPackage(pkg: StoredPackage): void {
    verifyPackage(pkg);
    this.state.addPackage(pkg);
  }

  /** Accepts an execution. @returns its id, that of the earlier one if the key was used before */
  async start(order: RunOrder): Promise<string> {
    const { key } = order;
    const known = key === undefined ? undefined : this.state.runOfKey(key);
    if (known !== undefined) return known;
    if (this.active.size >= (this.parts.maxQueued ?? 1000)) {
      throw new ApiError(
        429,
        "too-many-executions",
        `Cannot start: ${this.active.size} executions wait already`,
        {
          hint: "Try again later.",
          retryAfter: 10,
        },
      );
    }
    const pkg = this.state.package(order.package);
    if (pkg === undefined) {
      throw new ApiError(404, "unknown-package", `Cannot start: there is no package ${order.package} here`, {
        hint: "Upload it first with PUT …/packages/:hash.",
      });
    }
    const run = runOf(order, pkg);
    const { id } = run;
    if (order.id !== undefined && (await this.backend.getExecutions([id]))[0] !== undefined)
      throw executionExists(id);
    if (this.isOver) throw new ApiError(503, "unavailable", "Cannot start: the repository is being removed");
    const kept = this.state.addRun(run, key);
    if (kept === undefined) throw executionExists(id);
    if (kept === id) this.begin(run);
    return kept;
  }

  /** Cancels an execution that waits or is at work. @returns whether it did */
  cancel(id: string): boolean {
    const active = this.active.get(id);
    if (active === undefined || active.abort.signal.aborted) return false;
    const run: HostedRun = { ...this.state.run(id)!, cancelled: true };
    this.state.putRun(run);
    active.abort.abort();
    // One that waits ends now rather than at its turn.
    if (active.waits) {
      this.end(run, active.events, failure(new CancelledError())).catch((error: unknown) =>
        this.parts.onFault?.(error),
      );
    }
    return true;
  }

  /**
   * Prepares for an execution that was interrupted to go on: it stays as it is, and another in its place takes what it has
   * done from the cache. One that keeps taking the scheduler down with it is given up.
   *
   * @returns whether it is to begin
   */
  private async goesOn(run: HostedRun): Promise<boolean> {
    const [begun] = await this.backend.getExecutions([run.current]);
    if (run.cancelled) {
      if (begun !== undefined) await this.backend.addTags([executionTag(run.current, STATUS, "cancelled")]);
      await this.end(run, this.eventsOf(run.id, {}), failure(new CancelledError()));
      return false;
    }
    if (begun === undefined && run.atWork !== true) return true;
    if (begun !== undefined) await this.markInterrupted(run.current);
    if (run.tries >= MOST_TRIES) {
      const error = errorRecord(
        new CancelledError(`The execution was given up: the server ended ${run.tries} times while it ran`, {
          hint: "Look into the server's log. Does the workflow need more memory than there is?",
        }),
      );
      await this.end(run, this.eventsOf(run.id, {}), { status: "FAILED", error, traceback: undefined });
      return false;
    }
    // One that left no record needs no other in its place.
    const next =
      begun === undefined ? {} : { current: uuid(), interrupted: [...run.interrupted, run.current] };
    this.state.putRun({ ...run, ...next, atWork: false, tries: run.tries + 1 });
    return true;
  }

  /** Says so of an execution, in place of what its scheduler said when it was closed: that it was cancelled. */
  private async markInterrupted(id: string): Promise<void> {
    const told = (await this.backend.getTags([id])).filter(({ key }) => key === STATUS);
    const parents = told.map((tag) => tag.tagHash);
    await this.backend.addTags([executionTag(id, STATUS, "interrupted", parents)]);
  }

  /** Has a run take its turn. It is read again then, and not kept, since those that wait may be many and long. */
  private begin(run: HostedRun): void {
    const { id } = run;
    const abort = new AbortController();
    const home: { scheduler?: Scheduler } = {};
    const events = this.eventsOf(id, home);
    const active: Active = { abort, events, waits: true, done: Promise.resolve() };
    this.active.set(id, active);
    active.done = this.turns
      .take(() => {
        active.waits = false;
        return this.execute(id, home, events, abort.signal);
      })
      .catch((error: unknown) => {
        // It stays as it is stored, for the next home.
        this.active.delete(id);
        this.news.tell(id);
        this.parts.onFault?.(error);
      });
    this.parts.onRun?.(run);
  }

  private eventsOf(id: string, home: { readonly scheduler?: Scheduler }): RunEvents {
    return new RunEvents(this.state.lastEvent(id), {
      settle: async () => home.scheduler?.flush(),
      publish: (list, ended) => this.publish(id, list, ended),
      onFault: (error) => this.parts.onFault?.(error),
    });
  }

  private async execute(
    id: string,
    home: { scheduler?: Scheduler },
    events: RunEvents,
    signal: AbortSignal,
  ): Promise<void> {
    // One that was cancelled while it waited has ended.
    if (this.isClosing || signal.aborted) return;
    const queued = this.state.run(id)!;
    const started = queued.started ?? Date.now();
    const run: HostedRun = { ...queued, status: "RUNNING", started, atWork: true };
    await this.untilDone(() => this.update(run));
    const alive = setTimeout(() => this.outlives(id), ALIVE);
    const executionId = run.current;
    const resumes = run.interrupted.at(-1);
    events.add({
      type: "execution-start",
      executionId,
      args: run.commandLine,
      ...(resumes === undefined ? {} : { resumes }),
    });
    let outcome: HostedOutcome;
    try {
      outcome = await this.schedulers.evaluate(run, signal, (scheduler) => {
        home.scheduler = scheduler;
        return events.watch(scheduler);
      });
    } catch (error) {
      outcome = failure(error);
    }
    clearTimeout(alive);
    // What is cut off because this home ends is for the next one.
    if (this.isClosing && outcome.status !== "DONE") return;
    await this.end(run, events, outcome);
  }

  /** Notes that this home has lived for a while since an execution was begun. */
  private outlives(id: string): void {
    try {
      this.state.putRun({ ...this.state.run(id)!, tries: 0 });
    } catch (error) {
      this.parts.onFault?.(error);
    }
  }

  private async end(run: HostedRun, events: RunEvents, outcome: HostedOutcome): Promise<void> {
    const ended: HostedRun = { ...run, status: outcome.status, ended: Date.now(), outcome };
    try {
      await this.recordUnbegun(ended);
    } catch {
      // That it ended is to be told all the same.
    }
    events.add({ type: "execution-end", executionId: run.current, outcome });
    await this.untilDone(() => events.flush(ended));
    this.active.delete(run.id);
    this.news.tell(run.id);
    this.state.pruneEvents();
  }

  /** A database that can't be written now, such as for lack of space, may be there later. */
  private async untilDone(write: () => void | Promise<void>): Promise<void> {
    for (;;) {
      try {
        await write();
        return;
      } catch (error) {
        if (this.isClosing) throw error;
        this.parts.onFault?.(error);
        await new Promise((resolve) => setTimeout(resolve, RETRY));
      }
    }
  }

  /** Records an execution that ended before a scheduler did so, such as one whose package does not load. It has no jobs. */
  private async recordUnbegun(run: HostedRun): Promise<void> {
    const { current: id, status, options, commandLine: args, started: startTime = run.created } = run;
    if (options.prov === false || (status !== "FAILED" && status !== "CANCELLED")) return;
    if ((await this.backend.getExecutions([id]))[0] !== undefined) return;
    const tags = run.tags.map(([key, value]) => executionTag(id, key, value));
    if (status === "CANCELLED") tags.push(executionTag(id, STATUS, "cancelled"));
    const none = { tasks: [], values: [], jobs: [], evaluations: [], callNodes: [], jobEnds: [] };
    await this.backend.write({ ...none, executions: [{ id, args, jobId: uuid(), startTime }], tags });
  }

  private update(run: HostedRun): void {
    this.state.putRun(run);
    this.parts.onRun?.(run);
  }

  private async publish(run: string, events: readonly ExecutionEvent[], ended?: HostedRun): Promise<void> {
    // Events come again if something failed after they were stored.
    const last = this.state.lastEvent(run);
    this.state.addEvents(
      run,
      events.filter(({ seq }) => seq > last),
      ended,
    );
    if (ended !== undefined) this.parts.onRun?.(ended);
    await this.parts.sync?.();
    this.parts.onEvents?.(run, events);
    this.news.tell(run);
  }

  /**
   * The events of a run after a number, as they come, until it has ended.
   *
   * @param signal - ends it
   */
  async *follow(run: string, after: number, signal: AbortSignal): AsyncGenerator<readonly ExecutionEvent[]> {
    let wake = (): void => {};
    signal.addEventListener("abort", () => wake(), { once: true });
    let seen = after;
    while (!signal.aborted) {
      // Asked before the events are read, so that none that comes meanwhile is missed.
      const isActive = this.active.has(run);
      const news = isActive ? this.news.next(run) : undefined;
      const events = this.state.events(run, seen);
      if (events.length > 0) {
        seen = events.at(-1)!.seq;
        // What is told must not come again with another content.
        await this.parts.sync?.();
        yield events;
      } else if (news !== undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
          void news.then(resolve);
        });
      } else return;
    }
  }

  /**
   * Ends all that waits or is at work for good, and begins nothing any more, since the repository is to be removed.
   *
   * @param force - whether there may be something; it is cancelled
   * @throws ApiError with status 409 if there must not be
   */
  async endAll(force: boolean): Promise<void> {
    const active = [...this.active];
    if (active.length > 0 && !force) {
      throw new ApiError(
        409,
        "executions-running",
        "Cannot remove the repository: it has executions that wait or are at work",
        { hint: "Wait until they have ended, cancel them, or use force." },
      );
    }
    this.isOver = true;
    for (const [id] of active) this.cancel(id);
    await Promise.all(active.map(([, { done, events }]) => done.then(() => events.flush()).catch(() => {})));
  }

  /** Ends what is at work; the next home goes on with it. */
  async close(): Promise<void> {
    this.isClosing = true;
    const active = [...this.active.values()];
    for (const { abort } of active) abort.abort();
    await Promise.all(active.map(({ done }) => done.catch(() => {})));
    await Promise.all(active.map(({ events }) => events.flush().catch(() => {})));
    this.news.tellAll();
    await this.executor.close?.();
    await this.backend.close();
  }
}

const executionExists = (id: string): ApiError =>
  new ApiError(409, "execution-exists", `Cannot start: there is an execution ${id} already`);

function executionTag(
  entityId: string,
  key: string,
  value: Json,
  parents: readonly string[] = [],
): TagRecord {
  const hash = tagHash(entityId, key, value, parents);
  return { tagHash: hash, entityType: "Execution", entityId, key, value, parents };
}
