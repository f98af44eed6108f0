import type {
  CallNodeRecord,
  JobEndRecord,
  JobRecord,
  RecordBatch,
  TagRecord,
  TaskRecord,
  ValueRecord,
} from "../backend/records.ts";
import { ERROR_VALUE_TYPE } from "../backend/records.ts";
import { hashEval } from "../value/hash.ts";
import type {
  HeldValue,
  StoredCall,
  StoredExecution,
  StoredJob,
  StoredTask,
  StoredValue,
} from "./indexed-db-records.ts";
import type { RecentKeys } from "./recent-keys.ts";
import { fullnameOf, type ImportBatch, type ImportedCall, taskValue } from "./record-store.ts";

/** What a connection knows to be in the database. */
export interface Known {
  /** Cache keys. */
  readonly evaluations: RecentKeys<true>;
  /** Calls that are there with all that they refer to, and whether they failed. */
  readonly calls: RecentKeys<boolean>;
  /** Values with records of their own. */
  readonly values: RecentKeys<true>;
}

/** A call whose children are still hashes. */
export interface DraftCall extends Omit<StoredCall, "children"> {
  readonly children: readonly string[];
}

/** What a batch brings for one cache key. */
export interface DraftCalls {
  readonly evalHash: string;
  readonly taskHash: string;
  readonly argsHash: string;
  single?: string;
  readonly calls: Map<string, DraftCall>;
  readonly held: Map<string, HeldValue>;
}

/** The longest text of a value that a call's record holds, in UTF-16 units. */
const HELD = 1000;

/** Whether the record of a call may hold a value: larger ones are often shared, and others are searched by what is in them. */
const isSmall = ({ text, file, subvalues, type }: ValueRecord): boolean =>
  text.length <= HELD && file === undefined && (subvalues ?? []).length === 0 && type !== ERROR_VALUE_TYPE;

/**
 * A batch in the shape in which it is stored. Everything that needs no look into the database is done here, before a
 * transaction opens: a transaction ends as soon as it has nothing to do.
 */
export class Draft {
  readonly values: Map<string, StoredValue> = new Map();
  readonly tasks: Map<string, StoredTask> = new Map();
  readonly calls: Map<string, DraftCalls> = new Map();
  readonly executions: Map<string, StoredExecution> = new Map();
  readonly jobs: Map<string, StoredJob> = new Map();
  /** Ends of jobs that began in earlier batches. */
  readonly ends: StoredJobEnd[] = [];
  /** Calls of the batch, and whether they failed. */
  readonly callHashes: Map<string, boolean | undefined> = new Map();
  readonly tags: readonly TagRecord[];
  private readonly known: Known;

  private constructor(known: Known, tags: readonly TagRecord[]) {
    this.known = known;
    this.tags = tags;
  }

  static ofBatch(batch: RecordBatch, known: Known): Draft {
    const draft = new Draft(known, batch.tags);
    for (const record of batch.tasks) draft.task(record);
    for (const record of batch.values) draft.value(record);
    for (const { evalHash, taskHash, argsHash, value } of batch.evaluations) {
      const group = draft.group(evalHash, taskHash, argsHash);
      group.single = draft.held(group, value);
    }
    for (const record of batch.callNodes) draft.call(record);
    for (const record of batch.jobs) draft.job(record);
    for (const end of batch.jobEnds) draft.end(end);
    for (const { startTime, ...record } of batch.executions) {
      if (draft.executions.has(record.id)) continue;
      const start = draft.jobs.get(record.jobId)?.startTime ?? startTime;
      draft.executions.set(record.id, { ...record, startTime: start, updatedTime: startTime });
    }
    return draft;
  }

