import type { TagRow } from "../backend/backend.ts";
import type { ExecutionRecord, JobRecord, Millis, TaskRecord } from "../backend/records.ts";

/**
 * What the stores of the database hold. A small job costs two records: its own, and that of its call. Writing a record
 * costs some 50 µs and every entry of an index 15 µs more, so what is read together is kept together.
 */

/** A value as the record of a call holds it: small, and with nothing inside. */
export interface HeldValue {
  readonly type: string;
  readonly format: string;
  readonly text: string;
}

/** A value with a record of its own. */
export interface StoredValue extends HeldValue {
  readonly hash: string;
  /** Path; only files have it. */
  readonly file?: string;
  /** Sorted. */
  readonly subvalues: readonly string[];
}

export interface StoredArgument {
  readonly position: number | null;
  readonly key: string | null;
  readonly value: string;
  readonly upstream: readonly string[];
}

/** A call, whose hash is in {@link StoredCalls.callHashes} at the same place. */
export interface StoredCall {
  readonly taskName: string;
  readonly value: string;
  readonly timestamp: Millis;
  readonly args: readonly StoredArgument[];
  /** Places of its children in {@link StoredCalls.below}, in the order they were called. */
  readonly children: readonly number[];
  /** Unknown for some calls that were imported. */
  readonly subtreeTasks?: readonly string[];
  readonly contextHash?: string;
  /** Whether its value is an error; an imported call's value may not be there yet. */
  readonly failed?: boolean;
  /** Whether it was imported, so that what it refers to may not be there. */
  readonly promised?: true;
}

/** All that is stored under one cache key: the single reduction, the calls with their values. */
export interface StoredCalls {
  readonly evalHash: string;
  readonly taskHash: string;
  readonly argsHash: string;
  /** Hash of the value of the single reduction. */
  readonly single?: string;
  readonly callHashes: readonly string[];
  /** In the order in which they came. */
  readonly calls: readonly StoredCall[];
  /** Hashes of the values held here, and the values. */
  readonly held: readonly string[];
  readonly values: readonly HeldValue[];
  /** Hashes of the values that calls here refer to and that are elsewhere. */
  readonly uses: readonly string[];
  /** The calls' children, each once. */
  readonly below: readonly string[];
  /** When the newest call was recorded; missing if there is none. */
  readonly time?: Millis;
}

export interface StoredExecution extends Omit<ExecutionRecord, "startTime"> {
  /** For the order of executions: when the root job started, or 0 as long as that is unknown. */
  readonly startTime: Millis;
  readonly updatedTime: Millis | null;
}

export interface StoredJob extends JobRecord {
  /** Whether its result is an error, if that was known when the record was written. */
  readonly failed?: boolean | undefined;
}

export interface StoredTask extends TaskRecord {
  readonly fullname: string;
}

export interface StoredTag extends TagRow {
  /** Number that grows in the order in which tags came. */
  readonly order: number;
}
