import { anyKey, uuidKey } from "./sql-keys.ts";
import type { SqlQuery } from "./sql-work.ts";

/**
 * The statements that write a batch without reading anything first, for databases that take a transaction as a list of
 * statements. Each makes rows of a parameter of JSON, and finds what these refer to by hashes and ids.
 *
 * They run in the order in which they stand here. A row that lacks its content marks a record as new: rows are first
 * reserved, then what belongs to the empty ones is written, and then they are filled.
 *
 * @module
 */

/** A column of a row of JSON; the same as a hash, and as a UUID. */
const column = (index: number): string => `(q.value ->> ${index})`;
const hash = (index: number): string => `unhex(${column(index)})`;
const uuid = (index: number): string => uuidKey(column(index));

const ROWS = "FROM json_each(?1) q";

/** A row of another table, by one of its keys. */
const join = (table: string, alias: string, key: string, condition = ""): string =>
  `CROSS JOIN ${table} ${alias} ON ${alias}.${table === "r_job" || table === "r_execution" ? "uuid" : "hash"} = ${key} ${condition}`;
const name = (text: string): string => `(SELECT id FROM r_name WHERE name = ${text})`;
const idOf = (table: string, key: string): string =>
  `(SELECT id FROM ${table} WHERE ${table === "r_job" ? "uuid" : "hash"} = ${key})`;

/** What happens with a row whose key is there: the columns are set where the condition holds. */
const upsert = (key: string, columns: readonly string[], condition: string): string =>
  `WHERE true ON CONFLICT(${key}) DO UPDATE SET ${columns.map((c) => `${c} = excluded.${c}`).join(", ")} WHERE ${condition}`;

const VALUE = ["type", "format", "text"];
const TASK = ["name", "namespace", "source", "version", "doc", "parameters"];
const CALL = ["evaluation", "value", "time", "task_set", "context"];
const JOB = ["execution", "parent", "task", "start_time", "end_time", "cached", "call"];
const END = ["end_time", "cached", "call"];

/** Whether the single reduction of a row is none, or one whose value is not there. */
const NO_SINGLE =
  "excluded.value IS NOT NULL AND NOT EXISTS (SELECT 1 FROM r_value v WHERE v.id = r_evaluation.value AND v.type IS NOT NULL)";

/** The names of the statements. */
export type BulkName =
  | "names"
  | "reserveValues"
  | "files"
  | "parts"
  | "values"
  | "tasks"
  | "reserveTasks"
  | "taskSets"
  | "members"
  | "evaluations"
  | "callEvaluations"
  | "reserveCalls"
  | "args"
  | "upstreams"
  | "edges"
  | "calls"
  | "reserveExecutions"
  | "reserveJobs"
  | "executions"
  | "jobs"
  | "jobEnds"
  | "tagEdits"
  | "tags"
  | "superseded";

