import type { D1Database, D1PreparedStatement } from "@cloudflare/workers-types";
import type { SqlRow } from "../backends/sql-driver.ts";
import { ApiError } from "../server/api-error.ts";
import type { AsyncSql, SqlCall } from "../server/async-sql.ts";
import { logFault } from "./log.ts";

/**
 * D1 as the database of a directory. It may be away for a moment; whoever asks then hears that asking again makes sense.
 *
 * @see https://developers.cloudflare.com/d1/worker-api/d1-database/
 */
export function d1Sql(db: D1Database): AsyncSql {
  const statement = ([sql, ...params]: SqlCall): D1PreparedStatement => db.prepare(sql).bind(...params);
  return {
    async all(...call) {
      try {
        return (await statement(call).all<SqlRow>()).results;
      } catch (error) {
        logFault("Cannot read the directory", error);
        throw new ApiError(503, "unavailable", "Cannot read the instance's directory at the moment", {
          ...{ hint: "Try again.", retryAfter: 1, cause: error },
        });
      }
    },
    async batch(calls) {
      await db.batch(calls.map(statement));
    },
  };
}
