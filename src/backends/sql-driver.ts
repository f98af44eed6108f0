/** What a bound parameter or a column may be. */
export type SqlValue = string | number | bigint | Uint8Array | null;

/** A row by column name. */
export type SqlRow = Readonly<Record<string, SqlValue>>;

/** A prepared statement. */
export interface SqlStatement {
  all(...params: readonly SqlValue[]): SqlRow[];
  get(...params: readonly SqlValue[]): SqlRow | undefined;
  /** @returns how many rows changed, and the id of the last inserted row */
  run(...params: readonly SqlValue[]): { readonly changes: number; readonly id: number };
}

/** The little that the SQL backend asks of a database, so that it runs on every SQLite there is. */
export interface SqlDriver {
  /** Runs statements without parameters. */
  exec(sql: string): void;
  /** A prepared statement; the driver keeps it for the next time. */
  prepare(sql: string): SqlStatement;
  /** Runs work in a write transaction: all of it happens, or nothing. */
  transaction<T>(work: () => T): T;
  close(): void;
}
