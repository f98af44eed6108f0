import type { ErrorRecord } from "../errors/redun-error.ts";
import type { JobCounts } from "../scheduler/events.ts";
import type { Traceback } from "../scheduler/traceback.ts";
import type { Json } from "../value/json.ts";

/** How far a hosted execution is. */
export type HostedStatus = "QUEUED" | "RUNNING" | "DONE" | "FAILED" | "CANCELLED" | "DRYRUN";

/** Options of an execution, as they are asked for. */
export interface HostedOptions {
  /** `false` takes no result of an earlier execution. */
  readonly cache?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
  /** `false` records nothing. */
  readonly prov?: boolean | undefined;
  /** Options of the root task's call, such as `executor` or `memory`. */
  readonly task?: Readonly<Record<string, Json>> | undefined;
}

/** An execution that was asked for. It is plain data, kept until it is done and after. Times are milliseconds since the epoch. */
export interface HostedRun {
  readonly id: string;
  readonly created: number;
  readonly status: HostedStatus;
  /** Hash of the code package. */
  readonly package: string;
  /** Fullname. */
  readonly task: string;
  /** Canonical encoding of the list of arguments. */
  readonly args: string;
  readonly options: HostedOptions;
  readonly tags: readonly (readonly [key: string, value: Json])[];
  /** Canonical encoding of the context. */
  readonly context: string | undefined;
  /** The command line to record. */
  readonly commandLine: readonly string[];
  /** Name of the token that asked. */
  readonly user: string;
  /** The execution that is at work for it: itself, or the last of those that went on in its place. */
  readonly current: string;
  /** Those that were interrupted, oldest first. */
  readonly interrupted: readonly string[];
  /** How often it was begun and the scheduler's home ended soon after. */
  readonly tries: number;
  /** Whether its turn had come in the home that wrote this last. */
  readonly atWork?: boolean | undefined;
  /** Whether it was asked to end. */
  readonly cancelled?: boolean | undefined;
  readonly started?: number | undefined;
  readonly ended?: number | undefined;
  readonly outcome?: HostedOutcome | undefined;
}

/** How a hosted execution ended. */
export type HostedOutcome =
  | {
      readonly status: "DONE";
      /** Hash of the result, under which the store has it. */
      readonly valueHash: string;
      /** The result as text, cut. */
      readonly preview: string;
      /** Canonical encoding of the result, unless it is long. */
      readonly value?: string | undefined;
    }
  | {
      readonly status: "FAILED" | "CANCELLED" | "DRYRUN";
      readonly error: ErrorRecord;
      readonly traceback: Traceback | undefined;
    };

/** A job as events show it. */
export interface JobView {
  readonly id: string;
  readonly parentId: string | null;
  /** Fullname. */
  readonly task: string;
  /** `task(arg=1, …)` */
  readonly call: string;
}

/**
 * What happens in a hosted execution, in order. `seq` counts from 1 and has no gaps, also where the execution was
 * interrupted and went on. Times are milliseconds since the epoch.
 */
export type ExecutionEvent = { readonly seq: number; readonly time: number } & ExecutionNews;

export type ExecutionNews =
  | {
      readonly type: "execution-start";
      readonly executionId: string;
      readonly args: readonly string[];
      /** The interrupted execution in whose place this one goes on. */
      readonly resumes?: string;
    }
  | { readonly type: "execution-end"; readonly executionId: string; readonly outcome: HostedOutcome }
  | { readonly type: "job-start"; readonly job: JobView; readonly executor: string }
  | { readonly type: "job-cached"; readonly job: JobView }
  | {
      readonly type: "job-retry";
      readonly job: JobView;
      readonly attempt: number;
      /** First line of the error. */
      readonly message: string;
    }
  | {
      readonly type: "job-end";
      readonly job: JobView;
      readonly status: "DONE" | "CACHED" | "FAILED";
      readonly callHash: string | undefined;
    }
  | {
      readonly type: "job-miss";
      readonly job: JobView;
      readonly reason: "invalid" | "dry-run";
      readonly message: string;
    }
  | { readonly type: "job-log"; readonly jobId: string; readonly line: string }
  | { readonly type: "counts"; readonly counts: Readonly<Record<string, JobCounts>> }
  | { readonly type: "warning"; readonly code: string; readonly message: string };
