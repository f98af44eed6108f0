import type { CallNodeRecord, EvaluationRecord } from "../backend/records.ts";
import { hashEval, hashStruct } from "../value/hash.ts";
import type { ImportedCall } from "./record-store.ts";
import { partsOf, prepareAll, type SqlStatement } from "./sql-driver.ts";
import { hashText } from "./sql-keys.ts";
import type { SqlRows } from "./sql-rows.ts";
import type { SqlValues } from "./sql-values.ts";

/** Slots from here on hold arguments that were given by name. */
export const NAMED_SLOT = 1000;

const STATEMENTS = {
  evaluation: `INSERT INTO r_evaluation(id, hash, task, args_hash, value) VALUES (?, unhex(?), ?, unhex(?), ?)
    ON CONFLICT(hash) DO NOTHING`,
  replace: "UPDATE r_evaluation SET value = ?2 WHERE id = ?1 AND value IS NOT ?2",
  promise: `UPDATE r_evaluation SET value = ?2 WHERE id = ?1 AND value IS NOT ?2
    AND NOT EXISTS (SELECT 1 FROM r_value v WHERE v.id = r_evaluation.value AND v.type IS NOT NULL)`,
  insert: `INSERT INTO r_call(id, hash, evaluation, value, time, task_set, context)
    VALUES (?, unhex(?), ?, ?, ?, ?, unhex(?)) ON CONFLICT(hash) DO NOTHING`,
  fill: "UPDATE r_call SET evaluation = ?, value = ?, time = ?, task_set = ?, context = unhex(?) WHERE id = ?",
  children: "INSERT INTO r_edge(parent, position, child) SELECT ?1, key + ?2, value FROM json_each(?3)",
  ids: `SELECT ${hashText("c.hash")} AS hash, c.id AS id FROM json_each(?) q CROSS JOIN r_call c ON c.hash = unhex(q.value)`,
  taskSet: "INSERT INTO r_task_set(hash) VALUES (unhex(?)) ON CONFLICT(hash) DO NOTHING",
  findTaskSet: "SELECT id FROM r_task_set WHERE hash = unhex(?)",
} as const;

/** A call to store; its single reduction may be known with it. */
export type Call = (CallNodeRecord | ImportedCall) & Pick<ImportedCall, "singleHash">;

/**
 * Writes the cache and the call graph. A call and its evaluation share the row of their key, which has no value where
 * only the call is known.
 */
export class SqlCalls {
  private readonly rows: SqlRows;
  private readonly sql: Record<keyof typeof STATEMENTS, SqlStatement>;
  private readonly values: SqlValues;
  private taskSets = new WeakMap<readonly string[], number>();

  constructor(rows: SqlRows, values: SqlValues) {
    this.rows = rows;
    this.sql = prepareAll(rows.db, STATEMENTS);
    this.values = values;
    rows.onForget(() => {
      this.taskSets = new WeakMap();
    });
  }

  /** Stores an evaluation, or replaces its value. */
  evaluation({ evalHash, taskHash, argsHash, value }: EvaluationRecord): void {
    const valueId = this.values.id(value);
    let id = this.rows.knownId("r_evaluation", evalHash);
    if (id === undefined) {
      const task = this.rows.idOf("r_task", taskHash);
      id = this.rows.nextId("r_evaluation");
      if (this.sql.evaluation.run(id, evalHash, task, argsHash, valueId) > 0) {
        this.rows.added("r_evaluation", evalHash);
        return;
      }
      id = this.rows.find("r_evaluation", evalHash)!;
    }
    this.sql.replace.run(id, valueId);
  }

  /**
   * Id of the row that a call shares with its evaluation. The single reduction of an imported call is taken where there
   * is none; its value may come later.
   */
  private evaluationOf({ evalHash, taskHash, argsHash, taskName, singleHash }: Call): number {
    const key = evalHash ?? hashEval(taskHash, argsHash);
    const single = singleHash === undefined ? null : this.values.id(singleHash);
    let id = this.rows.knownId("r_evaluation", key);
    if (id === undefined) {
      const task = this.values.taskOfCall(taskHash, taskName);
      if (this.sql.evaluation.run(this.rows.nextId("r_evaluation"), key, task, argsHash, single) > 0)
        return this.rows.added("r_evaluation", key);
      id = this.rows.find("r_evaluation", key)!;
    }
    if (single !== null) this.sql.promise.run(id, single);
    return id;
  }

