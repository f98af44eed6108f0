import type {
  CallNodeRecord,
  EvaluationRecord,
  ExecutionRecord,
  JobEndRecord,
  JobRecord,
  RecordBatch,
  TaskRecord,
  ValueRecord,
} from "../backend/records.ts";
import { BackendError } from "../errors/errors.ts";
import { hashEval, hashStruct } from "../value/hash.ts";
import { IdMap } from "./id-map.ts";
import {
  type ImportBatch,
  type ImportedCall,
  type ImportedExecution,
  type ImportedValue,
  splitFullname,
  taskValue,
  type ValueRef,
} from "./record-store.ts";
import type { SqlDriver } from "./sql-driver.ts";
import { hashKey, hashText, uuidKey } from "./sql-keys.ts";
import { writeTag } from "./sql-tags.ts";

/** A table whose rows are found by a key. */
type Keyed = "r_value" | "r_task" | "r_evaluation" | "r_call" | "r_execution" | "r_job";

const KEYED: readonly Keyed[] = ["r_value", "r_task", "r_evaluation", "r_call", "r_execution", "r_job"];
const keyOf = (table: Keyed, text: string): string =>
  table === "r_execution" || table === "r_job" ? `uuid = ${uuidKey(text)}` : `hash = ${hashKey(text)}`;

/** Slots from here on hold arguments that were given by name. */
const NAMED_SLOT = 1000;

/**
 * Writes records into the physical tables. It owns the memory of which row has which key, and gives out row ids. All
 * of it runs inside the driver's write transactions, so two processes never make two rows of one key.
 */
export class SqlWriter {
  private readonly db: SqlDriver;
  private readonly maxValueSize: number;
  /** Rows that are there with their content. */
  private readonly whole = Object.fromEntries(KEYED.map((table) => [table, new IdMap()])) as Record<
    Keyed,
    IdMap
  >;
  private readonly names = new Map<string, number>();
  private taskSets = new WeakMap<readonly string[], number>();
  /** Whether records may refer to others that come later; otherwise what is not there never will be. */
  private promised = false;
  private next = {} as Record<Keyed, number>;

  constructor(db: SqlDriver, maxValueSize: number) {
    this.db = db;
    this.maxValueSize = maxValueSize;
  }

  /** Runs work in a transaction; where that fails, what it made known of rows is void. */
  transaction<T>(work: () => T): T {
    try {
      return this.db.transaction(() => {
        // Other processes may have added rows since the last time; during the transaction they can't.
        for (const table of KEYED) {
          this.next[table] = 1 + ((this.get(`SELECT max(id) AS id FROM ${table}`)?.id as number | null) ?? 0);
        }
        return work();
      });
    } catch (error) {
      for (const table of KEYED) this.whole[table].clear();
      this.names.clear();
      this.taskSets = new WeakMap();
      throw error;
    }
  }

  write(batch: RecordBatch): void {
    this.promised = false;
    for (const record of batch.tasks) this.task(record);
    for (const record of batch.values) this.value(record);
    for (const record of batch.evaluations) this.evaluation(record);
    const calls = batch.callNodes.filter((record) => this.call(record));
    this.linkCalls(calls);
    for (const { id, args, jobId, startTime } of batch.executions) {
      this.execution({ id, args, jobId, updatedTime: startTime });
    }
    for (const record of batch.jobs) this.job(record);
    for (const record of batch.jobEnds) this.jobEnd(record);
    for (const record of batch.tags) writeTag(this.db, record);
  }

  /** @returns how many records were new */
  import(batch: ImportBatch): number {
    this.promised = true;
    let added = 0;
    const count = (isNew: boolean): boolean => {
      if (isNew) added++;
      return isNew;
    };
    const values = batch.values.filter((record) => count(this.importedValue(record)));
    for (const record of batch.tasks) this.task(record);
    for (const { hash, subvalues } of values) {
      this.parts(
        this.idOf("r_value", hash),
        subvalues.map((part) => this.idOf("r_value", part)),
      );
    }
    this.linkCalls(batch.calls.filter((record) => count(this.call(record))));
    for (const record of batch.executions) count(this.execution(record));
    for (const record of batch.jobs) count(this.job(record));
    for (const record of batch.tags) count(writeTag(this.db, record));
    return added;
  }

  private run(sql: string, ...params: (string | number | null)[]): number {
    return this.db.prepare(sql).run(...params);
  }

  private get(sql: string, ...params: (string | number | null)[]) {
    return this.db.prepare(sql).get(...params);
  }

  private find(table: Keyed, key: string): number | undefined {
    const known = this.whole[table].get(key);
    if (known !== undefined) return known;
    return this.get(`SELECT id FROM ${table} WHERE ${keyOf(table, "?1")}`, key)?.id as number | undefined;
  }

