import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { onTestFinished } from "vitest";

/** A folder that is removed when the test ends. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "redun-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Path of a store that does not exist yet. */
export const tempStore = (): string => join(tempFolder(), "redun.db");

/** Works on a database beside the backend. */
export function withDatabase<T>(path: string, work: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(path);
  try {
    return work(db);
  } finally {
    db.close();
  }
}

/** The rows of a query, as plain objects. */
export const rowsOf = (path: string, sql: string): Record<string, unknown>[] =>
  withDatabase(path, (db) =>
    db
      .prepare(sql)
      .all()
      .map((row) => ({ ...row })),
  );

/** What SQLite itself finds wrong with a database: pages, indexes, and references that lead nowhere. */
export function problems(path: string): unknown[] {
  const integrity = rowsOf(path, "PRAGMA integrity_check").filter((row) => row.integrity_check !== "ok");
  return [...integrity, ...rowsOf(path, "PRAGMA foreign_key_check")];
}
