import type { ArgumentRecord, CallNodeRecord, ValueRecord } from "../backend/records.ts";
import { upstreamCalls } from "../expression/node.ts";
import { hashCallNode } from "../value/hash.ts";
import { isContainer, leaves } from "../value/nested.ts";
import { codecOf } from "../value/registry.ts";
import { type EncodedValue, encodeValue, normalizeValue } from "../value/value.ts";
import { hasExpression } from "./evaluate.ts";
import type { Execution } from "./execution.ts";
import type { Job, JobContext } from "./job.ts";
import { callKey } from "./lookup.ts";
import { jobTags, recordTags } from "./tags.ts";
import { recordTraceback, storableErrorValue, type Traceback } from "./traceback.ts";

/** Values whose text is longer than this are not kept for equal calls but read back from the store. */
const KEEP = 256;
const NO_RECORDS: readonly never[] = [];

/** Marks a job as begun: its record is written from now on. */
export function startJob(exec: Execution, job: Job): void {
  if (job.status !== "PENDING") return;
  job.status = "RUNNING";
  job.startTime = Date.now();
  exec.running.add(job);
  exec.count(job, "PENDING", "RUNNING");
  if (!job.prov) return;
  const { recorder } = exec;
  recordTask(exec, job);
  if (job === exec.rootJob) {
    recorder.execution({ id: exec.id, args: exec.options.args, jobId: job.id, startTime: job.startTime });
    recordTags(exec, "Execution", exec.id, exec.options.tags);
  }
  job.recordedStart = true;
  recorder.jobStart({
    id: job.id,
    executionId: exec.id,
    parentId: job.parent?.id ?? null,
    taskHash: job.taskHash,
    startTime: job.startTime,
  });
}

function recordTask(exec: Execution, job: Job): void {
  if (exec.recordedTasks.has(job.taskHash)) return;
  exec.recordedTasks.add(job.taskHash);
  const { definition } = job.task;
  exec.recorder.task({
    hash: job.taskHash,
    name: definition.name,
    namespace: definition.namespace,
    source: definition.source,
    version: definition.version,
    doc: definition.doc,
    parameters: definition.parameters,
  });
  // Tags that are expressions have other values in other jobs.
  const { tags } = definition.options;
  if (!hasExpression(tags)) recordTags(exec, "Task", job.taskHash, jobTags(tags));
}

export interface FinishOptions {
  /** Encoding of the value, where it is known. */
  readonly encoded?: EncodedValue | undefined;
  readonly cached?: boolean;
}

/** Ends a job with its final value. */
export function finishJob(
  exec: Execution,
  job: Job,
  value: unknown,
  { encoded, cached = false }: FinishOptions,
): void {
  if (job.isEnded || exec.isOver) return;
  let result = value;
  let stored = encoded;
  try {
    if (stored === undefined) {
      const normal = normalizeValue(value, "result");
      result = normal.value;
      stored = normal.encoded;
    }
  } catch (error) {
    failJob(exec, job, error);
    return;
  }
  conclude(exec, job, false, result, stored, cached);
}

/**
 * Ends a job with an error. The record of a failure is that of a result, with an error value in its place.
 *
 * @param cached - whether the error is that of an equal call
 */
export function failJob(exec: Execution, job: Job, error: unknown, cached = false): void {
  if (job.isEnded || exec.isOver) return;
  releaseLimits(exec, job);
  if (job.evalHash === undefined) {
    // Its arguments failed, so there is no call to record.
    job.status = "FAILED";
    exec.count(job, "PENDING", "FAILED");
    recordTraceback(error, job.parent ?? job);
    emitEnd(exec, job, error);
    exec.settle(job.cell, true, error);
    job.release(true);
    return;
  }
  startJob(exec, job);
  const traceback = recordTraceback(error, job);
  const stored = encodeError(error, traceback);
  conclude(exec, job, true, error, stored, cached);
}

const encodedErrors = new WeakMap<object, EncodedValue>();

/** An error and its traceback stay the same on their way up to the root, so they are encoded once. */
function encodeError(error: unknown, traceback: Traceback): EncodedValue {
  const key = typeof error === "object" && error !== null ? error : undefined;
  let stored = key === undefined ? undefined : encodedErrors.get(key);
  if (stored === undefined) {
    stored = encodeValue(storableErrorValue(error, traceback), "error");
    if (key !== undefined) encodedErrors.set(key, stored);
  }
  return stored;
}

/** Gives back a job's units, once, and lets the jobs that wait for some try again. */
export function releaseLimits(exec: Execution, job: Job): void {
  if (job.units === undefined) return;
  exec.options.limits.release(job.units);
  job.units = undefined;
  exec.retryWaiting();
}

