import type { Json } from "../value/json.ts";
import type { EncodedValue } from "../value/value.ts";
import type {
  ExecutionStatus,
  JobStatus,
  Millis,
  RecordBatch,
  TagEntity,
  TagRecord,
  TaskRecord,
} from "./records.ts";

/** A result that is there at once where the store is synchronous, so that the scheduler need not wait. */
export type Maybe<T> = T | Promise<T>;

/** A question for an earlier result of a call. */
export interface CacheQuery {
  readonly evalHash: string;
  readonly taskHash: string;
  readonly argsHash: string;
  /** `single`: what the function returned. `ultimate`: the final value of the whole call. Tried in this order. */
  readonly allowed: readonly ("single" | "ultimate")[];
  /** An ultimate result must have been recorded with the same context; `undefined` means with none. */
  readonly contextHash: string | undefined;
  /** An ultimate result must be that of a job of one of these executions. */
  readonly executions?: readonly string[] | undefined;
}

/** An earlier result. */
export interface CacheHit {
  readonly kind: "single" | "ultimate";
  readonly value: EncodedValue;
  /** For an ultimate result: its call, and all tasks used below it. */
  readonly callHash?: string | undefined;
  readonly subtreeTasks?: readonly string[] | undefined;
}

/** Options of {@link Backend.load}. */
export interface LoadOptions {
  /** Bring an older store up to date. Default true. */
  readonly migrate?: boolean;
}

export interface ExecutionRow {
  readonly id: string;
  readonly args: readonly string[];
  readonly jobId: string;
  readonly status: ExecutionStatus;
  readonly startTime: Millis | null;
  readonly endTime: Millis | null;
  readonly updatedTime: Millis | null;
}

export interface JobRow {
  readonly id: string;
  readonly executionId: string;
  readonly parentId: string | null;
  readonly taskHash: string;
  /** Fullname. */
  readonly taskName: string;
  readonly status: JobStatus;
  readonly startTime: Millis;
  readonly endTime: Millis | null;
  readonly cached: boolean;
  readonly callHash: string | null;
}

export interface ArgumentRow {
  readonly argHash: string;
  readonly position: number | null;
  readonly key: string | null;
  readonly valueHash: string;
  readonly upstream: readonly string[];
}

export interface CallNodeRow {
  readonly callHash: string;
  readonly taskName: string;
  readonly taskHash: string;
  readonly argsHash: string;
  readonly valueHash: string;
  readonly timestamp: Millis;
  readonly contextHash: string | null;
  readonly args: readonly ArgumentRow[];
  readonly children: readonly string[];
}

export interface ValueRow extends EncodedValue {
  /** Path, if it is a file. */
  readonly file: string | null;
  readonly subvalues: readonly string[];
}

export interface TagRow extends TagRecord {
  readonly isCurrent: boolean;
}

export type EntityType = Exclude<TagEntity, "Null">;

/** What {@link Backend.find} looks for. All given filters must hold. Lists are alternatives, except tags. */
export interface RecordQuery {
  readonly type: EntityType;
  readonly ids?: readonly string[];
  readonly idPrefix?: string;
  readonly executionIds?: readonly string[];
  readonly executionStatus?: readonly ExecutionStatus[];
  readonly jobStatus?: readonly JobStatus[];
  /** With a dot: fullnames; without: names in any namespace. */
  readonly taskNames?: readonly string[];
  readonly taskHashes?: readonly string[];
  /** Jobs whose arguments or result are, or contain, one of these values. */
  readonly argValues?: readonly string[];
  readonly resultValues?: readonly string[];
  readonly valueTypes?: readonly string[];
  /** Paths of files, `*` matching any text. */
  readonly filePaths?: readonly string[];
  /** All must match; without a value any value does. */
  readonly tags?: readonly { readonly key: string; readonly value?: Json }[];
  readonly executionTags?: readonly { readonly key: string; readonly value?: Json }[];
  readonly parentIds?: readonly string[];
  /** Jobs of these calls, values of these calls' results. */
  readonly callHashes?: readonly string[];
  readonly limit?: number;
  readonly offset?: number;
  /** Only those that come after the one of this id; so pages miss and double nothing while there are more and more. */
  readonly after?: string;
}

