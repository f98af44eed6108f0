/** What an instance tells of an execution, as an engine tells it. */
import type { RunOutcome } from "../../src/browser/engine-api.ts";
import type { Traceback } from "../../src/scheduler/traceback.ts";
import type { ExecutionDetail, ExecutionEvent, HostedOutcome } from "../../src/server/api-types.ts";
import type { RemoteBackend } from "../../src/server/remote-backend.ts";
import type { News } from "./follower.ts";

/** An event of an instance as one of an engine, if engines have such. @param executionId - which is at work */
export function engineEvent(event: ExecutionEvent, executionId: string): News[] {
  const { seq: _, time } = event;
  const base = { executionId, time };
  switch (event.type) {
    case "execution-start": {
      const { type, args, resumes } = event;
      return [{ ...base, type, args, ...(resumes === undefined ? {} : { resumes }) }];
    }
    case "execution-end": {
      const { type, outcome } = event;
      const told = toldOutcome(outcome);
      const { status } = outcome;
      return [{ ...base, type, status, duration: 0, ...(told === undefined ? {} : { outcome: told }) }];
    }
    case "job-start":
    case "job-end":
    case "job-log":
    case "counts":
    case "job-miss":
    case "warning": {
      const { seq: _seq, time: _time, ...rest } = event;
      return [{ ...base, ...rest }];
    }
    case "job-retry":
      return [
        {
          ...base,
          type: "job-log",
          jobId: event.job.id,
          line: `Attempt ${event.attempt} after: ${event.message}`,
        },
      ];
    case "job-cached":
      // The end of the job says so as well.
      return [];
  }
}

/** An outcome, unless its value has to be asked for. */
function toldOutcome(outcome: HostedOutcome): RunOutcome | undefined {
  if (outcome.status !== "DONE") return outcome;
  const { status, value, valueHash } = outcome;
  return value === undefined ? undefined : { status, value, valueHash };
}

/** How an execution ended, from what the instance says of it. @returns nothing if it has not ended */
export async function outcomeOf(
  { status, result, error }: ExecutionDetail,
  backend: RemoteBackend,
): Promise<RunOutcome | undefined> {
  if (status === "DONE") {
    const [value] = result === null ? [] : await backend.getValues([result.hash]);
    return value === undefined ? undefined : { status, value: value.text, valueHash: value.hash };
  }
  if (error === null || !(status === "FAILED" || status === "CANCELLED" || status === "DRYRUN"))
    return undefined;
  const { name, message, traceback } = error;
  const record = { name, code: "error", message };
  return {
    status,
    error: record,
    traceback: (traceback ?? undefined) as Traceback | undefined,
  };
}
