import type { ExecutionStatus, JobStatus } from "../backend/records.ts";

/** Status of a job; it is stored nowhere. */
export function jobStatus(job: { failed: boolean; ended: boolean; cached: boolean }): JobStatus {
  if (job.failed) return "FAILED";
  if (!job.ended) return "RUNNING";
  return job.cached ? "CACHED" : "DONE";
}

/** Status of an execution whose root job has the given one, or is unknown. */
export function executionStatus(root: JobStatus | undefined): ExecutionStatus {
  if (root === undefined) return "FAILED";
  return root === "CACHED" ? "DONE" : root;
}
