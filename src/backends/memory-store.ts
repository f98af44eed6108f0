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
  EvaluationRecord,
  ExecutionRecord,
  JobRecord,
  JobStatus,
  Millis,
  RecordBatch,
  TagRecord,
  TaskRecord,
  ValueRecord,
} from "../backend/records.ts";
import { FORMAT } from "../value/encode.ts";
import { hashArgument, hashEval } from "../value/hash.ts";
import type { RecordSink, RecordSource } from "./record-store.ts";

/** Type name of the value that a failed call has in place of a result. */
const ERROR_TYPE = "redun.ErrorValue";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const fullname = (task: TaskRecord): string =>
  task.namespace === "" ? task.name : `${task.namespace}.${task.name}`;

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

/** Records in maps, in the order in which they came. */
export class MemoryStore implements RecordSource, RecordSink {
  readonly values: Map<string, ValueRow> = new Map();
  readonly holders: Map<string, string[]> = new Map();
  readonly tasks: Map<string, TaskRecord> = new Map();
  readonly evaluations: Map<string, EvaluationRecord> = new Map();
  readonly calls: Map<string, CallNodeRecord> = new Map();
  readonly callsByEval: Map<string, CallNodeRecord[]> = new Map();
  readonly parents: Map<string, string[]> = new Map();
  readonly executions: Map<string, ExecutionRecord & { updatedTime: Millis }> = new Map();
  readonly jobs: Map<string, Mutable<JobRecord>> = new Map();
  readonly tags: Map<string, TagRow> = new Map();
  private readonly tagsByEntity = new Map<string, string[]>();
  private readonly edits = new Map<string, string[]>();
  private readonly jobsByParent = new Map<string, string[]>();

  write(batch: RecordBatch): void {
    for (const record of batch.tasks) this.task_(record);
    for (const record of batch.values) this.value_(record);
    for (const record of batch.evaluations) {
      this.value_(record.value);
      this.evaluations.set(record.evalHash, record);
    }
    for (const record of batch.callNodes) this.call_(record);
    for (const record of batch.executions) {
      if (!this.executions.has(record.id))
        this.executions.set(record.id, { ...record, updatedTime: record.startTime });
    }
    for (const record of batch.jobs) this.job_(record);
    for (const end of batch.jobEnds) {
      const job = this.jobs.get(end.id);
      if (job !== undefined) Object.assign(job, end);
    }
    for (const record of batch.tags) this.tag_(record);
  }

  private value_(record: ValueRecord): void {
    if (this.values.has(record.hash)) return;
    const { hash, type, format, text, file = null, subvalues = [] } = record;
    this.values.set(hash, {
      hash,
      type,
      format,
      text,
      file,
      subvalues: subvalues.map((part) => part.hash).sort(),
    });
    for (const part of subvalues) {
      this.value_(part);
      push(this.holders, part.hash, hash);
    }
  }

  private task_(record: TaskRecord): void {
    if (this.tasks.has(record.hash)) return;
    this.tasks.set(record.hash, record);
    const { hash } = record;
    const text = JSON.stringify({
      $: ["redun.Task", { exports: [], fullname: fullname(record), hash, options: {} }],
    });
    this.value_({ hash, type: "redun.Task", format: FORMAT, text });
  }

  private call_(record: CallNodeRecord): boolean {
    if (this.calls.has(record.callHash)) return false;
    const children = record.children.filter((child) => this.calls.has(child));
    const args = record.args.map((arg) => ({
      ...arg,
      upstream: arg.upstream.filter((call) => this.calls.has(call)).sort(),
    }));
    const call = { ...record, children, args };
    this.value_(record.value);
    for (const arg of args) this.value_(arg.value);
    this.calls.set(record.callHash, call);
    push(this.callsByEval, record.evalHash ?? hashEval(record.taskHash, record.argsHash), call);
    for (const child of new Set(children)) push(this.parents, child, record.callHash);
    return true;
  }

  private job_(record: JobRecord): boolean {
    if (this.jobs.has(record.id)) return false;
    this.jobs.set(record.id, { ...record });
    if (record.parentId !== null) push(this.jobsByParent, record.parentId, record.id);
    return true;
  }

  private tag_(record: TagRecord): boolean {
    const isNew = !this.tags.has(record.tagHash);
    if (isNew) {
      const isCurrent = !this.edits.has(record.tagHash) && record.entityType !== "Null";
      this.tags.set(record.tagHash, { ...record, isCurrent });
      push(this.tagsByEntity, record.entityId, record.tagHash);
      for (const parent of record.parents) push(this.edits, parent, record.tagHash);
    }
    for (const hash of record.parents) {
      const parent = this.tags.get(hash);
      if (parent !== undefined) this.tags.set(hash, { ...parent, isCurrent: false });
    }
    return isNew;
  }

