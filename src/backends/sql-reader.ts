import type {
  ArgumentRow,
  CacheHit,
  CacheQuery,
  CallNodeRow,
  EntityType,
  ExecutionRow,
  JobRow,
  TagRow,
  ValueRow,
} from "../backend/backend.ts";
import type { JobStatus, TagEntity, TaskRecord } from "../backend/records.ts";
import { hashArgument } from "../value/hash.ts";
import type { Json } from "../value/json.ts";
import type { EncodedValue } from "../value/value.ts";
import type { SqlDriver, SqlRow } from "./sql-driver.ts";

/** Type name of the value that a failed call has in place of a result. */
export const ERROR_TYPE = "redun.ErrorValue";

/** The fullname of the task in alias `t`. */
export const FULLNAME = "CASE t.namespace WHEN '' THEN t.name ELSE t.namespace || '.' || t.name END";

/** Status of the job in alias `j`, whose call is `c` and its value's type `n`. */
export const JOB_STATUS: string = `CASE WHEN n.name = '${ERROR_TYPE}' THEN 'FAILED' WHEN j.end IS NULL THEN 'RUNNING' WHEN j.cached THEN 'CACHED' ELSE 'DONE' END`;

const VALUE = "v.hash AS hash, n.name AS type, f.name AS format, v.value AS text";
const VALUE_JOINS = "JOIN r_name n ON n.id = v.type JOIN r_name f ON f.id = v.format";

const SINGLE = `SELECT ${VALUE} FROM r_evaluation e JOIN r_value v ON v.id = e.value ${VALUE_JOINS} WHERE e.hash = ?`;
const ULTIMATE = `SELECT ${VALUE}, c.hash AS call, c.task_set AS task_set, c.context AS context
  FROM r_evaluation e JOIN r_call c ON c.evaluation = e.id JOIN r_value v ON v.id = c.value ${VALUE_JOINS}
  WHERE e.hash = ? AND n.name <> '${ERROR_TYPE}' ORDER BY c.time DESC, c.id DESC`;

const number = (value: unknown): number | null => (typeof value === "number" ? value : null);
const text = (value: unknown): string | null => (typeof value === "string" ? value : null);

/** Answers questions for records by their keys. */
export class SqlReader {
  private readonly db: SqlDriver;
  private readonly taskSets = new Map<number, readonly string[]>();

  constructor(db: SqlDriver) {
    this.db = db;
  }

  private all(sql: string, ...params: (string | number | null)[]): SqlRow[] {
    return this.db.prepare(sql).all(...params);
  }

  private get(sql: string, ...params: (string | number | null)[]): SqlRow | undefined {
    return this.db.prepare(sql).get(...params);
  }

  lookup(queries: readonly CacheQuery[], isCurrent: (taskHash: string) => boolean): (CacheHit | undefined)[] {
    const currentSets = new Map<number, boolean>();
    const single = this.db.prepare(SINGLE);
    return queries.map((query) => {
      for (const kind of query.allowed) {
        if (kind === "single") {
          const row = single.get(query.evalHash);
          if (row !== undefined) return { kind, value: row as unknown as EncodedValue };
        } else {
          const hit = this.ultimate(query, isCurrent, currentSets);
          if (hit !== undefined) return hit;
        }
      }
      return undefined;
    });
  }

  private ultimate(
    query: CacheQuery,
    isCurrent: (hash: string) => boolean,
    sets: Map<number, boolean>,
  ): CacheHit | undefined {
    for (const row of this.all(ULTIMATE, query.evalHash)) {
      if ((text(row.context) ?? undefined) !== query.contextHash) continue;
      const id = row.task_set as number;
      const tasks = this.taskSet(id);
      let current = sets.get(id);
      if (current === undefined) {
        current = tasks.every(isCurrent);
        sets.set(id, current);
      }
      if (!current) continue;
      const { hash, type, format, text: encoded } = row as unknown as EncodedValue;
      return {
        kind: "ultimate",
        value: { hash, type, format, text: encoded },
        callHash: String(row.call),
        subtreeTasks: tasks,
      };
    }
    return undefined;
  }

  private taskSet(id: number): readonly string[] {
    let tasks = this.taskSets.get(id);
    if (tasks === undefined) {
      tasks = this.all(
        "SELECT task_hash FROM r_task_set_member WHERE task_set = ? ORDER BY task_hash",
        id,
      ).map((row) => String(row.task_hash));
      this.taskSets.set(id, tasks);
    }
    return tasks;
  }

  value(hash: string): ValueRow | undefined {
    const row = this.get(
      `SELECT ${VALUE}, v.id AS id, p.path AS file FROM r_value v ${VALUE_JOINS} LEFT JOIN r_file p ON p.value = v.id WHERE v.hash = ?`,
      hash,
    );
    if (row === undefined) return undefined;
    const parts = this.all(
      "SELECT v.hash AS hash FROM r_subvalue s JOIN r_value v ON v.id = s.value WHERE s.parent = ? ORDER BY v.hash",
      row.id as number,
    );
    const { type, format, text: encoded } = row as unknown as EncodedValue;
    return {
      hash,
      type,
      format,
      text: encoded,
      file: text(row.file),
      subvalues: parts.map((part) => String(part.hash)),
    };
  }

