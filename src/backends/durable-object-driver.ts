import type { DurableObjectStorage, SqlStorageCursor, SqlStorageValue } from "@cloudflare/workers-types";
import { BackendError } from "../errors/errors.ts";
import type { SqlDriver, SqlRow, SqlStatement, SqlValue } from "./sql-driver.ts";

type Cursor = SqlStorageCursor<Record<string, SqlStorageValue>>;

/**
 * The SQLite of a Durable Object. The object is its only user. Statements are kept by the runtime itself, by their
 * text, and transactions cannot be made by statements.
 *
 * @param storage - of an object whose class has SQLite
 * @param place - what errors call the store
 * @see https://developers.cloudflare.com/durable-objects/api/sqlite-storage-api/
 */
export function openDurableObject(storage: DurableObjectStorage, place: string): SqlDriver {
  const { sql } = storage;
  const statements = new Map<string, SqlStatement>();

  const execute = <T>(
    verb: string,
    text: string,
    params: readonly SqlValue[],
    take: (cursor: Cursor) => T,
  ): T => {
    try {
      return take(sql.exec(text, ...params));
    } catch (error) {
      throw storageError(error, place, verb);
    }
  };

  const statement = (text: string): SqlStatement => ({
    all: (...params) => execute("read", text, params, (cursor) => cursor.toArray().map(rowOf)),
    get: (...params) =>
      execute("read", text, params, (cursor) => {
        const { done, value } = cursor.next();
        return done ? undefined : rowOf(value);
      }),
    run: (...params) => execute("write", text, params, (cursor) => cursor.rowsWritten),
  });

  // As with the other drivers, rows are made before they are referred to, and the check costs time.
  execute("open", "PRAGMA foreign_keys = OFF", [], () => {});

  return {
    exec: (text) => void execute("use", text, [], (cursor) => cursor.rowsWritten),
    prepare(text) {
      let known = statements.get(text);
      if (known === undefined) {
        known = statement(text);
        statements.set(text, known);
      }
      return known;
    },
    transaction: (work) => storage.transactionSync(work),
    close: () => statements.clear(),
  };
}

function rowOf(row: Record<string, SqlStorageValue>): SqlRow {
  for (const name in row) {
    const value = row[name];
    if (value instanceof ArrayBuffer) return withBytes(row);
  }
  return row as SqlRow;
}

function withBytes(row: Record<string, SqlStorageValue>): SqlRow {
  const entries = Object.entries(row).map(([name, value]) => [
    name,
    value instanceof ArrayBuffer ? new Uint8Array(value) : value,
  ]);
  return Object.fromEntries(entries) as SqlRow;
}

/** Parts of the runtime's messages, mostly SQLite's names for what went wrong, and what each means to a user. */
const meanings: readonly (readonly [part: string, state: string, hint: string])[] = [
  [
    "SQL is not enabled",
    "its class has no SQLite",
    "Declare the class in new_sqlite_classes of a migration in wrangler.toml; a class that has objects can't change.",
  ],
  [
    "SQLITE_TOOBIG",
    "a row or a parameter would be larger than the 2 MB that a Durable Object allows",
    "Give the store a valueStore for large values, or write large data to a file and return the File.",
  ],
  ["SQLITE_FULL", "the object is full", "Remove what is not needed, or start a new repository."],
];

function storageError(error: unknown, place: string, verb: string): unknown {
  if (error instanceof BackendError) return error;
  const { message } = error as Error;
  const [, state, hint] = meanings.find(([name]) => message.includes(name)) ?? ["", message, undefined];
  return new BackendError(`Cannot ${verb} the store ${place}: ${state}`, {
    hint,
    cause: error,
    fields: { place, sqlite: /SQLITE_\w+/.exec(message)?.[0] ?? null },
  });
}
