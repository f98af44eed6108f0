import type { Backend, RecordJson } from "../backend/backend.ts";
import type { TagEntity, ValueRecord } from "../backend/records.ts";
import { BackendError } from "../errors/errors.ts";
import { decodeBase64, toBase64 } from "../util/base64.ts";
import type { Json } from "../value/json.ts";
import type { RecordSink, RecordSource } from "./record-store.ts";

const VERSION = 1;
const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder();

/** Time as records carry it: UTC, microseconds. */
function timeText(millis: number | null): string | null {
  if (millis === null) return null;
  return `${new Date(millis).toISOString().replace("T", " ").slice(0, -1)}000+00:00`;
}

function parseTime(text: unknown): number | null {
  if (typeof text !== "string") return null;
  const iso = text.replace(" ", "T").replace(/(\.\d{3})\d*/, "$1");
  const time = Date.parse(/[+-]\d\d:\d\d$|Z$/.test(iso) ? iso : `${iso}Z`);
  if (Number.isNaN(time)) throw malformed(`the time ${JSON.stringify(text)}`);
  return time;
}

const malformed = (what: string): BackendError =>
  new BackendError(`Cannot import records: ${what} is malformed`);

/** The export record of an id, or undefined if the store has none. */
function exportRecord(reader: RecordSource, id: string): RecordJson | undefined {
  switch (reader.kindOf(id)) {
    case "Execution": {
      const { args, jobId } = reader.execution(id)!;
      return { _version: VERSION, _type: "Execution", id, args, job_id: jobId };
    }
    case "Job": {
      const job = reader.job(id)!;
      return {
        _version: VERSION,
        _type: "Job",
        id,
        start_time: timeText(job.startTime),
        end_time: timeText(job.endTime),
        task_hash: job.taskHash,
        cached: job.cached,
        status: job.status,
        call_hash: job.callHash,
        parent_id: job.parentId,
        children: reader.jobsUnder("parent", id),
        execution_id: job.executionId,
      };
    }
    case "CallNode": {
      const call = reader.call(id)!;
      const args = call.args.map((arg): [string, Json] => [
        arg.key ?? String(arg.position),
        { arg_hash: arg.argHash, value_hash: arg.valueHash, upstream: arg.upstream },
      ]);
      return {
        _version: VERSION,
        _type: "CallNode",
        call_hash: id,
        task_name: call.taskName,
        task_hash: call.taskHash,
        args_hash: call.argsHash,
        value_hash: call.valueHash,
        timestamp: timeText(call.timestamp),
        args: Object.fromEntries(args),
        children: call.children,
        context_hash: call.contextHash,
      };
    }
    case "Task":
    case "Value": {
      const value = reader.value(id)!;
      return {
        _version: VERSION,
        _type: "Value",
        value_hash: id,
        type: value.type,
        format: value.format,
        data: toBase64(utf8.encode(value.text)),
        subvalues: value.subvalues,
        subtype: subtypeOf(reader, id, value.file),
      };
    }
    case "Tag": {
      const tag = reader.tag(id)!;
      const { entityType, entityId, key, value, parents } = tag;
      return {
        _version: VERSION,
        _type: "Tag",
        tag_hash: id,
        entity_type: entityType,
        entity_id: entityId,
        key,
        value,
        parents,
      };
    }
    default:
      return undefined;
  }
}

function subtypeOf(reader: RecordSource, hash: string, file: string | null): Json {
  if (file !== null) return { _type: "File", path: file };
  const task = reader.task(hash);
  if (task === undefined) return null;
  const { name, namespace, source, version = null, doc = null, parameters } = task;
  return { _type: "Task", name, namespace, source, version, doc, parameters };
}

export function exportRecords(reader: RecordSource, ids: readonly string[]): RecordJson[] {
  return ids.map((id) => exportRecord(reader, id)).filter((record) => record !== undefined);
}

/** Walks from the roots to all that they refer to, layer by layer, each id once. */
export async function* reachable(
  backend: Backend,
  reader: RecordSource,
  roots?: readonly string[],
): AsyncGenerator<readonly string[]> {
  const seen = new Set<string>();
  let layer = roots ?? (await backend.find({ type: "Execution" })).map(({ id }) => id);
  while (layer.length > 0) {
    const fresh = [...new Set(layer)].filter((id) => !seen.has(id) && reader.kindOf(id) !== undefined);
    for (const id of fresh) seen.add(id);
    if (fresh.length > 0) yield fresh;
    layer = fresh.flatMap((id) => [...references(reader, id)]);
  }
}

