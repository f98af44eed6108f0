import type { EntityType, FoundId, RecordQuery } from "../backend/backend.ts";
import { type Json, stableJson } from "../value/json.ts";
import type { SqlDriver, SqlValue } from "./sql-driver.ts";
import { ERROR_TYPE, JOB_STATUS } from "./sql-reader.ts";

interface Clause {
  readonly sql: string;
  readonly params: readonly SqlValue[];
}

const list = (items: readonly SqlValue[]): string => `(${items.map(() => "?").join(", ")})`;

/** How each type of record is selected: its id, its table with what filters need, and the order. */
const selections: Readonly<Record<EntityType, { id: string; from: string; order: string }>> = {
  Execution: {
    id: "x.uuid",
    from: `r_execution x LEFT JOIN r_job j ON j.uuid = x.job LEFT JOIN r_call c ON c.id = j.call
      LEFT JOIN r_value v ON v.id = c.value LEFT JOIN r_name n ON n.id = v.type`,
    order: "ORDER BY coalesce(j.start, x.time) DESC, x.id DESC",
  },
  Job: {
    id: "j.uuid",
    from: `r_job j JOIN r_execution x ON x.id = j.execution JOIN r_task t ON t.id = j.task LEFT JOIN r_call c ON c.id = j.call
      LEFT JOIN r_value v ON v.id = c.value LEFT JOIN r_name n ON n.id = v.type`,
    order: "ORDER BY j.start DESC, j.id DESC",
  },
  CallNode: {
    id: "c.hash",
    from: "r_call c JOIN r_evaluation e ON e.id = c.evaluation JOIN r_task t ON t.id = e.task",
    order: "ORDER BY c.id DESC",
  },
  Task: { id: "t.hash", from: "r_task t", order: "ORDER BY t.id DESC" },
  Value: { id: "v.hash", from: "r_value v JOIN r_name n ON n.id = v.type", order: "ORDER BY v.id DESC" },
};

/** Finds records by filters. */
export class SqlFinder {
  private readonly db: SqlDriver;

  constructor(db: SqlDriver) {
    this.db = db;
  }

  find(query: RecordQuery): FoundId[] {
    const { id, from, order } = selections[query.type];
    const { sql, params } = where(query);
    const page =
      query.limit === undefined && query.offset === undefined
        ? ""
        : ` LIMIT ${query.limit ?? -1} OFFSET ${query.offset ?? 0}`;
    const rows = this.db.prepare(`SELECT ${id} AS id FROM ${from} ${sql} ${order}${page}`).all(...params);
    return rows.map((row) => ({ type: query.type, id: String(row.id) }));
  }

  count(query: RecordQuery): number {
    const { from } = selections[query.type];
    const { sql, params } = where(query);
    return this.db.prepare(`SELECT count(*) AS n FROM ${from} ${sql}`).get(...params)!.n as number;
  }
}

function where(query: RecordQuery): Clause {
  const clauses = [...clausesOf(query)];
  if (clauses.length === 0) return { sql: "", params: [] };
  return {
    sql: `WHERE ${clauses.map(({ sql }) => `(${sql})`).join(" AND ")}`,
    params: clauses.flatMap(({ params }) => params),
  };
}

const NEVER: Clause = { sql: "0", params: [] };

