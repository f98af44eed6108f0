import type { RecordJson } from "../backend/backend.ts";
import { ERROR_VALUE_TYPE } from "../backend/records.ts";
import { BackendError } from "../errors/errors.ts";
import { toBase64 } from "../util/base64.ts";
import type { Json } from "../value/json.ts";
import { encodeValue } from "../value/value.ts";
import { readPickle } from "./python-pickle.ts";
import { RECORD_VERSION } from "./record-export.ts";
import type { SqlDriver, SqlRow } from "./sql-driver.ts";
import { isForeign } from "./sql-schema.ts";

/** Encodes the error of a failed call, given its class and message. */
export type EncodeError = (name: string, message: string) => string;

/** So many rows are read at a time. */
const PAGE = 500;

/**
 * Reads the history in a store of Python's redun as records that any store here imports: executions, jobs, calls, values,
 * files, tasks and tags, under the ids they have there. The store is left as it is. Values are read from their pickles
 * without running anything; those that can't be read are kept as bytes. No result of Python's is ever taken for one of
 * ours, since tasks have other hashes.
 *
 * @throws BackendError if the database is no store of Python's redun
 */
export function* pythonRecords(db: SqlDriver, encodeError: EncodeError): Generator<RecordJson[]> {
  if (!isForeign(db)) {
    throw new BackendError("Cannot read the database: it is not a store of Python's redun", {
      hint: "Give the file redun.db of a .redun folder.",
    });
  }
  const text = (row: SqlRow, column: string): string => String(row[column] ?? "");
  yield* pages(db, "value", (row) => valueRecord(db, row, encodeError));
  yield* pages(db, "call_node", (row) => {
    const call = text(row, "call_hash");
    return record("CallNode", {
      call_hash: call,
      task_name: text(row, "task_name"),
      task_hash: text(row, "task_hash"),
      args_hash: text(row, "args_hash"),
      value_hash: text(row, "value_hash"),
      timestamp: text(row, "timestamp"),
      args: callArguments(db, call),
      children: column(
        db,
        "SELECT child_id AS id FROM call_edge WHERE parent_id = ? ORDER BY call_order",
        call,
      ),
    });
  });
  yield* pages(db, "execution", (row) =>
    record("Execution", { id: text(row, "id"), args: words(row.args), job_id: text(row, "job_id") }),
  );
  yield* pages(db, "job", (row) =>
    record("Job", {
      id: text(row, "id"),
      execution_id: text(row, "execution_id"),
      parent_id: row.parent_id as string | null,
      task_hash: text(row, "task_hash"),
      start_time: text(row, "start_time"),
      end_time: row.end_time as string | null,
      cached: Boolean(row.cached),
      call_hash: row.call_hash as string | null,
    }),
  );
  yield* pages(db, "tag", (row) => {
    const hash = text(row, "tag_hash");
    return record("Tag", {
      tag_hash: hash,
      entity_type: text(row, "entity_type"),
      entity_id: text(row, "entity_id"),
      key: text(row, "key"),
      value: json(text(row, "value")),
      parents: column(db, "SELECT parent_id AS id FROM tag_edit WHERE child_id = ?", hash),
    });
  });
}

/** Hashes of Python's may cover more than a record holds, such as calls without provenance. */
const record = (type: string, fields: RecordJson): RecordJson => ({
  _version: RECORD_VERSION,
  _type: type,
  ...(type === "CallNode" || type === "Tag" ? { _opaque: true } : {}),
  ...fields,
});

function* pages(db: SqlDriver, table: string, convert: (row: SqlRow) => RecordJson): Generator<RecordJson[]> {
  const page = db.prepare(
    `SELECT rowid AS row, * FROM ${table} WHERE rowid > ? ORDER BY rowid LIMIT ${PAGE}`,
  );
  for (let last = 0; ; ) {
    const rows = page.all(last);
    if (rows.length > 0) yield rows.map(convert);
    if (rows.length < PAGE) return;
    last = rows.at(-1)!.row as number;
  }
}

const column = (db: SqlDriver, sql: string, id: string): string[] =>
  db
    .prepare(sql)
    .all(id)
    .map((row) => String(row.id));

function callArguments(db: SqlDriver, call: string): Json {
  const args: [string, Json][] = db
    .prepare("SELECT * FROM argument WHERE call_hash = ? ORDER BY arg_position, arg_key")
    .all(call)
    .map((row) => {
      const upstream = "SELECT result_call_hash AS id FROM argument_result WHERE arg_hash = ?";
      return [
        row.arg_position === null ? String(row.arg_key) : String(row.arg_position),
        { value_hash: String(row.value_hash), upstream: column(db, upstream, String(row.arg_hash)) },
      ];
    });
  return Object.fromEntries(args);
}

const utf8 = new TextEncoder();

function valueRecord(db: SqlDriver, row: SqlRow, encodeError: EncodeError): RecordJson {
  const hash = String(row.value_hash);
  const type = String(row.type);
  const data = row.value instanceof Uint8Array ? row.value : utf8.encode(String(row.value));
  const [task] = db.prepare("SELECT name, namespace, source FROM task WHERE hash = ?").all(hash);
  const [file] = db.prepare("SELECT path FROM file WHERE value_hash = ?").all(hash);
  const subtype =
    task !== undefined
      ? { _type: "Task", name: task.name, namespace: task.namespace, source: task.source }
      : file !== undefined
        ? { _type: "File", path: file.path }
        : null;
  const text = type === ERROR_VALUE_TYPE ? errorText(data, encodeError) : valueText(type, data);
  return record("Value", {
    value_hash: hash,
    type,
    format: String(row.format),
    data: toBase64(utf8.encode(text)),
    subvalues: column(db, "SELECT value_hash AS id FROM subvalue WHERE parent_value_hash = ?", hash),
    subtype: subtype as Json,
  });
}

function valueText(type: string, data: Uint8Array): string {
  try {
    return encodeValue(readPickle(data)).text;
  } catch {
    return encodeValue({ python: type, pickle: data }).text;
  }
}

interface PickledError {
  readonly state?: { readonly error?: { readonly python?: string; readonly args?: readonly unknown[] } };
}

function errorText(data: Uint8Array, encodeError: EncodeError): string {
  let error: NonNullable<PickledError["state"]>["error"];
  try {
    error = (readPickle(data) as PickledError).state?.error;
  } catch {
    // What it was is told by the log of that run alone.
  }
  const name = (error?.python ?? "Exception").replace(/^builtins\./, "");
  return encodeError(name, (error?.args ?? []).map(String).join(", "));
}

function words(text: unknown): string[] {
  const list = json(String(text));
  return Array.isArray(list) ? list.map(String) : [String(text)];
}

function json(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}
