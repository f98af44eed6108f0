import type {
  ExecutionRecord,
  JobEndRecord,
  JobRecord,
  RecordBatch,
  TagRecord,
  TaskRecord,
} from "../backend/records.ts";
import { hashEval, hashStruct } from "../value/hash.ts";
import { stableJson } from "../value/json.ts";
import {
  type ImportBatch,
  type ImportedExecution,
  type ImportedValue,
  splitFullname,
  taskValue,
  type ValueRef,
} from "./record-store.ts";
import { BulkRows, type BulkStep } from "./sql-bulk.ts";
import { type Call, NAMED_SLOT } from "./sql-calls.ts";
import type { ValueSizes } from "./sql-values.ts";
import { checkValueSize, isAtLeast } from "./value-size.ts";

/** The statements that store a batch. All of them run in one transaction. @throws BackendError if a value is too large */
export function writeSteps(batch: RecordBatch, sizes: ValueSizes): BulkStep[] {
  const writer = new BulkWriter(sizes, false);
  for (const record of batch.tasks) writer.task(record);
  for (const record of batch.values) writer.value(record);
  for (const { evalHash, taskHash, argsHash, value } of batch.evaluations) {
    writer.taskRef(taskHash);
    writer.rows.add("evaluations", evalHash, taskHash, argsHash, writer.value(value));
  }
  for (const record of batch.callNodes) writer.call(record);
  for (const { startTime, ...record } of batch.executions as readonly ExecutionRecord[]) {
    writer.execution({ ...record, updatedTime: startTime });
  }
  for (const record of batch.jobs) writer.job(record);
  for (const record of batch.jobEnds) writer.jobEnd(record);
  for (const record of batch.tags) writer.tag(record);
  return writer.steps();
}

/** The statements that import records. The sum of what those that count change is how many records were new. */
export function importSteps(batch: ImportBatch, sizes: ValueSizes): BulkStep[] {
  const writer = new BulkWriter(sizes, true);
  for (const record of batch.values) writer.importedValue(record);
  for (const record of batch.tasks) writer.task(record);
  for (const record of batch.calls) writer.call(record);
  for (const record of batch.executions) writer.execution(record);
  for (const record of batch.jobs) writer.job(record);
  for (const record of batch.tags) writer.tag(record);
  return writer.steps();
}

/** The statements that record tags. */
export function tagSteps(tags: readonly TagRecord[], sizes: ValueSizes): BulkStep[] {
  const writer = new BulkWriter(sizes, false);
  for (const record of tags) writer.tag(record);
  return writer.steps();
}

/** Makes rows of records. It owns the sets of what has to be reserved. */
class BulkWriter {
  readonly rows: BulkRows = new BulkRows();
  private readonly sizes: ValueSizes;
  /** Whether records may refer to others that come later; otherwise what is not there never will be. */
  private readonly promised: boolean;
  private readonly names = new Set<string>();
  private readonly values = new Set<string>();
  private readonly filled = new Set<string>();
  private readonly tasks = new Map<string, string>();
  private readonly taskSets = new Map<readonly string[], string>();
  private readonly calls = new Set<string>();
  private readonly targets = new Set<string>();
  private readonly executions = new Set<string>();
  private readonly jobs = new Set<string>();

  constructor(sizes: ValueSizes, promised: boolean) {
    this.sizes = sizes;
    this.promised = promised;
  }

  steps(): BulkStep[] {
    const { rows } = this;
    for (const name of this.names) rows.add("names", name);
    for (const hash of this.values) rows.add("reserveValues", hash);
    for (const [hash, fullname] of this.tasks) {
      const { name, namespace } = splitFullname(fullname);
      rows.add("reserveTasks", hash, name, namespace);
    }
    for (const hash of new Set([...this.calls, ...this.targets])) rows.add("reserveCalls", hash);
    for (const id of this.executions) rows.add("reserveExecutions", id);
    for (const id of this.jobs) rows.add("reserveJobs", id);
    return rows.steps();
  }

  /** @returns the value's hash */
  value(value: ValueRef): string {
    if (typeof value === "string") {
      this.values.add(value);
      return value;
    }
    const { subvalues = [], ...record } = value;
    const isFirst = this.importedValue({ ...record, subvalues: subvalues.map(({ hash }) => hash) });
    if (isFirst) for (const part of subvalues) this.value(part);
    return value.hash;
  }