function conclude(
  exec: Execution,
  job: Job,
  failed: boolean,
  result: unknown,
  stored: EncodedValue,
  cached: boolean,
): void {
  const isNewCall = job.callHash === undefined;
  if (isNewCall) hashCall(exec, job, stored);
  const status = failed ? "FAILED" : cached ? "CACHED" : "DONE";
  exec.running.delete(job);
  exec.count(job, "RUNNING", status);
  job.status = status;
  job.cached = cached;
  const endTime = Date.now();
  job.node.callHash = job.prov ? job.callHash : undefined;
  if (job.prov) {
    if (isNewCall) {
      recordContext(exec, job.context);
      exec.recorder.callNode(callNodeOf(job, stored, result, endTime));
    } else exec.recorder.value(valueRecord(stored, result));
    exec.recorder.jobEnd({ id: job.id, endTime, cached, callHash: job.callHash });
    recordTags(exec, "Job", job.id, jobTags(job.options.tags));
    leaveForTwins(exec, job, failed, result, stored);
  }
  emitEnd(exec, job, failed ? result : undefined);
  const announce = (): void => {
    exec.settle(job.cell, failed, result, failed ? undefined : stored);
    job.release(exec.options.events.has("job-end"));
  };
  if (!job.slow || exec.isCancelled) {
    announce();
    return;
  }
  const writing = exec.recorder.flush();
  if (writing === undefined) announce();
  else exec.await(writing, announce, (error) => exec.abort(error));
}

function recordContext(exec: Execution, context: JobContext): void {
  if (context.encoded === undefined || exec.recordedContexts.has(context)) return;
  exec.recordedContexts.add(context);
  exec.recorder.value(context.encoded);
}

function hashCall(exec: Execution, job: Job, stored: EncodedValue): void {
  let subtree = exec.taskSets.single(job.taskHash);
  const calls: string[] = [];
  for (const child of job.children ?? NO_RECORDS) {
    if (child.callHash !== undefined) calls.push(child.callHash);
    if (child.subtree !== undefined) subtree = exec.taskSets.union(subtree, child.subtree);
  }
  job.subtree = subtree;
  job.callHash = hashCallNode(job.taskHash, job.argsHash, stored.hash, calls);
}

function callNodeOf(job: Job, stored: EncodedValue, result: unknown, timestamp: number): CallNodeRecord {
  const children: string[] = [];
  for (const child of job.children ?? NO_RECORDS) {
    if (child.callHash !== undefined && child.prov) children.push(child.callHash);
  }
  return {
    callHash: job.callHash!,
    evalHash: job.evalHash,
    taskName: job.task.fullname,
    taskHash: job.taskHash,
    argsHash: job.argsHash,
    value: valueRecord(stored, result),
    timestamp,
    args: job.args.map((arg, position) => argumentOf(job, arg, position)),
    children,
    subtreeTasks: job.subtree!.hashes,
    contextHash: job.context.encoded?.hash,
  };
}

function argumentOf(job: Job, arg: unknown, position: number): ArgumentRecord {
  const given = job.node.args[position];
  const upstream =
    typeof given === "function" || (typeof given === "object" && given !== null)
      ? upstreamCalls(given, leaves)
      : NO_RECORDS;
  return { position, key: null, value: valueRecord(job.argValues[position]!, arg), upstream };
}

/** A value as it is recorded. */
export function valueRecord(encoded: EncodedValue, value: unknown): ValueRecord {
  const parts = valueParts(value);
  return parts === undefined ? encoded : { ...encoded, ...parts };
}

/** What a value is recorded with besides its encoding: its path, and the values inside it. */
function valueParts(value: unknown): Pick<ValueRecord, "file" | "subvalues"> | undefined {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return undefined;
  const codec = codecOf(value);
  const file =
    codec?.name === "redun.File" || codec?.name === "redun.ContentFile"
      ? (value as { path: string }).path
      : undefined;
  const subvalues: ValueRecord[] = [];
  const add = (part: unknown): void => {
    const partCodec = typeof part === "object" && part !== null ? codecOf(part) : undefined;
    if (partCodec === undefined || !partCodec.name.startsWith("redun.")) return;
    subvalues.push(valueRecord(encodeValue(part), part));
  };
  if (codec?.subvalues !== undefined) for (const part of codec.subvalues(value)) add(part);
  else if (isContainer(value)) for (const leaf of leaves(value)) add(leaf);
  if (file === undefined && subvalues.length === 0) return undefined;
  return { file, subvalues: subvalues.length === 0 ? undefined : subvalues };
}

function leaveForTwins(
  exec: Execution,
  job: Job,
  failed: boolean,
  result: unknown,
  stored: EncodedValue,
): void {
  const key = callKey(job);
  if (exec.pending.get(key) === job) exec.pending.delete(key);
  const kept =
    failed || stored.text.length <= KEEP || (typeof result !== "object" && typeof result !== "function");
  exec.finished.set(key, {
    failed,
    result: kept ? result : undefined,
    encoded: kept ? stored : undefined,
    valueHash: stored.hash,
    callHash: job.callHash,
    subtree: job.subtree!,
    kept,
  });
}

function emitEnd(exec: Execution, job: Job, error: unknown): void {
  const { events } = exec.options;
  if (!events.has("job-end")) return;
  events.emit({
    type: "job-end",
    job: job.info,
    status: job.status as "DONE" | "CACHED" | "FAILED",
    callHash: job.callHash,
    time: Date.now(),
    error,
  });
}