/** The ids that a query finds: executions and jobs newest first, other kinds in no order. */
export interface FoundId {
  readonly type: EntityType;
  readonly id: string;
}

/** Options of {@link Backend.exportRecords}. */
export interface ExportOptions {
  /** Ends the answer with the record at which it reaches this size, in characters of JSON, as values may be large. */
  readonly maxSize?: number | undefined;
}

/** One line of an export, in the shape of redun's records. */
export type RecordJson = { readonly [key: string]: Json };

/**
 * A store of results and provenance. It owns durability and consistency: a batch is stored wholly or not at all, and
 * two processes may write at once. It knows nothing of tasks' code or of how jobs run.
 *
 * What the scheduler needs on its hot path may be answered synchronously; all other questions are asynchronous.
 */
export interface Backend {
  /** Opens the store, creating or migrating it. @throws BackendError, BackendVersionError */
  load(options?: LoadOptions): Promise<void>;
  close(): Promise<void>;

  /**
   * Answers questions in order; `undefined` is a miss.
   *
   * @param isCurrent - whether a task hash belongs to a task as it is defined now; an ultimate result counts only if
   *   all tasks below it do, and the newest one wins
   */
  lookup(
    queries: readonly CacheQuery[],
    isCurrent: (taskHash: string) => boolean,
  ): Maybe<(CacheHit | undefined)[]>;
  /** Stores a batch in one transaction. What exists already stays as it is, except that an evaluation is replaced. */
  write(batch: RecordBatch): Maybe<void>;
  /** Says that an execution is still alive. */
  heartbeat(executionId: string, time: Millis): Maybe<void>;

  getValues(hashes: readonly string[]): Promise<(ValueRow | undefined)[]>;
  getExecutions(ids: readonly string[]): Promise<(ExecutionRow | undefined)[]>;
  getJobs(ids: readonly string[]): Promise<(JobRow | undefined)[]>;
  getCallNodes(hashes: readonly string[]): Promise<(CallNodeRow | undefined)[]>;
  getTasks(hashes: readonly string[]): Promise<(TaskRecord | undefined)[]>;
  /** Current tags of entities, superseded ones left out. */
  getTags(entityIds: readonly string[]): Promise<TagRow[]>;
  /** Calls in which a value is the result (`result`), or an argument (`argument`), by itself or inside another value. */
  callsOfValue(valueHash: string, role: "result" | "argument"): Promise<string[]>;
  /** Parents of a call in the call graph. */
  parentCalls(callHash: string): Promise<string[]>;
  /** The call graph's node that explains a miss best: same arguments and task name, else same task; the latest. */
  nearestCall(query: {
    taskName: string;
    taskHash: string;
    argsHash: string;
  }): Promise<CallNodeRow | undefined>;

  find(query: RecordQuery): Promise<FoundId[]>;
  count(query: RecordQuery): Promise<number>;
  /** Current tag keys with their values and how many entities of each type carry them. */
  tagCounts(): Promise<{ key: string; value: Json; entityType: TagEntity; count: number }[]>;

  /**
   * Records a tag; superseding and deleting are tags with parents. With `fresh`, a tag that exists and is no longer
   * current gets a new current successor instead of nothing happening.
   */
  addTags(tags: readonly TagRecord[], options?: { readonly fresh?: boolean }): Promise<TagRow[]>;

  /** Ids of everything reachable from the given ids (default: all executions), each once, layer by layer. */
  reachable(ids?: readonly string[]): AsyncIterable<readonly string[]>;
  /** Export records in the order asked; unknown ids are skipped. */
  exportRecords(ids: readonly string[], options?: ExportOptions): Promise<RecordJson[]>;
  /**
   * Imports records, all or none, in any order and idempotently. What they refer to may come later. The single reduction
   * of a call becomes an answer of {@link lookup} once its value is there, unless there is one under its key already.
   *
   * @returns how many were new
   * @throws BackendError if one is malformed, or its id does not follow from what it holds
   */
  importRecords(records: readonly RecordJson[]): Promise<number>;
  /** Which of these ids the store lacks. A job that has not ended counts as lacking: its record may come with the end. */
  missing(ids: readonly string[]): Promise<string[]>;
}
