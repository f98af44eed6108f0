import type {
  CallNodeRecord,
  JobEndRecord,
  JobRecord,
  Millis,
  RecordBatch,
  TagRecord,
  TaskRecord,
  ValueRecord,
} from "../backend/records.ts";
import { ERROR_VALUE_TYPE } from "../backend/records.ts";
import { hashEval } from "../value/hash.ts";
import { type Key, packKey, packKeys } from "./indexed-db-keys.ts";
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
  readonly evaluations: RecentKeys<Key, true>;
  /** Calls that are there with all that they refer to, and whether they failed. */
  readonly calls: RecentKeys<Key, boolean>;
  /** Values with records of their own. */
  readonly values: RecentKeys<Key, true>;
}

/** A call whose children are still hashes. */
export interface DraftCall extends Omit<StoredCall, "children"> {
  readonly children: readonly Key[];
}

/** What a batch brings for one cache key. */
export interface DraftCalls {
  readonly evalHash: Key;
  readonly taskHash: Key;
  readonly argsHash: Key;
  single?: Key;
  /** Single reduction of an imported call, for a key that has none. Its value may come later. */
  promised?: Key;
  readonly calls: Map<Key, DraftCall>;
  readonly held: Map<Key, HeldValue>;
  /** When the newest call was recorded, if it is the newest of its task. */
  time?: Millis | undefined;
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
  readonly values: Map<Key, StoredValue> = new Map();
  readonly tasks: Map<Key, StoredTask> = new Map();
  readonly calls: Map<Key, DraftCalls> = new Map();
  readonly executions: Map<Key, StoredExecution> = new Map();
  readonly jobs: Map<Key, StoredJob> = new Map();
  /** Ends of jobs that began in earlier batches. */
  readonly ends: StoredJobEnd[] = [];
  /** Calls of the batch, and whether they failed. */
  readonly callHashes: Map<Key, boolean | undefined> = new Map();
  readonly tags: readonly TagRecord[];
  private readonly known: Known;
  /** The newest call of each task, by the record that it is in. */
  private readonly newest = new Map<Key, DraftCalls>();

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
    for (const { id, args, jobId, startTime } of batch.executions)
      draft.execution(id, args, jobId, startTime);
    return draft;
  }

  static ofImport(batch: ImportBatch, known: Known): Draft {
    const draft = new Draft(known, batch.tags);
    for (const { hash, type, format, text, file, subvalues } of batch.values) {
      draft.put({ hash, type, format, text, file }, subvalues);
    }
    for (const record of batch.tasks) draft.task(record);
    for (const record of batch.calls) draft.importedCall(record);
    for (const { id, args, jobId } of batch.executions) draft.execution(id, args, jobId, null);
    for (const record of batch.jobs) draft.job(record);
    return draft;
  }

  private value(record: ValueRecord): void {
    const { hash, subvalues = [] } = record;
    const key = packKey(hash);
    if (this.values.has(key) || this.known.values.has(key)) return;
    this.put(
      record,
      subvalues.map((part) => part.hash),
    );
    for (const part of subvalues) this.value(part);
  }

  private put({ hash, type, format, text, file }: ValueRecord, parts: readonly string[]): void {
    const key = packKey(hash);
    const subvalues = packKeys(new Set(parts)).sort();
    this.values.set(key, {
      hash: key,
      type,
      format,
      text,
      ...(file === undefined ? {} : { file }),
      subvalues,
    });
  }

  /** @returns the key of a value that is put into the record of calls if it is small */
  private held(group: DraftCalls, record: ValueRecord): Key {
    const { hash, type, format, text } = record;
    const key = packKey(hash);
    if (isSmall(record)) group.held.set(key, { type, format, text });
    else this.value(record);
    return key;
  }

  private task(record: TaskRecord): void {
    const hash = packKey(record.hash);
    if (this.tasks.has(hash)) return;
    this.value(taskValue(record));
    this.tasks.set(hash, { ...record, hash, fullname: fullnameOf(record.name, record.namespace) });
  }

  private group(evalHash: string, taskHash: string, argsHash: string): DraftCalls {
    const key = packKey(evalHash);
    let group = this.calls.get(key);
    if (group === undefined) {
      group = {
        evalHash: key,
        taskHash: packKey(taskHash),
        argsHash: packKey(argsHash),
        calls: new Map(),
        held: new Map(),
      };
      this.calls.set(key, group);
    }
    return group;
  }

  private call(record: CallNodeRecord): void {
    const { taskHash, argsHash, taskName, timestamp, children, subtreeTasks, contextHash } = record;
    const callHash = packKey(record.callHash);
    if (this.known.calls.has(callHash)) return;
    const group = this.group(record.evalHash ?? hashEval(taskHash, argsHash), taskHash, argsHash);
    const failed = record.value.type === ERROR_VALUE_TYPE;
    this.addCall(group, callHash, {
      taskName,
      value: this.held(group, record.value),
      timestamp,
      args: record.args.map(({ position, key, value, upstream }) => ({
        position,
        key,
        value: this.held(group, value),
        upstream: packKeys(upstream),
      })),
      children: packKeys(children),
      subtreeTasks: packKeys(subtreeTasks),
      ...(contextHash === undefined ? {} : { contextHash: packKey(contextHash) }),
      failed,
    });
  }

  private importedCall(record: ImportedCall): void {
    const { evalHash, taskHash, argsHash, taskName, timestamp, contextHash, subtreeTasks } = record;
    const group = this.group(evalHash ?? hashEval(taskHash, argsHash), taskHash, argsHash);
    if (record.singleHash !== undefined) group.promised = packKey(record.singleHash);
    this.addCall(group, packKey(record.callHash), {
      taskName,
      value: packKey(record.value),
      timestamp,
      args: record.args.map(({ position, key, value, upstream }) => ({
        position,
        key,
        value: packKey(value),
        upstream: packKeys(upstream),
      })),
      children: packKeys(record.children),
      ...(contextHash === undefined ? {} : { contextHash: packKey(contextHash) }),
      ...(subtreeTasks === undefined ? {} : { subtreeTasks: packKeys(subtreeTasks) }),
      promised: true,
    });
  }

  private addCall(group: DraftCalls, callHash: Key, call: DraftCall): void {
    if (group.calls.has(callHash)) return;
    group.calls.set(callHash, call);
    this.callHashes.set(callHash, call.failed);
    const { taskHash } = group;
    const newest = this.newest.get(taskHash);
    if (newest !== undefined && newest.time! > call.timestamp) return;
    // Of one batch, only the newest call of a task can be the newest of all, so the others need no entry in the index.
    if (newest !== undefined) newest.time = undefined;
    group.time = call.timestamp;
    this.newest.set(taskHash, group);
  }

  private execution(id: string, args: readonly string[], jobId: string, startTime: Millis | null): void {
    const key = packKey(id);
    if (this.executions.has(key)) return;
    const job = packKey(jobId);
    const start = this.jobs.get(job)?.startTime ?? startTime ?? 0;
    this.executions.set(key, { id: key, args, jobId: job, startTime: start, updatedTime: startTime });
  }

  private job(record: JobRecord): void {
    const { startTime, endTime, cached = false, callHash } = record;
    const id = packKey(record.id);
    if (this.jobs.has(id)) {
      // A job that was known as running may come again with its end.
      if (endTime !== undefined) this.end({ id: record.id, endTime, cached, callHash });
      return;
    }
    const call = callHash === undefined ? undefined : packKey(callHash);
    this.jobs.set(id, {
      id,
      executionId: packKey(record.executionId),
      parentId: record.parentId === null ? null : packKey(record.parentId),
      taskHash: packKey(record.taskHash),
      startTime,
      endTime,
      cached,
      callHash: call,
      failed: this.failed(call),
    });
  }

  private end({ id, endTime, cached, callHash }: JobEndRecord): void {
    const call = callHash === undefined ? undefined : packKey(callHash);
    const end = { id: packKey(id), endTime, cached, callHash: call, failed: this.failed(call) };
    const job = this.jobs.get(end.id);
    if (job === undefined) this.ends.push(end);
    else if (job.endTime === undefined) this.jobs.set(end.id, { ...job, ...end });
  }

  private failed(callHash: Key | undefined): boolean | undefined {
    if (callHash === undefined) return undefined;
    return this.callHashes.get(callHash) ?? this.known.calls.get(callHash);
  }
}

/** The end of a job whose start is in the database. */
export interface StoredJobEnd extends Pick<StoredJob, "id" | "cached" | "callHash" | "failed"> {
  readonly endTime: Millis;
}