  execution(id: string): ExecutionRow | undefined {
    const row = this.get("SELECT uuid, args, job, time, updated FROM r_execution WHERE uuid = ?", id);
    if (row === undefined) return undefined;
    const job = this.job(String(row.job));
    const status = job === undefined ? "FAILED" : job.status === "CACHED" ? "DONE" : job.status;
    return {
      id,
      args: JSON.parse(String(row.args)) as string[],
      jobId: String(row.job),
      status,
      startTime: job?.startTime ?? number(row.time),
      endTime: job?.endTime ?? null,
      updatedTime: number(row.updated),
    };
  }

  job(id: string): JobRow | undefined {
    const row = this.get(
      `SELECT j.uuid AS id, x.uuid AS executionId, p.uuid AS parentId, t.hash AS taskHash, ${FULLNAME} AS taskName, ${JOB_STATUS} AS status,
         j.start AS startTime, j.end AS endTime, j.cached AS cached, c.hash AS callHash
       FROM r_job j JOIN r_execution x ON x.id = j.execution JOIN r_task t ON t.id = j.task LEFT JOIN r_job p ON p.id = j.parent
       LEFT JOIN r_call c ON c.id = j.call LEFT JOIN r_value v ON v.id = c.value LEFT JOIN r_name n ON n.id = v.type
       WHERE j.uuid = ?`,
      id,
    );
    if (row === undefined) return undefined;
    return {
      id,
      executionId: String(row.executionId),
      parentId: text(row.parentId),
      taskHash: String(row.taskHash),
      taskName: String(row.taskName),
      status: row.status as JobStatus,
      startTime: row.startTime as number,
      endTime: number(row.endTime),
      cached: row.cached === 1,
      callHash: text(row.callHash),
    };
  }

  task(hash: string): TaskRecord | undefined {
    const row = this.get(
      "SELECT name, namespace, source, version, doc, parameters FROM r_task WHERE hash = ?",
      hash,
    );
    if (row === undefined) return undefined;
    return {
      hash,
      name: String(row.name),
      namespace: String(row.namespace),
      source: String(row.source),
      version: text(row.version) ?? undefined,
      doc: text(row.doc) ?? undefined,
      parameters: JSON.parse(String(row.parameters)) as string[],
    };
  }

  call(hash: string): CallNodeRow | undefined {
    const row = this.get(
      `SELECT c.id AS id, ${FULLNAME} AS taskName, t.hash AS taskHash, e.args_hash AS argsHash, v.hash AS valueHash, c.time AS time, c.context AS context
       FROM r_call c JOIN r_evaluation e ON e.id = c.evaluation JOIN r_task t ON t.id = e.task JOIN r_value v ON v.id = c.value WHERE c.hash = ?`,
      hash,
    );
    if (row === undefined) return undefined;
    const id = row.id as number;
    return {
      callHash: hash,
      taskName: String(row.taskName),
      taskHash: String(row.taskHash),
      argsHash: String(row.argsHash),
      valueHash: String(row.valueHash),
      timestamp: row.time as number,
      contextHash: text(row.context),
      args: this.arguments(hash, id),
      children: this.all(
        "SELECT c.hash AS hash FROM r_edge x JOIN r_call c ON c.id = x.child WHERE x.parent = ? ORDER BY x.position",
        id,
      ).map((child) => String(child.hash)),
    };
  }

  private arguments(callHash: string, id: number): ArgumentRow[] {
    const rows = this.all(
      "SELECT a.slot AS slot, a.key AS key, v.hash AS hash FROM r_argument a JOIN r_value v ON v.id = a.value WHERE a.call = ? ORDER BY a.slot",
      id,
    );
    return rows.map((row) => {
      const slot = row.slot as number;
      const key = text(row.key);
      const valueHash = String(row.hash);
      const upstream = this.all(
        "SELECT c.hash AS hash FROM r_upstream u JOIN r_call c ON c.id = u.result WHERE u.call = ? AND u.slot = ? ORDER BY c.hash",
        id,
        slot,
      );
      const position = key === null ? slot : null;
      return {
        argHash: hashArgument(callHash, position, key, valueHash),
        position,
        key,
        valueHash,
        upstream: upstream.map((call) => String(call.hash)),
      };
    });
  }

  tag(hash: string): TagRow | undefined {
    return this.tags("hash = ?", hash)[0];
  }

  /** Current tags of an entity. */
  tagsOf(entity: string): TagRow[] {
    return this.tags("entity = ? AND is_current = 1 ORDER BY id", entity);
  }

  /** All tags of an entity, superseded ones too. */
  allTagsOf(entity: string): TagRow[] {
    return this.tags("entity = ? ORDER BY id", entity);
  }

