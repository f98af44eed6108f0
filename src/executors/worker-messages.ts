import type { JobResult, JobSpec } from "../executor/executor.ts";
import type { TicketPlace } from "./tickets.ts";

/** A job as it goes to a worker. */
export interface JobMessage {
  readonly id: number;
  readonly spec: JobSpec;
  /** The local copy of the job's code package. */
  readonly packagePath: string | undefined;
  /** Whether it takes a ticket to begin it. */
  readonly ticket: boolean;
}

/** What a worker is told. */
export type ToWorker =
  /** Comes first: the modules that define tasks without a code package. */
  | { readonly type: "init"; readonly modules: readonly string[] }
  /** Where the tickets are. */
  | { readonly type: "tickets"; readonly place: TicketPlace }
  /** Run these after those sent before. */
  | { readonly type: "jobs"; readonly jobs: readonly JobMessage[] }
  /** Forget these, whose tickets were taken back. */
  | { readonly type: "forget"; readonly ids: readonly number[] };

/** What a worker says. */
export type FromWorker =
  | { readonly type: "tickets" }
  | { readonly type: "result"; readonly id: number; readonly result: JobResult }
  | { readonly type: "log"; readonly id: number; readonly lines: readonly string[] }
  | { readonly type: "forgotten" };
