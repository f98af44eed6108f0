import type { Backend } from "../backend/backend.ts";
import { pythonRecords } from "../backends/python-records.ts";
import { SqlBackend } from "../backends/sql-backend.ts";
import type { SqlDriver } from "../backends/sql-driver.ts";
import { isForeign, schemaVersion } from "../backends/sql-schema.ts";
import { openSqliteBytes } from "../backends/sqlite-wasm-driver.ts";
import { BackendError } from "../errors/errors.ts";
import { pythonError } from "../scheduler/python-error.ts";
import { copyStore } from "./open-store.ts";

const NAME = "redun.db";

/**
 * Takes the records of a store over, given the file of its database. The file is opened in memory, to be read only.
 *
 * @returns how many records were new
 * @throws BackendError if it is no store of redun, or one of another version
 */
export async function importDatabase(backend: Backend, bytes: Uint8Array): Promise<number> {
  const db = await openSqliteBytes(NAME, bytes);
  try {
    return isForeign(db) ? await importPython(backend, db) : await importOurs(backend, db);
  } finally {
    db.close();
  }
}

async function importPython(backend: Backend, db: SqlDriver): Promise<number> {
  let added = 0;
  for (const records of pythonRecords(db, pythonError)) added += await backend.importRecords(records);
  return added;
}

async function importOurs(backend: Backend, db: SqlDriver): Promise<number> {
  if (schemaVersion(db) === null) {
    throw new BackendError("Cannot import the database: it is no store of redun", {
      hint: `Give the file ${NAME} of a .redun folder.`,
    });
  }
  // Whoever opened the database closes it.
  const lent: SqlDriver = {
    exec: (sql) => db.exec(sql),
    prepare: (sql) => db.prepare(sql),
    transaction: (work) => db.transaction(work),
    close() {},
  };
  const store = new SqlBackend(NAME, async () => lent);
  await store.load({ migrate: false });
  return copyStore(store, backend);
}
