import type { Backend } from "../backend/backend.ts";
import { IndexedDbBackend } from "../backends/indexed-db-backend.ts";
import { OpfsSqliteBackend } from "../backends/opfs-sqlite-backend.ts";
import { hasOpfs } from "../backends/sqlite-wasm-driver.ts";
import { syncRecords } from "../backends/sync.ts";
import { BackendError } from "../errors/errors.ts";

/** The stores that a tab has. */
export type StoreKind = "opfs" | "indexeddb";

/** Which store this thread can have: SQLite on OPFS in a dedicated worker of most browsers, else IndexedDB. */
export function bestStore(): StoreKind {
  return hasOpfs() ? "opfs" : "indexeddb";
}

/** The store of a repository, not yet open. */
export function makeStore(kind: StoreKind, repo: string): Backend {
  return kind === "opfs" ? new OpfsSqliteBackend(repo) : new IndexedDbBackend(repo);
}

/** Milliseconds for which the files of a tab that was just closed may still be held. */
const PATIENCE = 10_000;

/** Opens a store that nobody else is entitled to have open. */
export async function loadStore(backend: Backend): Promise<void> {
  const end = Date.now() + PATIENCE;
  for (;;) {
    try {
      await backend.load();
      return;
    } catch (error) {
      if (!(error instanceof BackendError) || error.fields.held !== true || Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/**
 * Copies all records of a repository from one store to another, such as from IndexedDB to OPFS. Both stay open; records
 * that are there already are left alone, so a copy that was cut short may be repeated.
 *
 * @returns how many records were new
 */
export async function copyStore(from: Backend, to: Backend): Promise<number> {
  const { added } = await syncRecords(from, to);
  return added;
}
