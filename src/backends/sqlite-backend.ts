import { SqlBackend, type SqlBackendOptions } from "./sql-backend.ts";
import { openSqlite } from "./sqlite-driver.ts";

/** Options of a {@link SqliteBackend}. */
export interface SqliteBackendOptions extends SqlBackendOptions {
  /** Path of the database file, or `:memory:`. */
  readonly path: string;
}

/**
 * A store in a SQLite file, through the SQLite that Node and Deno have built in. Several processes may use one file at
 * once.
 *
 * @example Open a store
 * ```ts
 * import { Scheduler } from "redun";
 * import { SqliteBackend } from "redun/node";
 *
 * const scheduler = new Scheduler({ backend: new SqliteBackend("results.db") });
 * ```
 */
export class SqliteBackend extends SqlBackend {
  readonly path: string;

  constructor(options: string | SqliteBackendOptions) {
    const { path, ...rest } = typeof options === "string" ? { path: options } : options;
    super(path, () => openSqlite(path), rest);
    this.path = path;
  }
}
