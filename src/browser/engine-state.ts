import { Dexie, type Table } from "dexie";
import type { CodePackage } from "../package/types.ts";
import type { RunRequest } from "./engine-api.ts";

/** A code package that was built here, without what only the build needs. */
export type StoredPackage = Pick<CodePackage, "hash" | "code" | "manifest" | "map">;

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
 * What an engine must remember beside its store to go on after its tab was closed: packages, and executions that have
 * not ended. One database a repository.
 */
export class EngineState {
  private readonly db: Dexie;
  private readonly packages: Table<StoredPackage, string>;
  private readonly runs: Table<StoredRun, string>;

  constructor(repo: string) {
    this.db = new Dexie(`redun-engine-${repo}`);
    this.db.version(1).stores({ packages: "hash", runs: "id, time" });
    this.packages = this.db.table("packages");
    this.runs = this.db.table("runs");
  }

  async addPackage({ hash, code, manifest, map }: StoredPackage): Promise<void> {
    await this.packages.put({ hash, code, manifest, ...(map === undefined ? {} : { map }) });
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

  close(): void {
    this.db.close();
  }
}