  /** Tags that supersede a tag. */
  tagEdits(hash: string): TagRow[] {
    return this.tags("hash IN (SELECT child FROM r_tag_edit WHERE parent = ?)", hash);
  }

  private tags(where: string, key: string): TagRow[] {
    return this.all(
      `SELECT hash, entity_type, entity, key, value, is_current FROM r_tag WHERE ${where}`,
      key,
    ).map((row) => ({
      tagHash: String(row.hash),
      entityType: row.entity_type as TagEntity,
      entityId: String(row.entity),
      key: String(row.key),
      value: JSON.parse(String(row.value)) as Json,
      isCurrent: row.is_current === 1,
      parents: this.all(
        "SELECT parent FROM r_tag_edit WHERE child = ? ORDER BY parent",
        String(row.hash),
      ).map((edit) => String(edit.parent)),
    }));
  }

  tagCounts(): { key: string; value: Json; entityType: TagEntity; count: number }[] {
    const rows = this.all(
      "SELECT key, value, entity_type, count(*) AS n FROM r_tag WHERE is_current = 1 GROUP BY key, value, entity_type ORDER BY key, value",
    );
    return rows.map((row) => ({
      key: String(row.key),
      value: JSON.parse(String(row.value)) as Json,
      entityType: row.entity_type as TagEntity,
      count: row.n as number,
    }));
  }

  callsOfValue(hash: string, role: "result" | "argument"): string[] {
    const values =
      "SELECT id FROM r_value WHERE hash = ?1 UNION SELECT s.parent FROM r_subvalue s JOIN r_value v ON v.id = s.value WHERE v.hash = ?1";
    const sql =
      role === "result"
        ? `SELECT hash FROM r_call WHERE value IN (${values})`
        : `SELECT DISTINCT c.hash AS hash FROM r_argument a JOIN r_call c ON c.id = a.call WHERE a.value IN (${values})`;
    return this.all(sql, hash).map((row) => String(row.hash));
  }

  parentCalls(hash: string): string[] {
    const sql =
      "SELECT DISTINCT p.hash AS hash FROM r_call c JOIN r_edge x ON x.child = c.id JOIN r_call p ON p.id = x.parent WHERE c.hash = ?";
    return this.all(sql, hash).map((row) => String(row.hash));
  }

  nearestCall({
    taskName,
    taskHash,
    argsHash,
  }: {
    taskName: string;
    taskHash: string;
    argsHash: string;
  }): string | undefined {
    const dot = taskName.lastIndexOf(".");
    const base =
      "SELECT c.hash AS hash FROM r_task t JOIN r_evaluation e ON e.task = t.id JOIN r_call c ON c.evaluation = e.id";
    const sameArgs = this.get(
      `${base} WHERE t.name = ? AND t.namespace = ? AND e.args_hash = ? ORDER BY c.time DESC LIMIT 1`,
      taskName.slice(dot + 1),
      taskName.slice(0, Math.max(dot, 0)),
      argsHash,
    );
    const row = sameArgs ?? this.get(`${base} WHERE t.hash = ? ORDER BY c.time DESC LIMIT 1`, taskHash);
    return row === undefined ? undefined : String(row.hash);
  }

  /** Tasks used in a call of these children, as far as they are stored; what is not counts as never current. */
  subtreeTasks(taskHash: string, children: readonly string[]): string[] {
    const tasks = new Set([taskHash]);
    for (const child of children) {
      const row = this.get("SELECT task_set FROM r_call WHERE hash = ?", child);
      if (row === undefined) tasks.add(child);
      else for (const task of this.taskSet(row.task_set as number)) tasks.add(task);
    }
    return [...tasks].sort();
  }

  /** What kind of record an id belongs to. */
  kindOf(id: string): EntityType | "Tag" | undefined {
    const tables: readonly (readonly [EntityType | "Tag", string])[] = [
      ["Execution", "SELECT 1 AS found FROM r_execution WHERE uuid = ?"],
      ["Job", "SELECT 1 AS found FROM r_job WHERE uuid = ?"],
      ["CallNode", "SELECT 1 AS found FROM r_call WHERE hash = ?"],
      ["Task", "SELECT 1 AS found FROM r_task WHERE hash = ?"],
      ["Value", "SELECT 1 AS found FROM r_value WHERE hash = ?"],
      ["Tag", "SELECT 1 AS found FROM r_tag WHERE hash = ?"],
    ];
    return tables.find(([, sql]) => this.get(sql, id) !== undefined)?.[0];
  }

  /** Ids of the jobs of an execution or below a job, by start time. */
  jobsUnder(column: "execution" | "parent", uuid: string): string[] {
    const table = column === "execution" ? "r_execution" : "r_job";
    const sql = `SELECT uuid FROM r_job WHERE ${column} = (SELECT id FROM ${table} WHERE uuid = ?) ORDER BY start, id`;
    return this.all(sql, uuid).map((row) => String(row.uuid));
  }
}
