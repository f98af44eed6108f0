import type { Backend, EntityType, RecordQuery } from "../backend/backend.ts";
import type { ExecutionStatus, JobStatus } from "../backend/records.ts";
import { hashValue } from "../value/value.ts";
import { UsageError } from "./client-error.ts";
import { findRecord, RECORD_TYPES } from "./find-record.ts";
import { parseTag, parseTagValue } from "./tag-text.ts";

/** Options of `log`. */
export interface LogOptions {
  readonly all?: boolean;
  readonly exec?: boolean;
  readonly job?: boolean;
  readonly callNode?: boolean;
  readonly task?: boolean;
  readonly value?: boolean;
  readonly file?: boolean;
  readonly execStatus?: readonly string[];
  readonly jobStatus?: readonly string[];
  readonly taskName?: readonly string[];
  readonly taskHash?: readonly string[];
  readonly valueType?: readonly string[];
  readonly filePath?: readonly string[];
  readonly execId?: readonly string[];
  readonly result?: readonly string[];
  readonly arg?: readonly string[];
  readonly tag?: readonly string[];
  readonly execTag?: readonly string[];
  readonly count?: boolean;
  readonly format: "text" | "json";
  readonly detail?: boolean;
  readonly pager: boolean;
}

/** What a `log` command looks for: the same filters in each of several types. */
export interface LogQuery {
  readonly types: readonly EntityType[];
  readonly filters: Omit<RecordQuery, "type">;
  readonly isFiltered: boolean;
}

const TYPE_FLAGS: Readonly<Record<string, EntityType>> = {
  exec: "Execution",
  job: "Job",
  callNode: "CallNode",
  task: "Task",
  value: "Value",
  file: "Value",
};

/** The types that a filter makes sense for, where it does so only for some. */
const NARROWS: Readonly<Record<string, readonly EntityType[]>> = {
  executionStatus: ["Execution"],
  jobStatus: ["Job"],
  argValues: ["Job"],
  resultValues: ["Job"],
  taskNames: ["Job", "Task"],
  taskHashes: ["Job", "Task"],
  valueTypes: ["Value"],
  filePaths: ["Value"],
};

/** Reads the type flags and filters. */
export async function logQuery(backend: Backend, options: LogOptions): Promise<LogQuery> {
  const given = Object.entries({
    executionStatus: options.execStatus?.map((text) => status(text, EXECUTION_STATUS)),
    jobStatus: options.jobStatus?.map((text) => status(text, JOB_STATUS)),
    taskNames: options.taskName,
    taskHashes: await fullTaskHashes(backend, options.taskHash),
    valueTypes: options.valueType,
    filePaths: options.filePath ?? (options.file ? ["*"] : undefined),
    executionIds: await executionIds(backend, options.execId),
    argValues: options.arg?.map((text) => hashValue(parseTagValue(text))),
    resultValues: options.result?.map((text) => hashValue(parseTagValue(text))),
    tags: options.tag?.map((text) => parseTag(text, false)),
    executionTags: options.execTag?.map((text) => parseTag(text, false)),
  }).filter(([, value]) => value !== undefined);
  const filters = Object.fromEntries(given) as LogQuery["filters"];
  const flagged = RECORD_TYPES.filter((type) =>
    Object.entries(TYPE_FLAGS).some(
      ([flag, of]) => of === type && options[flag as keyof LogOptions] === true,
    ),
  );
  let types = options.all || flagged.length === 0 ? RECORD_TYPES : flagged;
  for (const key of Object.keys(filters)) {
    const narrow = NARROWS[key];
    if (narrow !== undefined) types = types.filter((type) => narrow.includes(type));
  }
  return { types, filters, isFiltered: options.all === true || flagged.length > 0 || given.length > 0 };
}

const EXECUTION_STATUS: readonly ExecutionStatus[] = ["RUNNING", "DONE", "FAILED"];
const JOB_STATUS: readonly JobStatus[] = ["RUNNING", "DONE", "CACHED", "FAILED"];

function status<T extends string>(text: string, known: readonly T[]): T {
  const found = known.find((name) => name === text.toUpperCase());
  if (found !== undefined) return found;
  throw new UsageError(`Unknown status: ${text}`, { hint: `Statuses: ${known.join(", ")}.` });
}

async function executionIds(
  backend: Backend,
  lists: readonly string[] | undefined,
): Promise<string[] | undefined> {
  if (lists === undefined) return undefined;
  const words = lists.flatMap((list) => list.split(",")).filter(Boolean);
  const found = [];
  for (const word of words) found.push((await findRecord(backend, word, ["Execution"])).id);
  return found;
}

async function fullTaskHashes(
  backend: Backend,
  words: readonly string[] | undefined,
): Promise<string[] | undefined> {
  if (words === undefined) return undefined;
  const found = [];
  for (const word of words) {
    const tasks = await backend.find({ type: "Task", idPrefix: word.toLowerCase() });
    found.push(...(tasks.length === 0 ? [word] : tasks.map(({ id }) => id)));
  }
  return found;
}
