import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { BackendError } from "../errors/errors.ts";
import { type SqlDriver, type SqlRow, type SqlStatement, type SqlValue, transact } from "./sql-driver.ts";
import { isOurs } from "./sql-schema.ts";

/** For how long, in milliseconds, a writer waits for another process's transaction. */
const BUSY_TIMEOUT = 30_000;

/**
 * Foreign keys are declared but not enforced: the writer has just found or made each row that it refers to, rows are
 * never deleted, and the check costs a sixth of the time of a write.
 *
 * Inserts in the order of hashes touch pages all over the file. A cache that holds the indexes of a million jobs, taken
 * only as it is needed, and a checkpoint that is rare, so that it writes each page once for many changes, keep the cost
 * of a job nearly level.
 */
const SETTINGS = `
PRAGMA foreign_keys = OFF;
PRAGMA synchronous = NORMAL;
PRAGMA cache_size = -256000;
PRAGMA wal_autocheckpoint = 16000;
PRAGMA journal_size_limit = 67108864;
PRAGMA temp_store = MEMORY;`;

/**
 * Opens a SQLite file with node:sqlite.
 *
 * @param timeout - for how long, in milliseconds, it waits for another process's transaction
 * @throws BackendError with what is wrong with the file
 */
export async function openSqlite(path: string, timeout: number = BUSY_TIMEOUT): Promise<SqlDriver> {
  const { DatabaseSync } = await importSqlite();
  let db: DatabaseSync | undefined;
  try {
    if (path !== ":memory:") makeFolder(dirname(path));
    db = new DatabaseSync(path, { timeout });
    const driver = new SqliteDriver(db, path);
    driver.exec(SETTINGS);
    // This writes to the file, so one that is not ours must be left alone.
    if (isOurs(driver)) await useWal(driver);
    return driver;
  } catch (error) {
    db?.close();
    // What the first statements meet is a matter of opening.
    throw sqliteError(error instanceof BackendError ? error.cause : error, path, "open");
  }
}

/** So often is the change to WAL tried, some 10 ms apart. */
const WAL_ATTEMPTS = 500;

/**
 * Sets the journal mode. While other processes open the same new file, SQLite refuses that at once rather than wait, lest
 * two of them wait for each other.
 */
async function useWal(driver: SqlDriver): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      driver.exec("PRAGMA journal_mode = WAL");
      return;
    } catch (error) {
      const { errcode } = ((error as BackendError).cause ?? {}) as { errcode?: number };
      if (errcode === undefined || (errcode & 0xff) !== SQLITE_BUSY || attempt === WAL_ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, 5 + 10 * Math.random()));
    }
  }
}

/** Result code of SQLite: another connection holds a lock. */
const SQLITE_BUSY = 5;

/** Makes a folder and those above it. Node's own recursive form never returns where the system answers ENOENT, as in /proc. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process may have made it since.
    if (!existsSync(path)) throw error;
  }
}

let sqlite: Promise<typeof import("node:sqlite")> | undefined;

/** Node may call its SQLite experimental when it loads it; the user can do nothing about that. */
function importSqlite(): Promise<typeof import("node:sqlite")> {
  sqlite ??= (async () => {
    const { emitWarning } = process;
    process.emitWarning = ((warning: string | Error, ...rest: unknown[]) => {
      if (rest[0] === "ExperimentalWarning" && String(warning).includes("SQLite")) return;
      (emitWarning as (...args: unknown[]) => void).call(process, warning, ...rest);
    }) as typeof process.emitWarning;
    try {
      return await import("node:sqlite");
    } finally {
      process.emitWarning = emitWarning;
    }
  })();
  return sqlite;
}

class SqliteDriver implements SqlDriver {
  private readonly db: DatabaseSync;
  private readonly path: string;
  private readonly takesNumbered: boolean;
  private readonly statements = new Map<string, SqlStatement>();

  constructor(db: DatabaseSync, path: string) {
    this.db = db;
    this.path = path;
    this.takesNumbered = takesNumbered(db);
  }

  exec(sql: string): void {
    try {
      this.db.exec(sql);
    } catch (error) {
      throw sqliteError(error, this.path, "use");
    }
  }