  /** Id of a row with this key; one without content is made if there is none. */
  private idOf(table: Keyed, key: string): number {
    const known = this.find(table, key);
    if (known !== undefined) return known;
    const id = this.next[table]++;
    if (table === "r_task")
      this.run("INSERT INTO r_task(id, hash, name, namespace) VALUES (?, unhex(?), '', '')", id, key);
    else if (table === "r_execution" || table === "r_job")
      this.run(`INSERT INTO ${table}(id, uuid) VALUES (?1, ${uuidKey("?2")})`, id, key);
    else this.run(`INSERT INTO ${table}(id, hash) VALUES (?, unhex(?))`, id, key);
    return id;
  }

  /**
   * Puts a row into a table: as a new one, or as the content of one that others referred to.
   *
   * @param insert - inserts unless the key is there, and says how many rows that made
   * @param lacks - the column that is null as long as the content is missing
   * @returns whether the content is new; the id is known then and in any case
   */
  private put(
    table: Keyed,
    key: string,
    insert: (id: number) => number,
    lacks: string,
    fill: (id: number) => void,
  ): boolean {
    const id = this.next[table];
    if (insert(id) > 0) {
      this.next[table]++;
      this.whole[table].set(key, id);
      return true;
    }
    const row = this.get(
      `SELECT id, ${lacks} IS NULL AS empty FROM ${table} WHERE ${keyOf(table, "?1")}`,
      key,
    )!;
    const found = this.whole[table].set(key, row.id as number);
    if (row.empty === 0) return false;
    fill(found);
    return true;
  }

  private name(text: string): number {
    const known = this.names.get(text);
    if (known !== undefined) return known;
    this.run("INSERT OR IGNORE INTO r_name(name) VALUES (?)", text);
    const id = this.get("SELECT id FROM r_name WHERE name = ?", text)!.id as number;
    this.names.set(text, id);
    return id;
  }

  private valueId(value: ValueRef): number {
    if (typeof value === "string") return this.idOf("r_value", value);
    return this.whole.r_value.get(value.hash) ?? this.value(value);
  }

  private value(record: ValueRecord): number {
    const { hash, subvalues } = record;
    const known = this.whole.r_value.get(hash);
    if (known !== undefined) return known;
    const isNew = this.putValue(record);
    const id = this.whole.r_value.get(hash)!;
    if (isNew && subvalues !== undefined)
      this.parts(
        id,
        subvalues.map((part) => this.value(part)),
      );
    return id;
  }

  private importedValue({ hash, type, format, text, file }: ImportedValue): boolean {
    return this.whole.r_value.get(hash) === undefined && this.putValue({ hash, type, format, text, file });
  }

  private putValue({ hash, type, format, text, file }: ValueRecord): boolean {
    this.checkSize(type, text);
    const [typeId, formatId] = [this.name(type), this.name(format)];
    const isNew = this.put(
      "r_value",
      hash,
      (id) =>
        this.run(
          "INSERT INTO r_value(id, hash, type, format, text) VALUES (?, unhex(?), ?, ?, ?) ON CONFLICT(hash) DO NOTHING",
          id,
          hash,
          typeId,
          formatId,
          text,
        ),
      "type",
      (id) =>
        this.run(
          "UPDATE r_value SET type = ?, format = ?, text = ? WHERE id = ?",
          typeId,
          formatId,
          text,
          id,
        ),
    );
    if (isNew && file !== undefined) {
      this.run(
        "INSERT OR IGNORE INTO r_file(value, path) VALUES (?, ?)",
        this.whole.r_value.get(hash)!,
        file,
      );
    }
    return isNew;
  }

  private checkSize(type: string, text: string): void {
    // A character is at most three bytes, so most texts need no counting.
    if (text.length * 3 <= this.maxValueSize) return;
    const size = new TextEncoder().encode(text).length;
    if (size <= this.maxValueSize) return;
    throw new BackendError(
      `Cannot store a value of type ${type}: its ${size} bytes are more than max_value_size, ${this.maxValueSize}`,
      {
        hint: "Write large data to a file and return the File, or raise max_value_size in the [backend] section.",
        fields: { size, limit: this.maxValueSize, type },
      },
    );
  }

  private parts(value: number, parts: readonly number[]): void {
    for (const part of parts)
      this.run("INSERT OR IGNORE INTO r_subvalue(parent, value) VALUES (?, ?)", value, part);
  }

