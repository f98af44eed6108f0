import type { ArgumentRow, CallNodeRow, ExecutionRow, JobRow, ValueRow } from "../backend/backend.ts";
import type { JobStatus, TaskRecord } from "../backend/records.ts";
import { hashArgument, hashEval } from "../value/hash.ts";
import { type ExportedCall, splitFullname } from "./record-store.ts";
import { partsOf, type SqlRow, type SqlValue } from "./sql-driver.ts";
import { hashKey, hashText, hashTextOrNull, uuidKey, uuidText } from "./sql-keys.ts";
import { ELSEWHERE } from "./sql-values.ts";
import { all, type SqlWork } from "./sql-work.ts";
import { executionStatus, jobStatus } from "./status.ts";

/** So many keys travel in one statement. */
const CHUNK = 5000;

const JOB = `${uuidText("j.uuid")} AS id, ${uuidText("x.uuid")} AS executionId, ${uuidText("p.uuid")} AS parentId,
  ${hashText("t.hash")} AS taskHash, iif(t.namespace = '', t.name, t.namespace || '.' || t.name) AS taskName,
  j.start_time AS startTime, j.end_time AS endTime, j.cached AS cached, ${hashTextOrNull("c.hash")} AS callHash, v.type IS 1 AS failed`;
const JOB_JOINS = `LEFT JOIN r_execution x ON x.id = j.execution LEFT JOIN r_job p ON p.id = j.parent
  LEFT JOIN r_call c ON c.id = j.call`;

/** Condition on a call that others refer to, which may not have come yet. */
const IS_THERE = "AND c.evaluation IS NOT NULL";

const number = (value: SqlValue | undefined): number | null => (typeof value === "number" ? value : null);
const text = (value: SqlValue | undefined): string | null => (typeof value === "string" ? value : null);

/**
 * Reads records by their keys, many at once: the number of statements does not grow with the number of keys. A row
 * that is there only because others refer to it counts as missing.
 */
export class SqlReader {
  /** Rows of a statement whose only parameter is a list, by position in that list. */
  private *each(
    sql: string,
    keys: readonly (string | number)[],
    take: (row: SqlRow, at: number) => void,
  ): SqlWork<void> {
    let from = 0;
    for (const part of partsOf(keys, CHUNK)) {
      for (const row of yield* all(sql, JSON.stringify(part))) take(row, from + (row.i as number));
      from += part.length;
    }
  }

  private *one<T>(
    sql: string,
    keys: readonly string[],
    make: (row: SqlRow) => T,
  ): SqlWork<(T | undefined)[]> {
    const found = new Array<T | undefined>(keys.length).fill(undefined);
    yield* this.each(sql, keys, (row, at) => {
      found[at] = make(row);
    });
    return found;
  }

  /** Lists of text by key, for those keys that have a row. */
  private *lists<K extends string | number>(sql: string, keys: readonly K[]): SqlWork<Map<K, string[]>> {
    const lists = new Map<K, string[]>();
    yield* this.each(sql, keys, (row, at) => {
      const list = lists.get(keys[at]!);
      if (list === undefined) lists.set(keys[at]!, [String(row.item)]);
      else list.push(String(row.item));
    });
    return lists;
  }

  /** @param elsewhere - is given the positions of values whose text the value store has; they are without */
  *values(hashes: readonly string[], elsewhere: number[]): SqlWork<(ValueRow | undefined)[]> {
    const parts = yield* this.valueParts(hashes);
    const found = yield* this.one(
      `SELECT q.key AS i, q.value AS hash, t.name AS type, f.name AS format, v.text AS text, p.path AS file FROM json_each(?) q
       CROSS JOIN r_value v ON v.hash = ${hashKey("q.value")} JOIN r_name t ON t.id = v.type JOIN r_name f ON f.id = v.format
       LEFT JOIN r_file p ON p.value = v.id`,
      hashes,
      (row) => ({
        hash: String(row.hash),
        type: String(row.type),
        format: String(row.format),
        text: text(row.text) ?? ELSEWHERE,
        file: text(row.file),
        subvalues: parts.get(String(row.hash)) ?? [],
      }),
    );
    found.forEach((row, at) => {
      if (row?.text === ELSEWHERE) elsewhere.push(at);
    });
    return found;
  }

