import type {
  CallNodeRecord,
  EvaluationRecord,
  JobEndRecord,
  JobRecord,
  RecordBatch,
  TagRecord,
  TaskRecord,
  ValueRecord,
} from "../backend/records.ts";
import { BackendError } from "../errors/errors.ts";
import { FORMAT } from "../value/encode.ts";
import { hashEval, hashStruct } from "../value/hash.ts";
import { stableJson } from "../value/json.ts";
import type { SqlDriver } from "./sql-driver.ts";

/** So many ids are remembered of each kind; then all are forgotten and looked up again. */
const REMEMBERED = 200_000;

/** Ids of rows by hash or UUID. Rows are never deleted, so what was once read stays true. */
class IdMap {
  private readonly ids = new Map<string, number>();

  get(key: string): number | undefined {
    return this.ids.get(key);
  }

  set(key: string, id: number): number {
    if (this.ids.size >= REMEMBERED) this.ids.clear();
    this.ids.set(key, id);
    return id;
  }

  clear(): void {
    this.ids.clear();
  }
}

/**
 * Writes records into the physical tables. It owns the memory of which row has which hash. All of it runs inside the
 * backend's transactions, so two processes never make two rows of one hash.
 */
export class SqlWriter {
  private readonly db: SqlDriver;
  private readonly maxValueSize: number;
  private readonly names = new IdMap();
  private readonly values = new IdMap();
  private readonly tasks = new IdMap();
  private readonly evaluations = new IdMap();
  private readonly calls = new IdMap();
  private readonly jobs = new IdMap();
  private readonly executions = new IdMap();
  private readonly taskSets = new Map<readonly string[], number>();

  constructor(db: SqlDriver, maxValueSize: number) {
    this.db = db;
    this.maxValueSize = maxValueSize;
  }

  /** Forgets all ids, as after a transaction that was rolled back. */
  forget(): void {
    for (const map of [
      this.names,
      this.values,
      this.tasks,
      this.evaluations,
      this.calls,
      this.jobs,
      this.executions,
    ])
      map.clear();
    this.taskSets.clear();
  }

  write(batch: RecordBatch): void {
    for (const record of batch.tasks) this.task(record);
    for (const record of batch.values) this.value(record);
    for (const record of batch.evaluations) this.evaluation(record);
    for (const record of batch.callNodes) this.call(record);
    for (const record of batch.executions) {
      const { id, args, jobId, startTime } = record;
      this.db
        .prepare("INSERT OR IGNORE INTO r_execution(uuid, args, job, time, updated) VALUES (?, ?, ?, ?, ?)")
        .run(id, JSON.stringify(args), jobId, startTime, startTime);
    }
    for (const record of batch.jobs) this.job(record);
    for (const record of batch.jobEnds) this.jobEnd(record);
    for (const record of batch.tags) this.tag(record);
  }

  /** Id of a row that is there already, or undefined. */
  private find(map: IdMap, sql: string, key: string): number | undefined {
    const known = map.get(key);
    if (known !== undefined) return known;
    const row = this.db.prepare(sql).get(key);
    return row === undefined ? undefined : map.set(key, row.id as number);
  }

  private name(text: string): number {
    const known = this.find(this.names, "SELECT id FROM r_name WHERE name = ?", text);
    return known ?? this.names.set(text, this.db.prepare("INSERT INTO r_name(name) VALUES (?)").run(text).id);
  }

  value(record: ValueRecord): number {
    const { hash, text } = record;
    const known = this.values.get(hash);
    if (known !== undefined) return known;
    if (text.length > this.maxValueSize) {
      throw new BackendError(
        `Cannot store a value of ${text.length} bytes: the limit is ${this.maxValueSize}`,
        {
          hint: "Put large data in a file and return the File, or raise max_value_size in the [backend] section.",
          fields: { size: text.length, limit: this.maxValueSize, type: record.type },
        },
      );
    }
    const inserted = this.db
      .prepare("INSERT OR IGNORE INTO r_value(hash, type, format, value) VALUES (?, ?, ?, ?)")
      .run(hash, this.name(record.type), this.name(record.format), text);
    if (inserted.changes === 0) {
      const row = this.db.prepare("SELECT id FROM r_value WHERE hash = ?").get(hash);
      return this.values.set(hash, row!.id as number);
    }
    const id = this.values.set(hash, inserted.id);
    if (record.file !== undefined) {
      this.db.prepare("INSERT OR IGNORE INTO r_file(value, path) VALUES (?, ?)").run(id, record.file);
    }
    for (const part of record.subvalues ?? []) {
      this.db
        .prepare("INSERT OR IGNORE INTO r_subvalue(parent, value) VALUES (?, ?)")
        .run(id, this.value(part));
    }
    return id;
  }

