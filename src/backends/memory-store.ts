import type {
  ArgumentRow,
  CallNodeRow,
  EntityType,
  ExecutionRow,
  JobRow,
  TagRow,
  ValueRow,
} from "../backend/backend.ts";
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
import { hashArgument, hashEval } from "../value/hash.ts";
import {
  type ExportedCall,
  fullnameOf,
  type ImportBatch,
  type ImportedCall,
  type ImportedExecution,
  taskValue,
} from "./record-store.ts";
import { executionStatus, jobStatus } from "./status.ts";

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

/** Records in maps, in the order in which they came. A reference may lead to a record that is not there. */
export class MemoryStore {
  readonly values: Map<string, ValueRow> = new Map();
  readonly tasks: Map<string, TaskRecord> = new Map();
  /** Hashes of the values of single reductions, by cache key. */
  readonly evaluations: Map<string, string> = new Map();
  readonly calls: Map<string, ImportedCall> = new Map();
  readonly callsByEval: Map<string, ImportedCall[]> = new Map();
  readonly executions: Map<string, ImportedExecution> = new Map();
  readonly jobs: Map<string, JobRecord> = new Map();
  readonly tags: Map<string, TagRow> = new Map();
  private readonly holders = new Map<string, string[]>();
  private readonly parents = new Map<string, string[]>();
  private readonly tagsByEntity = new Map<string, string[]>();
  private readonly edits = new Map<string, string[]>();
  private readonly jobsByParent = new Map<string, string[]>();

  write(batch: RecordBatch): void {
    for (const record of batch.tasks) this.putTask(record);
    for (const record of batch.values) this.putValue(record);
    for (const record of batch.evaluations) {
      this.putValue(record.value);
      this.evaluations.set(record.evalHash, record.value.hash);
    }
    const together = new Set(batch.callNodes.map(({ callHash }) => callHash));
    for (const record of batch.callNodes) this.putCall(this.callOf(record, together));
    for (const { startTime, ...record } of batch.executions) {
      this.putExecution({ ...record, updatedTime: startTime });
    }
    for (const record of batch.jobs) this.putJob(record);
    for (const end of batch.jobEnds) this.endJob(end);
    for (const record of batch.tags) this.putTag(record);
  }

  /** @returns how many records were new */
  import(batch: ImportBatch): number {
    const isNew = [
      ...batch.values.map(({ subvalues, ...value }) => this.putValue(value, subvalues)),
      ...batch.calls.map((record) => this.putCall(record)),
      ...batch.executions.map((record) => this.putExecution(record)),
      ...batch.jobs.map((record) => this.putJob(record)),
      ...batch.tags.map((record) => this.putTag(record)),
    ];
    for (const record of batch.tasks) this.putTask(record);
    return isNew.filter(Boolean).length;
  }

  private putValue(record: ValueRecord, inside?: readonly string[]): boolean {
    const { hash, type, format, text, file = null, subvalues = [] } = record;
    if (this.values.has(hash)) return false;
    for (const part of subvalues) this.putValue(part);
    const parts = new Set(inside ?? subvalues.map((part) => part.hash));
    this.values.set(hash, { hash, type, format, text, file, subvalues: [...parts].sort() });
    for (const part of parts) push(this.holders, part, hash);
    return true;
  }

  private putTask(record: TaskRecord): void {
    this.putValue(taskValue(record));
    if (!this.tasks.has(record.hash)) this.tasks.set(record.hash, record);
  }

  /** A call with its values stored, and without edges to calls that are in no store. */
  private callOf(record: CallNodeRecord, together: ReadonlySet<string>): ImportedCall {
    const isKnown = (hash: string): boolean => this.calls.has(hash) || together.has(hash);
    const keep = (value: ValueRecord): string => {
      this.putValue(value);
      return value.hash;
    };
    return {
      ...record,
      value: keep(record.value),
      args: record.args.map((arg) => ({
        ...arg,
        value: keep(arg.value),
        upstream: arg.upstream.filter(isKnown),
      })),
      children: record.children.filter(isKnown),
    };
  }

  private putCall(call: ImportedCall): boolean {
    const { callHash, evalHash = hashEval(call.taskHash, call.argsHash) } = call;
    // What is promised gives way to what is there.
    if (call.singleHash !== undefined && !this.values.has(this.evaluations.get(evalHash) ?? ""))
      this.evaluations.set(evalHash, call.singleHash);
    if (this.calls.has(callHash)) return false;
    this.calls.set(callHash, call);
    push(this.callsByEval, evalHash, call);
    for (const child of new Set(call.children)) push(this.parents, child, callHash);
    return true;
  }

  private putExecution(record: ImportedExecution): boolean {
    if (this.executions.has(record.id)) return false;
    this.executions.set(record.id, record);
    return true;
  }

  private putJob(record: JobRecord): boolean {
    const { id, parentId, endTime, cached = false, callHash } = record;
    if (this.jobs.has(id)) {
      // A job that was known as running may come again with its end.
      if (endTime !== undefined) this.endJob({ id, endTime, cached, callHash });
      return false;
    }
    this.jobs.set(id, record);
    if (parentId !== null) push(this.jobsByParent, parentId, id);
    return true;
  }

