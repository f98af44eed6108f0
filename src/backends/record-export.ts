import type { ExportOptions, RecordJson } from "../backend/backend.ts";
import { toBase64 } from "../util/base64.ts";
import type { Json } from "../value/json.ts";
import { isCallHash, isTagHash } from "./record-hash.ts";
import type { RecordSource } from "./record-store.ts";
import { formatTime } from "./record-time.ts";

/** Version of the format of records. */
export const RECORD_VERSION = 1;

const utf8 = new TextEncoder();

/** At least and at most so many records are read at a time where their size matters. */
const [FEW, MANY] = [16, 512];

/**
 * The export records of ids in their order; unknown ids are skipped.
 *
 * @param options - with `maxSize`, perhaps only the first of them
 */
export async function exportRecords(
  source: RecordSource,
  ids: readonly string[],
  { maxSize }: ExportOptions = {},
): Promise<RecordJson[]> {
  if (maxSize === undefined) return recordsOf(source, ids);
  const records: RecordJson[] = [];
  let size = 0;
  let count = FEW;
  for (let from = 0; from < ids.length; ) {
    for (const record of await recordsOf(source, ids.slice(from, from + count))) {
      records.push(record);
      size += recordSize(record);
      if (size >= maxSize) return records;
    }
    from += count;
    // As many as there is room for, if they are like those before.
    const room = Math.floor(((maxSize - size) * from) / Math.max(size, 1));
    count = Math.min(Math.max(room, FEW), MANY);
  }
  return records;
}

/** The length of a record's JSON. */
export function recordSize(record: RecordJson): number {
  // Data is base64, and may be too large to be copied only to be measured.
  const { data, ...others } = record;
  return JSON.stringify(others).length + (typeof data === "string" ? data.length + 10 : 0);
}

/** The id of a record. */
export const recordId = (record: RecordJson): string => String(record[ID_FIELDS[record._type as RecordType]]);

/** The types of records, each with the field that holds its id. */
export const ID_FIELDS = {
  Execution: "id",
  Job: "id",
  CallNode: "call_hash",
  Value: "value_hash",
  Tag: "tag_hash",
} as const;

export type RecordType = keyof typeof ID_FIELDS;

async function recordsOf(source: RecordSource, ids: readonly string[]): Promise<RecordJson[]> {
  const records = new Map<string, RecordJson>();
  const unknown = (): string[] => ids.filter((id) => !records.has(id));
  const add = (id: string, type: string, fields: RecordJson): void => {
    records.set(id, { _version: RECORD_VERSION, _type: type, ...fields });
  };
  for (const row of await source.getExecutions(ids)) {
    if (row !== undefined) add(row.id, "Execution", { id: row.id, args: row.args, job_id: row.jobId });
  }
  await exportJobs(source, unknown(), add);
  await exportCalls(source, unknown(), add);
  await exportValues(source, unknown(), add);
  for (const [hash, tag] of await source.tags(unknown())) {
    add(hash, "Tag", {
      tag_hash: hash,
      entity_type: tag.entityType,
      entity_id: tag.entityId,
      key: tag.key,
      value: tag.value,
      parents: tag.parents,
      ...(isTagHash(tag) ? {} : { _opaque: true }),
    });
  }
  return ids.map((id) => records.get(id)).filter((record) => record !== undefined);
}

type Add = (id: string, type: string, fields: RecordJson) => void;

async function exportJobs(source: RecordSource, ids: readonly string[], add: Add): Promise<void> {
  const jobs = (await source.jobs(ids)).filter((job) => job !== undefined);
  const children = await source.childJobs(jobs.map(({ id }) => id));
  for (const job of jobs) {
    add(job.id, "Job", {
      id: job.id,
      start_time: formatTime(job.startTime),
      end_time: formatTime(job.endTime),
      task_hash: job.taskHash,
      cached: job.cached,
      status: job.status,
      call_hash: job.callHash,
      parent_id: job.parentId,
      children: children.get(job.id) ?? [],
      execution_id: job.executionId,
    });
  }
}

/**
 * A call's record also carries what redun's lacks: its context and the tasks below it, without which an imported result
 * could be taken where it is out of date, and its single reduction, with which the cache travels along.
 */
async function exportCalls(source: RecordSource, hashes: readonly string[], add: Add): Promise<void> {
  const calls = (await source.calls(hashes)).filter((call) => call !== undefined);
  const subtrees = await source.subtreeTasks(calls.map(({ callHash }) => callHash));
  for (const call of calls) {
    const args = call.args.map((arg): [string, Json] => [
      arg.key ?? String(arg.position),
      { arg_hash: arg.argHash, value_hash: arg.valueHash, upstream: [...arg.upstream].sort() },
    ]);
    const subtree = subtrees.get(call.callHash);
    add(call.callHash, "CallNode", {
      call_hash: call.callHash,
      task_name: call.taskName,
      task_hash: call.taskHash,
      args_hash: call.argsHash,
      value_hash: call.valueHash,
      timestamp: formatTime(call.timestamp),
      args: Object.fromEntries(args),
      children: call.children,
      ...(call.contextHash === null ? {} : { context_hash: call.contextHash }),
      ...(call.singleHash === null ? {} : { single_hash: call.singleHash }),
      ...(subtree === undefined ? {} : { subtree_tasks: subtree }),
      ...(isCallHash(call) ? {} : { _opaque: true }),
    });
  }
}

async function exportValues(source: RecordSource, hashes: readonly string[], add: Add): Promise<void> {
  const values = (await source.getValues(hashes)).filter((value) => value !== undefined);
  const isTask = values.filter(({ type }) => type === "redun.Task").map(({ hash }) => hash);
  const tasks = new Map((await source.getTasks(isTask)).map((task) => [task?.hash, task]));
  for (const { hash, type, format, text, file, subvalues } of values) {
    const task = tasks.get(hash);
    let subtype: Json = null;
    if (file !== null) subtype = { _type: "File", path: file };
    else if (task !== undefined) {
      const { name, namespace, source: code, version = null, doc = null, parameters } = task;
      subtype = { _type: "Task", name, namespace, source: code, version, doc, parameters };
    }
    add(hash, "Value", {
      value_hash: hash,
      type,
      format,
      data: toBase64(utf8.encode(text)),
      subvalues: [...subvalues].sort(),
      subtype,
    });
  }
}
