import type {
  Backend,
  CacheHit,
  CacheQuery,
  CallNodeRow,
  ExecutionRow,
  ExportOptions,
  FoundId,
  JobRow,
  LoadOptions,
  RecordJson,
  RecordQuery,
  TagRow,
  ValueRow,
} from "../backend/backend.ts";
import type { Millis, RecordBatch, TagEntity, TagRecord, TaskRecord } from "../backend/records.ts";
import type { Json } from "../value/json.ts";
import type { Known } from "./indexed-db-draft.ts";
import { closedError, storeError } from "./indexed-db-errors.ts";
import { IndexedDbFinder } from "./indexed-db-finder.ts";
import { packKey, unpackKeys } from "./indexed-db-keys.ts";
import { IndexedDbLookup } from "./indexed-db-lookup.ts";
import { pagesOfAll } from "./indexed-db-pages.ts";
import { IndexedDbReader } from "./indexed-db-reader.ts";
import { type Database, openDatabase, SCHEMA, type SchemaStep } from "./indexed-db-schema.ts";
import { IndexedDbWriter } from "./indexed-db-writer.ts";
import { reachable } from "./reachable.ts";
import { RecentKeys } from "./recent-keys.ts";
import { exportRecords } from "./record-export.ts";
import { readRecords } from "./record-import.ts";
import type { RecordSource } from "./record-store.ts";
import { TagCounts } from "./tags.ts";

/** Options of an {@link IndexedDbBackend}. */
export interface IndexedDbBackendOptions {
  /** The schema's history; other than the default for tests of it. */
  readonly schema?: readonly SchemaStep[];
}

/** What works on an open database. */
interface Parts {
  readonly db: Database;
  readonly writer: IndexedDbWriter;
  readonly lookup: IndexedDbLookup;
  readonly reader: IndexedDbReader;
  readonly finder: IndexedDbFinder;
  readonly source: RecordSource;
}

/**
 * A store in the browser's IndexedDB, for browsers without a private file system for SQLite. It owns the database of its
 * name; each kind of work on it has a class of its own.
 *
 * 1. A batch is one transaction, so that tabs may write at once and an interrupted batch leaves no trace.
 * 2. Nothing but the database is waited for inside a transaction, which would end.
 * 3. Records are never removed, and most never change, so that what a connection has seen stays true.
 *
 * @example Open a store
 * ```ts
 * import { Scheduler } from "redun";
 * import { IndexedDbBackend } from "redun/browser";
 *
 * const scheduler = new Scheduler({ backend: new IndexedDbBackend("results") });
 * ```
 */
export class IndexedDbBackend implements Backend {
  private readonly name: string;
  private readonly schema: readonly SchemaStep[];
  private parts: Parts | undefined = undefined;

  /** @param name - of the database; other programs of the same origin must use others */
  constructor(name: string, { schema = SCHEMA }: IndexedDbBackendOptions = {}) {
    this.name = name;
    this.schema = schema;
  }

  async load(options: LoadOptions = {}): Promise<void> {
    if (this.parts !== undefined) return;
    const db = await this.guard(openDatabase(this.name, options, this.schema));
    const known: Known = {
      evaluations: new RecentKeys(),
      calls: new RecentKeys(),
      values: new RecentKeys(),
    };
    const reader = new IndexedDbReader(db);
    this.parts = {
      db,
      writer: new IndexedDbWriter(db, known),
      lookup: new IndexedDbLookup(db, reader, known),
      reader,
      finder: new IndexedDbFinder(db, reader),
      source: {
        find: (query) => this.find(query),
        getValues: (hashes) => this.getValues(hashes),
        getExecutions: (ids) => this.getExecutions(ids),
        getTasks: (hashes) => this.getTasks(hashes),
        jobs: (ids) => this.guard(reader.jobs(ids, true)),
        calls: (hashes) => this.guard(reader.exportedCalls(hashes)),
        childJobs: (ids) => this.guard(reader.childJobs(ids)),
        valueParts: (hashes) => this.guard(reader.valueParts(hashes)),
        subtreeTasks: (hashes) => this.guard(reader.subtreeTasks(hashes)),
        tags: (hashes) => this.guard(reader.tags(hashes)),
        tagsAround: (ids) => this.guard(reader.tagsAround(ids)),
      },
    };
  }

