import type { RecordJson } from "../backend/backend.ts";
import { toBase64 } from "../util/base64.ts";
import type { Json } from "../value/json.ts";
import type { RecordSource } from "./record-store.ts";
import { formatTime } from "./record-time.ts";

/** Version of the format of records. */
export const RECORD_VERSION = 1;

const utf8 = new TextEncoder();

/** The export records of ids in their order; unknown ids are skipped. */
export async function exportRecords(source: RecordSource, ids: readonly string[]): Promise<RecordJson[]> {
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
    });
  }
  return ids.map((id) => records.get(id)).filter((record) => record !== undefined);
}

type Add = (id: string, type: string, fields: RecordJson) => void;

async function exportJobs(source: RecordSource, ids: readonly string[], add: Add): Promise<void> {
  const jobs = (await source.getJobs(ids)).filter((job) => job !== undefined);
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
 * A call's record also carries its context and the tasks below it, which redun's lacks: without them an imported
 * result could be taken where it is out of date.
 */
async function exportCalls(source: RecordSource, hashes: readonly string[], add: Add): Promise<void> {
  const calls = (await source.getCallNodes(hashes)).filter((call) => call !== undefined);
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
      ...(subtree === undefined ? {} : { subtree_tasks: subtree }),
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
