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
  Maybe,
  RecordJson,
  RecordQuery,
  TagRow,
  ValueRow,
} from "../backend/backend.ts";
import type { Millis, RecordBatch, TagEntity, TagRecord, TaskRecord } from "../backend/records.ts";
import type { ValueStore } from "../backend/value-store.ts";
import { BackendError } from "../errors/errors.ts";
import type { Json } from "../value/json.ts";
import { importedValuesOf, LargeValues, valuesOf } from "./large-values.ts";
import { reachable } from "./reachable.ts";
import { exportRecords } from "./record-export.ts";
import { readRecords } from "./record-import.ts";
import type { RecordSource } from "./record-store.ts";
import type { SqlDriver } from "./sql-driver.ts";
import { SqlFinder } from "./sql-finder.ts";
import { uuidKey } from "./sql-keys.ts";
import { SqlLookup } from "./sql-lookup.ts";
import { SqlReader } from "./sql-reader.ts";
import { prepareSchema } from "./sql-schema.ts";
import { SqlTags, writeTag } from "./sql-tags.ts";
import type { ValueSizes } from "./sql-values.ts";
import { SqlWriter } from "./sql-writer.ts";
import { freshTag } from "./tags.ts";

/** Options of a SQL backend. */
export interface SqlBackendOptions {
  /** Largest size of a stored value, in bytes of its encoding. Default 1,000,000,000. */
  readonly maxValueSize?: number;
  /** Has the large values, which would make the database slow, or be too large for a row. Default none. */
  readonly valueStore?: ValueStore;
  /** Size from which a value goes to the value store, in bytes of its encoding. Default 1,000,000. */
  readonly valueStoreMinSize?: number;
}

/** What works on an open database. */
interface Parts {
  readonly db: SqlDriver;
  readonly writer: SqlWriter;
  readonly lookup: SqlLookup;
  readonly reader: SqlReader;
  readonly tags: SqlTags;
  readonly finder: SqlFinder;
  readonly source: RecordSource;
}

/** A store in SQL. It owns the database behind the driver; each kind of work on it has a class of its own. */
export class SqlBackend implements Backend {
  private readonly place: string;
  private readonly open: () => Promise<SqlDriver>;
  private readonly sizes: ValueSizes;
  private readonly large: LargeValues | undefined;
  private parts: Parts | undefined = undefined;

  /**
   * @param place - what errors call the store
   * @param open - opens the database
   */
  constructor(place: string, open: () => Promise<SqlDriver>, options: SqlBackendOptions = {}) {
    this.place = place;
    this.open = open;
    this.sizes = {
      max: options.maxValueSize ?? 1_000_000_000,
      elsewhere: options.valueStore === undefined ? Infinity : (options.valueStoreMinSize ?? 1_000_000),
    };
    this.large =
      options.valueStore &&
      new LargeValues({ store: options.valueStore, minSize: this.sizes.elsewhere, maxSize: this.sizes.max });
  }

  async load({ migrate = true }: LoadOptions = {}): Promise<void> {
    if (this.parts !== undefined) return;
    const db = await this.open();
    try {
      prepareSchema(db, this.place, migrate);
    } catch (error) {
      db.close();
      throw error;
    }
    const [reader, tags] = [new SqlReader(db), new SqlTags(db)];
    this.parts = {
      db,
      writer: new SqlWriter(db, this.sizes),
      lookup: new SqlLookup(db),
      reader,
      tags,
      finder: new SqlFinder(db),
      source: {
        find: (query) => this.find(query),
        getValues: (hashes) => this.getValues(hashes),
        getExecutions: (ids) => this.getExecutions(ids),
        getTasks: (hashes) => this.getTasks(hashes),
        jobs: (ids) => reader.jobs(ids, true),
        calls: (hashes) => reader.exportedCalls(hashes),
        childJobs: (ids) => reader.childJobs(ids),
        valueParts: (hashes) => reader.valueParts(hashes),
        subtreeTasks: (hashes) => reader.subtreeTasks(hashes),
        tags: (hashes) => new Map(tags.byHash(hashes).map((tag) => [tag.tagHash, tag])),
        tagsAround: (ids) => tags.around(ids),
      },
    };
  }

  async close(): Promise<void> {
    this.parts?.db.close();
    this.parts = undefined;
  }

  private get loaded(): Parts {
    if (this.parts === undefined) {
      throw new BackendError(`Cannot use the store ${this.place}: it is not open`, {
        hint: "Call load() first.",
      });
    }
    return this.parts;
  }

