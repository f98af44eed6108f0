import type { SqlDriver, SqlRow, SqlValue } from "./sql-driver.ts";

/** A question to a database. */
export interface SqlQuery {
  readonly sql: string;
  readonly params: readonly SqlValue[];
}

/**
 * Work that asks a database questions, one after another, and makes something of the rows. It does not know whether
 * it has to wait for them, so it is written once for databases that answer at once and for those that don't.
 */
export type SqlWork<T> = Generator<SqlQuery, T, SqlRow[]>;

/** One question, as a step of work: `const rows = yield* all(sql, …)`. */
export function* all(sql: string, ...params: readonly SqlValue[]): SqlWork<SqlRow[]> {
  return yield { sql, params };
}

/** Does work on a database that answers at once. */
export function runWork<T>(db: SqlDriver, work: SqlWork<T>): T {
  let step = work.next();
  while (step.done !== true) {
    const { sql, params } = step.value;
    step = work.next(db.prepare(sql).all(...params));
  }
  return step.value;
}

/** Does work on a database that takes its time. */
export async function runWorkAsync<T>(
  answer: (query: SqlQuery) => Promise<SqlRow[]>,
  work: SqlWork<T>,
): Promise<T> {
  let step = work.next();
  while (step.done !== true) step = work.next(await answer(step.value));
  return step.value;
}