  prepare(sql: string): SqlStatement {
    let statement = this.statements.get(sql);
    if (statement === undefined) {
      try {
        const prepared = this.db.prepare(sql);
        const byName = !this.takesNumbered && /\?\d/.test(sql);
        statement = new SqliteStatement(byName ? numberedByName(prepared) : prepared, this.path);
      } catch (error) {
        throw sqliteError(error, this.path, "use");
      }
      this.statements.set(sql, statement);
    }
    return statement;
  }

  transaction<T>(work: () => T): T {
    return transact((sql) => this.exec(sql), work);
  }

  close(): void {
    this.statements.clear();
    this.db.close();
  }
}

type Statement = Pick<StatementSync, "all" | "get" | "run">;

/** Whether this runtime takes values for parameters such as `?1` in order. Node before 24 wants their names. */
function takesNumbered(db: DatabaseSync): boolean {
  try {
    db.prepare("SELECT ?1").get(1);
    return true;
  } catch {
    return false;
  }
}

function numberedByName(statement: Statement): Statement {
  const named = (params: readonly SqlValue[]) =>
    Object.fromEntries(params.map((param, i) => [`?${i + 1}`, param]));
  return {
    all: (...params: SqlValue[]) => statement.all(named(params)),
    get: (...params: SqlValue[]) => statement.get(named(params)),
    run: (...params: SqlValue[]) => statement.run(named(params)),
  } as Statement;
}

class SqliteStatement implements SqlStatement {
  private readonly statement: Statement;
  private readonly path: string;

  constructor(statement: Statement, path: string) {
    this.statement = statement;
    this.path = path;
  }

  all(...params: SqlValue[]): SqlRow[] {
    try {
      return this.statement.all(...params) as SqlRow[];
    } catch (error) {
      throw sqliteError(error, this.path, "read");
    }
  }

  get(...params: SqlValue[]): SqlRow | undefined {
    try {
      return this.statement.get(...params) as SqlRow | undefined;
    } catch (error) {
      throw sqliteError(error, this.path, "read");
    }
  }

  run(...params: SqlValue[]): number {
    try {
      return this.statement.run(...params).changes as number;
    } catch (error) {
      throw sqliteError(error, this.path, "write");
    }
  }
}

const CANNOT_OPEN = 14;

/** SQLite's primary result codes, and what each means to a user. @see https://www.sqlite.org/rescode.html */
const meanings: Readonly<Record<number, readonly [state: string, hint: string]>> = {
  5: ["another process keeps it locked", "Wait for the other run to end, or look for one that hangs."],
  8: [
    "it is read-only",
    "Give yourself write permission for the file and its folder, or use another folder with -c.",
  ],
  10: ["the disk reports an error", "Check the disk; on a network drive, move the store to a local one."],
  11: ["it is damaged", "Restore a copy of it, or move the file away to start afresh."],
  13: ["the disk is full", "Free some space and run again: what was stored so far will be reused."],
  [CANNOT_OPEN]: [
    "the file cannot be opened",
    "Check that its folder exists and that you may write there, or use another with -c.",
  ],
  26: ["it is not a SQLite database", "Move the file away to start afresh, or use another folder with -c."],
};

/** Code of all of SQLite's errors. Deno leaves out the number that says which, when it prepares a statement. */
const SQLITE = "ERR_SQLITE_ERROR";

/** Errors of the file system that SQLite is not asked about, by their codes. */
const isFileError = (code: unknown): boolean => typeof code === "string" && /^E[A-Z]+$/.test(code);

function sqliteError(error: unknown, path: string, verb: string): unknown {
  const { errcode, code, message } = error as { errcode?: number; code?: string; message?: string };
  if (error instanceof BackendError || (errcode === undefined && code !== SQLITE && !isFileError(code)))
    return error;
  // The low byte of an extended code is the primary one.
  const meaning = code === SQLITE ? meanings[(errcode ?? 0) & 0xff] : meanings[CANNOT_OPEN];
  const [state, hint] = meaning ?? [message ?? "unknown error", undefined];
  return new BackendError(`Cannot ${verb} the store ${path}: ${state}`, {
    hint,
    cause: error,
    fields: { path, sqlite: errcode ?? code ?? null },
  });
}