  kindOf(id: string): EntityType | "Tag" | undefined {
    if (this.executions.has(id)) return "Execution";
    if (this.jobs.has(id)) return "Job";
    if (this.calls.has(id)) return "CallNode";
    if (this.tasks.has(id)) return "Task";
    if (this.values.has(id)) return "Value";
    return this.tags.has(id) ? "Tag" : undefined;
  }

  execution(id: string): ExecutionRow | undefined {
    const record = this.executions.get(id);
    if (record === undefined) return undefined;
    const job = this.job(record.jobId);
    return {
      id,
      args: record.args,
      jobId: record.jobId,
      status: job === undefined ? "FAILED" : job.status === "CACHED" ? "DONE" : job.status,
      startTime: job?.startTime ?? record.startTime,
      endTime: job?.endTime ?? null,
      updatedTime: record.updatedTime,
    };
  }

  job(id: string): JobRow;
  job(record: JobRecord): boolean;
  job(key: string | JobRecord): JobRow | undefined | boolean {
    if (typeof key !== "string") return this.job_(key);
    const record = this.jobs.get(key);
    if (record === undefined) return undefined;
    const task = this.tasks.get(record.taskHash);
    return {
      id: key,
      executionId: record.executionId,
      parentId: record.parentId,
      taskHash: record.taskHash,
      taskName: task === undefined ? "" : fullname(task),
      status: this.statusOf(record),
      startTime: record.startTime,
      endTime: record.endTime ?? null,
      cached: record.cached ?? false,
      callHash: record.callHash ?? null,
    };
  }

  private statusOf(record: JobRecord): JobStatus {
    if (this.isFailure(record)) return "FAILED";
    if (record.endTime === undefined) return "RUNNING";
    return record.cached === true ? "CACHED" : "DONE";
  }

  /** Whether a job's call has an error in place of a result. */
  isFailure(record: JobRecord): boolean {
    return record.callHash !== undefined && this.calls.get(record.callHash)?.value.type === ERROR_TYPE;
  }

  call(hash: string): CallNodeRow;
  call(record: CallNodeRecord): boolean;
  call(key: string | CallNodeRecord): CallNodeRow | undefined | boolean {
    if (typeof key !== "string") return this.call_(key);
    const record = this.calls.get(key);
    if (record === undefined) return undefined;
    const args = record.args.map(
      ({ position, key: name, value, upstream }): ArgumentRow => ({
        argHash: hashArgument(key, position, name, value.hash),
        position,
        key: name,
        valueHash: value.hash,
        upstream,
      }),
    );
    const { taskName, taskHash, argsHash, timestamp, children, contextHash = null } = record;
    return {
      callHash: key,
      taskName,
      taskHash,
      argsHash,
      valueHash: record.value.hash,
      timestamp,
      contextHash,
      args,
      children,
    };
  }

  value(hash: string): ValueRow | undefined;
  value(record: ValueRecord): undefined;
  value(key: string | ValueRecord): ValueRow | undefined {
    if (typeof key === "string") return this.values.get(key);
    this.value_(key);
    return undefined;
  }

  task(hash: string): TaskRecord | undefined;
  task(record: TaskRecord): undefined;
  task(key: string | TaskRecord): TaskRecord | undefined {
    if (typeof key === "string") return this.tasks.get(key);
    this.task_(key);
    return undefined;
  }

  tag(hash: string): TagRow;
  tag(record: TagRecord): boolean;
  tag(key: string | TagRecord): TagRow | undefined | boolean {
    return typeof key === "string" ? this.tags.get(key) : this.tag_(key);
  }

  allTagsOf(entity: string): TagRow[] {
    return (this.tagsByEntity.get(entity) ?? []).map((hash) => this.tags.get(hash)!);
  }

  tagEdits(hash: string): TagRow[] {
    return (this.edits.get(hash) ?? []).map((edit) => this.tags.get(edit)!);
  }

  jobsUnder(column: "execution" | "parent", id: string): string[] {
    if (column === "parent") return this.jobsByParent.get(id) ?? [];
    return [...this.jobs.values()].filter((job) => job.executionId === id).map((job) => job.id);
  }

  subtreeTasks(taskHash: string, children: readonly string[]): string[] {
    const below = children.flatMap((child) => this.calls.get(child)?.subtreeTasks ?? [child]);
    return [...new Set([taskHash, ...below])].sort();
  }

  /** Hashes of the values that contain a value, and its own. */
  withHolders(hash: string): Set<string> {
    return new Set([hash, ...(this.holders.get(hash) ?? [])]);
  }
}
