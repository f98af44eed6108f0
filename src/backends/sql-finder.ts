import type { EntityType, FoundId, RecordQuery } from "../backend/backend.ts";
import { type Json, stableJson } from "../value/json.ts";
import { pathMatcher } from "./filters.ts";
import type { SqlValue } from "./sql-driver.ts";
import { hashPrefix, hashText, isHashPrefix, uuidKey, uuidPrefix, uuidText } from "./sql-keys.ts";
import { all, type SqlWork } from "./sql-work.ts";
import { isAtLeast } from "./value-size.ts";

interface Clause {
  readonly sql: string;
  readonly params: readonly SqlValue[];
}

interface Selection {
  /** The column of the stored id, and the expression of its text. */
  readonly key: string;
  readonly id: string;
  readonly from: string;
  /** Leaves out rows that are there only because others refer to them. */
  readonly whole: string;
  readonly order: string;
  /** Leaves out rows up to that of a stored id. */
  readonly after: (key: string) => string;
}

/** How each type of record is selected. Filters bring what else they need as sub-queries. */
const selections: Readonly<Record<EntityType, Selection>> = {
  Execution: {
    key: "x.uuid",
    id: uuidText("x.uuid"),
    from: "r_execution x LEFT JOIN r_job j ON j.id = x.job AND j.task IS NOT NULL",
    whole: "x.args IS NOT NULL",
    order: "coalesce(j.start_time, x.updated, 0) DESC, x.id DESC",
    after: (key) =>
      `(coalesce(j.start_time, x.updated, 0), x.id) < (SELECT coalesce(k.start_time, y.updated, 0), y.id FROM r_execution y
        LEFT JOIN r_job k ON k.id = y.job AND k.task IS NOT NULL WHERE y.uuid = ${key})`,
  },
  Job: {
    key: "j.uuid",
    id: uuidText("j.uuid"),
    from: "r_job j",
    whole: "j.task IS NOT NULL",
    order: "j.start_time DESC, j.id DESC",
    after: (key) => `(j.start_time, j.id) < (SELECT k.start_time, k.id FROM r_job k WHERE k.uuid = ${key})`,
  },
  CallNode: {
    key: "c.hash",
    id: hashText("c.hash"),
    from: "r_call c",
    whole: "c.evaluation IS NOT NULL",
    order: "c.id",
    after: (key) => `c.id > (SELECT k.id FROM r_call k WHERE k.hash = ${key})`,
  },
  Task: {
    key: "t.hash",
    id: hashText("t.hash"),
    from: "r_task t",
    whole: "t.source IS NOT NULL",
    order: "t.id",
    after: (key) => `t.id > (SELECT k.id FROM r_task k WHERE k.hash = ${key})`,
  },
  Value: {
    key: "v.hash",
    id: hashText("v.hash"),
    from: "r_value v",
    whole: "v.type IS NOT NULL",
    order: "v.id",
    after: (key) => `v.id > (SELECT k.id FROM r_value k WHERE k.hash = ${key})`,
  },
};

const NEVER: Clause = { sql: "0", params: [] };

/** A list as a set of stored ids, or of plain text. */
const hashes = "(SELECT unhex(value) FROM json_each(?))";
const uuids = `(SELECT ${uuidKey("value")} FROM json_each(?))`;
const texts = "(SELECT value FROM json_each(?))";

/** Longest pattern in bytes that a Durable Object matches by itself. */
const PATTERN = 50;

/** Finds records by filters. */
export class SqlFinder {
  *find(query: RecordQuery): SqlWork<FoundId[]> {
    const { id, from, order } = selections[query.type];
    const { sql, params } = yield* this.where(query);
    const { limit = -1, offset = 0 } = query;
    const after = afterOf(query);
    const rows = yield* all(
      `SELECT ${id} AS id FROM ${from} WHERE ${sql} AND (${after.sql}) ORDER BY ${order} LIMIT ? OFFSET ?`,
      ...params,
      ...after.params,
      limit,
      offset,
    );
    return rows.map((row) => ({ type: query.type, id: String(row.id) }));
  }

  *count(query: RecordQuery): SqlWork<number> {
    const { sql, params } = yield* this.where(query);
    const { from } = selections[query.type];
    const [row] = yield* all(`SELECT count(*) AS n FROM ${from} WHERE ${sql}`, ...params);
    return row!.n as number;
  }

  private *where(query: RecordQuery): SqlWork<Clause> {
    const clauses = [{ sql: selections[query.type].whole, params: [] }, ...clausesOf(query)];
    if (query.filePaths !== undefined) clauses.push(yield* this.ofFiles(query.type, query.filePaths));
    return {
      sql: clauses.map(({ sql }) => `(${sql})`).join(" AND "),
      params: clauses.flatMap(({ params }) => params),
    };
  }

