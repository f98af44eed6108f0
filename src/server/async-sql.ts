import type { SqlDriver, SqlRow, SqlValue } from "../backends/sql-driver.ts";

/** A statement with its parameters. */
export type SqlCall = readonly [sql: string, ...params: SqlValue[]];

/** The little that the directory asks of a database, so that it runs on D1 as well as on SQLite in a file. */
export interface AsyncSql {
  all(...call: SqlCall): Promise<readonly SqlRow[]>;
  /** Runs all statements in one transaction, or none. */
  batch(calls: readonly SqlCall[]): Promise<void>;
}

/** A synchronous database as an asynchronous one. */
export function asyncSql(driver: SqlDriver): AsyncSql {
  return {
    all: async (sql, ...params) => driver.prepare(sql).all(...params),
    async batch(calls) {
      driver.transaction(() => {
        for (const [sql, ...params] of calls) driver.prepare(sql).run(...params);
      });
    },
  };
}
