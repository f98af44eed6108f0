import type { CacheHit, CacheQuery } from "../backend/backend.ts";
import { ERROR_VALUE_TYPE } from "../backend/records.ts";
import type { EncodedValue } from "../value/value.ts";
import type { Known } from "./indexed-db-draft.ts";
import { type Key, packKey, unpackKey, unpackKeys } from "./indexed-db-keys.ts";
import { callsIn, type FoundCall, type IndexedDbReader } from "./indexed-db-reader.ts";
import type { StoredCalls } from "./indexed-db-records.ts";
import type { Database } from "./indexed-db-schema.ts";

type GetValue = (record: StoredCalls, hash: Key) => EncodedValue | undefined;

/** Answers the scheduler's questions: one trip for the records of all keys, and one for the values that they don't hold. */
export class IndexedDbLookup {
  private readonly db: Database;
  private readonly reader: IndexedDbReader;
  private readonly known: Known;

  constructor(db: Database, reader: IndexedDbReader, known: Known) {
    this.db = db;
    this.reader = reader;
    this.known = known;
  }

  async lookup(
    queries: readonly CacheQuery[],
    isCurrent: (taskHash: string) => boolean,
  ): Promise<(CacheHit | undefined)[]> {
    if (queries.length === 0) return [];
    const keys = queries.map(({ evalHash }) => packKey(evalHash));
    const records = new Map<Key, StoredCalls>();
    for (const record of await this.db.calls.bulkGet([...new Set(keys)])) {
      if (record === undefined) continue;
      records.set(record.evalHash, record);
      this.learn(record);
    }
    const current = new Map<Key, boolean>();
    const isCurrentKey = (key: Key): boolean => {
      const known = current.get(key) ?? isCurrent(unpackKey(key));
      current.set(key, known);
      return known;
    };
    const open = queries.map((query, i) => candidates(query, records.get(keys[i]!), isCurrentKey));
    const elsewhere = open.flatMap(({ record, single, calls }) => {
      const hashes = calls.map(({ call }) => call.value);
      if (single !== undefined) hashes.push(single);
      return hashes.filter((hash) => !record!.held.includes(hash));
    });
    const others = elsewhere.length === 0 ? undefined : await this.reader.values(elsewhere);
    const getValue: GetValue = (record, hash) => {
      const place = record.held.indexOf(hash);
      return place < 0 ? others?.get(hash) : { hash: unpackKey(hash), ...record.values[place]! };
    };
    return queries.map(({ allowed }, i) => choose(allowed, open[i]!, getValue));
  }

  private learn(record: StoredCalls): void {
    this.known.evaluations.set(record.evalHash, true);
    for (const { callHash, call } of callsIn(record)) {
      if (!call.promised && call.failed !== undefined) this.known.calls.set(callHash, call.failed);
    }
  }
}

interface Candidates {
  readonly record: StoredCalls | undefined;
  readonly single: Key | undefined;
  /** Newest first. */
  readonly calls: readonly FoundCall[];
}

/** What may answer a query, if its value is there and no error. */
function candidates(
  { allowed, contextHash }: CacheQuery,
  record: StoredCalls | undefined,
  isCurrent: (taskHash: Key) => boolean,
): Candidates {
  if (record === undefined) return { record, single: undefined, calls: [] };
  const context = contextHash === undefined ? undefined : packKey(contextHash);
  const calls = allowed.includes("ultimate")
    ? callsIn(record).filter(
        ({ call }) =>
          call.failed !== true && call.contextHash === context && call.subtreeTasks?.every(isCurrent),
      )
    : [];
  return {
    record,
    single: allowed.includes("single") ? record.single : undefined,
    calls: calls.toSorted((a, b) => a.call.timestamp - b.call.timestamp).reverse(),
  };
}

function choose(
  allowed: CacheQuery["allowed"],
  { record, single, calls }: Candidates,
  getValue: GetValue,
): CacheHit | undefined {
  if (record === undefined) return undefined;
  for (const kind of allowed) {
    if (kind === "single") {
      const value = single === undefined ? undefined : getValue(record, single);
      if (value !== undefined) return { kind, value: encoded(value) };
      continue;
    }
    for (const { callHash, call } of calls) {
      const value = getValue(record, call.value);
      if (value === undefined || value.type === ERROR_VALUE_TYPE) continue;
      return {
        kind,
        value: encoded(value),
        callHash: unpackKey(callHash),
        subtreeTasks: unpackKeys(call.subtreeTasks!),
      };
    }
  }
  return undefined;
}

const encoded = ({ hash, type, format, text }: EncodedValue): EncodedValue => ({ hash, type, format, text });