  private *ofFiles(type: EntityType, paths: readonly string[]): SqlWork<Clause> {
    if (type !== "Value") return NEVER;
    const patterns = paths.map((path) => path.replace(/[[?]/g, "[$&]"));
    const long = paths.filter((_, i) => isAtLeast(patterns[i]!, PATTERN + 1));
    const short = patterns.filter((pattern) => !isAtLeast(pattern, PATTERN + 1));
    const found: number[] = [];
    for (const path of long) found.push(...(yield* this.filesLike(path)));
    return {
      sql: "v.id IN (SELECT f.value FROM json_each(?) q JOIN r_file f ON f.path GLOB q.value) OR v.id IN (SELECT value FROM json_each(?))",
      params: [list(short), JSON.stringify(found)],
    };
  }

  /** Row ids of the files that a pattern matches, which are read by what it begins with. */
  private *filesLike(pattern: string): SqlWork<number[]> {
    const prefix = pattern.split("*")[0]!;
    const matches = pathMatcher([pattern]);
    const rows = yield* all(
      "SELECT value AS id, path FROM r_file WHERE path >= ?1 AND path < ?1 || char(1114111)",
      prefix,
    );
    return rows.filter((row) => matches(String(row.path))).map((row) => row.id as number);
  }
}

function afterOf({ type, after }: RecordQuery): Clause {
  if (after === undefined) return { sql: "1", params: [] };
  const isUuid = type === "Execution" || type === "Job";
  return { sql: selections[type].after(isUuid ? uuids : hashes), params: [list([after])] };
}

function* clausesOf(query: RecordQuery): Iterable<Clause> {
  const { type } = query;
  const { key } = selections[type];
  const isUuid = type === "Execution" || type === "Job";
  if (query.ids !== undefined)
    yield { sql: `${key} IN ${isUuid ? uuids : hashes}`, params: [list(query.ids)] };
  if (query.idPrefix !== undefined) yield idPrefix(type, query.idPrefix);
  if (query.executionIds !== undefined)
    yield inExecutions(type, { sql: uuids, params: [list(query.executionIds)] });
  for (const tag of query.executionTags ?? []) yield inExecutions(type, tagged(tag));
  for (const tag of query.tags ?? []) {
    const { sql, params } = tagged(tag);
    yield { sql: `${key} IN ${sql}`, params };
  }
  if (query.executionStatus !== undefined) {
    yield type === "Execution" ? anyOf(query.executionStatus, (status) => executionTerms[status]) : NEVER;
  }
  if (query.jobStatus !== undefined) {
    yield type === "Job" ? anyOf(query.jobStatus, (status) => jobTerms[status]) : NEVER;
  }
  if (query.taskNames !== undefined) yield taskNames(type, query.taskNames);
  if (query.taskHashes !== undefined) {
    const ranges = query.taskHashes
      .filter(isHashPrefix)
      .map((prefix) => [prefix.padEnd(40, "0"), prefix.padEnd(40, "f")]);
    const sql = `t.id IN (SELECT w.id FROM json_each(?) q JOIN r_task w ON w.hash BETWEEN unhex(q.value ->> 0) AND unhex(q.value ->> 1))`;
    yield ofTasks(type, { sql, params: [JSON.stringify(ranges)] });
  }
  if (query.resultValues !== undefined) {
    const sql = `j.call IN (SELECT id FROM r_call WHERE value IN (${holders}))`;
    yield type === "Job" ? { sql, params: twice(query.resultValues) } : NEVER;
  }
  if (query.argValues !== undefined) {
    const sql = `j.call IN (SELECT call FROM r_argument WHERE value IN (${holders}))`;
    yield type === "Job" ? { sql, params: twice(query.argValues) } : NEVER;
  }
  if (query.valueTypes !== undefined) {
    const sql = `v.type IN (SELECT id FROM r_name WHERE name IN ${texts})`;
    yield type === "Value" ? { sql, params: [list(query.valueTypes)] } : NEVER;
  }
  if (query.parentIds !== undefined) {
    // An execution's jobs are indexed by their parents.
    const sql = `j.id IN (SELECT k.id FROM r_job p JOIN r_job k ON k.execution = p.execution AND k.parent = p.id WHERE p.uuid IN ${uuids})`;
    yield type === "Job" ? { sql, params: [list(query.parentIds)] } : NEVER;
  }
  if (query.callHashes !== undefined) yield ofCalls(type, list(query.callHashes));
}

const list = (items: readonly string[]): string => JSON.stringify(items);
const twice = (items: readonly string[]): string[] => [list(items), list(items)];

function anyOf<T>(items: readonly T[], term: (item: T) => string): Clause {
  return { sql: items.map((item) => `(${term(item)})`).join(" OR ") || "0", params: [] };
}

const FAILED = "j.call IN (SELECT id FROM r_call WHERE value IN (SELECT id FROM r_value WHERE type = 1))";
/** The same, where it cannot be null. */
const OK = `(j.call IS NULL OR NOT ${FAILED})`;

const executionTerms = {
  FAILED: `j.id IS NULL OR ${FAILED}`,
  RUNNING: `j.id IS NOT NULL AND j.end_time IS NULL AND ${OK}`,
  DONE: `j.end_time IS NOT NULL AND ${OK}`,
} as const;

/** The terms of a query differ from the status shown: a cached failure counts as both. */
const jobTerms = {
  FAILED,
  CACHED: "j.cached = 1",
  DONE: `j.cached = 0 AND j.end_time IS NOT NULL AND ${OK}`,
  RUNNING: "j.end_time IS NULL AND j.call IS NULL",
} as const;

function idPrefix(type: EntityType, prefix: string): Clause {
  const { key } = selections[type];
  if (type === "Execution" || type === "Job") return uuidPrefix(key, prefix);
  const range = hashPrefix(key, prefix);
  if (type !== "Task") return range;
  // A name may have any number of dots before its last part.
  const named = "t.name = ? OR t.namespace || '.' || t.name = ?";
  return { sql: `${range.sql} OR ${named}`, params: [...range.params, prefix, prefix] };
}

function taskNames(type: EntityType, names: readonly string[]): Clause {
  const full = names.filter((name) => name.includes("."));
  const bare = names.filter((name) => !name.includes("."));
  const sql = `t.name IN ${texts} OR t.namespace || '.' || t.name IN ${texts}`;
  return ofTasks(type, { sql, params: [list(bare), list(full)] });
}

/** Records of the tasks (alias `t`) that a condition holds for. */
function ofTasks(type: EntityType, { sql, params }: Clause): Clause {
  const tasks = `SELECT t.id FROM r_task t WHERE ${sql}`;
  if (type === "Task") return { sql, params };
  if (type === "Job") return { sql: `j.task IN (${tasks})`, params };
  if (type !== "CallNode") return NEVER;
  return { sql: `(SELECT task FROM r_evaluation WHERE id = c.evaluation) IN (${tasks})`, params };
}

function ofCalls(type: EntityType, calls: string): Clause {
  switch (type) {
    case "Job":
      return { sql: `j.call IN (SELECT id FROM r_call WHERE hash IN ${hashes})`, params: [calls] };
    case "CallNode":
      return { sql: `c.hash IN ${hashes}`, params: [calls] };
    case "Value":
      return { sql: `v.id IN (SELECT value FROM r_call WHERE hash IN ${hashes})`, params: [calls] };
    default:
      return NEVER;
  }
}

/** Stored ids of what carries a tag. */
function tagged(tag: { readonly key: string; readonly value?: Json }): Clause {
  const sql = "SELECT entity FROM r_tag WHERE is_current = 1 AND key = ?";
  if (tag.value === undefined) return { sql: `(${sql})`, params: [tag.key] };
  return { sql: `(${sql} AND value = ?)`, params: [tag.key, stableJson(tag.value)] };
}

/** Values that are, or contain, one of a list, which is bound twice. */
const holders = `SELECT id FROM r_value WHERE hash IN ${hashes}
  UNION SELECT s.parent FROM r_subvalue s JOIN r_value w ON w.id = s.value WHERE w.hash IN ${hashes}`;

/** Records that belong to the executions whose stored ids are in a set. */
function inExecutions(type: EntityType, { sql, params }: Clause): Clause {
  if (type === "Execution") return { sql: `x.uuid IN ${sql}`, params };
  const jobs = (column: string): string =>
    `SELECT ${column} FROM r_job WHERE execution IN (SELECT id FROM r_execution WHERE uuid IN ${sql})`;
  switch (type) {
    case "Job":
      return { sql: `j.execution IN (SELECT id FROM r_execution WHERE uuid IN ${sql})`, params };
    case "CallNode":
      return { sql: `c.id IN (${jobs("call")})`, params };
    case "Task":
      return { sql: `t.id IN (${jobs("task")})`, params };
    case "Value": {
      const direct = `SELECT value FROM r_call WHERE id IN (${jobs("call")})
        UNION SELECT value FROM r_argument WHERE call IN (${jobs("call")})`;
      return {
        sql: `v.id IN (${direct}) OR v.id IN (SELECT value FROM r_subvalue WHERE parent IN (${direct}))`,
        params: [...params, ...params, ...params, ...params],
      };
    }
  }
}
