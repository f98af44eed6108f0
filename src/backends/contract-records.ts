import type {
  ArgumentRecord,
  CallNodeRecord,
  EvaluationRecord,
  RecordBatch,
  TagEntity,
  TagRecord,
  TaskRecord,
  ValueRecord,
} from "../backend/records.ts";
import { ERROR_VALUE_TYPE } from "../backend/records.ts";
import { tagHash } from "../backend/tags.ts";
import { File } from "../file/file.ts";
import { hashArguments, hashCallNode, hashEval, hashStruct, hashTagBytes } from "../value/hash.ts";
import type { Json } from "../value/json.ts";
import { encodeValue } from "../value/value.ts";
import { splitFullname } from "./record-store.ts";

/** A hash that follows from a readable name. */
export const hashOf = (name: string): string => hashStruct(["contract", name]);

/** A UUID that follows from a readable name. */
export function idOf(name: string): string {
  const digits = hashOf(name);
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    digits.slice(12, 16),
    digits.slice(16, 20),
    digits.slice(20, 32),
  ].join("-");
}

/** A batch of the given lists, the others empty. */
export function batchOf(lists: Partial<RecordBatch>): RecordBatch {
  return {
    tasks: [],
    values: [],
    executions: [],
    jobs: [],
    evaluations: [],
    callNodes: [],
    jobEnds: [],
    tags: [],
    ...lists,
  };
}

export function valueRecord(
  content: unknown,
  more: { readonly subvalues?: readonly ValueRecord[]; readonly file?: string } = {},
): ValueRecord {
  return { ...encodeValue(content), ...more };
}

/** A file as it is recorded. */
export const fileOf = (path: string): ValueRecord =>
  valueRecord(new File(path, hashOf(path)), { file: path });

/** What stands in place of the result of a failed call, as the scheduler encodes and hashes it. */
export function errorOf(message: string): ValueRecord {
  const error = encodeValue(new Error(message));
  const { text } = encodeValue({ error: message, frames: [], log: [], stack: [] });
  const traceback = `{"$":["redun.Traceback",${text}]}`;
  return {
    hash: hashStruct([ERROR_VALUE_TYPE, error.hash, hashTagBytes("Value", traceback)]),
    type: ERROR_VALUE_TYPE,
    format: error.format,
    text: `{"$":["${ERROR_VALUE_TYPE}",[${error.text},${traceback}]]}`,
  };
}

export function taskOf(fullname: string, version = "1"): TaskRecord {
  const { name, namespace } = splitFullname(fullname);
  const hash = hashStruct(["Task", fullname, "version", version]);
  return {
    hash,
    name,
    namespace,
    source: `(a, b) => ${name}(a, b)`,
    version,
    doc: undefined,
    parameters: ["a", "b"],
  };
}

const isValue = (arg: ValueRecord | ArgumentRecord): arg is ValueRecord => "hash" in arg;

/** Arguments by position; one that is a whole record stays as it is. */
function argumentsOf(args: readonly (ValueRecord | ArgumentRecord)[]): ArgumentRecord[] {
  return args.map((arg, position) =>
    isValue(arg) ? { position, key: null, value: arg, upstream: [] } : arg,
  );
}

/** What is known of a call. */
export interface CallOptions {
  readonly task: TaskRecord;
  readonly args?: readonly (ValueRecord | ArgumentRecord)[];
  readonly value: ValueRecord;
  readonly children?: readonly CallNodeRecord[];
  /** Default 1000. */
  readonly timestamp?: number;
  readonly contextHash?: string;
  /** Default: the task and those of the children. */
  readonly subtreeTasks?: readonly string[];
}

export function callOf(options: CallOptions): CallNodeRecord {
  const { task, value, children = [], timestamp = 1000, contextHash } = options;
  const args = argumentsOf(options.args ?? []);
  const argsHash = hashArguments(args.map((arg) => arg.value.hash));
  const childHashes = children.map(({ callHash }) => callHash);
  const callHash = hashCallNode(
    task.hash,
    argsHash,
    value.hash,
    contextHash === undefined ? childHashes : [...childHashes, contextHash],
  );
  const below = new Set([task.hash, ...children.flatMap(({ subtreeTasks }) => subtreeTasks)]);
  return {
    callHash,
    evalHash: hashEval(task.hash, argsHash),
    taskName: task.namespace === "" ? task.name : `${task.namespace}.${task.name}`,
    taskHash: task.hash,
    argsHash,
    value,
    timestamp,
    args,
    children: childHashes,
    subtreeTasks: options.subtreeTasks ?? [...below].sort(),
    contextHash,
  };
}

/** The single reduction of a call's task and arguments. */
export function evaluationOf(call: CallNodeRecord, value: ValueRecord = call.value): EvaluationRecord {
  return { evalHash: call.evalHash!, taskHash: call.taskHash, argsHash: call.argsHash, value };
}

export function tagOf(
  entityType: TagEntity,
  entityId: string,
  key: string,
  value: Json,
  parents: readonly string[] = [],
): TagRecord {
  return {
    tagHash: tagHash(entityId, key, value, parents),
    entityType,
    entityId,
    key,
    value,
    parents: [...parents].sort(),
  };
}
