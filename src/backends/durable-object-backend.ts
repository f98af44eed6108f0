import type { DurableObjectStorage } from "@cloudflare/workers-types";
import { openDurableObject } from "./durable-object-driver.ts";
import { SqlBackend, type SqlBackendOptions } from "./sql-backend.ts";

/** Bytes of a value that fit into a row with the rest of it; a row has 2 MB at most. */
const ROW = 1_900_000;

/** Bytes of a value that an isolate of 128 MB can surely hold, as text, as bytes and decoded. */
const WITH_STORE = 16_000_000;

/**
 * A store in the SQLite of a Durable Object, which belongs to that object alone. Values larger than
 * `valueStoreMinSize` (default 1 MB) go to the `valueStore`; without one, a value has 1.9 MB at most.
 *
 * Load it before the object makes tables of its own: a database that holds only those of others is refused.
 *
 * @example Open a store
 * ```ts
 * import type { DurableObjectState, R2Bucket } from "@cloudflare/workers-types";
 * import { Scheduler } from "redun";
 * import { DurableObjectBackend, R2ValueStore } from "redun/cloudflare";
 *
 * export class Repo {
 *   readonly scheduler: Scheduler;
 *
 *   constructor(ctx: DurableObjectState, env: { BUCKET: R2Bucket }) {
 *     const valueStore = new R2ValueStore(env.BUCKET);
 *     this.scheduler = new Scheduler({ backend: new DurableObjectBackend(ctx.storage, { valueStore }) });
 *   }
 * }
 * ```
 */
export class DurableObjectBackend extends SqlBackend {
  /** @param storage - `ctx.storage` of an object whose class is declared in `new_sqlite_classes` */
  constructor(storage: DurableObjectStorage, options: SqlBackendOptions = {}) {
    const place = "in this Durable Object";
    const maxValueSize = options.valueStore === undefined ? ROW : WITH_STORE;
    super(place, async () => openDurableObject(storage, place), { maxValueSize, ...options });
  }
}