function* references(reader: RecordSource, id: string): Iterable<string> {
  const kind = reader.kindOf(id);
  if (kind !== "Tag") yield* reader.allTagsOf(id).map((tag) => tag.tagHash);
  if (kind === "Execution") yield reader.execution(id)!.jobId;
  else if (kind === "Job") {
    const job = reader.job(id)!;
    yield job.taskHash;
    if (job.callHash !== null) yield job.callHash;
    yield* reader.jobsUnder("parent", id);
  } else if (kind === "CallNode") {
    const call = reader.call(id)!;
    yield call.taskHash;
    yield call.valueHash;
    if (call.contextHash !== null) yield call.contextHash;
    for (const arg of call.args) {
      yield arg.valueHash;
      yield* arg.upstream;
    }
    yield* call.children;
  } else if (kind === "Tag") {
    yield* reader.tag(id)!.parents;
    yield* reader.tagEdits(id).map((tag) => tag.tagHash);
  } else if (kind !== undefined) yield* reader.value(id)?.subvalues ?? [];
}

const text = (record: RecordJson, key: string): string => {
  const value = record[key];
  if (typeof value !== "string") throw malformed(`the field ${key} of a ${String(record._type)} record`);
  return value;
};
const textOrNull = (record: RecordJson, key: string): string | null =>
  record[key] == null ? null : text(record, key);
const texts = (record: RecordJson, key: string): string[] => {
  const value = record[key];
  if (!Array.isArray(value)) throw malformed(`the field ${key} of a ${String(record._type)} record`);
  return value.map(String);
};

/**
 * Imports records. They may come in any order: those that others refer to are stored first, children before parents.
 *
 * @returns how many were new
 */
export function importRecords(
  writer: RecordSink,
  reader: RecordSource,
  records: readonly RecordJson[],
): number {
  const of = (type: string): RecordJson[] => records.filter((record) => record._type === type);
  for (const record of records) {
    if (typeof record !== "object" || record === null || record._version !== VERSION) {
      throw new BackendError(
        `Cannot import records: version ${JSON.stringify(record?._version ?? null)} is not known`,
        {
          hint: "Import it with a newer redun.",
        },
      );
    }
  }
  let added = 0;
  const values = new Map(of("Value").map((record) => [text(record, "value_hash"), record]));
  for (const hash of values.keys()) {
    if (reader.kindOf(hash) !== undefined) continue;
    importValue(writer, values, hash);
    added++;
  }
  for (const record of callsInOrder(of("CallNode"))) {
    if (reader.kindOf(text(record, "call_hash")) !== undefined) continue;
    importCall(writer, reader, record);
    added++;
  }
  const executions = of("Execution").filter((record) => reader.kindOf(text(record, "id")) === undefined);
  added += executions.length;
  writer.write({
    tasks: [],
    values: [],
    evaluations: [],
    callNodes: [],
    jobEnds: [],
    tags: [],
    jobs: [],
    executions: executions.map((record) => ({
      id: text(record, "id"),
      args: texts(record, "args"),
      jobId: text(record, "job_id"),
      startTime: 0,
    })),
  });
  for (const record of jobsInOrder(of("Job"))) {
    const job = {
      id: text(record, "id"),
      executionId: text(record, "execution_id"),
      parentId: textOrNull(record, "parent_id"),
      taskHash: text(record, "task_hash"),
      startTime: parseTime(record.start_time) ?? 0,
      endTime: parseTime(record.end_time) ?? undefined,
      cached: record.cached === true,
      callHash: textOrNull(record, "call_hash") ?? undefined,
    };
    if (writer.job(job)) added++;
  }
  for (const record of of("Tag")) {
    const tag = {
      tagHash: text(record, "tag_hash"),
      entityType: text(record, "entity_type") as TagEntity,
      entityId: text(record, "entity_id"),
      key: text(record, "key"),
      value: record.value ?? null,
      parents: texts(record, "parents"),
    };
    if (writer.tag(tag)) added++;
  }
  return added;
}

