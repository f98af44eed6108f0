import type { Database, SAHPoolUtil, SQLite3Error, Sqlite3Static } from "@sqlite.org/sqlite-wasm";
import { BackendError } from "../errors/errors.ts";
import { type SqlDriver, type SqlStatement, transact } from "./sql-driver.ts";
import { WasmMemory, WasmStatement } from "./sqlite-wasm-statement.ts";

let sqlite: Promise<Sqlite3Static> | undefined;

/** Loads SQLite's WebAssembly, once. */
function loadSqlite(): Promise<Sqlite3Static> {
  sqlite ??= import("@sqlite.org/sqlite-wasm").then(({ default: init }) => init());
  return sqlite;
}

const pools = new Map<string, Promise<SAHPoolUtil>>();

/** The pool of files of one database. Each has its own, since a pool is locked as a whole. */
async function poolOf(name: string): Promise<SAHPoolUtil> {
  const known = pools.get(name);
  if (known !== undefined) {
    const pool = await known;
    if (pool.isPaused()) await pool.unpauseVfs();
    return pool;
  }
  const settings = {
    name: `redun-${name}`,
    directory: `/.redun/${encodeURIComponent(name)}`,
    initialCapacity: 4,
    // A pool that another tab has open is free once that tab is gone.
    forceReinitIfPreviouslyFailed: true,
    preserveOnInitFailure: true,
  };
  const made = loadSqlite().then((api) => api.installOpfsSAHPoolVfs(settings));
  pools.set(name, made);
  made.catch(() => pools.delete(name));
  return made;
}

/** What the browser needs to have for SQLite on its private file system; a page's own thread never has it. */
export function hasOpfs(): boolean {
  const handle = (globalThis as { FileSystemFileHandle?: { prototype: object } }).FileSystemFileHandle;
  return (
    typeof navigator?.storage?.getDirectory === "function" &&
    handle !== undefined &&
    "createSyncAccessHandle" in handle.prototype
  );
}

/**
 * The pool is locked by this worker alone, so there is nobody to share memory with, and the write-ahead log needs none.
 * As with the other SQLite drivers, rows are made before they are referred to.
 */
const SETTINGS = `
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA journal_mode = WAL;
PRAGMA foreign_keys = OFF;
PRAGMA synchronous = NORMAL;
PRAGMA cache_size = -64000;
PRAGMA wal_autocheckpoint = 4000;
PRAGMA journal_size_limit = 33554432;
PRAGMA temp_store = MEMORY;`;

/**
 * Opens a database on the origin's private file system. Works in a dedicated worker only.
 *
 * @param name - any text
 * @throws BackendError if the browser has no such file system, or another tab has the database open
 */
export async function openOpfsSqlite(name: string): Promise<SqlDriver> {
  if (!hasOpfs()) {
    throw new BackendError(`Cannot open the store ${name}: this browser has no private file system here`, {
      hint: "Open it in a dedicated worker, or use the store on IndexedDB.",
    });
  }
  let pool: SAHPoolUtil | undefined;
  let db: Database | undefined;
  try {
    pool = await poolOf(name);
    db = new pool.OpfsSAHPoolDb("/redun.db");
    const opened = pool;
    const driver = new WasmDriver(await loadSqlite(), db, name, () => opened.pauseVfs());
    driver.exec(SETTINGS);
    return driver;
  } catch (error) {
    db?.close();
    pool?.pauseVfs();
    throw wasmError(error, name, "open");
  }
}

/**
 * Opens a copy of a database file in memory, for reading. Works on a page as well.
 *
 * @throws BackendError if the bytes are no SQLite database
 */
export async function openSqliteBytes(name: string, bytes: Uint8Array): Promise<SqlDriver> {
  const api = await loadSqlite();
  const { capi, oo1, wasm } = api;
  const db = new oo1.DB(":memory:");
  try {
    const at = wasm.alloc(bytes.length);
    const heap = wasm.heap8u();
    heap.set(bytes, Number(at));
    // A file in write-ahead mode says so here; in memory there is no such log.
    if (bytes[18] === 2) heap.fill(1, Number(at) + 18, Number(at) + 20);
    const flags = capi.SQLITE_DESERIALIZE_FREEONCLOSE | capi.SQLITE_DESERIALIZE_READONLY;
    db.checkRc(capi.sqlite3_deserialize(db.pointer!, "main", at, bytes.length, bytes.length, flags));
    const driver = new WasmDriver(api, db, name, () => {});
    driver.prepare("SELECT count(*) AS n FROM sqlite_master").get();
    return driver;
  } catch (error) {
    db.close();
    throw wasmError(error, name, "open");
  }
}

/** Removes a database that is not open, for good. */
export async function removeOpfsSqlite(name: string): Promise<void> {
  const pool = await poolOf(name);
  pools.delete(name);
  await pool.removeVfs();
}

class WasmDriver implements SqlDriver {
  private readonly db: Database;
  private readonly memory: WasmMemory;
  private readonly name: string;
  private readonly release: () => void;
  private readonly statements = new Map<string, WasmStatement>();

  /** @param release - lets go of what the database is in, after it is closed */
  constructor(api: Sqlite3Static, db: Database, name: string, release: () => void) {
    this.memory = new WasmMemory(api);
    this.db = db;
    this.name = name;
    this.release = release;
  }

  exec(sql: string): void {
    try {
      this.db.exec(sql);
    } catch (error) {
      throw wasmError(error, this.name, "use");
    }
  }

  prepare(sql: string): SqlStatement {
    let statement = this.statements.get(sql);
    if (statement === undefined) {
      try {
        const failed = (error: unknown, verb: string): unknown => wasmError(error, this.name, verb);
        statement = new WasmStatement(this.memory, this.db, this.db.prepare(sql), failed);
      } catch (error) {
        throw wasmError(error, this.name, "use");
      }
      this.statements.set(sql, statement);
    }
    return statement;
  }

  transaction<T>(work: () => T): T {
    return transact((sql) => this.exec(sql), work);
  }

  /** Also lets go of the files, so that another tab may open them. */
  close(): void {
    for (const statement of this.statements.values()) statement.finalize();
    this.statements.clear();
    this.memory.free();
    this.db.close();
    this.release();
  }
}

/** SQLite's primary result codes, and what each means to a user. @see https://www.sqlite.org/rescode.html */
const meanings: Readonly<Record<number, readonly [state: string, hint: string]>> = {
  10: ["the browser reports an error of its storage", "Reload the page; what was stored so far is kept."],
  11: ["it is damaged", "Export what can be read, and start a new repository."],
  13: [
    "there is no space left",
    "Remove files or repositories that are not needed, or free space on the disk.",
  ],
  26: ["it is not a SQLite database", "Start a new repository."],
};

/** Names of the browser's errors when another tab, or another worker, holds the files. */
const HELD = new Set(["NoModificationAllowedError", "InvalidStateError"]);

function wasmError(error: unknown, name: string, verb: string): unknown {
  if (error instanceof BackendError) return error;
  const { resultCode, message } = error as Partial<SQLite3Error>;
  if (HELD.has((error as Error).name)) {
    return new BackendError(`Cannot ${verb} the store ${name}: another tab has it open`, {
      hint: "Close the other tab, or work there.",
      cause: error,
      fields: { name, held: true },
    });
  }
  // The low byte of an extended code is the primary one.
  const [state, hint] = meanings[(resultCode ?? 0) & 0xff] ?? [message ?? "unknown error", undefined];
  return new BackendError(`Cannot ${verb} the store ${name}: ${state}`, {
    hint,
    cause: error,
    fields: { name, sqlite: resultCode ?? null },
  });
}
