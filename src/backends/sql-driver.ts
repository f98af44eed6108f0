/** What a bound parameter or a column may be. */
export type SqlValue = string | number | Uint8Array | null;

/** A row by column name. */
export type SqlRow = Readonly<Record<string, SqlValue>>;

/** A prepared statement. */
export interface SqlStatement {
  all(...params: readonly SqlValue[]): SqlRow[];
  get(...params: readonly SqlValue[]): SqlRow | undefined;
  /** @returns how many rows changed; some databases count the entries of indexes as well */
  run(...params: readonly SqlValue[]): number;
}

/**
 * The little that the SQL backend asks of a database, so that it runs on every SQLite there is. No statement binds
 * more than 100 parameters: long lists travel as one parameter of JSON.
 */
export interface SqlDriver {
  /** Runs statements without parameters. */
  exec(sql: string): void;
  /** A prepared statement; the driver keeps it for the next time. */
  prepare(sql: string): SqlStatement;
  /** Runs work in a write transaction that sees all committed writes: all of it happens, or nothing. */
  transaction<T>(work: () => T): T;
  close(): void;
}

/** Runs work between `BEGIN` and `COMMIT`, or takes it back. @param exec - runs statements without parameters */
export function transact<T>(exec: (sql: string) => void, work: () => T): T {
  exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    exec("COMMIT");
    return result;
  } catch (error) {
    try {
      exec("ROLLBACK");
    } catch {
      // SQLite has rolled back by itself, as it does when the disk is full.
    }
    throw error;
  }
}

/** So many keys make a parameter of JSON that is small enough for every database: some admit 2 MB. */
const KEYS = 20_000;

/** A list in parts that each can be one parameter of JSON. */
export function* partsOf<T>(list: readonly T[], size: number = KEYS): Generator<readonly T[]> {
  if (list.length <= size) yield list;
  else for (let from = 0; from < list.length; from += size) yield list.slice(from, from + size);
}

/** Prepares statements by name. */
export function prepareAll<K extends string>(
  db: SqlDriver,
  statements: Readonly<Record<K, string>>,
): Record<K, SqlStatement> {
  const names = Object.keys(statements) as K[];
  return Object.fromEntries(names.map((name) => [name, db.prepare(statements[name])])) as Record<
    K,
    SqlStatement
  >;
}
