import type { RecordJson } from "../backend/backend.ts";
import type { JobRecord, TagEntity, TagRecord, TaskRecord } from "../backend/records.ts";
import { BackendError } from "../errors/errors.ts";
import { decodeBase64 } from "../util/base64.ts";
import type { Json } from "../value/json.ts";
import { ID_FIELDS, RECORD_VERSION, type RecordType } from "./record-export.ts";
import { isCallHash, isTagHash, taskFlaw, valueFlaw } from "./record-hash.ts";
import type { ImportBatch, ImportedCall, ImportedExecution, ImportedValue } from "./record-store.ts";
import { parseTime } from "./record-time.ts";

const fromUtf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Reads records that come from elsewhere, and trusts nothing of them.
 *
 * @throws BackendError if one is malformed, or its id does not follow from what it holds
 */
export function readRecords(records: readonly RecordJson[]): ImportBatch {
  const tasks: TaskRecord[] = [];
  const values: ImportedValue[] = [];
  const calls: ImportedCall[] = [];
  const executions: ImportedExecution[] = [];
  const jobs: JobRecord[] = [];
  const tags: TagRecord[] = [];
  for (const record of records) {
    const type = checkHead(record);
    try {
      if (type === "Execution") executions.push(readExecution(record));
      else if (type === "Job") jobs.push(readJob(record));
      else if (type === "CallNode") calls.push(readCall(record));
      else if (type === "Tag") tags.push(readTag(record));
      else {
        const value = readValue(record);
        values.push(value);
        if (isTask(record)) tasks.push(readTask(record, value));
      }
    } catch (error) {
      const id = record[ID_FIELDS[type]];
      const name = typeof id === "string" ? `the ${type} record ${id.slice(0, 40)}` : `a ${type} record`;
      throw new BackendError(`Cannot import ${name}: ${(error as Error).message}`, {
        cause: error,
        fields: { type, id: id ?? null },
      });
    }
  }
  return { tasks, values, calls, executions, jobs, tags };
}

function checkHead(record: RecordJson): RecordType {
  if (typeof record !== "object" || record === null || record._version !== RECORD_VERSION) {
    const version = JSON.stringify((record as RecordJson | null)?._version ?? null);
    throw new BackendError(`Cannot import a record: version ${version} is not known`, {
      hint: "Import it with a newer redun.",
    });
  }
  const type = record._type;
  if (typeof type !== "string" || !Object.hasOwn(ID_FIELDS, type))
    throw new BackendError(`Cannot import a record: unknown type ${JSON.stringify(record._type ?? null)}`);
  return type as RecordType;
}

function readExecution(record: RecordJson): ImportedExecution {
  return {
    id: text(record, "id"),
    args: texts(record, "args"),
    jobId: text(record, "job_id"),
    updatedTime: null,
  };
}

function readJob(record: RecordJson): JobRecord {
  return {
    id: text(record, "id"),
    executionId: text(record, "execution_id"),
    parentId: record.parent_id == null ? null : text(record, "parent_id"),
    taskHash: hash(record, "task_hash"),
    startTime: parseTime(record.start_time) ?? 0,
    endTime: parseTime(record.end_time) ?? undefined,
    cached: record.cached === true,
    callHash: record.call_hash == null ? undefined : hash(record, "call_hash"),
  };
}

function readCall(record: RecordJson): ImportedCall {
  const call: ImportedCall = {
    callHash: hash(record, "call_hash"),
    taskName: text(record, "task_name"),
    taskHash: hash(record, "task_hash"),
    argsHash: hash(record, "args_hash"),
    value: hash(record, "value_hash"),
    timestamp: parseTime(record.timestamp) ?? 0,
    args: Object.entries(fields(record.args, "args")).map(([name, arg]) => {
      // A name of digits only is a position.
      const isPosition = /^\d{1,6}$/.test(name);
      const argument = fields(arg, "args");
      return {
        position: isPosition ? Number(name) : null,
        key: isPosition ? null : name,
        value: hash(argument, "value_hash"),
        upstream: hashes(argument, "upstream"),
      };
    }),
    children: hashes(record, "children"),
    subtreeTasks: record.subtree_tasks === undefined ? undefined : hashes(record, "subtree_tasks"),
    contextHash: record.context_hash == null ? undefined : hash(record, "context_hash"),
    singleHash: record.single_hash == null ? undefined : hash(record, "single_hash"),
  };
  if (!isOpaque(record) && !isCallHash({ ...call, valueHash: call.value })) throw forged();
  return call;
}