function* clausesOf(query: RecordQuery): Iterable<Clause> {
  const { type } = query;
  const { id } = selections[type];
  if (query.ids !== undefined) yield { sql: `${id} IN ${list(query.ids)}`, params: query.ids };
  if (query.idPrefix !== undefined) {
    // A range on the index; ids are hex digits and dashes, which all sort below `g`.
    const range: Clause = { sql: `${id} >= ? AND ${id} < ?`, params: [query.idPrefix, `${query.idPrefix}g`] };
    yield type === "Task"
      ? {
          sql: `(${range.sql}) OR t.name = ? OR t.namespace || '.' || t.name = ?`,
          params: [...range.params, query.idPrefix, query.idPrefix],
        }
      : range;
  }
  if (query.executionIds !== undefined)
    yield inExecutions(type, `uuid IN ${list(query.executionIds)}`, query.executionIds);
  if (query.executionTags !== undefined) {
    for (const tag of query.executionTags) {
      const match = tagMatch(tag);
      yield inExecutions(type, `uuid IN (${match.sql})`, match.params);
    }
  }
  if (query.executionStatus !== undefined) {
    const status = `CASE WHEN j.id IS NULL THEN 'FAILED' ELSE replace(${JOB_STATUS}, 'CACHED', 'DONE') END`;
    yield type === "Execution"
      ? { sql: `${status} IN ${list(query.executionStatus)}`, params: query.executionStatus }
      : NEVER;
  }
  if (query.jobStatus !== undefined) yield type === "Job" ? jobStatus(query.jobStatus) : NEVER;
  if (query.taskNames !== undefined) {
    const names = query.taskNames;
    const sql = names
      .map((name) => (name.includes(".") ? "t.namespace || '.' || t.name = ?" : "t.name = ?"))
      .join(" OR ");
    yield type === "Job" || type === "Task" || type === "CallNode" ? { sql, params: names } : NEVER;
  }
  if (query.taskHashes !== undefined) {
    yield type === "Job" || type === "Task" || type === "CallNode"
      ? { sql: query.taskHashes.map(() => "t.hash LIKE ? || '%'").join(" OR "), params: query.taskHashes }
      : NEVER;
  }
  if (query.resultValues !== undefined) {
    yield type === "Job"
      ? {
          sql: `c.value IN (${holders(query.resultValues)})`,
          params: [...query.resultValues, ...query.resultValues],
        }
      : NEVER;
  }
  if (query.argValues !== undefined) {
    yield type === "Job"
      ? {
          sql: `j.call IN (SELECT call FROM r_argument WHERE value IN (${holders(query.argValues)}))`,
          params: [...query.argValues, ...query.argValues],
        }
      : NEVER;
  }
  if (query.valueTypes !== undefined)
    yield type === "Value" ? { sql: `n.name IN ${list(query.valueTypes)}`, params: query.valueTypes } : NEVER;
  if (query.filePaths !== undefined) {
    const patterns = query.filePaths.map((path) => path.replace(/[[?]/g, "[$&]"));
    yield type === "Value"
      ? {
          sql: `v.id IN (SELECT value FROM r_file WHERE ${patterns.map(() => "path GLOB ?").join(" OR ")})`,
          params: patterns,
        }
      : NEVER;
  }
  for (const tag of query.tags ?? []) {
    const match = tagMatch(tag);
    yield { sql: `${id} IN (${match.sql})`, params: match.params };
  }
  if (query.parentIds !== undefined) {
    yield type === "Job"
      ? {
          sql: `j.parent IN (SELECT id FROM r_job WHERE uuid IN ${list(query.parentIds)})`,
          params: query.parentIds,
        }
      : NEVER;
  }
  if (query.callHashes !== undefined) {
    const calls = query.callHashes;
    if (type === "Job" || type === "CallNode") yield { sql: `c.hash IN ${list(calls)}`, params: calls };
    else if (type === "Value")
      yield { sql: `v.id IN (SELECT value FROM r_call WHERE hash IN ${list(calls)})`, params: calls };
    else yield NEVER;
  }
}

/** The terms of a query differ from the status shown: a cached failure counts as both. */
function jobStatus(statuses: readonly string[]): Clause {
  const terms: Readonly<Record<string, string>> = {
    FAILED: `n.name = '${ERROR_TYPE}'`,
    CACHED: "j.cached = 1",
    DONE: `j.cached = 0 AND j.end IS NOT NULL AND (n.name IS NULL OR n.name <> '${ERROR_TYPE}')`,
    RUNNING: "j.end IS NULL AND j.call IS NULL",
  };
  return { sql: statuses.map((status) => `(${terms[status] ?? "0"})`).join(" OR "), params: [] };
}

function tagMatch(tag: { readonly key: string; readonly value?: Json }): Clause {
  if (tag.value === undefined)
    return { sql: "SELECT entity FROM r_tag WHERE is_current = 1 AND key = ?", params: [tag.key] };
  return {
    sql: "SELECT entity FROM r_tag WHERE is_current = 1 AND key = ? AND value = ?",
    params: [tag.key, stableJson(tag.value)],
  };
}

/** Values that are, or contain, one of the given. */
function holders(hashes: readonly string[]): string {
  return `SELECT id FROM r_value WHERE hash IN ${list(hashes)}
    UNION SELECT s.parent FROM r_subvalue s JOIN r_value w ON w.id = s.value WHERE w.hash IN ${list(hashes)}`;
}

/** Records that belong to executions with a property. */
function inExecutions(type: EntityType, condition: string, params: readonly SqlValue[]): Clause {
  const jobs = (column: string): string =>
    `SELECT ${column} FROM r_job WHERE execution IN (SELECT id FROM r_execution WHERE ${condition})`;
  switch (type) {
    case "Execution":
      return { sql: `x.${condition}`, params };
    case "Job":
      return { sql: `x.${condition}`, params };
    case "CallNode":
      return { sql: `c.id IN (${jobs("call")})`, params };
    case "Task":
      return { sql: `t.id IN (${jobs("task")})`, params };
    case "Value": {
      const direct = `SELECT value FROM r_call WHERE id IN (${jobs("call")}) UNION SELECT value FROM r_argument WHERE call IN (${jobs("call")})`;
      return {
        sql: `v.id IN (${direct}) OR v.id IN (SELECT value FROM r_subvalue WHERE parent IN (${direct}))`,
        params: [...params, ...params, ...params, ...params],
      };
    }
  }
}
