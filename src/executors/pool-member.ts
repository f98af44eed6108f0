import { ExecutorError, PackageError } from "../errors/errors.ts";
import type { ExecutorContext, JobResult, JobSpec } from "../executor/executor.ts";
import { Lease } from "./lease.ts";
import type { Tickets } from "./tickets.ts";
import type { WorkerHandle, WorkerKind } from "./worker-handle.ts";
import type { JobMessage } from "./worker-messages.ts";

/** A job for the pool, with what is to be told of its end. */
export interface PooledJob {
  readonly spec: JobSpec;
  readonly context: ExecutorContext;
  /** What it is to run in; the same object for all jobs of a kind. */
  readonly kind: WorkerKind;
  readonly packagePath: string | undefined;
  resolve(result: JobResult): void;
  reject(error: unknown): void;
}

/** A job in a pool. */
export interface Entry {
  readonly id: number;
  readonly job: PooledJob;
  readonly log: string[];
  readonly signal: AbortSignal;
  readonly abort: () => void;
  /** Whether its worker takes a ticket or a lease to begin it. */
  ticket: boolean;
  /** Whether its worker has begun it under a lease. */
  begun: boolean;
}

/** A worker in a pool. */
export interface Member {
  readonly kind: WorkerKind;
  readonly handle: WorkerHandle;
  /** Sent and unanswered, in the order in which they run. */
  inFlight: Entry[];
  outbox: JobMessage[];
  /** Milliseconds that its jobs took of late. */
  pace: number;
  /** When it last began a job, as far as is known here. */
  since: number;
  tickets: Tickets | Lease | "asked" | undefined;
  /** What to do when the jobs that it has not begun are known, while that is awaited. */
  taking: (() => void)[] | undefined;
  /** How often it has yet to say that it heard which jobs were taken back from it. */
  forgetting: number;
  /** Whether it has begun. */
  ready: boolean;
  /** Whether it was told to end. */
  ending: boolean;
  /** Ends it when it has had no job for a while. */
  idle: ReturnType<typeof setTimeout> | undefined;
}

/** So many of a job's last lines go with the error of a lost worker. */
const LOST_TAIL = 20;

/** Whether jobs are being taken back from a worker, so that it gets no others. */
export function isSettling({ taking, forgetting }: Member): boolean {
  return taking !== undefined || forgetting > 0;
}

/** Whether jobs wait at a worker, as far as is known. */
export function hasWaiting(member: Member): boolean {
  // Under a lease, that worker may wait for a new one.
  return member.tickets instanceof Lease ? notKnownToHaveBegun(member) > 0 : member.inFlight.length > 1;
}

/** How many of a worker's jobs may not have begun. They are its last. */
export function notKnownToHaveBegun({ inFlight }: Member): number {
  return inFlight.filter(({ ticket, begun }) => ticket && !begun).length;
}

/** The workers that a job might go to. */
export interface Survey {
  /** One of its kind without jobs. */
  readonly idle: Member | undefined;
  /** The one of its kind behind whose jobs it would wait least. */
  readonly behind: Member | undefined;
  /** The one of another kind that has been without jobs for longest. */
  readonly spare: Member | undefined;
  /** How many have jobs or are ending. */
  readonly busy: number;
}

/** @param hasRoom - whether a job may wait at a busy worker */
export function survey(
  members: readonly Member[],
  kind: WorkerKind,
  hasRoom: (member: Member) => boolean,
): Survey {
  let idle: Member | undefined;
  let behind: Member | undefined;
  let spare: Member | undefined;
  let busy = 0;
  for (const member of members) {
    const { length } = member.inFlight;
    if (length > 0 || member.ending || isSettling(member)) busy++;
    if (member.ending || isSettling(member)) continue;
    if (length === 0) {
      if (member.kind === kind) idle ??= member;
      else if (spare === undefined || member.since < spare.since) spare = member;
    } else if (member.kind === kind && hasRoom(member)) {
      if (behind === undefined || length < behind.inFlight.length) behind = member;
    }
  }
  return { idle, behind, spare, busy };
}

/** What a worker is told that asked for a package in vain. */
export function missingPackage(hash: string): PackageError {
  return new PackageError(`Cannot load the code package ${hash} in a worker: there is no such package here`, {
    hint: "Build the workflow again.",
    fields: { hash },
  });
}

/** The error of a job whose worker has ended. */
export function lostError(member: Member, entry: Entry, reason: string): ExecutorError {
  const { spec } = entry.job;
  return new ExecutorError(`Cannot finish ${spec.task}: its ${member.kind.name} ended with ${reason}`, {
    hint: member.kind.hint,
    fields: { jobId: spec.jobId, reason, log: entry.log.slice(-LOST_TAIL) },
  });
}
