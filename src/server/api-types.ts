import type { Json } from "../value/json.ts";
import type { ExecutionEvent, HostedOptions, HostedStatus } from "./execution-types.ts";

export type { ErrorBody } from "./api-error.ts";
export type { IndexedExecution, Role, TokenInfo } from "./directory.ts";
export type {
  ExecutionEvent,
  HostedOptions,
  HostedOutcome,
  HostedStatus,
  JobView,
} from "./execution-types.ts";

/** What is to be run. */
export interface ExecutionRequest {
  /** Hash of a code package that was uploaded. */
  readonly package: string;
  /** Fullname. */
  readonly task: string;
  /**
   * Arguments by position, or by the names of the task's parameters, as the JSON of their canonical encoding: plain
   * data stands for itself.
   */
  readonly args?: readonly Json[] | { readonly [name: string]: Json } | undefined;
  readonly options?: HostedOptions | undefined;
  readonly tags?:
    | readonly (readonly [key: string, value: Json])[]
    | { readonly [key: string]: Json }
    | undefined;
  readonly context?: { readonly [key: string]: Json } | undefined;
  /** UUID; made by the server if it is left out. */
  readonly id?: string | undefined;
  /** The command line to record. */
  readonly commandLine?: readonly string[] | undefined;
}

/** A status as the store knows it, or as the host does for what it runs. */
export type ExecutionViewStatus = HostedStatus | "INTERRUPTED";

/** An execution in a list. Times are milliseconds since the epoch. */
export interface ExecutionSummary {
  readonly id: string;
  readonly status: ExecutionViewStatus;
  /** Fullname of the root task; `null` where it is not known yet. */
  readonly task: string | null;
  /** Command line. */
  readonly args: readonly string[];
  /** Name of the token that asked for it, if it was run here. */
  readonly user: string | null;
  readonly package: string | null;
  readonly startTime: number | null;
  readonly endTime: number | null;
  /** The execution that goes on in its place, if it was interrupted. */
  readonly resumedAs: string | null;
  readonly tags: readonly { readonly key: string; readonly value: Json }[];
}

/** A job of an execution. */
export interface JobSummary {
  readonly id: string;
  readonly executionId: string;
  readonly parentId: string | null;
  readonly task: string;
  readonly taskHash: string;
  readonly status: string;
  readonly startTime: number;
  readonly endTime: number | null;
  readonly cached: boolean;
  readonly callHash: string | null;
}

/** An execution with its job tree. */
export interface ExecutionDetail extends ExecutionSummary {
  readonly rootJobId: string | null;
  /** The jobs, parents before children, up to 1,000; more are at `…/jobs?execution=`. */
  readonly jobs: readonly JobSummary[];
  readonly jobCount: number;
  readonly result: ValueView | null;
  readonly error: { readonly name: string; readonly message: string; readonly traceback: Json } | null;
}

/** A value. */
export interface ValueView {
  readonly hash: string;
  readonly type: string;
  readonly format: string;
  /** Characters of the encoding. */
  readonly size: number;
  /** The JSON of its canonical encoding; `null` if it is longer than a million characters or another format. */
  readonly value: Json;
  /** Text for people, cut. */
  readonly preview: string;
  /** Path, if it is a file. */
  readonly file: string | null;
  readonly subvalues: readonly string[];
}

/** A page of a list; `cursor` asks for the next one. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly cursor: string | null;
}

/** A repository. */
export interface RepoSummary {
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly created: number;
}

/** A file, or a folder, that was sent for executions to read. */
export interface UploadedFile {
  /** As tasks name it. */
  readonly path: string;
  /** The hash of a `File` of that path, or of a `Dir`. */
  readonly hash: string;
  /** Bytes. */
  readonly size: number;
}

/** A file that a server has now. */
export interface SentFile extends UploadedFile {
  /** Hash of its content. */
  readonly content: string;
  readonly name: string;
  /** Whether it had to be sent. */
  readonly isNew: boolean;
}

/** What `GET /health` answers. */
export interface Health {
  readonly status: "ok";
  readonly version: string;
  /** Version of the API. */
  readonly api: 1;
}

/** Who asks, as the server sees it. */
export interface Me {
  readonly name: string;
  readonly role: "viewer" | "runner" | "admin";
  readonly repos: readonly string[] | null;
}

/** What `POST /session` answers. */
export interface SignedIn extends Me {
  /** To be sent with each request of the session, in the header `X-Redun-Session`. */
  readonly key: string;
}

/** Events in the order in which they came. */
export type Events = readonly ExecutionEvent[];
