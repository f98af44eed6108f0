import type { JobError, JobResult, JobSpec } from "../executor/executor.ts";
import type { TicketPlace } from "./tickets.ts";

/** A job as it goes to a worker. */
export interface JobMessage {
  readonly id: number;
  readonly spec: JobSpec;
  /** The local copy of the job's code package. */
  readonly packagePath: string | undefined;
  /** Whether it takes a ticket to begin it, or a lease. */
  readonly ticket: boolean;
}

/** A code package as it goes to a worker that has no other way to it. */
export interface PackageContent {
  readonly hash: string;
  /** The text of one ES module. */
  readonly code: string;
  /** A manifest of `redun/package`; what loads the package checks it. */
  readonly manifest: unknown;
  /** A version 3 source map of `code`. */
  readonly map?: string | undefined;
}

/** Gives a code package by its hash, if there is one. */
export type PackageSource = (hash: string) => Promise<PackageContent | undefined>;

/** What a worker is told. */
export type ToWorker =
  /** Comes first: the modules that define tasks without a code package. */
  | { readonly type: "init"; readonly modules: readonly string[] }
  /** Where the tickets are. */
  | { readonly type: "tickets"; readonly place: TicketPlace }
  /** Run these after those sent before. */
  | { readonly type: "jobs"; readonly jobs: readonly JobMessage[]; readonly until?: number | undefined }
  /** Until when jobs under a lease may begin. */
  | { readonly type: "lease"; readonly until: number }
  /** Forget these, which were taken back. */
  | { readonly type: "forget"; readonly ids: readonly number[] }
  /** The package that it asked for, or why there is none. */
  | { readonly type: "package"; readonly hash: string; readonly content: PackageContent }
  | { readonly type: "package"; readonly hash: string; readonly error: JobError };

/** What a worker says. */
export type FromWorker =
  /** It has begun, and heard `init`. */
  | { readonly type: "ready" }
  | { readonly type: "tickets" }
  | { readonly type: "result"; readonly id: number; readonly result: JobResult }
  | { readonly type: "log"; readonly id: number; readonly lines: readonly string[] }
  | { readonly type: "forgotten" }
  /** Whether it begins a job under a lease; that it does not is said after the opposite. */
  | { readonly type: "begun"; readonly id: number; readonly begun: boolean }
  /** It needs a package. */
  | { readonly type: "package"; readonly hash: string };