  async close(): Promise<void> {
    this.parts?.db.close({ disableAutoOpen: true });
    this.parts = undefined;
  }

  private get loaded(): Parts {
    // Another tab may have had it closed, to remove it or to bring it to a newer version.
    if (!this.parts?.db.isOpen()) throw closedError(this.name);
    return this.parts;
  }

  /** Waits for an answer of the database, whose errors become those of a store. */
  private async guard<T>(answer: PromiseLike<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      throw await storeError(this.name, error);
    }
  }

  async lookup(
    queries: readonly CacheQuery[],
    isCurrent: (taskHash: string) => boolean,
  ): Promise<(CacheHit | undefined)[]> {
    return this.guard(this.loaded.lookup.lookup(queries, isCurrent));
  }

  async write(batch: RecordBatch): Promise<void> {
    return this.guard(this.loaded.writer.write(batch));
  }

  async heartbeat(executionId: string, time: Millis): Promise<void> {
    await this.guard(this.loaded.db.executions.update(packKey(executionId), { updatedTime: time }));
  }

  async getValues(hashes: readonly string[]): Promise<(ValueRow | undefined)[]> {
    return this.guard(this.loaded.reader.valueRows(hashes));
  }

  async getExecutions(ids: readonly string[]): Promise<(ExecutionRow | undefined)[]> {
    return this.guard(this.loaded.reader.executions(ids));
  }

  async getJobs(ids: readonly string[]): Promise<(JobRow | undefined)[]> {
    return this.guard(this.loaded.reader.jobs(ids));
  }

  async getCallNodes(hashes: readonly string[]): Promise<(CallNodeRow | undefined)[]> {
    return this.guard(this.loaded.reader.callRows(hashes));
  }

  async getTasks(hashes: readonly string[]): Promise<(TaskRecord | undefined)[]> {
    return this.guard(this.loaded.reader.tasks(hashes));
  }

  async getTags(entityIds: readonly string[]): Promise<TagRow[]> {
    return this.guard(this.loaded.reader.currentTags(entityIds));
  }

  async callsOfValue(valueHash: string, role: "result" | "argument"): Promise<string[]> {
    const calls = await this.guard(this.loaded.reader.callsOfValues([packKey(valueHash)], role));
    return unpackKeys(calls);
  }

  async parentCalls(callHash: string): Promise<string[]> {
    return this.guard(this.loaded.reader.parentCalls(callHash));
  }

  async nearestCall(query: {
    taskName: string;
    taskHash: string;
    argsHash: string;
  }): Promise<CallNodeRow | undefined> {
    return this.guard(this.loaded.reader.nearestCall(query));
  }

  async find(query: RecordQuery): Promise<FoundId[]> {
    const ids = await this.guard(this.loaded.finder.find(query));
    return ids.map((id) => ({ type: query.type, id }));
  }

  async count(query: RecordQuery): Promise<number> {
    return this.guard(this.loaded.finder.count(query));
  }

  async tagCounts(): Promise<{ key: string; value: Json; entityType: TagEntity; count: number }[]> {
    const counts = new TagCounts();
    const pages = pagesOfAll(this.loaded.db.tags, (tag) => tag.tagHash);
    const count = async (): Promise<void> => {
      for await (const page of pages) for (const tag of page) counts.add(tag);
    };
    await this.guard(count());
    return counts.all();
  }

  async addTags(
    records: readonly TagRecord[],
    { fresh = false }: { readonly fresh?: boolean } = {},
  ): Promise<TagRow[]> {
    return this.guard(this.loaded.writer.addTags(records, fresh));
  }

  reachable(ids?: readonly string[]): AsyncIterable<readonly string[]> {
    return reachable(this.loaded.source, ids);
  }

  async exportRecords(ids: readonly string[], options?: ExportOptions): Promise<RecordJson[]> {
    return exportRecords(this.loaded.source, ids, options);
  }

  async importRecords(records: readonly RecordJson[]): Promise<number> {
    return this.guard(this.loaded.writer.import(readRecords(records)));
  }

  async missing(ids: readonly string[]): Promise<string[]> {
    return this.guard(this.loaded.reader.missing(ids));
  }
}