  private task(record: TaskRecord): boolean {
    const { hash, name, namespace, source, version = null, doc = null } = record;
    if (this.whole.r_task.get(hash) !== undefined) return false;
    const parameters = JSON.stringify(record.parameters);
    this.value(taskValue(record));
    return this.put(
      "r_task",
      hash,
      (id) =>
        this.run(
          "INSERT INTO r_task(id, hash, name, namespace, source, version, doc, parameters) VALUES (?, unhex(?), ?, ?, ?, ?, ?, ?) ON CONFLICT(hash) DO NOTHING",
          id,
          hash,
          name,
          namespace,
          source,
          version,
          doc,
          parameters,
        ),
      "source",
      (id) =>
        this.run(
          "UPDATE r_task SET name = ?, namespace = ?, source = ?, version = ?, doc = ?, parameters = ? WHERE id = ?",
          name,
          namespace,
          source,
          version,
          doc,
          parameters,
          id,
        ),
    );
  }

  /** Id of a task; one that is not there, or not yet, has at least the name that its call has. */
  private taskOfCall(hash: string, fullname: string): number {
    const known = this.whole.r_task.get(hash);
    if (known !== undefined) return known;
    const id = this.idOf("r_task", hash);
    const { name, namespace } = splitFullname(fullname);
    this.run(
      "UPDATE r_task SET name = ?, namespace = ? WHERE id = ? AND source IS NULL",
      name,
      namespace,
      id,
    );
    return id;
  }

  private evaluation({ evalHash, taskHash, argsHash, value }: EvaluationRecord): void {
    const valueId = this.valueId(value);
    const known = this.whole.r_evaluation.get(evalHash) !== undefined;
    if (!known && this.putEvaluation(evalHash, this.idOf("r_task", taskHash), argsHash, valueId)) return;
    this.run(
      "UPDATE r_evaluation SET value = ?2 WHERE id = ?1 AND value IS NOT ?2",
      this.whole.r_evaluation.get(evalHash)!,
      valueId,
    );
  }

  private putEvaluation(evalHash: string, task: number, argsHash: string, value: number | null): boolean {
    return this.put(
      "r_evaluation",
      evalHash,
      (id) =>
        this.run(
          "INSERT INTO r_evaluation(id, hash, task, args_hash, value) VALUES (?, unhex(?), ?, unhex(?), ?) ON CONFLICT(hash) DO NOTHING",
          id,
          evalHash,
          task,
          argsHash,
          value,
        ),
      "task",
      () => {},
    );
  }

  /** Puts the row of a call; what it refers to comes with {@link linkCalls}. */
  private call(record: CallNodeRecord | ImportedCall): boolean {
    const { callHash, taskHash, argsHash, timestamp, contextHash = null } = record;
    if (this.whole.r_call.get(callHash) !== undefined) return false;
    const evalHash = record.evalHash ?? hashEval(taskHash, argsHash);
    if (this.whole.r_evaluation.get(evalHash) === undefined) {
      this.putEvaluation(evalHash, this.taskOfCall(taskHash, record.taskName), argsHash, null);
    }
    const evaluation = this.whole.r_evaluation.get(evalHash)!;
    const value = this.valueId(record.value);
    const taskSet = record.subtreeTasks === undefined ? null : this.taskSet(record.subtreeTasks);
    return this.put(
      "r_call",
      callHash,
      (id) =>
        this.run(
          "INSERT INTO r_call(id, hash, evaluation, value, time, task_set, context) VALUES (?, unhex(?), ?, ?, ?, ?, unhex(?)) ON CONFLICT(hash) DO NOTHING",
          id,
          callHash,
          evaluation,
          value,
          timestamp,
          taskSet,
          contextHash,
        ),
      "evaluation",
      (id) =>
        this.run(
          "UPDATE r_call SET evaluation = ?, value = ?, time = ?, task_set = ?, context = unhex(?) WHERE id = ?",
          evaluation,
          value,
          timestamp,
          taskSet,
          contextHash,
          id,
        ),
    );
  }

  /** Writes the arguments and edges of new calls. */
  private linkCalls(calls: readonly (CallNodeRecord | ImportedCall)[]): void {
    const ids = this.callIds(calls);
    for (const { callHash, args, children } of calls) {
      const call = this.whole.r_call.get(callHash) ?? this.find("r_call", callHash)!;
      for (let i = 0; i < args.length; i++) {
        const { position, key, value, upstream } = args[i]!;
        const slot = position ?? NAMED_SLOT + i;
        this.run(
          "INSERT INTO r_argument(call, slot, value, key) VALUES (?, ?, ?, ?)",
          call,
          slot,
          this.valueId(value),
          key,
        );
        for (const hash of upstream) {
          const result = ids.get(hash);
          if (result === undefined) continue;
          this.run(
            "INSERT OR IGNORE INTO r_upstream(call, slot, result) VALUES (?, ?, ?)",
            call,
            slot,
            result,
          );
        }
      }
      if (children.length === 0) continue;
      const childIds = children.map((hash) => ids.get(hash)).filter((id) => id !== undefined);
      this.run(
        "INSERT INTO r_edge(parent, position, child) SELECT ?, key, value FROM json_each(?)",
        call,
        JSON.stringify(childIds),
      );
    }
  }