  /**
   * Stores calls, and then what they refer to, which may be among them.
   *
   * @param promised - whether calls that are not there will come; otherwise there is no edge to them
   * @returns how many were new
   */
  write(calls: readonly Call[], promised: boolean): number {
    const added: Call[] = [];
    const ids: number[] = [];
    for (const record of calls) {
      const id = this.put(record);
      if (id === undefined) continue;
      added.push(record);
      ids.push(id);
    }
    this.link(added, ids, promised);
    return added.length;
  }

  /** @returns the id of the call, if it is new */
  private put(record: Call): number | undefined {
    const { callHash, timestamp, subtreeTasks, contextHash = null } = record;
    if (this.rows.knownId("r_call", callHash) !== undefined) return this.complete(record);
    const evaluation = this.evaluationOf(record);
    const value = this.values.id(record.value);
    const taskSet = subtreeTasks === undefined ? null : this.taskSet(subtreeTasks);
    const id = this.rows.nextId("r_call");
    if (this.sql.insert.run(id, callHash, evaluation, value, timestamp, taskSet, contextHash) > 0) {
      return this.rows.added("r_call", callHash);
    }
    const vacant = this.rows.vacant("r_call", callHash);
    if (vacant === undefined) return this.complete(record);
    this.sql.fill.run(evaluation, value, timestamp, taskSet, contextHash, vacant);
    return vacant;
  }

  /** Stores what a call that is there already may have been imported without. */
  private complete(record: Call): undefined {
    this.values.id(record.value);
    for (const arg of record.args) this.values.id(arg.value);
    if (record.singleHash !== undefined) this.evaluationOf(record);
    return undefined;
  }

  private taskSet(hashes: readonly string[]): number {
    const known = this.taskSets.get(hashes);
    if (known !== undefined) return known;
    const hash = hashStruct([...hashes]);
    const isNew = this.sql.taskSet.run(hash) > 0;
    const id = this.sql.findTaskSet.get(hash)!.id as number;
    if (isNew) {
      const members = hashes.flatMap((task) => [id, this.rows.idOf("r_task", task)]);
      this.rows.insertAll("INSERT OR IGNORE INTO r_task_set_member(task_set, task)", 2, members);
    }
    this.taskSets.set(hashes, id);
    return id;
  }

  /** Writes the arguments and edges of new calls. */
  private link(calls: readonly Call[], ids: readonly number[], promised: boolean): void {
    const targets = this.targets(calls, promised);
    const args: (string | number | null)[] = [];
    const upstreams: number[] = [];
    for (let n = 0; n < calls.length; n++) {
      const [record, call] = [calls[n]!, ids[n]!];
      for (let i = 0; i < record.args.length; i++) {
        const { position, key, value, upstream } = record.args[i]!;
        const slot = position ?? NAMED_SLOT + i;
        args.push(call, slot, this.values.id(value), key);
        for (const hash of upstream) {
          const result = targets.get(hash);
          if (result !== undefined) upstreams.push(call, slot, result);
        }
      }
      if (record.children.length > 0) this.children(call, record.children, targets);
    }
    this.rows.insertAll("INSERT INTO r_argument(call, slot, value, key)", 4, args);
    this.rows.insertAll("INSERT OR IGNORE INTO r_upstream(call, slot, result)", 3, upstreams);
  }

  private children(call: number, children: readonly string[], ids: ReadonlyMap<string, number>): void {
    const known = children.map((hash) => ids.get(hash)).filter((id) => id !== undefined);
    let position = 0;
    for (const part of partsOf(known)) {
      this.sql.children.run(call, position, JSON.stringify(part));
      position += part.length;
    }
  }

  /** Ids of all calls that these refer to; the ones not remembered are read at once. */
  private targets(calls: readonly Call[], promised: boolean): ReadonlyMap<string, number> {
    const ids = new Map<string, number>();
    const unknown = new Set<string>();
    const need = (hash: string): void => {
      const id = this.rows.knownId("r_call", hash);
      if (id === undefined) unknown.add(hash);
      else ids.set(hash, id);
    };
    for (const { args, children } of calls) {
      for (const child of children) need(child);
      for (const { upstream } of args) for (const call of upstream) need(call);
    }
    if (unknown.size === 0) return ids;
    for (const part of partsOf([...unknown])) {
      for (const row of this.sql.ids.all(JSON.stringify(part))) ids.set(row.hash as string, row.id as number);
    }
    if (promised)
      for (const hash of unknown) if (!ids.has(hash)) ids.set(hash, this.rows.idOf("r_call", hash));
    return ids;
  }
}