  /** What is inside values; for those that the store has, and nothing inside, an empty list. */
  *valueParts(hashes: readonly string[]): SqlWork<Map<string, string[]>> {
    const lists = yield* this.lists(
      `SELECT q.key AS i, ifnull(${hashTextOrNull("w.hash")}, '') AS item FROM json_each(?) q
       CROSS JOIN r_value v ON v.hash = ${hashKey("q.value")} AND v.type IS NOT NULL
       LEFT JOIN r_subvalue s ON s.parent = v.id LEFT JOIN r_value w ON w.id = s.value ORDER BY q.key, w.hash`,
      hashes,
    );
    return new Map([...lists].map(([hash, parts]) => [hash, parts[0] === "" ? [] : parts]));
  }

  *executions(ids: readonly string[]): SqlWork<(ExecutionRow | undefined)[]> {
    return yield* this.one(
      `SELECT q.key AS i, q.value AS id, e.args AS args, e.updated AS updated, ${uuidText("r.uuid")} AS root, j.task IS NOT NULL AS known,
         j.start_time AS startTime, j.end_time AS endTime, j.cached AS cached, v.type IS 1 AS failed
       FROM json_each(?) q CROSS JOIN r_execution e ON e.uuid = ${uuidKey("q.value")} AND e.args IS NOT NULL
       JOIN r_job r ON r.id = e.job LEFT JOIN r_job j ON j.id = e.job AND j.task IS NOT NULL
       LEFT JOIN r_call c ON c.id = j.call LEFT JOIN r_value v ON v.id = c.value`,
      ids,
      (row) => ({
        id: String(row.id),
        args: JSON.parse(String(row.args)) as string[],
        jobId: String(row.root),
        status: executionStatus(row.known === 1 ? statusOf(row) : undefined),
        startTime: number(row.startTime) ?? number(row.updated),
        endTime: number(row.endTime),
        updatedTime: number(row.updated),
      }),
    );
  }

  /** @param promised - whether their calls may be ones that are not there yet */
  *jobs(ids: readonly string[], promised = false): SqlWork<(JobRow | undefined)[]> {
    return yield* this.one(
      `SELECT q.key AS i, ${JOB} FROM json_each(?) q CROSS JOIN r_job j ON j.uuid = ${uuidKey("q.value")} JOIN r_task t ON t.id = j.task
       ${JOB_JOINS} ${promised ? "" : IS_THERE} LEFT JOIN r_value v ON v.id = c.value`,
      ids,
      (row) => ({
        id: String(row.id),
        executionId: String(row.executionId),
        parentId: text(row.parentId),
        taskHash: String(row.taskHash),
        taskName: String(row.taskName),
        status: statusOf(row),
        startTime: row.startTime as number,
        endTime: number(row.endTime),
        cached: row.cached === 1,
        callHash: text(row.callHash),
      }),
    );
  }

  /** Ids of the jobs directly below jobs, by start. */
  *childJobs(ids: readonly string[]): SqlWork<Map<string, string[]>> {
    return yield* this.lists(
      `SELECT q.key AS i, ${uuidText("j.uuid")} AS item FROM json_each(?) q CROSS JOIN r_job p ON p.uuid = ${uuidKey("q.value")}
       JOIN r_job j ON j.parent = p.id AND j.execution = p.execution AND j.task IS NOT NULL ORDER BY q.key, j.start_time, j.id`,
      ids,
    );
  }

  *tasks(hashes: readonly string[]): SqlWork<(TaskRecord | undefined)[]> {
    return yield* this.one(
      `SELECT q.key AS i, q.value AS hash, t.name AS name, t.namespace AS namespace, t.source AS source, t.version AS version, t.doc AS doc,
         t.parameters AS parameters
       FROM json_each(?) q CROSS JOIN r_task t ON t.hash = ${hashKey("q.value")} AND t.source IS NOT NULL`,
      hashes,
      (row) => ({
        hash: String(row.hash),
        name: String(row.name),
        namespace: String(row.namespace),
        source: String(row.source),
        version: text(row.version) ?? undefined,
        doc: text(row.doc) ?? undefined,
        parameters: JSON.parse(String(row.parameters)) as string[],
      }),
    );
  }