  /** Ids of all calls that these refer to; the ones not remembered are read at once. */
  private callIds(calls: readonly (CallNodeRecord | ImportedCall)[]): Map<string, number> {
    const ids = new Map<string, number>();
    const unknown = new Set<string>();
    const need = (hash: string): void => {
      const id = this.whole.r_call.get(hash);
      if (id === undefined) unknown.add(hash);
      else ids.set(hash, id);
    };
    for (const { args, children } of calls) {
      for (const child of children) need(child);
      for (const { upstream } of args) for (const call of upstream) need(call);
    }
    if (unknown.size === 0) return ids;
    const sql = `SELECT ${hashText("c.hash")} AS hash, c.id AS id FROM json_each(?) q CROSS JOIN r_call c ON c.hash = unhex(q.value)`;
    for (const row of this.db.prepare(sql).all(JSON.stringify([...unknown]))) {
      ids.set(row.hash as string, row.id as number);
    }
    if (this.promised)
      for (const hash of unknown) if (!ids.has(hash)) ids.set(hash, this.idOf("r_call", hash));
    return ids;
  }

  private taskSet(hashes: readonly string[]): number {
    const known = this.taskSets.get(hashes);
    if (known !== undefined) return known;
    const hash = hashStruct([...hashes]);
    const isNew =
      this.run("INSERT INTO r_task_set(hash) VALUES (unhex(?)) ON CONFLICT(hash) DO NOTHING", hash) > 0;
    const id = this.get("SELECT id FROM r_task_set WHERE hash = unhex(?)", hash)!.id as number;
    if (isNew) {
      for (const task of hashes) {
        this.run(
          "INSERT OR IGNORE INTO r_task_set_member(task_set, task) VALUES (?, ?)",
          id,
          this.idOf("r_task", task),
        );
      }
    }
    this.taskSets.set(hashes, id);
    return id;
  }

  private execution({
    id: uuid,
    args,
    jobId,
    updatedTime,
  }: ImportedExecution | (ExecutionRecord & { updatedTime: number })): boolean {
    const [words, job] = [JSON.stringify(args), this.idOf("r_job", jobId)];
    return this.put(
      "r_execution",
      uuid,
      (id) =>
        this.run(
          `INSERT INTO r_execution(id, uuid, args, job, updated) VALUES (?1, ${uuidKey("?2")}, ?3, ?4, ?5) ON CONFLICT(uuid) DO NOTHING`,
          id,
          uuid,
          words,
          job,
          updatedTime,
        ),
      "args",
      (id) =>
        this.run(
          "UPDATE r_execution SET args = ?, job = ?, updated = ? WHERE id = ?",
          words,
          job,
          updatedTime,
          id,
        ),
    );
  }

  private job(record: JobRecord): boolean {
    const { id: uuid, startTime, endTime = null } = record;
    const execution = this.idOf("r_execution", record.executionId);
    const parent = record.parentId === null ? null : this.idOf("r_job", record.parentId);
    const task = this.idOf("r_task", record.taskHash);
    const cached = record.cached === true ? 1 : 0;
    const call = this.callOfJob(record.callHash);
    const isNew = this.put(
      "r_job",
      uuid,
      (id) =>
        this.run(
          `INSERT INTO r_job(id, uuid, execution, parent, task, start_time, end_time, cached, call) VALUES (?1, ${uuidKey("?2")}, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT(uuid) DO NOTHING`,
          id,
          uuid,
          execution,
          parent,
          task,
          startTime,
          endTime,
          cached,
          call,
        ),
      "task",
      (id) =>
        this.run(
          "UPDATE r_job SET execution = ?, parent = ?, task = ?, start_time = ?, end_time = ?, cached = ?, call = ? WHERE id = ?",
          execution,
          parent,
          task,
          startTime,
          endTime,
          cached,
          call,
          id,
        ),
    );
    // A job that was known as running may come again with its end.
    if (!isNew && endTime !== null)
      this.jobEnd({ id: uuid, endTime, cached: cached === 1, callHash: record.callHash });
    return isNew;
  }

  /** A job may have ended in a call that has no provenance, so is in no store. */
  private callOfJob(hash: string | undefined): number | null {
    if (hash === undefined) return null;
    return this.promised ? this.idOf("r_call", hash) : (this.find("r_call", hash) ?? null);
  }

  private jobEnd({ id, endTime, cached, callHash }: JobEndRecord): void {
    const job = this.find("r_job", id);
    if (job === undefined) return;
    const sql = "UPDATE r_job SET end_time = ?, cached = ?, call = ? WHERE id = ? AND end_time IS NULL";
    this.run(sql, endTime, cached ? 1 : 0, this.callOfJob(callHash), job);
  }
}
