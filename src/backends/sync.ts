import type { Backend, RecordJson } from "../backend/backend.ts";
import { recordId } from "./record-export.ts";

/** What records are copied from: a store, or a client of one elsewhere. */
export type SyncSource = Pick<Backend, "reachable" | "exportRecords">;

/** What records are copied to: a store, or a client of one elsewhere. */
export type SyncTarget = Pick<Backend, "missing" | "importRecords">;

/** How far a copy has come, in records. */
export interface SyncProgress {
  /** Records that were found in the source, so far. */
  readonly found: number;
  /** Those of them that the target lacks. */
  readonly missing: number;
  readonly sent: number;
  /** Those of them that were new there when they came. */
  readonly added: number;
}

/** How large a batch of records may be. */
export interface BatchLimits {
  /** Records in a batch at most. Default 2,000. */
  readonly maxRecords?: number | undefined;
  /** Characters of JSON at which a batch ends, with the record that reaches it. Default 4,000,000. */
  readonly maxSize?: number | undefined;
}

/** Options of {@link syncRecords}. */
export interface SyncOptions extends BatchLimits {
  /** What to copy, with all that it refers to. Default: all executions. */
  readonly ids?: readonly string[] | undefined;
  /** Is told after each question to the target and each batch. */
  readonly onProgress?: ((progress: SyncProgress) => void) | undefined;
}

/** So many ids are asked for at once. */
const ASKED = 5000;

const HASH = /^[0-9a-f]{40}$/;

/**
 * Copies the records that one store has and another lacks. Both stay as they are otherwise, and others may write to them
 * meanwhile.
 *
 * 1. A copy that was cut short is repeated, and goes on: what has arrived is not sent again.
 * 2. Values, calls and tags go first, those furthest down before others, then jobs, and executions last. So the target
 *    shows no execution before it has all of it, while what has come is of use as a cache already.
 * 3. Besides the ids of what is missing it holds one batch, of limited number and size, and makes one request a batch.
 *
 * @returns how many records were sent, and how many of them were new; jobs that are still running are sent each time
 * @throws BackendError if the target refuses a record
 *
 * @example Share the results of a store in memory
 * ```ts
 * import { SqliteBackend, syncRecords } from "redun/node";
 * import { MemoryBackend } from "redun/testing";
 *
 * const mine = new MemoryBackend();
 * const ours = new SqliteBackend("shared.db");
 * await ours.load();
 * const { added } = await syncRecords(mine, ours);
 * ```
 */
export async function syncRecords(
  from: SyncSource,
  to: SyncTarget,
  { ids, onProgress, ...limits }: SyncOptions = {},
): Promise<{ sent: number; added: number }> {
  const progress = { found: 0, missing: 0, sent: 0, added: 0 };
  const hashes: string[] = [];
  const others: string[] = [];
  for await (const found of inGroups(from.reachable(ids), ASKED)) {
    const missing = await to.missing(found);
    for (const id of missing) (HASH.test(id) ? hashes : others).push(id);
    progress.found += found.length;
    progress.missing += missing.length;
    onProgress?.({ ...progress });
  }
  const executions: string[] = [];
  /** Sends records in this order; executions are put off, unless they are what is sent. */
  const send = async (order: readonly string[]): Promise<void> => {
    for await (const given of recordBatches(from, order, limits)) {
      const isLate = (record: RecordJson): boolean => order !== executions && record._type === "Execution";
      executions.push(...given.filter(isLate).map(recordId));
      const records = given.filter((record) => !isLate(record));
      if (records.length === 0) continue;
      progress.added += await to.importRecords(records);
      progress.sent += records.length;
      onProgress?.({ ...progress });
    }
  };
  // The walk goes down from executions, and comes to the jobs of one parent in their order.
  await send([...hashes.reverse(), ...others]);
  await send(executions);
  return { sent: progress.sent, added: progress.added };
}

/**
 * The records of ids, in their order, in batches of limited number and size. Those that are not there are left out.
 *
 * @throws BackendError if the source can't be read
 */
export async function* recordBatches(
  from: Pick<Backend, "exportRecords">,
  ids: readonly string[],
  { maxRecords = 2000, maxSize = 4_000_000 }: BatchLimits = {},
): AsyncGenerator<RecordJson[]> {
  for (let at = 0; at < ids.length; ) {
    const wanted = ids.slice(at, at + maxRecords);
    const records = await from.exportRecords(wanted, { maxSize });
    // Where the answer ends early, those behind are asked for again; if then none is given, they are gone.
    const last = records.length === 0 ? -1 : wanted.indexOf(recordId(records.at(-1)!));
    at += last < 0 ? wanted.length : last + 1;
    if (records.length > 0) yield records;
  }
}

/** The same items in lists of one length, but for the last. */
async function* inGroups<T>(lists: AsyncIterable<readonly T[]>, size: number): AsyncGenerator<T[]> {
  let group: T[] = [];
  for await (const list of lists) {
    for (const item of list) {
      group.push(item);
      if (group.length < size) continue;
      yield group;
      group = [];
    }
  }
  if (group.length > 0) yield group;
}
