import type { Millis, TagRecord, TaskRecord } from "../backend/records.ts";
import type { Key } from "./indexed-db-keys.ts";

/**
 * What the stores of the database hold. A small job costs two records: its own, and that of its call. Writing a record
 * costs some 50 µs and every entry of an index 15 µs more, so what is read together is kept together. All ids are packed.
 */

/** A value as the record of a call holds it: small, and with nothing inside. */
export interface HeldValue {
  readonly type: string;
  readonly format: string;
  readonly text: string;
}

/** A value with a record of its own. */
export interface StoredValue extends HeldValue {
  readonly hash: Key;
  /** Path; only files have it. */
  readonly file?: string;
  /** Sorted. */
  readonly subvalues: readonly Key[];
}

export interface StoredArgument {
  readonly position: number | null;
  readonly key: string | null;
  readonly value: Key;
  readonly upstream: readonly Key[];
}

/** A call, whose hash is in {@link StoredCalls.callHashes} at the same place. */
export interface StoredCall {
  readonly taskName: string;
  readonly value: Key;
  readonly timestamp: Millis;
  readonly args: readonly StoredArgument[];
  /** Places of its children in {@link StoredCalls.below}, in the order they were called. */
  readonly children: readonly number[];
  /** Unknown for some calls that were imported. */
  readonly subtreeTasks?: readonly Key[];
  readonly contextHash?: Key;
  /** Whether its value is an error; an imported call's value may not be there yet. */
  readonly failed?: boolean;
  /** Whether it was imported, so that what it refers to may not be there. */
  readonly promised?: true;
}

/**
 * What is stored under one cache key: the single reduction, the calls with their values. A call that ends differently
 * each time would make it larger and larger, so that a full record is put aside and a new one begun.
 */
export interface StoredCalls {
  /** The cache key, or that of a record that was put aside. */
  readonly evalHash: Key;
  readonly taskHash: Key;
  readonly argsHash: Key;
  /** How many records were put aside. */
  readonly older?: number;
  /** Hash of the value of the single reduction. */
  readonly single?: Key;
  readonly callHashes: readonly Key[];
  /** In the order in which they came. */
  readonly calls: readonly StoredCall[];
  /** Hashes of the values held here, and the values. */
  readonly held: readonly Key[];
  readonly values: readonly HeldValue[];
  /** Hashes of the values that calls here refer to and that are elsewhere. */
  readonly uses: readonly Key[];
  /** The calls' children, each once. */
  readonly below: readonly Key[];
  /** When the newest call was recorded, if it was the newest of its task in its batch. */
  readonly time?: Millis;
}

export interface StoredExecution {
  readonly id: Key;
  readonly args: readonly string[];
  readonly jobId: Key;
  /** For the order of executions: when the root job started, or 0 as long as that is unknown. */
  readonly startTime: Millis;
  readonly updatedTime: Millis | null;
}

export interface StoredJob {
  readonly id: Key;
  readonly executionId: Key;
  readonly parentId: Key | null;
  readonly taskHash: Key;
  readonly startTime: Millis;
  readonly endTime?: Millis | undefined;
  readonly cached?: boolean | undefined;
  readonly callHash?: Key | undefined;
  /** Whether its result is an error, if that was known when the record was written. */
  readonly failed?: boolean | undefined;
}

export interface StoredTask extends Omit<TaskRecord, "hash"> {
  readonly hash: Key;
  readonly fullname: string;
}

export interface StoredTag extends Omit<TagRecord, "tagHash" | "entityId" | "parents"> {
  readonly tagHash: Key;
  readonly entityId: Key;
  readonly parents: readonly Key[];
  readonly isCurrent: boolean;
  /** Number that grows in the order in which tags came. */
  readonly order: number;
}