  task(record: TaskRecord): number {
    const { hash, name, namespace, source } = record;
    const known = this.find(this.tasks, "SELECT id FROM r_task WHERE hash = ?", hash);
    if (known !== undefined) return known;
    const parameters = JSON.stringify(record.parameters);
    const { id } = this.db
      .prepare(
        "INSERT INTO r_task(hash, name, namespace, source, version, doc, parameters) VALUES (?, ?, ?, ?, ?, ?, ?)",
      )
      .run(hash, name, namespace, source, record.version ?? null, record.doc ?? null, parameters);
    const fullname = namespace === "" ? name : `${namespace}.${name}`;
    const text = JSON.stringify({ $: ["redun.Task", { exports: [], fullname, hash, options: {} }] });
    this.value({ hash, type: "redun.Task", format: FORMAT, text });
    return this.tasks.set(hash, id);
  }

  /** Id of a task; one that was never recorded gets a row with what is known of it. */
  private taskId(hash: string, fullname = ""): number {
    const known = this.find(this.tasks, "SELECT id FROM r_task WHERE hash = ?", hash);
    if (known !== undefined) return known;
    const dot = fullname.lastIndexOf(".");
    return this.task({
      hash,
      name: fullname.slice(dot + 1),
      namespace: fullname.slice(0, Math.max(dot, 0)),
      source: "",
      parameters: [],
    });
  }

  evaluation({ evalHash, taskHash, argsHash, value }: EvaluationRecord): void {
    const valueId = this.value(value);
    const known = this.find(this.evaluations, "SELECT id FROM r_evaluation WHERE hash = ?", evalHash);
    if (known !== undefined) {
      this.db.prepare("UPDATE r_evaluation SET value = ? WHERE id = ?").run(valueId, known);
      return;
    }
    const { id } = this.db
      .prepare("INSERT INTO r_evaluation(hash, task, args_hash, value) VALUES (?, ?, ?, ?)")
      .run(evalHash, this.taskId(taskHash), argsHash, valueId);
    this.evaluations.set(evalHash, id);
  }

  /** The row of a call's key, which a call has even where its function's own return value is not kept. */
  private evaluationId(evalHash: string, taskHash: string, argsHash: string, taskName: string): number {
    const known = this.find(this.evaluations, "SELECT id FROM r_evaluation WHERE hash = ?", evalHash);
    if (known !== undefined) return known;
    const { id } = this.db
      .prepare("INSERT INTO r_evaluation(hash, task, args_hash, value) VALUES (?, ?, ?, NULL)")
      .run(evalHash, this.taskId(taskHash, taskName), argsHash);
    return this.evaluations.set(evalHash, id);
  }

  callId(hash: string): number | undefined {
    return this.find(this.calls, "SELECT id FROM r_call WHERE hash = ?", hash);
  }

