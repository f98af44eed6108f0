import type { JobResult, JobSpec } from "../executor/executor.ts";

/** What a worker process is told. */
export type ToWorker =
  /** Comes first: the modules that define tasks without a code package. */
  | { readonly type: "init"; readonly modules: readonly string[] }
  /** Run a job after those sent before; `packagePath` is the local copy of its code package. */
  | {
      readonly type: "job";
      readonly id: number;
      readonly spec: JobSpec;
      readonly packagePath: string | undefined;
    }
  /** Give back the jobs not begun, for another worker. */
  | { readonly type: "recall" };

/** What a worker process says. */
export type FromWorker =
  | { readonly type: "result"; readonly id: number; readonly result: JobResult }
  | { readonly type: "log"; readonly id: number; readonly line: string }
  | { readonly type: "returned"; readonly ids: readonly number[] };
