import type { Maybe } from "../backend/backend.ts";
import type { RecordBatch } from "../backend/records.ts";
import { BackendError } from "../errors/errors.ts";
import { SqlBackend, type SqlBackendOptions } from "./sql-backend.ts";
import { openOpfsSqlite } from "./sqlite-wasm-driver.ts";

const SQLITE_FULL = 13;

/**
 * A store in SQLite on the browser's private file system (OPFS). It works in a dedicated worker, and one worker at a
 * time has it open.
 *
 * @example Open a store
 * ```ts
 * import { Scheduler } from "redun";
 * import { OpfsSqliteBackend } from "redun/browser";
 *
 * const scheduler = new Scheduler({ backend: new OpfsSqliteBackend("results") });
 * ```
 */
export class OpfsSqliteBackend extends SqlBackend {
  readonly name: string;

  /** @param name - of the database; any text */
  constructor(name: string, options: SqlBackendOptions = {}) {
    super(name, () => openOpfsSqlite(name), options);
    this.name = name;
  }

  /** Like that of any SQL store; where it fails for lack of space, the error says how much there is. */
  override write(batch: RecordBatch): Maybe<void> {
    const explain = (error: unknown): Promise<never> => {
      if (!(error instanceof BackendError) || error.fields.sqlite !== SQLITE_FULL) throw error;
      return explainSpace(error, this.name);
    };
    try {
      const written = super.write(batch);
      return written instanceof Promise ? written.catch(explain) : written;
    } catch (error) {
      return explain(error);
    }
  }
}

async function explainSpace(cause: BackendError, name: string): Promise<never> {
  const { usage = 0, quota = 0 } = await navigator.storage.estimate();
  const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
  throw new BackendError(
    `Cannot write to the store ${name}: there is no space left (${megabytes(usage)} of ${megabytes(quota)} are in use)`,
    {
      hint: "Remove files or repositories that are not needed, or free space on the disk.",
      cause,
      fields: { name, usage, quota },
    },
  );
}
