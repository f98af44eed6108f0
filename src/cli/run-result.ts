import { errorTraceback, formatTraceback } from "../scheduler/traceback.ts";
import { inspectValue } from "./inspect.ts";
import type { Output } from "./output.ts";
import { reportError } from "./report.ts";
import type { Outcome, resultDocument } from "./run-document.ts";
import type { RunOptions } from "./run-options.ts";

/** Shows the result on stdout and the error, if there is one, on stderr. */
export function showOutcome(
  output: Output,
  outcome: Outcome,
  format: RunOptions["format"],
  document: ReturnType<typeof resultDocument>,
): void {
  if (format === "json") output.print(JSON.stringify(document(outcome), undefined, 2));
  if ("value" in outcome) {
    if (format === "text") printResult(outcome.value, output);
    return;
  }
  const { error } = outcome;
  // Recording failed after the work was done: the result is there all the same.
  if (format === "text" && hasResult(error)) printResult(error.result, output);
  const { code } = (error ?? {}) as { code?: unknown };
  const traceback = errorTraceback(error);
  if (code === "cancelled")
    output.log("The execution was cancelled. A later run goes on from its cached results.", "WARN");
  else if (traceback !== undefined) {
    output.log("*** Execution failed. Traceback (most recent task last):", "ERROR");
    output.log(formatTraceback(traceback), "ERROR");
    const { hint } = error as { hint?: unknown };
    if (typeof hint === "string") output.log(`Hint: ${hint}`, "ERROR");
  } else if (code !== "dry-run") reportError(error, output);
}

function hasResult(error: unknown): error is { result: unknown } {
  return typeof error === "object" && error !== null && Object.hasOwn(error, "result");
}

function printResult(value: unknown, output: Output): void {
  if (value !== undefined && value !== null) output.print(inspectValue(value));
}