  *calls(hashes: readonly string[]): SqlWork<(CallNodeRow | undefined)[]> {
    return (yield* this.callRows(hashes, IS_THERE)).map((row) => {
      if (row === undefined) return undefined;
      const { singleHash: _, ...call } = row;
      return call;
    });
  }

  /** Calls with their single reductions, and with edges to calls that are not there yet. */
  *exportedCalls(hashes: readonly string[]): SqlWork<(ExportedCall | undefined)[]> {
    return yield* this.callRows(hashes, "");
  }

  /** @param condition - on the calls that these refer to */
  private *callRows(hashes: readonly string[], condition: string): SqlWork<(ExportedCall | undefined)[]> {
    const ids: number[] = [];
    const found = yield* this.one(
      `SELECT q.key AS i, q.value AS callHash, c.id AS id, iif(t.namespace = '', t.name, t.namespace || '.' || t.name) AS taskName,
         ${hashText("t.hash")} AS taskHash, ${hashText("e.args_hash")} AS argsHash, ${hashText("v.hash")} AS valueHash, c.time AS time,
         ${hashTextOrNull("c.context")} AS context, ${hashTextOrNull("s.hash")} AS single
       FROM json_each(?) q CROSS JOIN r_call c ON c.hash = ${hashKey("q.value")} JOIN r_evaluation e ON e.id = c.evaluation
       JOIN r_task t ON t.id = e.task JOIN r_value v ON v.id = c.value LEFT JOIN r_value s ON s.id = e.value`,
      hashes,
      (row) => {
        ids.push(row.id as number);
        return row;
      },
    );
    const args = yield* this.arguments(ids, condition);
    const children = yield* this.lists(
      `SELECT q.key AS i, ${hashText("c.hash")} AS item FROM json_each(?) q CROSS JOIN r_edge x ON x.parent = q.value
       JOIN r_call c ON c.id = x.child ${condition} ORDER BY q.key, x.position`,
      ids,
    );
    return found.map((row) => {
      if (row === undefined) return undefined;
      const callHash = String(row.callHash);
      return {
        callHash,
        taskName: String(row.taskName),
        taskHash: String(row.taskHash),
        argsHash: String(row.argsHash),
        valueHash: String(row.valueHash),
        timestamp: row.time as number,
        contextHash: text(row.context),
        singleHash: text(row.single),
        args: (args.get(row.id as number) ?? []).map((arg) => ({
          ...arg,
          argHash: hashArgument(callHash, arg.position, arg.key, arg.valueHash),
        })),
        children: children.get(row.id as number) ?? [],
      };
    });
  }

  private *arguments(
    calls: readonly number[],
    condition: string,
  ): SqlWork<Map<number, Omit<ArgumentRow, "argHash">[]>> {
    const args = new Map<number, Omit<ArgumentRow, "argHash">[]>();
    yield* this.each(
      `SELECT q.key AS i, a.slot AS slot, a.key AS key, ${hashText("v.hash")} AS valueHash,
         (SELECT group_concat(u.hash) FROM (SELECT ${hashText("c.hash")} AS hash FROM r_upstream s JOIN r_call c ON c.id = s.result
           WHERE s.call = a.call AND s.slot = a.slot ${condition} ORDER BY c.hash) u) AS upstream
       FROM json_each(?) q CROSS JOIN r_argument a ON a.call = q.value JOIN r_value v ON v.id = a.value ORDER BY q.key, a.slot`,
      calls,
      (row, at) => {
        const key = text(row.key);
        const arg = {
          position: key === null ? (row.slot as number) : null,
          key,
          valueHash: String(row.valueHash),
          upstream: text(row.upstream)?.split(",") ?? [],
        };
        const list = args.get(calls[at]!);
        if (list === undefined) args.set(calls[at]!, [arg]);
        else list.push(arg);
      },
    );
    return args;
  }

  /** Tasks used in calls and below, as far as that is known. */
  *subtreeTasks(callHashes: readonly string[]): SqlWork<Map<string, string[]>> {
    return yield* this.lists(
      `SELECT q.key AS i, ${hashText("t.hash")} AS item FROM json_each(?) q CROSS JOIN r_call c ON c.hash = ${hashKey("q.value")}
       JOIN r_task_set_member m ON m.task_set = c.task_set JOIN r_task t ON t.id = m.task ORDER BY q.key, t.hash`,
      callHashes,
    );
  }

