import { prepareAll, type SqlDriver, type SqlStatement } from "../backends/sql-driver.ts";
import type { Directory } from "../server/directory.ts";
import type { HostedRun } from "../server/execution-types.ts";
import type { HostState } from "../server/host-state.ts";

/** What an {@link ExecutionIndex} works with. */
export interface ExecutionIndexParts {
  readonly db: SqlDriver;
  readonly state: HostState;
  readonly directory: Pick<Directory, "recordExecutions">;
  /** Name of the repository. */
  readonly repo: string;
  readonly warn: (message: string, error: unknown) => void;
}

const SCHEMA = "CREATE TABLE IF NOT EXISTS host_unindexed (id TEXT PRIMARY KEY, change INTEGER NOT NULL)";

const STATEMENTS = {
  add: `INSERT INTO host_unindexed VALUES (?, 1) ON CONFLICT (id) DO UPDATE SET change = change + 1`,
  list: "SELECT id, change FROM host_unindexed LIMIT ?",
  some: "SELECT 1 AS found FROM host_unindexed LIMIT 1",
  remove: "DELETE FROM host_unindexed WHERE id = ? AND change = ?",
} as const;

/** Lines of the index that are written in one transaction. */
const PAGE = 100;

/**
 * Keeps the directory's index of executions up to date. The directory is another database, which may be away for a while:
 * what it has not been told yet is kept here, with the run itself in one transaction, until it has.
 */
export class ExecutionIndex {
  readonly #parts: ExecutionIndexParts;
  readonly #sql: Record<keyof typeof STATEMENTS, SqlStatement>;
  #timer: ReturnType<typeof setTimeout> | undefined = undefined;
  #flushing: Promise<void> | undefined = undefined;

  constructor(parts: ExecutionIndexParts) {
    this.#parts = parts;
    parts.db.exec(SCHEMA);
    this.#sql = prepareAll(parts.db, STATEMENTS);
  }

  /** Whether there is something that the directory has not been told. */
  get isBehind(): boolean {
    return this.#sql.some.get() !== undefined;
  }

  /** Has the directory told of a change of a run, soon; changes that come meanwhile go together. */
  note({ id }: HostedRun): void {
    this.#sql.add.run(id);
    this.#timer ??= setTimeout(() => void this.flush(), 0);
  }

  /** Tells the directory all that it has not been told. What fails is tried again at the next call. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#flushing ??= this.#tell().finally(() => {
      this.#flushing = undefined;
    });
    return this.#flushing;
  }

  async #tell(): Promise<void> {
    const { directory, state, repo, warn } = this.#parts;
    try {
      for (;;) {
        const rows = this.#sql.list.all(PAGE).map(({ id, change }) => ({ id: String(id), change: change! }));
        if (rows.length === 0) return;
        const runs = state.runs(rows.map(({ id }) => id));
        await directory.recordExecutions(
          [...runs.values()].map(({ id, task, user, status, created, ended = null }) => ({
            ...{ repo, id, task, user, status, created, ended },
          })),
        );
        // One that changed meanwhile stays.
        for (const { id, change } of rows) this.#sql.remove.run(id, change);
      }
    } catch (error) {
      warn("Cannot note executions in the directory", error);
    }
  }
}
