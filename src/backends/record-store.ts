import type { Backend, CallNodeRow, JobRow, Maybe, TagRow } from "../backend/backend.ts";
import type {
  ArgumentRecord,
  CallNodeRecord,
  JobRecord,
  Millis,
  TagRecord,
  TaskRecord,
  ValueRecord,
} from "../backend/records.ts";
import { FORMAT } from "../value/encode.ts";

/** A value, or the hash of one that the store has or is going to have. */
export type ValueRef = ValueRecord | string;

/** A value as it is imported: what is inside it comes as records of their own. */
export interface ImportedValue extends Omit<ValueRecord, "subvalues"> {
  readonly subvalues: readonly string[];
}

/** A call as it is imported. Without `subtreeTasks` it is never taken for a result. */
export interface ImportedCall extends Omit<CallNodeRecord, "value" | "args" | "subtreeTasks"> {
  readonly value: string;
  readonly args: readonly (Omit<ArgumentRecord, "value"> & { readonly value: string })[];
  readonly subtreeTasks: readonly string[] | undefined;
  /** The value of its single reduction, for a store that has none under the call's key. */
  readonly singleHash?: string | undefined;
}

export interface ImportedExecution {
  readonly id: string;
  readonly args: readonly string[];
  readonly jobId: string;
  readonly updatedTime: Millis | null;
}

/** Records of an import, read and checked. They may refer to records that come later, in this import or another. */
export interface ImportBatch {
  readonly values: readonly ImportedValue[];
  /** Tasks, whose values are among the values. */
  readonly tasks: readonly TaskRecord[];
  readonly calls: readonly ImportedCall[];
  readonly executions: readonly ImportedExecution[];
  readonly jobs: readonly JobRecord[];
  readonly tags: readonly TagRecord[];
}

/** A call as it is exported. */
export interface ExportedCall extends CallNodeRow {
  /** The value of the single reduction under its key, if there is one. */
  readonly singleHash: string | null;
}

/**
 * What export and the walk over records need of a store besides the port. One call is a fixed number of queries. A
 * store to which records are still coming gives them on whole: with references to calls that it does not have yet.
 */
export interface RecordSource extends Pick<Backend, "find" | "getValues" | "getExecutions" | "getTasks"> {
  jobs(ids: readonly string[]): Maybe<(JobRow | undefined)[]>;
  calls(hashes: readonly string[]): Maybe<(ExportedCall | undefined)[]>;
  /** Ids of the jobs directly below jobs, by start. */
  childJobs(ids: readonly string[]): Maybe<Map<string, string[]>>;
  /** What is inside values, for those that the store has. */
  valueParts(hashes: readonly string[]): Maybe<Map<string, readonly string[]>>;
  /** Tasks used in calls and below, as far as that is known. */
  subtreeTasks(callHashes: readonly string[]): Maybe<Map<string, readonly string[]>>;
  /** Tags by their hashes, current or not. */
  tags(hashes: readonly string[]): Maybe<Map<string, TagRow>>;
  /** Hashes of the tags of these entities, and of the tags that supersede these tags. */
  tagsAround(ids: readonly string[]): Maybe<string[]>;
}

/** The value that stands for a task. */
export function taskValue({ hash, name, namespace }: TaskRecord): ValueRecord {
  const fullname = fullnameOf(name, namespace);
  const text = JSON.stringify({ $: ["redun.Task", { exports: [], fullname, hash, options: {} }] });
  return { hash, type: "redun.Task", format: FORMAT, text };
}

export const fullnameOf = (name: string, namespace: string): string =>
  namespace === "" ? name : `${namespace}.${name}`;

/** Name and namespace of a fullname. */
export function splitFullname(fullname: string): { name: string; namespace: string } {
  const dot = fullname.lastIndexOf(".");
  return { name: fullname.slice(dot + 1), namespace: fullname.slice(0, Math.max(dot, 0)) };
}
