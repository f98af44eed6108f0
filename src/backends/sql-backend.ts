import type {
  Backend,
  CacheHit,
  CacheQuery,
  CallNodeRow,
  ExecutionRow,
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
import { exportRecords, importRecords, reachable } from "./record-json.ts";
import type { SqlDriver } from "./sql-driver.ts";
import { SqlFinder } from "./sql-finder.ts";
import { SqlReader } from "./sql-reader.ts";
import { prepareSchema } from "./sql-schema.ts";
import { SqlWriter } from "./sql-writer.ts";
import { freshTags } from "./tags.ts";

/** Options of a SQL backend. */
export interface SqlBackendOptions {
  /** Largest size of a stored value, in characters of its encoding. Default 1,000,000,000. */
  readonly maxValueSize?: number;
}

/**
 * A store in SQL. It owns the database behind the driver; reading and writing are in files of their own.
 */
export class SqlBackend implements Backend {
  private readonly place: string;
  private readonly open: () => Promise<SqlDriver>;
  private readonly options: SqlBackendOptions;
  private parts: { db: SqlDriver; writer: SqlWriter; reader: SqlReader; finder: SqlFinder } | undefined =
    undefined;

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
    this.parts = {
      db,
      writer: new SqlWriter(db, this.options.maxValueSize ?? 1_000_000_000),
      reader: new SqlReader(db),
      finder: new SqlFinder(db),
    };
  }

  async close(): Promise<void> {
    this.parts?.db.close();
    this.parts = undefined;
  }

  private get loaded(): NonNullable<SqlBackend["parts"]> {
    if (this.parts === undefined) {
      throw new BackendError(`Cannot use the store ${this.place}: it is not open`, {
        hint: "Call load() first.",
      });
    }
    return this.parts;
  }

  lookup(queries: readonly CacheQuery[], isCurrent: (taskHash: string) => boolean): (CacheHit | undefined)[] {
    return this.loaded.reader.lookup(queries, isCurrent);
  }

  write(batch: RecordBatch): void {
    this.change((writer) => writer.write(batch));
  }

  /** Runs work in a transaction; if that fails, what the writer remembers of it is void. */
  private change<T>(work: (writer: SqlWriter) => T): T {
    const { db, writer } = this.loaded;
    try {
      return db.transaction(() => work(writer));
    } catch (error) {
      writer.forget();
      throw error;
    }
  }

  heartbeat(executionId: string, time: Millis): void {
    this.loaded.db.prepare("UPDATE r_execution SET updated = ? WHERE uuid = ?").run(time, executionId);
  }

  async getValues(hashes: readonly string[]): Promise<(ValueRow | undefined)[]> {
    return hashes.map((hash) => this.loaded.reader.value(hash));
  }

  async getExecutions(ids: readonly string[]): Promise<(ExecutionRow | undefined)[]> {
    return ids.map((id) => this.loaded.reader.execution(id));
  }

  async getJobs(ids: readonly string[]): Promise<(JobRow | undefined)[]> {
    return ids.map((id) => this.loaded.reader.job(id));
  }

  async getCallNodes(hashes: readonly string[]): Promise<(CallNodeRow | undefined)[]> {
    return hashes.map((hash) => this.loaded.reader.call(hash));
  }

  async getTasks(hashes: readonly string[]): Promise<(TaskRecord | undefined)[]> {
    return hashes.map((hash) => this.loaded.reader.task(hash));
  }

  async getTags(entityIds: readonly string[]): Promise<TagRow[]> {
    return entityIds.flatMap((id) => this.loaded.reader.tagsOf(id));
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
    const hash = this.loaded.reader.nearestCall(query);
    return hash === undefined ? undefined : this.loaded.reader.call(hash);
  }

  async find(query: RecordQuery): Promise<FoundId[]> {
    return this.loaded.finder.find(query);
  }

  async count(query: RecordQuery): Promise<number> {
    return this.loaded.finder.count(query);
  }

  async tagCounts(): Promise<{ key: string; value: Json; entityType: TagEntity; count: number }[]> {
    return this.loaded.reader.tagCounts();
  }

  async addTags(
    tags: readonly TagRecord[],
    { fresh = false }: { readonly fresh?: boolean } = {},
  ): Promise<TagRow[]> {
    const { reader } = this.loaded;
    return this.change((writer) => {
      const added = fresh
        ? freshTags(
            tags,
            (hash) => reader.tag(hash),
            (hash) => reader.tagEdits(hash),
          )
        : tags;
      for (const tag of added) writer.tag(tag);
      return added.map((tag) => reader.tag(tag.tagHash)!);
    });
  }

  reachable(ids?: readonly string[]): AsyncIterable<readonly string[]> {
    return reachable(this, this.loaded.reader, ids);
  }

  async exportRecords(ids: readonly string[]): Promise<RecordJson[]> {
    return exportRecords(this.loaded.reader, ids);
  }

  async importRecords(records: readonly RecordJson[]): Promise<number> {
    const { reader } = this.loaded;
    return this.change((writer) => importRecords(writer, reader, records));
  }

  async missing(ids: readonly string[]): Promise<string[]> {
    return ids.filter((id) => this.loaded.reader.kindOf(id) === undefined);
  }
}
