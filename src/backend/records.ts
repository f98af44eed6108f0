import type { Json } from "../value/json.ts";
import type { EncodedValue } from "../value/value.ts";

/** Type name of the value that a failed call has in place of a result; the status FAILED is derived from it. */
export const ERROR_VALUE_TYPE = "redun.ErrorValue";

/** Times are milliseconds since the epoch, UTC; fractions carry microseconds. Hashes are 40 hex digits. Ids are UUIDs. */
export type Millis = number;

/** A task that ran, with what its author wrote. A value row of the same hash stands for it too. */
export interface TaskRecord {
  readonly hash: string;
  readonly name: string;
  readonly namespace: string;
  readonly source: string;
  readonly version?: string | undefined;
  readonly doc?: string | undefined;
  /** Names of the parameters, in order. */
  readonly parameters: readonly string[];
}

/** A value to store, with the values inside it that are recorded as their own. */
export interface ValueRecord extends EncodedValue {
  readonly subvalues?: readonly ValueRecord[] | undefined;
  /** Path, if the value is a file. */
  readonly file?: string | undefined;
}

/** A single reduction: what a task's function returned for these arguments, before nested calls are evaluated. */
export interface EvaluationRecord {
  readonly evalHash: string;
  readonly taskHash: string;
  readonly argsHash: string;
  readonly value: ValueRecord;
}

export interface ArgumentRecord {
  /** Exactly one of position and key is set. */
  readonly position: number | null;
  readonly key: string | null;
  readonly value: ValueRecord;
  /** Call hashes of the calls whose results the argument was computed from. */
  readonly upstream: readonly string[];
}

/** A finished call: an immutable node of the call graph. */
export interface CallNodeRecord {
  readonly callHash: string;
  /** Cache key of the call; follows from task and arguments, and spares computing it again. */
  readonly evalHash?: string | undefined;
  readonly taskName: string;
  readonly taskHash: string;
  readonly argsHash: string;
  readonly value: ValueRecord;
  readonly timestamp: Millis;
  readonly args: readonly ArgumentRecord[];
  /** Call hashes of the children in the order they were called, repeats included. */
  readonly children: readonly string[];
  /** Hashes of all tasks used in this call and below, sorted. */
  readonly subtreeTasks: readonly string[];
  /** Hash of the context's value, if the context is not empty. */
  readonly contextHash: string | undefined;
}

export interface ExecutionRecord {
  readonly id: string;
  /** Command line. */
  readonly args: readonly string[];
  readonly jobId: string;
  readonly startTime: Millis;
}

/** A job has one record when it starts and is completed when it ends; both may come in one batch. */
export interface JobRecord {
  readonly id: string;
  readonly executionId: string;
  readonly parentId: string | null;
  readonly taskHash: string;
  readonly startTime: Millis;
  readonly endTime?: Millis | undefined;
  readonly cached?: boolean | undefined;
  readonly callHash?: string | undefined;
}

export interface JobEndRecord {
  readonly id: string;
  readonly endTime: Millis;
  readonly cached: boolean;
  readonly callHash: string | undefined;
}

export type TagEntity = "Execution" | "Job" | "CallNode" | "Task" | "Value" | "Null";

export interface TagRecord {
  readonly tagHash: string;
  readonly entityType: TagEntity;
  readonly entityId: string;
  readonly key: string;
  readonly value: Json;
  /** Tags that this one supersedes. */
  readonly parents: readonly string[];
}

/**
 * What a scheduler writes in one go. Order within a list is the order of events, and a record may refer to others of
 * the same batch. All of it is stored, or nothing.
 */
export interface RecordBatch {
  readonly tasks: readonly TaskRecord[];
  readonly values: readonly ValueRecord[];
  readonly executions: readonly ExecutionRecord[];
  readonly jobs: readonly JobRecord[];
  readonly evaluations: readonly EvaluationRecord[];
  readonly callNodes: readonly CallNodeRecord[];
  readonly jobEnds: readonly JobEndRecord[];
  readonly tags: readonly TagRecord[];
}

export type JobStatus = "RUNNING" | "DONE" | "CACHED" | "FAILED";
export type ExecutionStatus = "RUNNING" | "DONE" | "FAILED";