  private endJob(end: JobEndRecord): void {
    const job = this.jobs.get(end.id);
    if (job !== undefined && job.endTime === undefined) this.jobs.set(end.id, { ...job, ...end });
  }

  /** Stores a tag and takes currency from those that it supersedes. @returns whether it is new */
  putTag(record: TagRecord): boolean {
    const { tagHash, entityType, entityId } = record;
    if (this.tags.has(tagHash)) return false;
    // A tag that belongs to nothing only marks the deletion of others.
    this.tags.set(tagHash, { ...record, isCurrent: entityType !== "Null" && !this.edits.has(tagHash) });
    push(this.tagsByEntity, entityId, tagHash);
    for (const hash of record.parents) {
      push(this.edits, hash, tagHash);
      const parent = this.tags.get(hash);
      if (parent !== undefined) this.tags.set(hash, { ...parent, isCurrent: false });
    }
    return true;
  }

  touch(executionId: string, time: number): void {
    const execution = this.executions.get(executionId);
    if (execution !== undefined) this.executions.set(executionId, { ...execution, updatedTime: time });
  }

  execution(id: string): ExecutionRow | undefined {
    const record = this.executions.get(id);
    if (record === undefined) return undefined;
    const { args, jobId, updatedTime } = record;
    const job = this.job(jobId);
    return {
      id,
      args,
      jobId,
      status: executionStatus(job?.status),
      startTime: job?.startTime ?? updatedTime,
      endTime: job?.endTime ?? null,
      updatedTime,
    };
  }

  /** @param promised - whether its call may be one that is not there yet */
  job(id: string, promised = false): JobRow | undefined {
    const record = this.jobs.get(id);
    if (record === undefined) return undefined;
    const { executionId, parentId, taskHash, startTime, endTime, cached = false, callHash } = record;
    return {
      id,
      executionId,
      parentId,
      taskHash,
      taskName: this.taskName(taskHash),
      status: jobStatus({ failed: this.isFailure(record), ended: endTime !== undefined, cached }),
      startTime,
      endTime: endTime ?? null,
      cached,
      callHash: callHash !== undefined && (promised || this.calls.has(callHash)) ? callHash : null,
    };
  }

  private taskName(hash: string): string {
    const task = this.tasks.get(hash);
    return task === undefined ? "" : fullnameOf(task.name, task.namespace);
  }

  /** Whether a job's call has an error in place of a result. */
  isFailure({ callHash = "" }: JobRecord): boolean {
    return this.isError(this.calls.get(callHash)?.value ?? "");
  }

  isError(valueHash: string): boolean {
    return this.values.get(valueHash)?.type === ERROR_VALUE_TYPE;
  }

  call(callHash: string): CallNodeRow | undefined {
    return this.callRow(callHash, (hash) => this.calls.has(hash));
  }

  exportedCall(callHash: string): ExportedCall | undefined {
    const row = this.callRow(callHash, () => true);
    if (row === undefined) return undefined;
    const single = this.evaluations.get(hashEval(row.taskHash, row.argsHash));
    return { ...row, singleHash: single ?? null };
  }

  private callRow(callHash: string, isKnown: (hash: string) => boolean): CallNodeRow | undefined {
    const record = this.calls.get(callHash);
    if (record === undefined) return undefined;
    const { taskName, taskHash, argsHash, value, timestamp, contextHash = null } = record;
    const args = record.args.map(
      ({ position, key, value: valueHash, upstream }): ArgumentRow => ({
        argHash: hashArgument(callHash, position, key, valueHash),
        position,
        key,
        valueHash,
        upstream: [...new Set(upstream)].filter(isKnown).sort(),
      }),
    );
    const children = record.children.filter(isKnown);
    return {
      callHash,
      taskName,
      taskHash,
      argsHash,
      valueHash: value,
      timestamp,
      contextHash,
      args,
      children,
    };
  }

  tagsOf(entityId: string): TagRow[] {
    return (this.tagsByEntity.get(entityId) ?? []).map((hash) => this.tags.get(hash)!);
  }

  /** Tags that supersede a tag, oldest first. */
  editsOf(hash: string): TagRow[] {
    return (this.edits.get(hash) ?? []).map((edit) => this.tags.get(edit)!);
  }

  childJobs(id: string): string[] {
    const start = (job: string): number => this.jobs.get(job)!.startTime;
    return (this.jobsByParent.get(id) ?? []).toSorted((a, b) => start(a) - start(b));
  }

  parentCalls(hash: string): string[] {
    return this.parents.get(hash) ?? [];
  }

  /** A value and those that contain it. */
  withHolders(hash: string): Set<string> {
    return new Set([hash, ...(this.holders.get(hash) ?? [])]);
  }

  /** Whether there is a record of this id; of a job, also its end. */
  has(id: string): boolean {
    const records: ReadonlyMap<string, unknown>[] = [this.values, this.calls, this.executions, this.tags];
    return this.jobs.get(id)?.endTime !== undefined || records.some((map) => map.has(id));
  }

  /** Ids of all records of a type, in the order in which they came. */
  ids(type: EntityType): string[] {
    const maps = {
      Execution: this.executions,
      Job: this.jobs,
      CallNode: this.calls,
      Task: this.tasks,
      Value: this.values,
    };
    return [...maps[type].keys()];
  }
}