const BULK: Readonly<Record<BulkName, string>> = {
  names: `INSERT OR IGNORE INTO r_name(name) SELECT ${column(0)} ${ROWS}`,
  reserveValues: `INSERT OR IGNORE INTO r_value(hash) SELECT ${hash(0)} ${ROWS}`,
  /** Value, path. */
  files: `INSERT OR IGNORE INTO r_file(value, path) SELECT v.id, ${column(1)} ${ROWS}
    ${join("r_value", "v", hash(0), "AND v.type IS NULL")}`,
  /** Value, value inside it. */
  parts: `INSERT OR IGNORE INTO r_subvalue(parent, value) SELECT p.id, v.id ${ROWS}
    ${join("r_value", "p", hash(0), "AND p.type IS NULL")} ${join("r_value", "v", hash(1))}`,
  /** Hash, type, format, text. */
  values: `INSERT INTO r_value(hash, ${VALUE}) SELECT ${hash(0)}, ${name(column(1))}, ${name(column(2))}, ${column(3)} ${ROWS}
    ${upsert("hash", VALUE, "r_value.type IS NULL")}`,
  /** Hash, name, namespace, source, version, doc, parameters. */
  tasks: `INSERT INTO r_task(hash, ${TASK}) SELECT ${hash(0)}, ${TASK.map((_, i) => column(i + 1))} ${ROWS}
    ${upsert("hash", TASK, "r_task.source IS NULL")}`,
  /** Hash, and name and namespace, which may be empty. */
  reserveTasks: `INSERT INTO r_task(hash, name, namespace) SELECT ${hash(0)}, ${column(1)}, ${column(2)} ${ROWS}
    ${upsert("hash", ["name", "namespace"], "r_task.source IS NULL AND excluded.name <> ''")}`,
  taskSets: `INSERT OR IGNORE INTO r_task_set(hash) SELECT ${hash(0)} ${ROWS}`,
  /** Set, task. */
  members: `INSERT OR IGNORE INTO r_task_set_member(task_set, task) SELECT s.id, t.id ${ROWS}
    ${join("r_task_set", "s", hash(0))} ${join("r_task", "t", hash(1))}`,
  /** Hash, task, hash of the arguments, value. */
  evaluations: `INSERT INTO r_evaluation(hash, task, args_hash, value) SELECT ${hash(0)}, t.id, ${hash(2)}, v.id ${ROWS}
    ${join("r_task", "t", hash(1))} ${join("r_value", "v", hash(3))}
    ${upsert("hash", ["value"], "r_evaluation.value IS NOT excluded.value")}`,
  /** The same of calls, whose single reduction may not be known. */
  callEvaluations: `INSERT INTO r_evaluation(hash, task, args_hash, value)
    SELECT ${hash(0)}, t.id, ${hash(2)}, ${idOf("r_value", hash(3))} ${ROWS} ${join("r_task", "t", hash(1))}
    ${upsert("hash", ["value"], NO_SINGLE)}`,
  reserveCalls: `INSERT OR IGNORE INTO r_call(hash) SELECT ${hash(0)} ${ROWS}`,
  /** Call, slot, value, key. */
  args: `INSERT OR IGNORE INTO r_argument(call, slot, value, key) SELECT c.id, ${column(1)}, v.id, ${column(3)} ${ROWS}
    ${join("r_call", "c", hash(0), "AND c.evaluation IS NULL")} ${join("r_value", "v", hash(2))}`,
  /** Call, slot, call whose result it is. */
  upstreams: `INSERT OR IGNORE INTO r_upstream(call, slot, result) SELECT c.id, ${column(1)}, r.id ${ROWS}
    ${join("r_call", "c", hash(0), "AND c.evaluation IS NULL")} ${join("r_call", "r", hash(2))}`,
  /** Call, position, child. */
  edges: `INSERT OR IGNORE INTO r_edge(parent, position, child) SELECT c.id, ${column(1)}, k.id ${ROWS}
    ${join("r_call", "c", hash(0), "AND c.evaluation IS NULL")} ${join("r_call", "k", hash(2))}`,
  /** Hash, evaluation, value, time, task set, context. */
  calls: `INSERT INTO r_call(hash, ${CALL})
    SELECT ${hash(0)}, e.id, v.id, ${column(3)}, ${idOf("r_task_set", hash(4))}, ${hash(5)} ${ROWS}
    ${join("r_evaluation", "e", hash(1))} ${join("r_value", "v", hash(2))} ${upsert("hash", CALL, "r_call.evaluation IS NULL")}`,
  reserveExecutions: `INSERT OR IGNORE INTO r_execution(uuid) SELECT ${uuid(0)} ${ROWS}`,
  reserveJobs: `INSERT OR IGNORE INTO r_job(uuid) SELECT ${uuid(0)} ${ROWS}`,
  /** Id, arguments, job, time. */
  executions: `INSERT INTO r_execution(uuid, args, job, updated) SELECT ${uuid(0)}, ${column(1)}, j.id, ${column(3)} ${ROWS}
    ${join("r_job", "j", uuid(2))} ${upsert("uuid", ["args", "job", "updated"], "r_execution.args IS NULL")}`,
  /** Id, execution, parent, task, start, end, whether cached, call. */
  jobs: `INSERT INTO r_job(uuid, ${JOB})
    SELECT ${uuid(0)}, x.id, ${idOf("r_job", uuid(2))}, t.id, ${column(4)}, ${column(5)}, ${column(6)}, ${idOf("r_call", hash(7))} ${ROWS}
    ${join("r_execution", "x", uuid(1))} ${join("r_task", "t", hash(3))} ${upsert("uuid", JOB, "r_job.task IS NULL")}`,
  /** Id, end, whether cached, call. Nothing is inserted. */
  jobEnds: `INSERT INTO r_job(uuid, ${END}) SELECT ${uuid(0)}, ${column(1)}, ${column(2)}, ${idOf("r_call", hash(3))} ${ROWS}
    ${join("r_job", "j", uuid(0))} ${upsert("uuid", END, "r_job.end_time IS NULL")}`,
  /** Tag, tag that supersedes it. */
  tagEdits: `INSERT OR IGNORE INTO r_tag_edit(parent, child) SELECT ${hash(0)}, ${hash(1)} ${ROWS}`,
  /** Hash, type of the entity, entity, key, value. */
  tags: `INSERT OR IGNORE INTO r_tag(hash, entity_type, entity, key, value, is_current)
    SELECT ${hash(0)}, ${column(1)}, ${anyKey(column(2))}, ${column(3)}, ${column(4)},
      ${column(1)} <> 'Null' AND NOT EXISTS (SELECT 1 FROM r_tag_edit WHERE parent = ${hash(0)}) ${ROWS}`,
  superseded: `UPDATE r_tag SET is_current = 0 WHERE is_current = 1 AND hash IN (SELECT ${hash(0)} ${ROWS})`,
};

