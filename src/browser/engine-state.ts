import { Dexie, type Table } from "dexie";
import type { CodePackage } from "../package/types.ts";
import type { LogLine, PickedItem, RunRequest } from "./engine-api.ts";

/** A code package that was built here, without what only the build needs. */
export type StoredPackage = Pick<CodePackage, "hash" | "code" | "manifest" | "map">;

/** When it was last built or asked for, in milliseconds since the epoch. */
interface PackageRow extends StoredPackage {
  readonly time: number;
}

/** A file or folder that was picked by handle, which outlives the visit. */
export interface StoredPick {
  readonly path: string;
  readonly item: PickedItem;
  /** When it was picked, in milliseconds since the epoch. */
  readonly time: number;
}

interface LogRow {
  /** Id of the execution. */
  readonly id: string;
  readonly lines: readonly LogLine[];
  readonly time: number;
}

/** So many executions' logs are kept. */
const KEPT_LOGS = 100;

/** So many of the latest packages are kept, and those of executions that have not ended. */
const KEPT_PACKAGES = 50;

/** An execution that was asked for and has not ended. */
export interface StoredRun {
  /** Id of the execution. */
  readonly id: string;
  /** The execution that is at work for it: itself, or the last of those that went on in its place. */
  readonly current: string;
  /** Those that were interrupted, oldest first. */
  readonly interrupted: readonly string[];
  /** How often an engine began it and was not seen alive for a while afterwards. */
  readonly tries: number;
  readonly request: RunRequest;
  /** The command line to record. */
  readonly args: readonly string[];
  /** When it was asked for, in milliseconds since the epoch. */
  readonly time: number;
}

/**
 * What an engine must remember beside its store to go on after its tab was closed: packages, executions that have not
 * ended, what the user picked, and the last lines that jobs wrote. One database a repository.
 */
export class EngineState {
  private readonly db: Dexie;
  private readonly packages: Table<PackageRow, string>;
  private readonly runs: Table<StoredRun, string>;
  private readonly picked: Table<StoredPick, string>;
  private readonly logs: Table<LogRow, string>;

  constructor(repo: string) {
    this.db = new Dexie(`redun-engine-${repo}`);
    this.db.version(1).stores({ packages: "hash", runs: "id, time" });
    this.db
      .version(2)
      .stores({ packages: "hash, time", picked: "path", logs: "id, time" })
      .upgrade((transaction) => transaction.table("packages").toCollection().modify({ time: 0 }));
    this.packages = this.db.table("packages");
    this.runs = this.db.table("runs");
    this.picked = this.db.table("picked");
    this.logs = this.db.table("logs");
  }

  async addPackage({ hash, code, manifest, map }: StoredPackage): Promise<void> {
    await this.packages.put({
      hash,
      code,
      manifest,
      ...(map === undefined ? {} : { map }),
      time: Date.now(),
    });
    await this.removeOldPackages();
  }

  /** Says that a package is asked for again, so that it counts as new. */
  async keepPackage(hash: string): Promise<void> {
    await this.packages.update(hash, { time: Date.now() });
  }

  /** Removes the packages that are old and that no execution waits for. */
  private async removeOldPackages(): Promise<void> {
    await this.db.transaction("rw", this.packages, this.runs, async () => {
      const all = await this.packages.orderBy("time").primaryKeys();
      const old = all.slice(0, -KEPT_PACKAGES);
      if (old.length === 0) return;
      const needed = new Set((await this.runs.toArray()).map(({ request }) => request.package));
      await this.packages.bulkDelete(old.filter((hash) => !needed.has(hash)));
    });
  }

  package(hash: string): Promise<StoredPackage | undefined> {
    return this.packages.get(hash);
  }

  async addRun(run: StoredRun): Promise<void> {
    await this.runs.put(run);
  }

  async removeRun(id: string): Promise<void> {
    await this.runs.delete(id);
  }

  /** In the order in which they were asked for. */
  unfinished(): Promise<StoredRun[]> {
    return this.runs.orderBy("time").toArray();
  }

  /** Keeps the last lines of an execution, in place of those kept before. */
  async keepLog(id: string, lines: readonly LogLine[]): Promise<void> {
    await this.logs.put({ id, lines, time: Date.now() });
    const all = await this.logs.orderBy("time").primaryKeys();
    if (all.length > KEPT_LOGS) await this.logs.bulkDelete(all.slice(0, -KEPT_LOGS));
  }

  async log(id: string): Promise<readonly LogLine[]> {
    return (await this.logs.get(id))?.lines ?? [];
  }

  async addPick(pick: StoredPick): Promise<void> {
    await this.picked.put(pick);
  }

  async removePick(path: string): Promise<void> {
    await this.picked.delete(path);
  }

  picks(): Promise<StoredPick[]> {
    return this.picked.toArray();
  }

  close(): void {
    this.db.close();
  }
}
