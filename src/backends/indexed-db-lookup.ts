import type { CacheHit, CacheQuery } from "../backend/backend.ts";
import { ERROR_VALUE_TYPE } from "../backend/records.ts";
import type { EncodedValue } from "../value/value.ts";
import type { Known } from "./indexed-db-draft.ts";
import { asideKey, type Key, packKey, packKeys, unpackKey, unpackKeys } from "./indexed-db-keys.ts";
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
    const older = await this.older(queries, keys, records);
    const open = queries.map((query, i) =>
      candidates(query, records.get(keys[i]!), older.get(keys[i]!) ?? [], isCurrentKey),
    );
    await this.keepThoseOf(queries, open);
    const elsewhere = open.flatMap(({ head, single, calls }) => {
      const hashes = calls.flatMap(({ call, record }) =>
        record.held.includes(call.value) ? [] : [call.value],
      );
      return single === undefined || head!.held.includes(single) ? hashes : [...hashes, single];
    });
    const others = elsewhere.length === 0 ? undefined : await this.reader.values(elsewhere);
    const getValue: GetValue = (record, hash) => {
      const place = record.held.indexOf(hash);
      return place < 0 ? others?.get(hash) : { hash: unpackKey(hash), ...record.values[place]! };
    };
    return queries.map(({ allowed }, i) => choose(allowed, open[i]!, getValue));
  }

  /** The records that were put aside, for queries that any call may answer. */
  private async older(
    queries: readonly CacheQuery[],
    keys: readonly Key[],
    records: ReadonlyMap<Key, StoredCalls>,
  ): Promise<Map<Key, StoredCalls[]>> {
    const wanted = new Map<Key, Key>();
    queries.forEach(({ allowed }, i) => {
      const { older = 0 } = (allowed.includes("ultimate") && records.get(keys[i]!)) || {};
      for (let n = 0; n < older; n++) wanted.set(asideKey(keys[i]!, n), keys[i]!);
    });
    const found = new Map<Key, StoredCalls[]>();
    if (wanted.size === 0) return found;
    for (const record of await this.db.calls.bulkGet([...wanted.keys()])) {
      if (record === undefined) continue;
      const key = wanted.get(record.evalHash)!;
      found.set(key, [...(found.get(key) ?? []), record]);
    }
    return found;
  }

  /** Of queries that are about some executions keeps the calls that their jobs came to. */
  private async keepThoseOf(queries: readonly CacheQuery[], open: Candidates[]): Promise<void> {
    const about = open.flatMap(({ calls }, i) => (queries[i]!.executions === undefined ? [] : calls));
    if (about.length === 0) return;
    const among = new Set(queries.flatMap(({ executions = [] }) => packKeys(executions)));
    const found = new Set<string>();
    await this.db.jobs
      .where("callHash")
      .anyOf(about.map(({ callHash }) => callHash))
      .each(({ callHash, executionId }) => {
        if (among.has(executionId)) found.add(`${callHash} ${executionId}`);
      });
    queries.forEach(({ executions }, i) => {
      if (executions === undefined) return;
      const keys = packKeys(executions);
      const isAmong = ({ callHash }: FoundCall): boolean =>
        keys.some((execution) => found.has(`${callHash} ${execution}`));
      open[i] = { ...open[i]!, calls: open[i]!.calls.filter(isAmong) };
    });
  }

  private learn(record: StoredCalls): void {
    this.known.evaluations.set(record.evalHash, true);
    for (const { callHash, call } of callsIn(record)) {
      if (!call.promised && call.failed !== undefined) this.known.calls.set(callHash, call.failed);
    }
  }
}

interface Candidates {
  readonly head: StoredCalls | undefined;
  readonly single: Key | undefined;
  /** Newest first. */
  readonly calls: readonly FoundCall[];
}

/** What may answer a query, if its value is there and no error. */
function candidates(
  { allowed, contextHash }: CacheQuery,
  head: StoredCalls | undefined,
  older: readonly StoredCalls[],
  isCurrent: (taskHash: Key) => boolean,
): Candidates {
  if (head === undefined) return { head, single: undefined, calls: [] };
  const context = contextHash === undefined ? undefined : packKey(contextHash);
  const calls = allowed.includes("ultimate")
    ? [...older, head]
        .flatMap(callsIn)
        .filter(
          ({ call }) =>
            call.failed !== true && call.contextHash === context && call.subtreeTasks?.every(isCurrent),
        )
    : [];
  return {
    head,
    single: allowed.includes("single") ? head.single : undefined,
    calls: calls.toSorted((a, b) => a.call.timestamp - b.call.timestamp).reverse(),
  };
}

function choose(
  allowed: CacheQuery["allowed"],
  { head, single, calls }: Candidates,
  getValue: GetValue,
): CacheHit | undefined {
  if (head === undefined) return undefined;
  for (const kind of allowed) {
    if (kind === "single") {
      const value = single === undefined ? undefined : getValue(head, single);
      if (value !== undefined && value.type !== ERROR_VALUE_TYPE) return { kind, value: encoded(value) };
      continue;
    }
    for (const { callHash, call, record } of calls) {
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
