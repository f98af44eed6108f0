import type { JobStatus } from "../backend/records.ts";

/** The four ways in which an earlier or equal call gives a job its result. */
export type CacheKind = "pending" | "cse" | "single" | "ultimate";

/** What events tell of a job. */
export interface JobInfo {
  /** UUID. */
  readonly id: string;
  readonly executionId: string;
  readonly parentId: string | null;
  /** Fullname of its task. */
  readonly task: string;
  readonly evalHash: string | undefined;
  /** The call as text, `task(arg=1, …)`, made when it is asked for; each argument is cut at 200 characters. */
  readonly call: string;
}

/** Numbers of jobs of one task in an execution. */
export interface JobCounts {
  readonly PENDING: number;
  readonly RUNNING: number;
  readonly FAILED: number;
  readonly CACHED: number;
  readonly DONE: number;
}

/** What happens in a scheduler, in order. Times are milliseconds since the epoch. */
export type SchedulerEvent =
  | {
      readonly type: "execution-start";
      readonly executionId: string;
      readonly args: readonly string[];
      readonly time: number;
    }
  | {
      readonly type: "execution-end";
      readonly executionId: string;
      readonly status: "DONE" | "FAILED" | "CANCELLED" | "DRYRUN";
      readonly time: number;
      /** Milliseconds. */
      readonly duration: number;
      readonly error?: unknown;
    }
  | { readonly type: "job-start"; readonly job: JobInfo; readonly executor: string; readonly time: number }
  | {
      readonly type: "job-cached";
      readonly job: JobInfo;
      readonly kind: CacheKind;
      /** Undefined for a single reduction, whose call is not known before its children are evaluated. */
      readonly callHash: string | undefined;
      readonly time: number;
    }
  | {
      readonly type: "job-miss";
      readonly job: JobInfo;
      /** `invalid`: a cached value no longer describes the world; `dry-run`: what the job would have done. */
      readonly reason: "invalid" | "dry-run";
      readonly message: string;
    }
  | { readonly type: "job-log"; readonly job: JobInfo; readonly line: string }
  | { readonly type: "job-retry"; readonly job: JobInfo; readonly attempt: number; readonly error: unknown }
  | {
      readonly type: "job-end";
      readonly job: JobInfo;
      readonly status: Exclude<JobStatus, "RUNNING">;
      readonly callHash: string | undefined;
      readonly time: number;
      readonly error?: unknown;
    }
  | { readonly type: "warning"; readonly code: string; readonly message: string };

export type SchedulerEventType = SchedulerEvent["type"];
export type EventOf<T extends SchedulerEventType> = Extract<SchedulerEvent, { readonly type: T }>;