/** A value by itself, whose text may fill a parameter of its own: hash, type, format, text. */
const ONE_VALUE: string = `INSERT INTO r_value(hash, ${VALUE}) SELECT unhex(?1), ${name("?2")}, ${name("?3")}, ?4
  ${upsert("hash", VALUE, "r_value.type IS NULL")}`;

/** Those whose changes are new records. */
const COUNTED: ReadonlySet<BulkName> = new Set(["values", "calls", "executions", "jobs", "tags"]);

/** One statement of a transaction. */
export interface BulkStep extends SqlQuery {
  /** Whether the rows that it changes are new records. */
  readonly counts: boolean;
}

export type BulkRow = readonly (string | number | null)[];

/** UTF-16 units of JSON in one parameter: they may be three bytes each, and 2 MB are admitted. */
const CHUNK = 600_000;

/** Rows for the statements, by the names of these. */
export class BulkRows {
  private readonly rows = new Map<BulkName, BulkRow[]>();

  add(target: BulkName, ...row: BulkRow): void {
    const list = this.rows.get(target);
    if (list === undefined) this.rows.set(target, [row]);
    else list.push(row);
  }

  /** The statements to run, in their order. */
  steps(): BulkStep[] {
    const steps: BulkStep[] = [];
    for (const target of Object.keys(BULK) as BulkName[]) {
      const counts = COUNTED.has(target);
      let part: string[] = [];
      let size = 0;
      const flush = (): void => {
        if (part.length > 0) steps.push({ sql: BULK[target], params: [`[${part.join(",")}]`], counts });
        part = [];
        size = 0;
      };
      for (const row of this.rows.get(target) ?? []) {
        const json = JSON.stringify(row);
        if (target === "values" && json.length > CHUNK) {
          steps.push({ sql: ONE_VALUE, params: row, counts });
          continue;
        }
        if (size + json.length > CHUNK) flush();
        part.push(json);
        size += json.length + 1;
      }
      flush();
    }
    return steps;
  }
}
