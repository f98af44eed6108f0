/**
 * What jobs' processes send is checked before it is believed: code of users runs in them, and can send what it likes.
 *
 * @module
 */
import type { Evaluated, JobError, JobResult } from "../executor/executor.ts";
import type { FromWorker } from "./worker-messages.ts";

type Fields = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a value is a list of which each item fulfils a condition. */
export function isListOf<T>(value: unknown, is: (item: unknown) => item is T): value is T[] {
  return Array.isArray(value) && value.every(is);
}

export const isString = (value: unknown): value is string => typeof value === "string";
export const isNumber = (value: unknown): value is number => typeof value === "number";

const isOptional = (value: unknown, is: (value: unknown) => boolean): boolean =>
  value === undefined || is(value);

function isErrorRecord(value: unknown): boolean {
  for (let record: unknown = value, depth = 0; ; record = record.cause, depth++) {
    if (!isObject(record) || depth > 20) return false;
    const { name, message, code, hint, stack, cause } = record;
    if (!isString(name) || !isString(message)) return false;
    if (![code, hint, stack].every((text) => isOptional(text, isString))) return false;
    if (cause === undefined) return true;
  }
}

export function isJobError(value: unknown): value is JobError {
  return isObject(value) && isOptional(value.value, isString) && isErrorRecord(value.record);
}

function isEvaluated(value: unknown): value is Evaluated {
  return isObject(value) && (value.ok === true ? isString(value.value) : isJobError(value.error));
}

export function isJobResult(value: unknown): value is JobResult {
  if (!isEvaluated(value)) return false;
  const { timings, log } = value as JobResult;
  return (
    isOptional(timings, (it) => isObject(it) && isNumber(it.started) && isNumber(it.ended)) &&
    isOptional(log, (it) => isListOf(it, isString))
  );
}

/** Whether a worker of a pool may have said this. */
export function isFromWorker(value: unknown): value is FromWorker {
  if (!isObject(value)) return false;
  switch (value.type) {
    case "ready":
    case "tickets":
    case "forgotten":
      return true;
    case "result":
      return isNumber(value.id) && isJobResult(value.result);
    case "log":
      return isNumber(value.id) && isListOf(value.lines, isString);
    case "begun":
      return isNumber(value.id) && typeof value.begun === "boolean";
    case "package":
      return isString(value.hash);
    default:
      return false;
  }
}