  /** @returns whether the call is new */
  call(record: CallNodeRecord): boolean {
    const { callHash, taskHash, argsHash } = record;
    if (this.calls.get(callHash) !== undefined) return false;
    const valueId = this.value(record.value);
    const evalHash = record.evalHash ?? hashEval(taskHash, argsHash);
    const evaluation = this.evaluationId(evalHash, taskHash, argsHash, record.taskName);
    const inserted = this.db
      .prepare(
        "INSERT OR IGNORE INTO r_call(hash, evaluation, value, time, task_set, context) VALUES (?, ?, ?, ?, ?, ?)",
      )
      .run(
        callHash,
        evaluation,
        valueId,
        record.timestamp,
        this.taskSet(record.subtreeTasks),
        record.contextHash ?? null,
      );
    if (inserted.changes === 0) {
      this.callId(callHash);
      return false;
    }
    const { id } = inserted;
    this.calls.set(callHash, id);
    const { args, children } = record;
    for (let slot = 0; slot < args.length; slot++) {
      const { position, key, value, upstream } = args[slot]!;
      this.db
        .prepare("INSERT INTO r_argument(call, slot, key, value) VALUES (?, ?, ?, ?)")
        .run(id, position ?? 1000 + slot, key, this.value(value));
      for (const call of upstream) {
        const result = this.callId(call);
        if (result === undefined) continue;
        this.db
          .prepare("INSERT OR IGNORE INTO r_upstream(call, slot, result) VALUES (?, ?, ?)")
          .run(id, position ?? 1000 + slot, result);
      }
    }
    let position = 0;
    for (const child of children) {
      const childId = this.callId(child);
      if (childId !== undefined)
        this.db
          .prepare("INSERT INTO r_edge(parent, position, child) VALUES (?, ?, ?)")
          .run(id, position++, childId);
    }
    return true;
  }

  private taskSet(hashes: readonly string[]): number {
    const known = this.taskSets.get(hashes);
    if (known !== undefined) return known;
    const key = hashStruct(hashes);
    let id = this.db.prepare("SELECT id FROM r_task_set WHERE key = ?").get(key)?.id as number | undefined;
    if (id === undefined) {
      id = this.db.prepare("INSERT INTO r_task_set(key) VALUES (?)").run(key).id;
      for (const hash of hashes) {
        this.db.prepare("INSERT INTO r_task_set_member(task_set, task_hash) VALUES (?, ?)").run(id, hash);
      }
    }
    if (this.taskSets.size > 10_000) this.taskSets.clear();
    this.taskSets.set(hashes, id);
    return id;
  }

  private executionId(uuid: string): number {
    const known = this.find(this.executions, "SELECT id FROM r_execution WHERE uuid = ?", uuid);
    if (known !== undefined) return known;
    const { id } = this.db.prepare("INSERT INTO r_execution(uuid, args, job) VALUES (?, '[]', '')").run(uuid);
    return this.executions.set(uuid, id);
  }

  private jobId(uuid: string): number | undefined {
    return this.find(this.jobs, "SELECT id FROM r_job WHERE uuid = ?", uuid);
  }

  /** @returns whether the job is new */
  job(record: JobRecord): boolean {
    const { parentId, callHash, endTime } = record;
    const inserted = this.db
      .prepare(
        "INSERT OR IGNORE INTO r_job(uuid, execution, parent, task, start, end, cached, call) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      )
      .run(
        record.id,
        this.executionId(record.executionId),
        parentId === null ? null : (this.jobId(parentId) ?? null),
        this.taskId(record.taskHash),
        record.startTime,
        endTime ?? null,
        record.cached === true ? 1 : 0,
        callHash === undefined ? null : (this.callId(callHash) ?? null),
      );
    if (inserted.changes > 0) this.jobs.set(record.id, inserted.id);
    return inserted.changes > 0;
  }

  private jobEnd({ id, endTime, cached, callHash }: JobEndRecord): void {
    this.db
      .prepare("UPDATE r_job SET end = ?, cached = ?, call = ? WHERE uuid = ?")
      .run(endTime, cached ? 1 : 0, callHash === undefined ? null : (this.callId(callHash) ?? null), id);
  }

  /** @returns whether the tag is new */
  tag({ tagHash, entityType, entityId, key, value, parents }: TagRecord): boolean {
    const edited =
      this.db.prepare("SELECT 1 AS found FROM r_tag_edit WHERE parent = ?").get(tagHash) !== undefined;
    const inserted = this.db
      .prepare(
        "INSERT OR IGNORE INTO r_tag(hash, entity_type, entity, key, value, is_current) VALUES (?, ?, ?, ?, ?, ?)",
      )
      .run(tagHash, entityType, entityId, key, stableJson(value), edited || entityType === "Null" ? 0 : 1);
    for (const parent of parents) {
      this.db.prepare("INSERT OR IGNORE INTO r_tag_edit(parent, child) VALUES (?, ?)").run(parent, tagHash);
      this.db.prepare("UPDATE r_tag SET is_current = 0 WHERE hash = ?").run(parent);
    }
    return inserted.changes > 0;
  }
}
