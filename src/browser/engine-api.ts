/**
 * What a page may ask of the engine, which runs in a worker of this tab or of another one that has the same repository
 * open. Everything here is plain data that can be cloned between them.
 *
 * @module
 */
import type { Backend, RecordJson } from "../backend/backend.ts";
import type { ErrorRecord } from "../errors/redun-error.ts";
import type { WorkerRun } from "../executors/worker-watch.ts";
import type { PickedSource } from "../file-systems/picked.ts";
import type { PackageManifest, StoredPackage } from "../package/types.ts";
import type { JobCounts } from "../scheduler/events.ts";
import type { Traceback } from "../scheduler/traceback.ts";
import type { StoreQuery } from "../server/client.ts";
import type { JobView } from "../server/execution-types.ts";
import type { Json } from "../value/json.ts";

/** A workflow as its author writes it. */
export interface WorkflowSource {
  /** Path of the module with the tasks, one of the files. */
  readonly entry: string;
  /** Text by path. */
  readonly files: Readonly<Record<string, string>>;
}

/** What became of a workflow: its code package, which the engine keeps by its hash. */
export interface BuiltWorkflow {
  readonly hash: string;
  readonly manifest: PackageManifest;
  readonly warnings: readonly string[];
}

/** What is to be run. */
export interface RunRequest {
  /** UUID, made by the caller: asking twice runs once. */
  readonly executionId: string;
  /** Hash of a package that was built here. */
  readonly package: string;
  /** Fullname. */
  readonly task: string;
  /** Canonical encodings of the arguments, by position; `undefined` has the task's default. */
  readonly args: readonly (string | undefined)[];
  readonly tags?: readonly (readonly [key: string, value: Json])[];
  /** `false` takes no result of an earlier execution. */
  readonly cache?: boolean;
  readonly dryRun?: boolean;
  /** Context, as a canonical encoding. */
  readonly context?: string;
}

/** How an execution ended. */
export type RunOutcome =
  | {
      readonly status: "DONE";
      /** Canonical encoding and hash of the result. */
      readonly value: string;
      readonly valueHash: string;
    }
  | {
      readonly status: "FAILED" | "CANCELLED" | "DRYRUN";
      readonly error: ErrorRecord;
      readonly traceback: Traceback | undefined;
    };

/** A line that a job wrote. */
export interface LogLine {
  readonly jobId: string;
  readonly line: string;
}

/**
 * What happens in the engine, in order. `seq` counts from 1 and has no gaps. Times are milliseconds since the epoch.
 * An event has a few thousand characters at most: long texts in it are cut.
 */
export type EngineEvent = { readonly seq: number; readonly executionId: string; readonly time: number } & (
  | { readonly type: "execution-start"; readonly args: readonly string[]; readonly resumes?: string }
  | {
      readonly type: "execution-end";
      readonly status: RunOutcome["status"];
      /** Left out where it is large; {@link EngineApi.outcome} gives it. */
      readonly outcome?: RunOutcome;
      readonly duration: number;
    }
  | { readonly type: "job-start"; readonly job: JobView; readonly executor: string }
  | {
      readonly type: "job-end";
      readonly job: JobView;
      readonly status: "DONE" | "CACHED" | "FAILED";
      readonly callHash: string | undefined;
      /** Where and when its function ran, if it did so in a worker of the pool. */
      readonly ran?: WorkerRun;
    }
  /** Which jobs the workers are at, by id. */
  | { readonly type: "at-work"; readonly workers: Readonly<Record<string, number>> }
  | { readonly type: "job-miss"; readonly job: JobView; readonly message: string }
  | { readonly type: "job-log"; readonly jobId: string; readonly line: string }
  | { readonly type: "counts"; readonly counts: Readonly<Record<string, JobCounts>> }
  | { readonly type: "warning"; readonly message: string }
);

/** A repository and the engine that has it open. */
export interface EngineInfo {
  readonly repo: string;
  readonly version: string;
  /** `instance`: a repository of a hosted instance. */
  readonly store: "opfs" | "indexeddb" | "instance";
  /** Whether the browser promised to keep the data. */
  readonly persisted: boolean;
  /** Bytes in use and available to this site, where the browser tells. */
  readonly usage: number | undefined;
  readonly quota: number | undefined;
  /** Most jobs at once; 0 where that is not known. */
  readonly workers: number;
  /** Executions at work. */
  readonly running: readonly string[];
}

/** A file or folder of the repository's own storage. */
export interface FileEntry {
  /** `opfs:` path. */
  readonly path: string;
  readonly size: number;
  readonly isFolder: boolean;
}

/** A file or folder that the user gave a page, read in place. */
export type PickedItem =
  /** With a handle it is remembered beyond this visit, where the browser has them. */
  | { readonly kind: "file"; readonly file: File; readonly handle?: FileSystemFileHandle | undefined }
  | { readonly kind: "folder"; readonly name: string; readonly handle: FileSystemDirectoryHandle }
  | {
      readonly kind: "folder";
      readonly name: string;
      readonly handle?: undefined;
      /** Paths are below the folder. */
      readonly files: readonly { readonly path: string; readonly file: File }[];
    };

