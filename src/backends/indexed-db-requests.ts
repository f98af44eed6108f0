import { Dexie, type Table, type Transaction } from "dexie";
import type { Key } from "./indexed-db-keys.ts";

/** What to read for each key: the first record, its key only, or all records. */
type Reading = "get" | "getKey" | "getAll" | "getAllKeys";

/** @param T - type of the answer for one key; `undefined` or an empty list if there is none */
function readEach<T>(
  transaction: Transaction,
  store: string,
  index: string | null,
  reading: Reading,
  keys: readonly Key[],
): Promise<T[]> {
  const table = transaction.idbtrans.objectStore(store);
  const source = index === null ? table : table.index(index);
  const found = new Array<T>(keys.length);
  const promise = new Dexie.Promise<T[]>((resolve, reject) => {
    if (keys.length === 0) resolve(found);
    keys.forEach((key, i) => {
      const request = source[reading](key) as IDBRequest<T>;
      request.onsuccess = () => {
        found[i] = request.result;
        if (i === keys.length - 1) resolve(found);
      };
      request.onerror = () => reject(request.error);
    });
  });
  return promise as unknown as Promise<T[]>;
}

/**
 * The first record of each key of an index, all asked for at once: a cursor from key to key, as Dexie's `anyOf` takes,
 * goes to the database and back for each.
 */
export const firstOfEach = <T>(
  table: Table<T, Key>,
  index: string | null,
  keys: readonly Key[],
): PromiseLike<(T | undefined)[]> =>
  table.db.transaction("r", table, (transaction) =>
    readEach<T | undefined>(transaction, table.name, index, "get", keys),
  );

/** All records of each key of an index. */
export const allOfEach = <T>(table: Table<T, Key>, index: string, keys: readonly Key[]): PromiseLike<T[][]> =>
  table.db.transaction("r", table, (transaction) =>
    readEach<T[]>(transaction, table.name, index, "getAll", keys),
  );

/** Keys of all records of the keys of an index, each once. */
export const keysOfEach = (
  table: Table<unknown, Key>,
  index: string,
  keys: readonly Key[],
): PromiseLike<Key[]> =>
  table.db.transaction("r", table, async (transaction) => {
    const found = await readEach<Key[]>(transaction, table.name, index, "getAllKeys", keys);
    return [...new Set(found.flat())];
  });

/** Which keys a store or an index has. */
export const existing = (
  table: Table<unknown, Key>,
  index: string | null,
  keys: readonly Key[],
): PromiseLike<Set<Key>> =>
  table.db.transaction("r", table, async (transaction) => {
    const found = await readEach<Key | undefined>(transaction, table.name, index, "getKey", keys);
    return new Set(keys.filter((_, i) => found[i] !== undefined));
  });

/**
 * Adds records, except those whose keys are there. Dexie's `bulkAdd` makes an error of those, which it reports even where
 * it is handled.
 *
 * @returns the places of those that are there
 */
export async function addNew<T>(table: Table<T, Key>, records: readonly T[]): Promise<number[]> {
  if (records.length === 0) return [];
  return table.db.transaction("rw", table, ({ idbtrans }) => {
    const store = idbtrans.objectStore(table.name);
    return new Dexie.Promise<number[]>((resolve, reject) => {
      const refused: number[] = [];
      records.forEach((record, i) => {
        const isLast = i === records.length - 1;
        const request = store.add(record);
        request.onerror = (event) => {
          if (request.error?.name !== "ConstraintError") {
            reject(request.error);
            return;
          }
          event.preventDefault();
          event.stopPropagation();
          refused.push(i);
          if (isLast) resolve(refused);
        };
        if (isLast) request.onsuccess = () => resolve(refused);
      });
    });
  });
}
