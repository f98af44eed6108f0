import type { CallNodeRecord, EvaluationRecord } from "../backend/records.ts";
import { hashEval, hashStruct } from "../value/hash.ts";
import type { ImportedCall } from "./record-store.ts";
import { hashText } from "./sql-keys.ts";
import type { SqlRows } from "./sql-rows.ts";
import type { SqlValues } from "./sql-values.ts";

/** Slots from here on hold arguments that were given by name. */
const NAMED_SLOT = 1000;

const CALL_IDS = `SELECT ${hashText("c.hash")} AS hash, c.id AS id FROM json_each(?) q CROSS JOIN r_call c ON c.hash = unhex(q.value)`;

/**
 * Writes the cache and the call graph. A call and its evaluation share the row of their key, which has no value where
 * only the call is known.
 */
export class SqlCalls {
  private readonly rows: SqlRows;
  private readonly values: SqlValues;
  private taskSets = new WeakMap<readonly string[], number>();

  constructor(rows: SqlRows, values: SqlValues) {
    this.rows = rows;
    this.values = values;
    rows.onForget(() => {
      this.taskSets = new WeakMap();
    });
  }

  /** Stores an evaluation, or replaces its value. */
  evaluation({ evalHash, taskHash, argsHash, value }: EvaluationRecord): void {
    const valueId = this.values.id(value);
    const known = this.rows.knownId("r_evaluation", evalHash) !== undefined;
    if (!known && this.putEvaluation(evalHash, this.rows.idOf("r_task", taskHash), argsHash, valueId)) return;
    const id = this.rows.knownId("r_evaluation", evalHash)!;
    this.rows.run("UPDATE r_evaluation SET value = ?2 WHERE id = ?1 AND value IS NOT ?2", id, valueId);
  }

  private putEvaluation(evalHash: string, task: number, argsHash: string, value: number | null): boolean {
    const insert = `INSERT INTO r_evaluation(id, hash, task, args_hash, value) VALUES (?, unhex(?), ?, unhex(?), ?)
      ON CONFLICT(hash) DO NOTHING`;
    return this.rows.put(
      "r_evaluation",
      evalHash,
      (id) => this.rows.run(insert, id, evalHash, task, argsHash, value),
      () => {},
    );
  }

  /**
   * Stores calls, and then what they refer to, which may be among them.
   *
   * @param promised - whether calls that are not there will come; otherwise there is no edge to them
   * @returns how many were new
   */
  write(calls: readonly (CallNodeRecord | ImportedCall)[], promised: boolean): number {
    const added = calls.filter((record) => this.put(record));
    this.link(added, promised);
    return added.length;
  }

  private put(record: CallNodeRecord | ImportedCall): boolean {
    const { callHash, taskHash, argsHash, timestamp, contextHash = null } = record;
    if (this.rows.knownId("r_call", callHash) !== undefined) return this.complete(record);
    const evalHash = record.evalHash ?? hashEval(taskHash, argsHash);
    let evaluation = this.rows.knownId("r_evaluation", evalHash);
    if (evaluation === undefined) {
      this.putEvaluation(evalHash, this.values.taskOfCall(taskHash, record.taskName), argsHash, null);
      evaluation = this.rows.knownId("r_evaluation", evalHash)!;
    }
    const value = this.values.id(record.value);
    const taskSet = record.subtreeTasks === undefined ? null : this.taskSet(record.subtreeTasks);
    const insert = `INSERT INTO r_call(id, hash, evaluation, value, time, task_set, context)
      VALUES (?, unhex(?), ?, ?, ?, ?, unhex(?)) ON CONFLICT(hash) DO NOTHING`;
    const fill =
      "UPDATE r_call SET evaluation = ?, value = ?, time = ?, task_set = ?, context = unhex(?) WHERE id = ?";
    const isNew = this.rows.put(
      "r_call",
      callHash,
      (id) => this.rows.run(insert, id, callHash, evaluation, value, timestamp, taskSet, contextHash),
      (id) => this.rows.run(fill, evaluation, value, timestamp, taskSet, contextHash, id),
    );
    return isNew || this.complete(record);
  }

  /** Stores the values of a call that is there already: it may have been imported without them. */
  private complete({ value, args }: CallNodeRecord | ImportedCall): false {
    this.values.id(value);
    for (const arg of args) this.values.id(arg.value);
    return false;
  }

  private taskSet(hashes: readonly string[]): number {
    const known = this.taskSets.get(hashes);
    if (known !== undefined) return known;
    const hash = hashStruct([...hashes]);
    const insert = "INSERT INTO r_task_set(hash) VALUES (unhex(?)) ON CONFLICT(hash) DO NOTHING";
    const isNew = this.rows.run(insert, hash) > 0;
    const id = this.rows.get("SELECT id FROM r_task_set WHERE hash = unhex(?)", hash)!.id as number;
    if (isNew) {
      const members = hashes.flatMap((task) => [id, this.rows.idOf("r_task", task)]);
      this.rows.insertAll("INSERT OR IGNORE INTO r_task_set_member(task_set, task)", 2, members);
    }
    this.taskSets.set(hashes, id);
    return id;
  }

  /** Writes the arguments and edges of new calls. */
  private link(calls: readonly (CallNodeRecord | ImportedCall)[], promised: boolean): void {
    const ids = this.callIds(calls, promised);
    const args: (string | number | null)[] = [];
    const upstreams: number[] = [];
    for (const record of calls) {
      const call = this.rows.find("r_call", record.callHash)!;
      for (let i = 0; i < record.args.length; i++) {
        const { position, key, value, upstream } = record.args[i]!;
        const slot = position ?? NAMED_SLOT + i;
        args.push(call, slot, this.values.id(value), key);
        for (const hash of upstream) {
          const result = ids.get(hash);
          if (result !== undefined) upstreams.push(call, slot, result);
        }
      }
      if (record.children.length > 0) this.children(call, record.children, ids);
    }
    this.rows.insertAll("INSERT INTO r_argument(call, slot, value, key)", 4, args);
    this.rows.insertAll("INSERT OR IGNORE INTO r_upstream(call, slot, result)", 3, upstreams);
  }

  private children(call: number, children: readonly string[], ids: ReadonlyMap<string, number>): void {
    const known = children.map((hash) => ids.get(hash)).filter((id) => id !== undefined);
    const insert = "INSERT INTO r_edge(parent, position, child) SELECT ?, key, value FROM json_each(?)";
    this.rows.run(insert, call, JSON.stringify(known));
  }

  /** Ids of all calls that these refer to; the ones not remembered are read at once. */
  private callIds(
    calls: readonly (CallNodeRecord | ImportedCall)[],
    promised: boolean,
  ): ReadonlyMap<string, number> {
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
    for (const row of this.rows.db.prepare(CALL_IDS).all(JSON.stringify([...unknown]))) {
      ids.set(row.hash as string, row.id as number);
    }
    if (promised)
      for (const hash of unknown) if (!ids.has(hash)) ids.set(hash, this.rows.idOf("r_call", hash));
    return ids;
  }
}
