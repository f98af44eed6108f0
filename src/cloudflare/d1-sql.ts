import type { D1Database, D1PreparedStatement } from "@cloudflare/workers-types";
import type { SqlRow } from "../backends/sql-driver.ts";
import type { AsyncSql, SqlCall } from "../server/async-sql.ts";

/**
 * D1 as the database of a directory.
 *
 * @see https://developers.cloudflare.com/d1/worker-api/d1-database/
 */
export function d1Sql(db: D1Database): AsyncSql {
  const statement = ([sql, ...params]: SqlCall): D1PreparedStatement => db.prepare(sql).bind(...params);
  return {
    all: async (...call) => (await statement(call).all<SqlRow>()).results,
    async batch(calls) {
      await db.batch(calls.map(statement));
    },
  };
}
