import { DryRunError } from "../errors/errors.ts";
import { hasCode } from "../errors/redun-error.ts";
import { asError, errorRecord } from "../executor/job-error.ts";
import { errorTraceback } from "../scheduler/traceback.ts";
import { display } from "../value/display.ts";
import { encodeValue } from "../value/value.ts";
import type { HostedOutcome } from "./execution-types.ts";

/** Characters of a result that are told with its execution. */
const LONGEST_VALUE = 100_000;
const LONGEST_PREVIEW = 1_000;
/** Characters of an error with its traceback, and of each text in it. */
const LONGEST_ERROR = 300_000;
const LONGEST_TEXT = 10_000;

/** The outcome of an execution that came to a value. */
export function success(value: unknown): HostedOutcome {
  const { text, hash } = encodeValue(value, "result");
  const preview = display(value, LONGEST_PREVIEW);
  return {
    status: "DONE",
    valueHash: hash,
    preview,
    ...(text.length > LONGEST_VALUE ? {} : { value: text }),
  };
}

/** The outcome of an execution that came to an error. */
export function failure(error: unknown): HostedOutcome {
  const status =
    error instanceof DryRunError ? "DRYRUN" : hasCode(error, "cancelled") ? "CANCELLED" : "FAILED";
  const { fields: _fields, ...record } = errorRecord(asError(error));
  const cut = cutTexts({ error: record, traceback: errorTraceback(error) });
  if (JSON.stringify(cut).length <= LONGEST_ERROR) return { status, ...cut };
  const { cause: _cause, ...rest } = cut.error;
  return { status, error: rest, traceback: undefined };
}

function cutTexts<T>(data: T): T {
  const text = JSON.stringify(data, (_key, value: unknown) =>
    typeof value === "string" && value.length > LONGEST_TEXT ? `${value.slice(0, LONGEST_TEXT)}…` : value,
  );
  return { ...data, ...(JSON.parse(text) as T) };
}
