import type { Backend } from "../backend/backend.ts";
import { hasCode } from "../errors/redun-error.ts";
import { ErrorValue } from "../scheduler/traceback.ts";
import { decodeValue } from "../value/value.ts";
import type { RunOutcome } from "./engine-api.ts";
import { plainRecord } from "./transport.ts";

/** Tag of an execution that went on in the place of the one that it names. */
export const RESUMES = "redun.resumes";

/** How an execution ended, from its records. @returns nothing for one that is unknown, or has not ended */
export async function storedOutcome(backend: Backend, id: string): Promise<RunOutcome | undefined> {
  const executionId = await lastOf(backend, id);
  const [execution] = await backend.getExecutions([executionId]);
  const [job] = execution?.jobId ? await backend.getJobs([execution.jobId]) : [];
  if (!job?.callHash) return undefined;
  const [call] = await backend.getCallNodes([job.callHash]);
  const [value] = call === undefined ? [] : await backend.getValues([call.valueHash]);
  if (value === undefined) return undefined;
  if (job.status !== "FAILED") return { status: "DONE", value: value.text, valueHash: value.hash };
  const stored = decodeValue(value.text);
  if (!(stored instanceof ErrorValue)) return undefined;
  const status = hasCode(stored.error, "cancelled") ? "CANCELLED" : "FAILED";
  return { status, error: plainRecord(stored.error), traceback: stored.traceback };
}

/** The execution that went on last in the place of another. Records that were imported may lead round in a circle. */
async function lastOf(backend: Backend, id: string): Promise<string> {
  const seen = new Set<string>();
  for (let at = id; ; ) {
    seen.add(at);
    const [next] = await backend.find({ type: "Execution", tags: [{ key: RESUMES, value: at }] });
    if (next === undefined || seen.has(next.id)) return at;
    at = next.id;
  }
}