/** Something that was picked. */
export interface Picked {
  /** `picked:` path. */
  readonly path: string;
  /** Bytes; 0 for a folder. */
  readonly size: number;
  readonly isFolder: boolean;
  /** `permission`: the user must allow it again. `changed`: it is no longer what was picked. */
  readonly state: "ready" | "permission" | "changed";
  /** With which a page asks for the permission. */
  readonly handle?: FileSystemHandle;
}

/** The methods of a store that read, as the engine offers them. */
export type StoreQueries = Pick<Backend, StoreQuery | "missing">;

/** What the engine runs. */
export interface EngineRuns {
  info(): Promise<EngineInfo>;
  /** @throws PackageError with file, line, column and frame */
  build(source: WorkflowSource): Promise<BuiltWorkflow>;
  /** A package that was built here, to run it elsewhere. @returns `undefined` for one that is no longer kept */
  getPackage(hash: string): Promise<StoredPackage | undefined>;
  /** Begins an execution, after those asked for before. @returns when it was accepted */
  start(request: RunRequest): Promise<void>;
  /** @returns how it ended, once it has; `undefined` for one that this engine does not know */
  outcome(executionId: string): Promise<RunOutcome | undefined>;
  cancel(executionId: string): Promise<void>;
  /** Events after a number that the caller has seen, as far as they are kept (the last 50,000). */
  eventsAfter(seq: number): Promise<readonly EngineEvent[]>;
  /** The last lines that an execution's jobs wrote: of the latest hundred executions, some 2,000 lines each. */
  log(executionId: string): Promise<readonly LogLine[]>;
}

/** What the engine's store knows. */
export interface EngineRecords {
  query<M extends keyof StoreQueries>(
    method: M,
    ...args: Parameters<StoreQueries[M]>
  ): Promise<Awaited<ReturnType<StoreQueries[M]>>>;
  /** Records of these executions, or of everything, as the command line's `export` writes them. */
  exportRecords(executionIds?: readonly string[]): Promise<readonly RecordJson[]>;
  /** Ids of all records of these executions, or of everything, layer by layer. */
  reachable(executionIds?: readonly string[]): Promise<readonly string[]>;
  /** @returns how many were new */
  importRecords(records: readonly RecordJson[]): Promise<number>;
  /** Takes the records of a store, given its file `redun.db`: ours, or Python's. @returns how many were new */
  importDatabase(database: Blob): Promise<number>;
}

/** The files of the repository. */
export interface EngineFiles extends PickedSource {
  listFiles(folder: string): Promise<readonly FileEntry[]>;
  readFile(path: string, start?: number, end?: number): Promise<Blob>;
  /** Copies a file that the user gave into the repository's storage. @returns its `opfs:` path */
  addFile(path: string, data: Blob): Promise<string>;
  /** Removes a file from the storage, or forgets what was picked. */
  removeFile(path: string): Promise<void>;
  /** Takes a file or folder to read it in place. @returns its `picked:` path, the same for what is the same */
  pick(item: PickedItem): Promise<string>;
  /** What was picked, the latest first. */
  picks(): Promise<readonly Picked[]>;
}

/** The engine's methods. Each may be repeated without harm, since the engine may move to another tab in the middle. */
export interface EngineApi extends EngineRuns, EngineRecords, EngineFiles {}

/** The engine, from a page. */
export interface Engine extends EngineApi {
  /** Whether the engine runs in this tab. */
  readonly isHere: boolean;
  /** Calls a listener with events as they come, from now on, some at a time. @returns what stops it */
  onEvents(listener: (events: readonly EngineEvent[]) => void): () => void;
  /** Calls a listener when the engine has moved to another tab or back. @returns what stops it */
  onMoved(listener: () => void): () => void;
  /** Lets go of the repository; another tab that has it open takes over. */
  close(): Promise<void>;
}

/** Options of `startEngine`. */
export interface EngineOptions {
  /** Name of the repository. Default `default`. */
  readonly repo?: string;
  /** Most jobs at once. Default: the machine's processors. */
  readonly workers?: number;
  /** Which store to use; by default SQLite on OPFS, or IndexedDB where the browser lacks that. */
  readonly store?: "opfs" | "indexeddb";
  /**
   * Milliseconds after which an engine of this page that does not answer is taken for dead, because code of a workflow
   * keeps it busy, and another takes its place. Default 60,000.
   */
  readonly patience?: number;
  /** Addresses of the engine's worker, of a job's worker, and of esbuild's WebAssembly, as the app serves them. */
  readonly urls?: {
    readonly engine?: string | URL;
    readonly job?: string | URL;
    readonly esbuild?: string | URL;
  };
}
