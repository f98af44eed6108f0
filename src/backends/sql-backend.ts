import type { LoadOptions, Maybe, RecordJson, TagRow } from "../backend/backend.ts";
import type { Millis, RecordBatch, TagRecord } from "../backend/records.ts";
import { BackendError } from "../errors/errors.ts";
import { importedValuesOf, valuesOf } from "./large-values.ts";
import { readRecords } from "./record-import.ts";
import type { SqlDriver } from "./sql-driver.ts";
import { uuidKey } from "./sql-keys.ts";
import { prepareSchema } from "./sql-schema.ts";
import { type SqlBackendOptions, SqlStore } from "./sql-store.ts";
import { writeTag } from "./sql-tags.ts";
import { runWork, type SqlWork } from "./sql-work.ts";
import { SqlWriter } from "./sql-writer.ts";

export type { SqlBackendOptions };

/** Sets the time that an execution was last alive. Parameters: the time, and the execution's id. */
export const HEARTBEAT: string = `UPDATE r_execution SET updated = ?1 WHERE uuid = ${uuidKey("?2")} AND args IS NOT NULL`;

/** What works on an open database. */
interface Parts {
  readonly db: SqlDriver;
  readonly writer: SqlWriter;
}

/**
 * A store in a SQL database that answers at once. It owns the database behind the driver; each kind of work on it has
 * a class of its own.
 */
export class SqlBackend extends SqlStore {
  private readonly place: string;
  private readonly open: () => Promise<SqlDriver>;
  private parts: Parts | undefined = undefined;

  /**
   * @param place - what errors call the store
   * @param open - opens the database
   */
  constructor(place: string, open: () => Promise<SqlDriver>, options: SqlBackendOptions = {}) {
    super(options);
    this.place = place;
    this.open = open;
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
    this.parts = { db, writer: new SqlWriter(db, this.sizes) };
  }

  override async close(): Promise<void> {
    await super.close();
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

  protected override run<T>(work: SqlWork<T>): T {
    return runWork(this.loaded.db, work);
  }

  /** @returns a promise only where there are values for the value store */
  write(batch: RecordBatch): Maybe<void> {
    const { writer } = this.loaded;
    const put = this.large?.put(valuesOf(batch));
    return put === undefined ? writer.write(batch) : put.then(() => writer.write(batch));
  }

  heartbeat(executionId: string, time: Millis): void {
    this.loaded.db.prepare(HEARTBEAT).run(time, executionId);
  }

  async addTags(
    records: readonly TagRecord[],
    { fresh = false }: { readonly fresh?: boolean } = {},
  ): Promise<TagRow[]> {
    const { db, writer } = this.loaded;
    return writer.transaction(() =>
      records.map((record) => {
        const tag = fresh ? this.run(this.tags.fresh(record)) : record;
        writeTag(db, tag);
        return this.run(this.tags.byHash([tag.tagHash]))[0]!;
      }),
    );
  }

  async importRecords(records: readonly RecordJson[]): Promise<number> {
    const batch = readRecords(records);
    await this.large?.put(importedValuesOf(batch));
    return this.loaded.writer.import(batch);
  }
}
