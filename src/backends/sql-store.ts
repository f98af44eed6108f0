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
import type { Json } from "../value/json.ts";
import { LargeValues } from "./large-values.ts";
import { reachable } from "./reachable.ts";
import { exportRecords } from "./record-export.ts";
import type { RecordSource } from "./record-store.ts";
import { SqlFinder } from "./sql-finder.ts";
import { SqlLookup } from "./sql-lookup.ts";
import { SqlReader } from "./sql-reader.ts";
import { SqlTags } from "./sql-tags.ts";
import type { ValueSizes } from "./sql-values.ts";
import type { SqlWork } from "./sql-work.ts";

/** Options of a SQL backend. */
export interface SqlBackendOptions {
  /** Largest size of a stored value, in bytes of its encoding. Default 1,000,000,000. */
  readonly maxValueSize?: number;
  /** Has the large values, which would make the database slow, or be too large for a row. Default none. */
  readonly valueStore?: ValueStore;
  /** Size from which a value goes to the value store, in bytes of its encoding. Default 1,000,000. */
  readonly valueStoreMinSize?: number;
}

/** The part of a store in SQL that reads, whether or not its database answers at once. */
export abstract class SqlStore implements Backend {
  protected readonly sizes: ValueSizes;
  protected readonly large: LargeValues | undefined;
  protected readonly tags: SqlTags = new SqlTags();
  private readonly reader = new SqlReader();
  private readonly finder = new SqlFinder();
  private cache = new SqlLookup();

  constructor(options: SqlBackendOptions = {}) {
    const { maxValueSize = 1_000_000_000, valueStore, valueStoreMinSize = 1_000_000 } = options;
    this.sizes = { max: maxValueSize, elsewhere: valueStore === undefined ? Infinity : valueStoreMinSize };
    this.large =
      valueStore && new LargeValues({ store: valueStore, minSize: valueStoreMinSize, maxSize: maxValueSize });
  }

  /** Does work on the open database. */
  protected abstract run<T>(work: SqlWork<T>): Maybe<T>;
  abstract load(options?: LoadOptions): Promise<void>;
  abstract write(batch: RecordBatch): Maybe<void>;
  abstract heartbeat(executionId: string, time: Millis): Maybe<void>;
  abstract addTags(tags: readonly TagRecord[], options?: { readonly fresh?: boolean }): Promise<TagRow[]>;
  abstract importRecords(records: readonly RecordJson[]): Promise<number>;

  /** Forgets what was read of the database, since another may be opened in its place. */
  async close(): Promise<void> {
    this.cache = new SqlLookup();
  }

  /** @returns what the store answers; a result that the value store has lost is a miss */
  lookup(
    queries: readonly CacheQuery[],
    isCurrent: (taskHash: string) => boolean,
  ): Maybe<(CacheHit | undefined)[]> {
    const elsewhere: number[] = [];
    const complete = (hits: (CacheHit | undefined)[]): Maybe<(CacheHit | undefined)[]> =>
      this.complete(
        hits,
        elsewhere,
        ({ value }) => value.hash,
        (hit, text) => ({ ...hit, value: { ...hit.value, text } }),
      );
    const hits = this.run(this.cache.lookup(queries, isCurrent, elsewhere));
    return hits instanceof Promise ? hits.then(complete) : complete(hits);
  }

  async getValues(hashes: readonly string[]): Promise<(ValueRow | undefined)[]> {
    const elsewhere: number[] = [];
    const rows = await this.run(this.reader.values(hashes, elsewhere));
    return this.complete(
      rows,
      elsewhere,
      (row) => row.hash,
      (row, text) => ({ ...row, text }),
    );
  }

  /** Brings texts from the value store to where they are lacking. What it has not is not there. */
  private complete<T>(
    items: (T | undefined)[],
    lacking: readonly number[],
    hashOf: (item: T) => string,
    withText: (item: T, text: string) => T,
  ): Maybe<(T | undefined)[]> {
    if (lacking.length === 0) return items;
    const fill = (texts: readonly (string | undefined)[]): (T | undefined)[] => {
      lacking.forEach((at, i) => {
        const text = texts[i];
        items[at] = text === undefined ? undefined : withText(items[at]!, text);
      });
      return items;
    };
    return this.large?.get(lacking.map((at) => hashOf(items[at]!))).then(fill) ?? fill([]);
  }

  async getExecutions(ids: readonly string[]): Promise<(ExecutionRow | undefined)[]> {
    return this.run(this.reader.executions(ids));
  }

  async getJobs(ids: readonly string[]): Promise<(JobRow | undefined)[]> {
    return this.run(this.reader.jobs(ids));
  }

  async getCallNodes(hashes: readonly string[]): Promise<(CallNodeRow | undefined)[]> {
    return this.run(this.reader.calls(hashes));
  }

  async getTasks(hashes: readonly string[]): Promise<(TaskRecord | undefined)[]> {
    return this.run(this.reader.tasks(hashes));
  }

  async getTags(entityIds: readonly string[]): Promise<TagRow[]> {
    return this.run(this.tags.current(entityIds));
  }

  async callsOfValue(valueHash: string, role: "result" | "argument"): Promise<string[]> {
    return this.run(this.reader.callsOfValue(valueHash, role));
  }

  async parentCalls(callHash: string): Promise<string[]> {
    return this.run(this.reader.parentCalls(callHash));
  }

  async nearestCall(query: {
    taskName: string;
    taskHash: string;
    argsHash: string;
  }): Promise<CallNodeRow | undefined> {
    return this.run(this.reader.nearestCall(query));
  }

  async find(query: RecordQuery): Promise<FoundId[]> {
    return this.run(this.finder.find(query));
  }

  async count(query: RecordQuery): Promise<number> {
    return this.run(this.finder.count(query));
  }

  async tagCounts(): Promise<{ key: string; value: Json; entityType: TagEntity; count: number }[]> {
    return this.run(this.tags.counts());
  }

  async missing(ids: readonly string[]): Promise<string[]> {
    return this.run(this.reader.missing(ids));
  }

  reachable(ids?: readonly string[]): AsyncIterable<readonly string[]> {
    return reachable(this.source, ids);
  }

  async exportRecords(ids: readonly string[], options?: ExportOptions): Promise<RecordJson[]> {
    return exportRecords(this.source, ids, options);
  }

  private get source(): RecordSource {
    const { reader, tags } = this;
    return {
      find: (query) => this.find(query),
      getValues: (hashes) => this.getValues(hashes),
      getExecutions: (ids) => this.getExecutions(ids),
      getTasks: (hashes) => this.getTasks(hashes),
      jobs: (ids) => this.run(reader.jobs(ids, true)),
      calls: (hashes) => this.run(reader.exportedCalls(hashes)),
      childJobs: (ids) => this.run(reader.childJobs(ids)),
      valueParts: (hashes) => this.run(reader.valueParts(hashes)),
      subtreeTasks: (hashes) => this.run(reader.subtreeTasks(hashes)),
      tags: async (hashes) => new Map((await this.run(tags.byHash(hashes))).map((tag) => [tag.tagHash, tag])),
      tagsAround: (ids) => this.run(tags.around(ids)),
    };
  }
}
