import type { CacheHit, CacheQuery } from "../backend/backend.ts";
import type { EncodedValue } from "../value/value.ts";
import { partsOf, type SqlRow } from "./sql-driver.ts";
import { hashText, uuidKey, uuidText } from "./sql-keys.ts";
import { ELSEWHERE } from "./sql-values.ts";
import { all, type SqlWork } from "./sql-work.ts";

type Kind = CacheQuery["allowed"][number];

const VALUE = `${hashText("v.hash")} AS hash, v.type AS type, v.format AS format, v.text AS text`;

/** Evaluations by their keys, if their values have come. One statement for many keys costs a third of one for each. */
const SINGLE = `SELECT q.key AS i, ${VALUE} FROM json_each(?) q
  CROSS JOIN r_evaluation e ON e.hash = unhex(q.value) JOIN r_value v ON v.id = e.value AND v.type <> 1`;

/** Calls by the keys of their evaluations, newest first. An error is never an answer. */
const CALLS = `SELECT q.key AS i, c.id AS id, ${hashText("c.hash")} AS call, c.value AS value, c.task_set AS task_set, ${hashText("c.context")} AS context
  FROM json_each(?) q CROSS JOIN r_evaluation e ON e.hash = unhex(q.value) JOIN r_call c ON c.evaluation = e.id
  JOIN r_value v ON v.id = c.value AND v.type <> 1 ORDER BY q.key, c.time DESC, c.id DESC`;

/** Of some calls those that jobs of some executions came to. */
const CALLS_OF = `SELECT DISTINCT j.call AS id, ${uuidText("x.uuid")} AS execution FROM json_each(?) q
  CROSS JOIN r_job j ON j.call = q.value JOIN r_execution x ON x.id = j.execution
  WHERE x.uuid IN (SELECT ${uuidKey("value")} FROM json_each(?))`;

const VALUES = `SELECT q.key AS i, ${VALUE} FROM json_each(?) q JOIN r_value v ON v.id = q.value`;

/** Answers the scheduler's questions for earlier results. It owns the memory of names and task sets, which never change. */
export class SqlLookup {
  private names = new Map<number, string>();
  private readonly taskSets = new Map<number, readonly string[]>();

  /** @param elsewhere - is given the positions of hits whose text the value store has; they are without */
  *lookup(
    queries: readonly CacheQuery[],
    isCurrent: (taskHash: string) => boolean,
    elsewhere: number[],
  ): SqlWork<(CacheHit | undefined)[]> {
    const hits = new Array<CacheHit | undefined>(queries.length).fill(undefined);
    // What a query allows first is tried first, for all queries at once.
    for (let turn = 0; turn < 2; turn++) {
      for (const kind of ["single", "ultimate"] as const) {
        for (const at of partsOf(this.open(queries, hits, kind, turn))) {
          if (at.length === 0) continue;
          if (kind === "single") yield* this.single(queries, at, hits);
          else yield* this.ultimate(queries, at, hits, isCurrent);
        }
      }
    }
    for (let i = 0; i < hits.length; i++) if (hits[i]?.value.text === ELSEWHERE) elsewhere.push(i);
    return hits;
  }

  /** Which queries have no answer yet and want a result of this kind now. */
  private open(queries: readonly CacheQuery[], hits: readonly unknown[], kind: Kind, turn: number): number[] {
    const at: number[] = [];
    for (let i = 0; i < queries.length; i++) {
      if (hits[i] === undefined && queries[i]!.allowed[turn] === kind) at.push(i);
    }
    return at;
  }

  private *single(
    queries: readonly CacheQuery[],
    at: readonly number[],
    hits: (CacheHit | undefined)[],
  ): SqlWork<void> {
    const keys = JSON.stringify(at.map((i) => queries[i]!.evalHash));
    const rows = yield* all(SINGLE, keys);
    yield* this.learnNames(rows);
    for (const row of rows) {
      hits[at[row.i as number]!] = { kind: "single", value: this.value(row) };
    }
  }

  private *ultimate(
    queries: readonly CacheQuery[],
    at: readonly number[],
    hits: (CacheHit | undefined)[],
    isCurrent: (taskHash: string) => boolean,
  ): SqlWork<void> {
    const keys = JSON.stringify(at.map((i) => queries[i]!.evalHash));
    const current = new Map<number, boolean>();
    const chosen = new Map<number, SqlRow>();
    const calls = yield* all(CALLS, keys);
    const executions = yield* this.executionsOf(
      calls.filter((row) => queries[at[row.i as number]!]!.executions !== undefined),
      new Set(at.flatMap((i) => queries[i]!.executions ?? [])),
    );
    for (const row of calls) {
      const i = at[row.i as number]!;
      const { contextHash = "", executions: among } = queries[i]!;
      if (chosen.has(i) || row.context !== contextHash) continue;
      if (among?.some((id) => executions.get(row.id as number)?.has(id)) === false) continue;
      // What an imported call used below it may be unknown.
      if (row.task_set === null) continue;
      const set = row.task_set as number;
      let isGood = current.get(set);
      if (isGood === undefined) {
        isGood = (yield* this.taskSet(set)).every(isCurrent);
        current.set(set, isGood);
      }
      if (isGood) chosen.set(i, row);
    }
    if (chosen.size === 0) return;
    const order = [...chosen];
    const rows = yield* all(VALUES, JSON.stringify(order.map(([, call]) => call.value)));
    yield* this.learnNames(rows);
    for (const row of rows) {
      const [i, call] = order[row.i as number]!;
      hits[i] = {
        kind: "ultimate",
        value: this.value(row),
        callHash: call.call as string,
        subtreeTasks: yield* this.taskSet(call.task_set as number),
      };
    }
  }

  /** Which of some executions have jobs that came to these calls. */
  private *executionsOf(
    calls: readonly SqlRow[],
    among: ReadonlySet<string>,
  ): SqlWork<Map<number, Set<string>>> {
    const found = new Map<number, Set<string>>();
    for (const part of among.size === 0 ? [] : partsOf(calls)) {
      const ids = JSON.stringify(part.map(({ id }) => id));
      for (const { id, execution } of yield* all(CALLS_OF, ids, JSON.stringify([...among]))) {
        const executions = found.get(id as number) ?? new Set();
        found.set(id as number, executions.add(execution as string));
      }
    }
    return found;
  }

  private value(row: SqlRow): EncodedValue {
    return {
      hash: row.hash as string,
      type: this.names.get(row.type as number)!,
      format: this.names.get(row.format as number)!,
      text: (row.text ?? ELSEWHERE) as string,
    };
  }

  /** Reads the names again, if there are new ones. */
  private *learnNames(rows: readonly SqlRow[]): SqlWork<void> {
    const isKnown = (row: SqlRow): boolean =>
      this.names.has(row.type as number) && this.names.has(row.format as number);
    if (rows.every(isKnown)) return;
    const names = yield* all("SELECT id, name FROM r_name");
    this.names = new Map(names.map((row) => [row.id as number, row.name as string]));
  }

  private *taskSet(id: number): SqlWork<readonly string[]> {
    const known = this.taskSets.get(id);
    if (known !== undefined) return known;
    const sql = `SELECT ${hashText("t.hash")} AS hash FROM r_task_set_member m JOIN r_task t ON t.id = m.task WHERE m.task_set = ? ORDER BY t.hash`;
    const tasks = (yield* all(sql, id)).map((row) => row.hash as string);
    if (this.taskSets.size >= 10_000) this.taskSets.clear();
    this.taskSets.set(id, tasks);
    return tasks;
  }
}