function importValue(writer: RecordSink, values: ReadonlyMap<string, RecordJson>, hash: string): void {
  const build = (at: string, open: ReadonlySet<string>): ValueRecord | undefined => {
    const record = values.get(at);
    if (record === undefined || open.has(at)) return undefined;
    const subtype = record.subtype as RecordJson | null;
    const inside = new Set([...open, at]);
    return {
      hash: at,
      type: text(record, "type"),
      format: text(record, "format"),
      text: fromUtf8.decode(decodeBase64(text(record, "data"))),
      file: subtype?._type === "File" ? text(subtype, "path") : undefined,
      subvalues: texts(record, "subvalues")
        .map((part) => build(part, inside))
        .filter((part) => part !== undefined),
    };
  };
  const subtype = values.get(hash)!.subtype as RecordJson | null;
  if (subtype?._type === "Task") {
    writer.task({
      hash,
      name: text(subtype, "name"),
      namespace: text(subtype, "namespace"),
      source: text(subtype, "source"),
      version: textOrNull(subtype, "version") ?? undefined,
      doc: textOrNull(subtype, "doc") ?? undefined,
      parameters: Array.isArray(subtype.parameters) ? subtype.parameters.map(String) : [],
    });
  } else writer.value(build(hash, new Set())!);
}

function importCall(writer: RecordSink, reader: RecordSource, record: RecordJson): void {
  const stored = (hash: string): ValueRecord => {
    const row = reader.value(hash);
    if (row === undefined)
      throw new BackendError(
        `Cannot import records: the value ${hash} of call ${text(record, "call_hash")} is missing`,
      );
    return { hash, type: row.type, format: row.format, text: row.text };
  };
  const args = Object.entries((record.args ?? {}) as Record<string, RecordJson>);
  const taskHash = text(record, "task_hash");
  writer.call({
    callHash: text(record, "call_hash"),
    taskName: text(record, "task_name"),
    taskHash,
    argsHash: text(record, "args_hash"),
    value: stored(text(record, "value_hash")),
    timestamp: parseTime(record.timestamp) ?? 0,
    args: args.map(([key, arg]) => {
      const isPosition = /^\d+$/.test(key);
      return {
        position: isPosition ? Number(key) : null,
        key: isPosition ? null : key,
        value: stored(text(arg, "value_hash")),
        upstream: texts(arg, "upstream"),
      };
    }),
    children: texts(record, "children"),
    subtreeTasks: reader.subtreeTasks(taskHash, texts(record, "children")),
    contextHash: textOrNull(record, "context_hash") ?? undefined,
  });
}

/** Calls with those that they refer to before them. */
function callsInOrder(records: readonly RecordJson[]): RecordJson[] {
  const byHash = new Map(records.map((record) => [text(record, "call_hash"), record]));
  const upstreams = (record: RecordJson): string[] =>
    Object.values((record.args ?? {}) as Record<string, RecordJson>).flatMap((arg) => texts(arg, "upstream"));
  return inOrder(byHash, (record) => [...texts(record, "children"), ...upstreams(record)]);
}

/** Jobs with their parents before them. */
function jobsInOrder(records: readonly RecordJson[]): RecordJson[] {
  const byId = new Map(records.map((record) => [text(record, "id"), record]));
  return inOrder(byId, (record) => (typeof record.parent_id === "string" ? [record.parent_id] : []));
}

function inOrder(
  byKey: ReadonlyMap<string, RecordJson>,
  needs: (record: RecordJson) => readonly string[],
): RecordJson[] {
  const ordered: RecordJson[] = [];
  const seen = new Set<string>();
  for (const root of byKey.keys()) {
    const stack: { key: string; done: boolean }[] = [{ key: root, done: false }];
    while (stack.length > 0) {
      const { key, done } = stack.pop()!;
      const record = byKey.get(key);
      if (record === undefined) continue;
      if (done) ordered.push(record);
      else if (!seen.has(key)) {
        seen.add(key);
        stack.push({ key, done: true });
        for (const need of needs(record)) if (!seen.has(need)) stack.push({ key: need, done: false });
      }
    }
  }
  return ordered;
}