  *callsOfValue(hash: string, role: "result" | "argument"): SqlWork<string[]> {
    const values = `SELECT id FROM r_value WHERE hash = ${hashKey("?1")}
      UNION SELECT s.parent FROM r_subvalue s JOIN r_value v ON v.id = s.value WHERE v.hash = ${hashKey("?1")}`;
    const sql =
      role === "result"
        ? `SELECT ${hashText("hash")} AS hash FROM r_call WHERE value IN (${values}) AND evaluation IS NOT NULL ORDER BY id`
        : `SELECT ${hashText("hash")} AS hash FROM r_call WHERE id IN (SELECT call FROM r_argument WHERE value IN (${values})) ORDER BY id`;
    return yield* this.hashes(sql, hash);
  }

  *parentCalls(hash: string): SqlWork<string[]> {
    return yield* this.hashes(
      `SELECT ${hashText("p.hash")} AS hash FROM r_call p WHERE p.id IN
         (SELECT x.parent FROM r_call c JOIN r_edge x ON x.child = c.id WHERE c.hash = ${hashKey("?1")}) ORDER BY p.id`,
      hash,
    );
  }

  private *hashes(sql: string, ...params: SqlValue[]): SqlWork<string[]> {
    return (yield* all(sql, ...params)).map((row) => String(row.hash));
  }

  *nearestCall(query: {
    taskName: string;
    taskHash: string;
    argsHash: string;
  }): SqlWork<CallNodeRow | undefined> {
    const { name, namespace } = splitFullname(query.taskName);
    // The cache keys follow from the task's known hashes, so there is no need to search by arguments.
    const versions = yield* this.hashes(
      `SELECT ${hashText("hash")} AS hash FROM r_task WHERE name = ? AND namespace = ?`,
      name,
      namespace,
    );
    const [sameArgs] = yield* this.hashes(
      `SELECT ${hashText("c.hash")} AS hash FROM json_each(?) q CROSS JOIN r_evaluation e ON e.hash = ${hashKey("q.value")}
       JOIN r_call c ON c.evaluation = e.id ORDER BY c.time DESC, c.id DESC LIMIT 1`,
      JSON.stringify(versions.map((hash) => hashEval(hash, query.argsHash))),
    );
    const hash = sameArgs ?? (yield* this.latestCall(query.taskHash));
    return hash === undefined ? undefined : (yield* this.calls([hash]))[0];
  }

  /** The call of a task that was recorded last. */
  private *latestCall(taskHash: string): SqlWork<string | undefined> {
    const [task] = yield* all("SELECT id FROM r_task WHERE hash = unhex(?)", taskHash);
    if (task === undefined) return undefined;
    const sql = `SELECT ${hashText("c.hash")} AS hash FROM r_call c CROSS JOIN r_evaluation e ON e.id = c.evaluation WHERE e.task = ? ORDER BY c.id DESC LIMIT 1`;
    return (yield* this.hashes(sql, task.id!))[0];
  }

  /** Which of these ids no record has, or that of a job without its end. */
  *missing(ids: readonly string[]): SqlWork<string[]> {
    const found = new Set<number>();
    const held = (table: string, column: string, key: string, content: string): string =>
      `SELECT q.key AS i FROM json_each(?1) q CROSS JOIN ${table} r ON r.${column} = ${key}${content && ` AND r.${content} IS NOT NULL`}`;
    const [hash, uuid] = [hashKey("q.value"), uuidKey("q.value")];
    // A Durable Object takes five terms in one statement at most.
    for (const terms of [
      [
        held("r_value", "hash", hash, "type"),
        held("r_call", "hash", hash, "evaluation"),
        held("r_tag", "hash", hash, ""),
        held("r_task", "hash", hash, "source"),
      ],
      [held("r_job", "uuid", uuid, "end_time"), held("r_execution", "uuid", uuid, "args")],
    ]) {
      yield* this.each(terms.join(" UNION ALL "), ids, (_, at) => found.add(at));
    }
    return ids.filter((_, at) => !found.has(at));
  }
}

function statusOf(row: SqlRow): JobStatus {
  return jobStatus({ failed: row.failed === 1, ended: row.endTime !== null, cached: row.cached === 1 });
}
