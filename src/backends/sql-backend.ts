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
import { BackendError } from "../errors/errors.ts";
import type { Json } from "../value/json.ts";
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
import { SqlWriter } from "./sql-writer.ts";
import { freshTag } from "./tags.ts";

/** Options of a SQL backend. */
export interface SqlBackendOptions {
  /** Largest size of a stored value, in bytes of its encoding. Default 1,000,000,000. */
  readonly maxValueSize?: number;
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
  private readonly options: SqlBackendOptions;
  private parts: Parts | undefined = undefined;

  /**
   * @param place - what errors call the store
   * @param open - opens the database
   */
  constructor(place: string, open: () => Promise<SqlDriver>, options: SqlBackendOptions = {}) {
    this.place = place;
    this.open = open;
    this.options = options;
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
      writer: new SqlWriter(db, this.options.maxValueSize ?? 1_000_000_000),
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

  lookup(queries: readonly CacheQuery[], isCurrent: (taskHash: string) => boolean): (CacheHit | undefined)[] {
    return this.loaded.lookup.lookup(queries, isCurrent);
  }

  write(batch: RecordBatch): void {
    this.loaded.writer.write(batch);
  }

  heartbeat(executionId: string, time: Millis): void {
    const sql = `UPDATE r_execution SET updated = ?1 WHERE uuid = ${uuidKey("?2")} AND args IS NOT NULL`;
    this.loaded.db.prepare(sql).run(time, executionId);
  }

  async getValues(hashes: readonly string[]): Promise<(ValueRow | undefined)[]> {
    return this.loaded.reader.values(hashes);
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
    return this.loaded.writer.import(readRecords(records));
  }

  async missing(ids: readonly string[]): Promise<string[]> {
    return this.loaded.reader.missing(ids);
  }
}
