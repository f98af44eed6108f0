import { errorTraceback } from "../scheduler/traceback.ts";
import { jsonValue } from "./inspect.ts";
import { errorJson } from "./report.ts";
import type { RunSource } from "./run-source.ts";
import { totals } from "./status-table.ts";

export type Outcome = { readonly value: unknown } | { readonly error: unknown };

/** Watches a run and tells afterwards how it went, as one JSON document. */
export function resultDocument(run: RunSource): (outcome: Outcome) => unknown {
  let executionId: string | null = null;
  let seconds = 0;
  let status: string | undefined;
  run.on("execution-start", (event) => {
    executionId = event.executionId;
  });
  run.on("execution-end", (event) => {
    seconds = event.duration / 1000;
    status = event.status;
  });
  return (outcome) => ({
    status: finalStatus(outcome, status),
    executionId,
    ...("value" in outcome ? { result: jsonValue(outcome.value) } : failure(outcome.error)),
    jobs: totals(run.status()),
    duration: seconds,
  });
}

/** An error that came after the execution's end, or ended it from outside, counts for more than how it ended. */
function finalStatus(outcome: Outcome, status: string | undefined): string {
  if ("value" in outcome) return status ?? "DONE";
  const { code } = (outcome.error ?? {}) as { code?: unknown };
  if (status === "CANCELLED" && code === "cancelled") return status;
  return status === "DRYRUN" ? status : "FAILED";
}

function failure(error: unknown): Record<string, unknown> {
  const traceback = errorTraceback(error);
  const result =
    typeof error === "object" && error !== null && Object.hasOwn(error, "result")
      ? { result: jsonValue((error as { result: unknown }).result) }
      : {};
  return { ...result, error: { ...errorJson(error), ...(traceback === undefined ? {} : { traceback }) } };
}