  /** @returns a promise only where a result is in the value store; one that is lost there is a miss */
  lookup(
    queries: readonly CacheQuery[],
    isCurrent: (taskHash: string) => boolean,
  ): Maybe<(CacheHit | undefined)[]> {
    const elsewhere: number[] = [];
    const hits = this.loaded.lookup.lookup(queries, isCurrent, elsewhere);
    if (elsewhere.length === 0) return hits;
    return this.complete(
      hits,
      elsewhere,
      ({ value }) => value.hash,
      (hit, text) => ({ ...hit, value: { ...hit.value, text } }),
    );
  }

  /** @returns a promise only where there are values for the value store */
  write(batch: RecordBatch): Maybe<void> {
    const { writer } = this.loaded;
    const put = this.large?.put(valuesOf(batch));
    return put === undefined ? writer.write(batch) : put.then(() => writer.write(batch));
  }

  heartbeat(executionId: string, time: Millis): void {
    const sql = `UPDATE r_execution SET updated = ?1 WHERE uuid = ${uuidKey("?2")} AND args IS NOT NULL`;
    this.loaded.db.prepare(sql).run(time, executionId);
  }

  async getValues(hashes: readonly string[]): Promise<(ValueRow | undefined)[]> {
    const elsewhere: number[] = [];
    const rows = this.loaded.reader.values(hashes, elsewhere);
    return this.complete(
      rows,
      elsewhere,
      (row) => row.hash,
      (row, text) => ({ ...row, text }),
    );
  }

  /** Brings texts from the value store to where they are lacking. What it has not is not there. */
  private async complete<T>(
    items: (T | undefined)[],
    lacking: readonly number[],
    hashOf: (item: T) => string,
    withText: (item: T, text: string) => T,
  ): Promise<(T | undefined)[]> {
    if (lacking.length === 0) return items;
    const texts = await this.large?.get(lacking.map((at) => hashOf(items[at]!)));
    lacking.forEach((at, i) => {
      const text = texts?.[i];
      items[at] = text === undefined ? undefined : withText(items[at]!, text);
    });
    return items;
  }

  async getExecutions(ids: readonly string[]): Promise<(ExecutionRow | undefined)[]> {
    return this.loaded.reader.executions(ids);
  }

  async getJobs(ids: readonly string[]): Promise<(JobRow | undefined)[]> {
    return this.loaded.reader.jobs(ids);
  }

  async getCallNodes(hashes: readonly string[]): Promise<(CallNodeRow | undefined)[]> {
    return this.loaded.reader.calls(hashes);
  }

  async getTasks(hashes: readonly string[]): Promise<(TaskRecord | undefined)[]> {
    return this.loaded.reader.tasks(hashes);
  }

  async getTags(entityIds: readonly string[]): Promise<TagRow[]> {
    return this.loaded.tags.current(entityIds);
  }

  async callsOfValue(valueHash: string, role: "result" | "argument"): Promise<string[]> {
    return this.loaded.reader.callsOfValue(valueHash, role);
  }

  async parentCalls(callHash: string): Promise<string[]> {
    return this.loaded.reader.parentCalls(callHash);
  }

  async nearestCall(query: {
    taskName: string;
    taskHash: string;
    argsHash: string;
  }): Promise<CallNodeRow | undefined> {
    return this.loaded.reader.nearestCall(query);
  }

  async find(query: RecordQuery): Promise<FoundId[]> {
    return this.loaded.finder.find(query);
  }

  async count(query: RecordQuery): Promise<number> {
    return this.loaded.finder.count(query);
  }

  async tagCounts(): Promise<{ key: string; value: Json; entityType: TagEntity; count: number }[]> {
    return this.loaded.tags.counts();
  }

  async addTags(
    records: readonly TagRecord[],
    { fresh = false }: { readonly fresh?: boolean } = {},
  ): Promise<TagRow[]> {
    const { db, writer, tags } = this.loaded;
    return writer.transaction(() =>
      records.map((record) => {
        const tag = fresh
          ? freshTag(
              record,
              (hash) => tags.byHash([hash])[0],
              (hash) => tags.edits(hash),
            )
          : record;
        writeTag(db, tag);
        return tags.byHash([tag.tagHash])[0]!;
      }),
    );
  }

  reachable(ids?: readonly string[]): AsyncIterable<readonly string[]> {
    return reachable(this.loaded.source, ids);
  }

  async exportRecords(ids: readonly string[], options?: ExportOptions): Promise<RecordJson[]> {
    return exportRecords(this.loaded.source, ids, options);
  }

  async importRecords(records: readonly RecordJson[]): Promise<number> {
    const batch = readRecords(records);
    await this.large?.put(importedValuesOf(batch));
    return this.loaded.writer.import(batch);
  }

  async missing(ids: readonly string[]): Promise<string[]> {
    return this.loaded.reader.missing(ids);
  }
}