  static ofImport(batch: ImportBatch, known: Known): Draft {
    const draft = new Draft(known, batch.tags);
    for (const { file, subvalues, ...value } of batch.values) {
      const parts = [...new Set(subvalues)].sort();
      draft.values.set(value.hash, { ...value, ...(file === undefined ? {} : { file }), subvalues: parts });
    }
    for (const record of batch.tasks) draft.task(record);
    for (const record of batch.calls) draft.importedCall(record);
    for (const record of batch.executions) draft.executions.set(record.id, { ...record, startTime: 0 });
    for (const record of batch.jobs) draft.job(record);
    return draft;
  }

  private value(record: ValueRecord): void {
    const { hash, type, format, text, file, subvalues = [] } = record;
    if (this.values.has(hash) || this.known.values.has(hash)) return;
    const parts = [...new Set(subvalues.map((part) => part.hash))].sort();
    this.values.set(hash, {
      hash,
      type,
      format,
      text,
      ...(file === undefined ? {} : { file }),
      subvalues: parts,
    });
    for (const part of subvalues) this.value(part);
  }

  /** @returns the hash of a value that is put into the record of calls if it is small */
  private held(group: DraftCalls, record: ValueRecord): string {
    const { hash, type, format, text } = record;
    if (isSmall(record)) group.held.set(hash, { type, format, text });
    else this.value(record);
    return hash;
  }

  private task(record: TaskRecord): void {
    if (this.tasks.has(record.hash)) return;
    this.value(taskValue(record));
    this.tasks.set(record.hash, { ...record, fullname: fullnameOf(record.name, record.namespace) });
  }

  private group(evalHash: string, taskHash: string, argsHash: string): DraftCalls {
    let group = this.calls.get(evalHash);
    if (group === undefined) {
      group = { evalHash, taskHash, argsHash, calls: new Map(), held: new Map() };
      this.calls.set(evalHash, group);
    }
    return group;
  }

  private call(record: CallNodeRecord): void {
    const { callHash, taskHash, argsHash, taskName, timestamp, children, subtreeTasks, contextHash } = record;
    if (this.known.calls.has(callHash)) return;
    const group = this.group(record.evalHash ?? hashEval(taskHash, argsHash), taskHash, argsHash);
    const failed = record.value.type === ERROR_VALUE_TYPE;
    const call: DraftCall = {
      taskName,
      value: this.held(group, record.value),
      timestamp,
      args: record.args.map(({ position, key, value, upstream }) => ({
        position,
        key,
        value: this.held(group, value),
        upstream,
      })),
      children,
      subtreeTasks,
      ...(contextHash === undefined ? {} : { contextHash }),
      failed,
    };
    if (!group.calls.has(callHash)) group.calls.set(callHash, call);
    this.callHashes.set(callHash, failed);
  }

  private importedCall(record: ImportedCall): void {
    const { callHash, evalHash, taskHash, argsHash, contextHash, subtreeTasks, ...call } = record;
    const group = this.group(evalHash ?? hashEval(taskHash, argsHash), taskHash, argsHash);
    group.calls.set(callHash, {
      ...call,
      ...(contextHash === undefined ? {} : { contextHash }),
      ...(subtreeTasks === undefined ? {} : { subtreeTasks }),
      promised: true,
    });
    this.callHashes.set(callHash, undefined);
  }

  private job(record: JobRecord): void {
    const { id, endTime, cached = false, callHash } = record;
    if (!this.jobs.has(id)) this.jobs.set(id, { ...record, failed: this.failed(callHash) });
    // A job that was known as running may come again with its end.
    else if (endTime !== undefined) this.end({ id, endTime, cached, callHash });
  }

  private end(record: JobEndRecord): void {
    const end = { ...record, failed: this.failed(record.callHash) };
    const job = this.jobs.get(record.id);
    if (job === undefined) this.ends.push(end);
    else if (job.endTime === undefined) this.jobs.set(record.id, { ...job, ...end });
  }

  private failed(callHash: string | undefined): boolean | undefined {
    if (callHash === undefined) return undefined;
    return this.callHashes.get(callHash) ?? this.known.calls.get(callHash);
  }
}

export interface StoredJobEnd extends JobEndRecord {
  readonly failed: boolean | undefined;
}
