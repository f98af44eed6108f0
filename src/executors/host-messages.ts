import type { Evaluated, JobError, JobResult, JobSpec, PackageDescription } from "../executor/executor.ts";
import { isJobError, isJobResult, isListOf, isNumber, isObject, isString } from "./check-message.ts";

/** What the process of a package is told. */
export type ToHost =
  /** Comes first: the local copy of the package, and how many scripts may run at once. */
  | { readonly type: "init"; readonly packagePath: string; readonly maxScripts: number }
  | {
      readonly type: "run";
      readonly id: number;
      readonly spec: JobSpec;
      /** Whether the job may await expressions. */
      readonly evaluates: boolean;
    }
  | { readonly type: "cancel"; readonly id: number; readonly reason: JobError }
  /** The answer to a job's `evaluate` of that id. */
  | {
      readonly type: "evaluated";
      readonly job: number;
      readonly id: number;
      readonly outcome: Evaluated;
    }
  | { readonly type: "ping" };

/** What the process of a package says. */
export type FromHost =
  | { readonly type: "loaded"; readonly description: PackageDescription }
  /** The package can't be loaded or described. */
  | { readonly type: "failed"; readonly error: JobError }
  | { readonly type: "result"; readonly id: number; readonly result: JobResult }
  /** Lines of a job's log, or of nobody's. */
  | { readonly type: "log"; readonly id?: number | undefined; readonly lines: readonly string[] }
  /** A job awaits an expression. */
  | {
      readonly type: "evaluate";
      readonly job: number;
      /** Of its own for each expression of the job. */
      readonly id: number;
      readonly expression: string;
    }
  | { readonly type: "pong" };

/** Whether a value describes a package. */
export function isDescription(value: unknown): value is PackageDescription {
  return (
    isObject(value) &&
    isListOf(value.validatedTypes, isString) &&
    isListOf(value.schedulerTasks, isString) &&
    Array.isArray(value.tasks) &&
    value.tasks.every(isTask)
  );
}

function isTask(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { fullname, version, doc, options, defaults, source, location } = value;
  return (
    [fullname, options, defaults, source].every(isString) &&
    [version, doc].every((text) => text === undefined || isString(text)) &&
    [value.hashParts, value.exported, value.parameters].every((list) => isListOf(list, isString)) &&
    isListOf(value.configArgs, isNumber) &&
    [value.async, value.script].every((flag) => typeof flag === "boolean") &&
    (location === undefined || (isObject(location) && isString(location.file) && isNumber(location.line)))
  );
}

/** Whether the process of a package may have said this. */
export function isFromHost(value: unknown): value is FromHost {
  if (!isObject(value)) return false;
  switch (value.type) {
    case "pong":
      return true;
    case "loaded":
      return isDescription(value.description);
    case "failed":
      return isJobError(value.error);
    case "result":
      return isNumber(value.id) && isJobResult(value.result);
    case "log":
      return (value.id === undefined || isNumber(value.id)) && isListOf(value.lines, isString);
    case "evaluate":
      return isNumber(value.id) && isNumber(value.job) && isString(value.expression);
    default:
      return false;
  }
}