  /** @returns whether it is the first of its hash */
  importedValue({ hash, type, format, text, file, subvalues }: ImportedValue): boolean {
    if (this.filled.has(hash)) return false;
    checkValueSize(type, text, this.sizes.max);
    this.filled.add(hash);
    this.values.add(hash);
    this.names.add(type).add(format);
    this.rows.add("values", hash, type, format, isAtLeast(text, this.sizes.elsewhere) ? null : text);
    if (file !== undefined) this.rows.add("files", hash, file);
    for (const part of subvalues) {
      this.values.add(part);
      this.rows.add("parts", hash, part);
    }
    return true;
  }

  task(record: TaskRecord): void {
    const { hash, name, namespace, source, version = null, doc = null, parameters } = record;
    this.value(taskValue(record));
    this.rows.add("tasks", hash, name, namespace, source, version, doc, JSON.stringify(parameters));
  }

  /** Says that a task is referred to, by its name where that is known. */
  taskRef(hash: string, fullname = ""): void {
    if (fullname !== "" || !this.tasks.has(hash)) this.tasks.set(hash, fullname);
  }

  private taskSet(hashes: readonly string[]): string {
    let hash = this.taskSets.get(hashes);
    if (hash === undefined) {
      hash = hashStruct([...hashes]);
      this.taskSets.set(hashes, hash);
      this.rows.add("taskSets", hash);
      for (const task of hashes) {
        this.taskRef(task);
        this.rows.add("members", hash, task);
      }
    }
    return hash;
  }

  call(record: Call): void {
    const { callHash, taskHash, argsHash, timestamp, subtreeTasks, contextHash = null, singleHash } = record;
    if (this.calls.has(callHash)) return;
    this.calls.add(callHash);
    this.taskRef(taskHash, record.taskName);
    const key = record.evalHash ?? hashEval(taskHash, argsHash);
    const single = singleHash === undefined ? null : this.value(singleHash);
    this.rows.add("callEvaluations", key, taskHash, argsHash, single);
    const set = subtreeTasks === undefined ? null : this.taskSet(subtreeTasks);
    this.rows.add("calls", callHash, key, this.value(record.value), timestamp, set, contextHash);
    record.args.forEach(({ position, key: word, value, upstream }, i) => {
      const slot = position ?? NAMED_SLOT + i;
      this.rows.add("args", callHash, slot, this.value(value), word);
      for (const call of upstream) this.rows.add("upstreams", callHash, slot, this.target(call));
    });
    record.children.forEach((child, i) => {
      this.rows.add("edges", callHash, i, this.target(child));
    });
  }

  /** Says that a call is referred to. */
  private target(hash: string): string {
    if (this.promised) this.targets.add(hash);
    return hash;
  }

  execution({ id, args, jobId, updatedTime }: ImportedExecution): void {
    this.executions.add(id);
    this.jobs.add(jobId);
    this.rows.add("executions", id, JSON.stringify(args), jobId, updatedTime);
  }

  job(record: JobRecord): void {
    const {
      id,
      executionId,
      parentId,
      taskHash,
      startTime,
      endTime = null,
      cached = false,
      callHash,
    } = record;
    this.executions.add(executionId);
    if (parentId !== null) this.jobs.add(parentId);
    this.jobs.add(id);
    this.taskRef(taskHash);
    const call = callHash === undefined ? null : this.target(callHash);
    this.rows.add("jobs", id, executionId, parentId, taskHash, startTime, endTime, cached ? 1 : 0, call);
    // A job that was known as running may come again with its end.
    if (endTime !== null) this.jobEnd({ id, endTime, cached, callHash });
  }

  jobEnd({ id, endTime, cached, callHash }: JobEndRecord): void {
    this.rows.add("jobEnds", id, endTime, cached ? 1 : 0, callHash ?? null);
  }

  tag({ tagHash, entityType, entityId, key, value, parents }: TagRecord): void {
    this.rows.add("tags", tagHash, entityType, entityId, key, stableJson(value));
    for (const parent of parents) {
      this.rows.add("tagEdits", parent, tagHash);
      this.rows.add("superseded", parent);
    }
  }
}
