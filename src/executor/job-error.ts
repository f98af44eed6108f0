import * as errors from "../errors/errors.ts";
import { type ErrorRecord, RedunError } from "../errors/redun-error.ts";
import { decodeValue, encodeValue } from "../value/value.ts";
import type { JobError } from "./executor.ts";

/** Whatever was thrown, as an error. */
export function asError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  const error = new Error(
    typeof thrown === "string" ? thrown : `A task threw a value that is not an error: ${textOf(thrown)}`,
  );
  error.cause = thrown;
  return error;
}

/** Not everything can be made text: an object without a prototype throws. */
function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}

/** An error as a record of plain data. */
export function errorRecord(error: Error, depth = 0): ErrorRecord {
  const { code, hint, fields } = error as {
    code?: unknown;
    hint?: unknown;
    fields?: Record<string, unknown>;
  };
  const record: Record<string, unknown> = { name: error.name, message: error.message };
  if (typeof code === "string") record.code = code;
  if (typeof hint === "string") record.hint = hint;
  if (fields !== undefined) record.fields = fields;
  if (error.stack !== undefined) record.stack = error.stack;
  if (error.cause instanceof Error && depth < 10) record.cause = errorRecord(error.cause, depth + 1);
  return record as unknown as ErrorRecord;
}

/** What was thrown, as a job reports it. What can't be encoded travels as its record alone. */
export function toJobError(thrown: unknown): JobError {
  const { fields: _fields, ...record } = errorRecord(asError(thrown));
  try {
    return { value: encodeValue(thrown).text, record };
  } catch {
    return { value: undefined, record };
  }
}

/** What a job has thrown. An error has the stack it had there. */
export function thrownBy({ value, record }: JobError): unknown {
  const thrown = value === undefined ? fromRecord(record) : decodeValue(value);
  if (!(thrown instanceof Error)) return thrown;
  restoreClass(thrown);
  if (record.stack !== undefined) thrown.stack = record.stack;
  return thrown;
}

/** The same as an error. */
export const fromJobError = (error: JobError): Error => asError(thrownBy(error));

/** Makes an error of the engine one of its class again; the encoding keeps only what it says. */
function restoreClass(error: Error): void {
  if (Object.getPrototypeOf(error) !== RedunError.prototype) return;
  const known = (errors as Readonly<Record<string, unknown>>)[error.name];
  if (typeof known === "function" && known.prototype instanceof RedunError)
    Object.setPrototypeOf(error, known.prototype as object);
}

function fromRecord(record: ErrorRecord): Error {
  const error =
    record.code === undefined
      ? new Error(record.message)
      : new RedunError(record.code, record.message, { hint: record.hint });
  Object.defineProperty(error, "name", { value: record.name, configurable: true, writable: true });
  if (record.cause !== undefined) error.cause = fromRecord(record.cause);
  return error;
}
