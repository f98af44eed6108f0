import type { D1Database } from "@cloudflare/workers-types";
import type { LoadOptions, RecordJson, TagRow } from "../backend/backend.ts";
import type { Millis, RecordBatch, TagRecord } from "../backend/records.ts";
import { BackendError } from "../errors/errors.ts";
import { importedValuesOf, valuesOf } from "./large-values.ts";
import { readRecords } from "./record-import.ts";
import { HEARTBEAT } from "./sql-backend.ts";
import type { BulkStep } from "./sql-bulk.ts";
import { importSteps, tagSteps, writeSteps } from "./sql-bulk-writer.ts";
import type { SqlRow } from "./sql-driver.ts";
import { lackingSteps, statementsOf } from "./sql-schema.ts";
import { type SqlBackendOptions, SqlStore } from "./sql-store.ts";
import { runWorkAsync, type SqlQuery, type SqlWork } from "./sql-work.ts";

/** Bytes of a value that fit into a row with the rest of it; a row has 2 MB at most. */
const ROW = 1_900_000;

/** Bytes of a value that an isolate of 128 MB can surely hold, as text, as bytes and decoded. */
const WITH_STORE = 16_000_000;

const PLACE = "in D1";

/**
 * A store in a D1 database of Cloudflare's, which several Workers may use at once. A batch is written in one
 * transaction; a question that takes several statements may see what others write between them. As rows are never
 * deleted, it then misses what is new. Each question takes a round trip, so a store for a scheduler is better in a
 * Durable Object.
 *
 * Values larger than `valueStoreMinSize` (default 1 MB) go to the `valueStore`; without one, a value has 1.9 MB at most.
 *
 * @example Open a store
 * ```ts
 * import type { D1Database, R2Bucket } from "@cloudflare/workers-types";
 * import { D1Backend, R2ValueStore } from "redun/cloudflare";
 *
 * export default {
 *   async fetch(_request: Request, env: { DB: D1Database; BUCKET: R2Bucket }): Promise<Response> {
 *     const backend = new D1Backend(env.DB, { valueStore: new R2ValueStore(env.BUCKET) });
 *     await backend.load();
 *     return Response.json(await backend.count({ type: "Execution" }));
 *   },
 * };
 * ```
 * @see https://developers.cloudflare.com/d1/worker-api/d1-database/
 */
export class D1Backend extends SqlStore {
  private readonly db: D1Database;
  private isOpen = false;

  /** @param db - a database that is the store's alone */
  constructor(db: D1Database, options: SqlBackendOptions = {}) {
    super({ maxValueSize: options.valueStore === undefined ? ROW : WITH_STORE, ...options });
    this.db = db;
  }

  async load({ migrate = true }: LoadOptions = {}): Promise<void> {
    const lacking = (): Promise<readonly Parameters<typeof statementsOf>[0][]> =>
      runWorkAsync((query) => this.answer(query), lackingSteps(PLACE, migrate));
    for (const step of this.isOpen ? [] : await lacking()) {
      try {
        await this.transact(statementsOf(step));
      } catch (error) {
        // Another Worker may have taken the step since.
        if ((await lacking()).includes(step)) throw error;
      }
    }
    this.isOpen = true;
  }

  override async close(): Promise<void> {
    await super.close();
    this.isOpen = false;
  }

  protected override run<T>(work: SqlWork<T>): Promise<T> {
    return runWorkAsync((query) => this.answer(query), this.opened(work));
  }

  private opened<T>(value: T): T {
    if (this.isOpen) return value;
    throw new BackendError(`Cannot use the store ${PLACE}: it is not open`, { hint: "Call load() first." });
  }

  private async answer({ sql, params }: SqlQuery): Promise<SqlRow[]> {
    try {
      return (
        await this.db
          .prepare(sql)
          .bind(...params)
          .all<SqlRow>()
      ).results;
    } catch (error) {
      throw d1Error(error, "read");
    }
  }

  /** @returns how many rows each statement changed */
  private async transact(queries: readonly SqlQuery[]): Promise<number[]> {
    if (queries.length === 0) return [];
    try {
      const statements = queries.map(({ sql, params }) => this.db.prepare(sql).bind(...params));
      return (await this.db.batch(statements)).map(({ meta }) => meta.changes);
    } catch (error) {
      throw d1Error(error, "write to");
    }
  }

  async write(batch: RecordBatch): Promise<void> {
    const steps = this.opened(writeSteps(batch, this.sizes));
    await this.large?.put(valuesOf(batch));
    await this.transact(steps);
  }

  async heartbeat(executionId: string, time: Millis): Promise<void> {
    await this.transact(this.opened([{ sql: HEARTBEAT, params: [time, executionId] }]));
  }

  async addTags(
    records: readonly TagRecord[],
    { fresh = false }: { readonly fresh?: boolean } = {},
  ): Promise<TagRow[]> {
    const rows: TagRow[] = [];
    // One after another, since what is fresh depends on the tags before.
    for (const record of records) {
      const tag = fresh ? await this.run(this.tags.fresh(record)) : record;
      await this.transact(this.opened(tagSteps([tag], this.sizes)));
      rows.push(...(await this.run(this.tags.byHash([tag.tagHash]))));
    }
    return rows;
  }

  async importRecords(records: readonly RecordJson[]): Promise<number> {
    const batch = readRecords(records);
    const steps: readonly BulkStep[] = this.opened(importSteps(batch, this.sizes));
    await this.large?.put(importedValuesOf(batch));
    const changes = await this.transact(steps);
    return steps.reduce((sum, { counts }, i) => sum + (counts ? changes[i]! : 0), 0);
  }
}

function d1Error(error: unknown, verb: string): BackendError {
  const { message } = error as Error;
  const state = message.replace(/^D1_\w+: /, "");
  return new BackendError(`Cannot ${verb} the store ${PLACE}: ${state}`, {
    cause: error,
    fields: { place: PLACE, sqlite: /SQLITE_\w+/.exec(message)?.[0] ?? null },
  });
}