/**
 * Whether a record says of itself that its hash covers more than it holds: calls of children without provenance, or a
 * number as Python writes it.
 */
const isOpaque = (record: RecordJson): boolean => record._opaque === true;

const forged = (why = "its hash does not follow from what it holds"): BackendError =>
  new BackendError(`${why}; it was damaged or forged`);

const subtypeOf = (record: RecordJson): RecordJson => (record.subtype ?? {}) as RecordJson;
const isTask = (record: RecordJson): boolean => subtypeOf(record)._type === "Task";

function readTask(record: RecordJson, value: ImportedValue): TaskRecord {
  const subtype = subtypeOf(record);
  const [name, namespace] = [text(subtype, "name"), text(subtype, "namespace")];
  const flaw = taskFlaw(value, name, namespace);
  if (flaw !== undefined) throw forged(flaw);
  return {
    hash: value.hash,
    name,
    namespace,
    source: text(subtype, "source"),
    version: subtype.version == null ? undefined : text(subtype, "version"),
    doc: subtype.doc == null ? undefined : text(subtype, "doc"),
    parameters: subtype.parameters === undefined ? [] : texts(subtype, "parameters"),
  };
}

function readValue(record: RecordJson): ImportedValue {
  const subtype = subtypeOf(record);
  const value: ImportedValue = {
    hash: hash(record, "value_hash"),
    type: text(record, "type"),
    format: text(record, "format"),
    text: fromUtf8.decode(decodeBase64(text(record, "data"))),
    file: subtype._type === "File" ? text(subtype, "path") : undefined,
    subvalues: hashes(record, "subvalues"),
  };
  const flaw = valueFlaw(value);
  if (flaw !== undefined) throw forged(flaw);
  return value;
}

const ENTITIES: readonly TagEntity[] = ["Execution", "Job", "CallNode", "Task", "Value", "Null"];

function readTag(record: RecordJson): TagRecord {
  const entityType = ENTITIES.find((name) => name === record.entity_type);
  if (entityType === undefined) throw malformed("entity_type");
  const tag: TagRecord = {
    tagHash: hash(record, "tag_hash"),
    entityType,
    entityId: text(record, "entity_id"),
    key: text(record, "key"),
    value: record.value ?? null,
    parents: hashes(record, "parents"),
  };
  if (!isOpaque(record) && !isTagHash(tag)) throw forged();
  return tag;
}

const malformed = (field: string): BackendError => new BackendError(`its field ${field} is malformed`);
const HASH = /^[0-9a-f]{40}$/;

function text(record: RecordJson, field: string): string {
  const value = record[field];
  if (typeof value !== "string") throw malformed(field);
  return value;
}

function hash(record: RecordJson, field: string): string {
  const value = text(record, field);
  if (!HASH.test(value)) throw malformed(field);
  return value;
}

function texts(record: RecordJson, field: string): string[] {
  const value = record[field];
  if (!Array.isArray(value) || !value.every((item): item is string => typeof item === "string"))
    throw malformed(field);
  return value;
}

function hashes(record: RecordJson, field: string): string[] {
  const values = texts(record, field);
  if (!values.every((value) => HASH.test(value))) throw malformed(field);
  return values;
}

function fields(value: Json | undefined, field: string): RecordJson {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw malformed(field);
  return value as RecordJson;
}
