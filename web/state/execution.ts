/**
 * An execution as views show it, whether its jobs are told by events as they happen or were read from the store.
 *
 * It owns the jobs and their tree, and tells of changes by one number, at most once a frame, since a fast run has tens
 * of thousands of events a second.
 *
 * @module
 */
import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { LogLine, RunOutcome } from "../../src/browser/engine-api.ts";
import type { JobCounts } from "../../src/scheduler/events.ts";

/** Where a job is in its life. */
export type Status =
  | "PENDING"
  | "RUNNING"
  | "DONE"
  | "CACHED"
  | "FAILED"
  | "CANCELLED"
  | "INTERRUPTED"
  | "DRYRUN";

/** A job of an execution. */
export interface Job {
  readonly id: string;
  parentId: string | null;
  /** Fullname. */
  readonly task: string;
  /** `task(1, …)`, once it is known. */
  call: string | undefined;
  status: Status;
  /** Milliseconds since the epoch. */
  startTime: number | undefined;
  endTime: number | undefined;
  callHash: string | undefined;
  executor: string | undefined;
  /** Number of the worker that it is at or was at, from 1. */
  worker: number | undefined;
  /** Milliseconds since the epoch between which its function ran there, when that is over. */
  ran: { readonly started: number; readonly ended: number } | undefined;
  /** In the order in which they became known. */
  readonly children: Job[];
}

/** The newest lines are kept. */
const MOST_LOG_LINES = 20_000;

export class Execution {
  readonly id: string;
  readonly jobs: Map<string, Job> = new Map();
  readonly roots: Job[] = [];
  readonly log: LogLine[] = [];
  readonly warnings: string[] = [];
  /** Why jobs of a dry run would run. */
  readonly misses: Map<string, string> = new Map();
  /** Command line. */
  args: readonly string[] = [];
  status: Status = "RUNNING";
  startTime: number | undefined = undefined;
  endTime: number | undefined = undefined;
  outcome: RunOutcome | undefined = undefined;
  /** The execution that goes on with this one, after the engine has moved. */
  continuedBy: string | undefined = undefined;
  counts: ReadonlyMap<string, JobCounts> | undefined = undefined;
  private readonly orphans: Map<string, Job[]> = new Map();
  private readonly version: Signal<number> = signal(0);
  private announced = true;

  constructor(id: string) {
    this.id = id;
  }

  /** Changes whenever something of the execution did. */
  get changes(): ReadonlySignal<number> {
    return this.version;
  }

  /** Has the component that is being rendered follow what changes. */
  follow(): void {
    void this.version.value;
  }

  /** Says that something changed. */
  touch(): void {
    if (!this.announced) return;
    this.announced = false;
    const announce = (): void => {
      this.announced = true;
      this.version.value++;
    };
    // Frames don't come to a tab that nobody sees.
    if (document.hidden) setTimeout(announce, 200);
    else requestAnimationFrame(announce);
  }

  /** The job of an id, made if it is not known yet. */
  job(id: string, task: string, parentId: string | null): Job {
    const known = this.jobs.get(id);
    if (known !== undefined) return known;
    const job: Job = {
      id,
      parentId,
      task,
      call: undefined,
      status: "PENDING",
      startTime: undefined,
      endTime: undefined,
      callHash: undefined,
      executor: undefined,
      worker: undefined,
      ran: undefined,
      children: [],
    };
    this.jobs.set(id, job);
    const parent = parentId === null ? undefined : this.jobs.get(parentId);
    (parent?.children ?? this.roots).push(job);
    if (parentId !== null && parent === undefined) this.waitForParent(job, parentId);
    this.adoptChildren(job);
    return job;
  }

  private waitForParent(job: Job, parentId: string): void {
    const list = this.orphans.get(parentId);
    if (list === undefined) this.orphans.set(parentId, [job]);
    else list.push(job);
  }

  /** A parent may be told of after its children; until then they are roots. */
  private adoptChildren(job: Job): void {
    const children = this.orphans.get(job.id);
    if (children === undefined) return;
    this.orphans.delete(job.id);
    const adopted = new Set(children);
    const others = this.roots.filter((root) => !adopted.has(root));
    this.roots.splice(0, this.roots.length, ...others);
    job.children.push(...children);
  }

  /** Keeps a line that a job wrote. */
  addLog(line: LogLine): void {
    this.log.push(line);
    if (this.log.length > MOST_LOG_LINES * 1.1) this.log.splice(0, this.log.length - MOST_LOG_LINES);
  }

  /** Numbers of jobs by task and status: as the engine tells them, else counted. */
  taskCounts(): ReadonlyMap<string, JobCounts> {
    // Before the first job the engine still counts those of the execution before.
    if (this.counts !== undefined && this.status === "RUNNING" && this.jobs.size > 0) return this.counts;
    const counts = new Map<string, Record<keyof JobCounts, number>>();
    for (const { task, status } of this.jobs.values()) {
      if (status === "CANCELLED" || status === "INTERRUPTED" || status === "DRYRUN") continue;
      const row = counts.get(task) ?? { PENDING: 0, RUNNING: 0, FAILED: 0, CACHED: 0, DONE: 0 };
      row[status]++;
      counts.set(task, row);
    }
    return counts;
  }
}
