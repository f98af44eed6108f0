import type { CacheHit, CacheQuery } from "../backend/backend.ts";
import { SchedulerError } from "../errors/errors.ts";
import type { CacheScope } from "../task/options.ts";
import { display } from "../value/display.ts";
import { decodeValue } from "../value/value.ts";
import { callFunction } from "./call.ts";
import { evaluate } from "./evaluate.ts";
import type { CacheKind } from "./events.ts";
import type { Execution, FinishedCall } from "./execution.ts";
import { failJob, finishJob, startJob } from "./finish.ts";
import type { Job } from "./job.ts";
import { isValidNested } from "./validity.ts";

/** Look-ups travel to the store in groups of at most this many. */
const GROUP = 256;

/** The cache scope of the job that looks: what the run and the lack of provenance leave of its option. */
function scopeOf(exec: Execution, job: Job): CacheScope {
  if (!job.prov) return "NONE";
  const scope = (job.options.cacheScope ?? "BACKEND") as CacheScope;
  return scope === "BACKEND" && !exec.options.cache ? "CSE" : scope;
}

/** Equal calls are those with equal code, arguments and context. */
export function callKey(job: Job): string {
  return job.context.encoded === undefined ? job.evalHash! : `${job.evalHash}/${job.context.encoded.hash}`;
}

/** Finds a job's result among equal calls, at work or done, or in the store; or has its function called. */
export function seekResult(exec: Execution, job: Job): void {
  if (job.isEnded || exec.isOver) return;
  const scope = scopeOf(exec, job);
  const key = callKey(job);
  if (scope !== "NONE") {
    const twin = exec.pending.get(key);
    if (twin !== undefined && twin !== job) {
      join(exec, job, twin);
      return;
    }
    const earlier = exec.finished.get(key);
    if (earlier !== undefined) {
      replay(exec, job, earlier);
      return;
    }
  }
  if (job.prov && !exec.pending.has(key)) exec.pending.set(key, job);
  if (scope === "BACKEND" || (scope === "CSE" && exec.options.resumes.length > 0)) {
    exec.lookups.push(job);
    if (exec.lookups.length >= GROUP) flushLookups(exec);
  } else callFunction(exec, job);
}

/** Looks once more for an equal call that ended while the job waited for units, or calls its function. */
export function seekAgain(exec: Execution, job: Job): void {
  if (exec.isOver) return;
  const earlier = job.isEnded || scopeOf(exec, job) === "NONE" ? undefined : exec.finished.get(callKey(job));
  if (earlier !== undefined) replay(exec, job, earlier);
  else callFunction(exec, job);
  // A job that took no units leaves them to the next.
  if (job.units === undefined) exec.retryWaiting();
}

/** Becomes one with an equal call at work: takes its result, and its place among the parent's children. */
function join(exec: Execution, job: Job, twin: Job): void {
  if (exec.hasAwaited && isBelow(job, twin)) {
    failJob(exec, job, new SchedulerError(`Cannot go on with ${job.call}: it depends on itself`));
    return;
  }
  startJob(exec, job);
  announce(exec, job, "pending", undefined);
  twin.cell.listen((cell) => {
    job.callHash = twin.callHash;
    job.subtree = twin.subtree;
    if (cell.isFailed) failJob(exec, job, cell.error, true);
    else finishJob(exec, job, cell.value, { encoded: cell.encoded, cached: true });
  });
}

/** Recursions that call themselves alike have short cycles; looking further up costs more than it finds. */
const NEAR = 1000;

/**
 * Whether a job is among those that the other waits for. Where functions await, the execution never runs out of
 * promises to wait for, so a job that depends on itself must be found here.
 */
function isBelow(job: Job, other: Job): boolean {
  let at = job.parent;
  for (let i = 0; at !== undefined && i < NEAR; i++) {
    // A parent may stand here as its children see it, so it is compared by its id.
    if (at.id === other.id) return true;
    at = at.parent;
  }
  return false;
}

/** Takes the result, or the error, of an equal call that has ended in this execution. */
function replay(exec: Execution, job: Job, earlier: FinishedCall): void {
  const take = (result: unknown): void => {
    startJob(exec, job);
    job.callHash = earlier.callHash;
    job.subtree = earlier.subtree;
    announce(exec, job, "cse", earlier.callHash);
    if (earlier.failed) failJob(exec, job, result, true);
    else finishJob(exec, job, result, { encoded: earlier.encoded, cached: true });
  };
  if (earlier.kept) {
    take(earlier.result);
    return;
  }
  const read = async (): Promise<unknown> => {
    await exec.recorder.flush();
    const [row] = await exec.options.backend.getValues([earlier.valueHash]);
    if (row === undefined) throw new Error(`Cannot find the value ${earlier.valueHash} in the store`);
    return decodeValue(row.text);
  };
  exec.await(read(), take, (error) => exec.abort(error));
}

function announce(exec: Execution, job: Job, kind: CacheKind, callHash: string | undefined): void {
  job.cached = true;
  const { events } = exec.options;
  if (events.has("job-cached")) {
    events.emit({ type: "job-cached", job: job.info, kind, callHash, time: Date.now() });
  }
}

/** Puts the waiting look-ups to the store. */
export function flushLookups(exec: Execution): void {
  const jobs = exec.lookups.splice(0);
  const queries = jobs.map((job) => queryOf(exec, job));
  const { backend, registry } = exec.options;
  const current = registry.hashes();
  const handle = (hits: (CacheHit | undefined)[]): void => {
    jobs.forEach((job, i) => {
      const hit = hits[i];
      exec.push(hit === undefined ? () => callFunction(exec, job) : () => takeHit(exec, job, hit));
    });
  };
  const answer = backend.lookup(queries, (hash) => current.has(hash));
  if (answer instanceof Promise) exec.await(answer, handle, (error) => exec.abort(error));
  else handle(answer);
}

function queryOf(exec: Execution, job: Job): CacheQuery {
  const shallow = job.options.checkValid === "shallow";
  const key = {
    evalHash: job.evalHash!,
    taskHash: job.taskHash,
    argsHash: job.argsHash,
    contextHash: job.context.encoded?.hash,
  };
  // A single reduction does not tell which execution it is of.
  if (scopeOf(exec, job) === "CSE")
    return { ...key, allowed: ["ultimate"], executions: exec.options.resumes };
  return {
    ...key,
    // What an async function awaited doesn't show in what it returned, so only the whole call can be taken.
    allowed: shallow
      ? ["ultimate", "single"]
      : job.task.definition.async
        ? ["single", "ultimate"]
        : ["single"],
  };
}

/** Takes a result from the store, if it can be read and is still valid. */
function takeHit(exec: Execution, job: Job, hit: CacheHit): void {
  if (job.isEnded) return;
  let value: unknown;
  try {
    value = decodeValue(hit.value.text);
  } catch {
    // Its type is gone or its data damaged: as good as not there.
    callFunction(exec, job);
    return;
  }
  // Only tagged values have parts that could be invalid.
  const valid = hit.value.text.includes('"$"') ? isValidNested(exec, value) : true;
  if (valid === true) acceptHit(exec, job, hit, value);
  else if (valid === false) refuseHit(exec, job, value);
  else {
    exec.await(
      valid,
      (good) => (good ? acceptHit(exec, job, hit, value) : refuseHit(exec, job, value)),
      () => refuseHit(exec, job, value),
    );
  }
}

function refuseHit(exec: Execution, job: Job, value: unknown): void {
  const { events } = exec.options;
  if (events.has("job-miss")) {
    events.emit({
      type: "job-miss",
      job: job.info,
      reason: "invalid",
      message: `its cached value is no longer valid: ${display(value)}`,
    });
  }
  callFunction(exec, job);
}

function acceptHit(exec: Execution, job: Job, hit: CacheHit, value: unknown): void {
  if (job.isEnded) return;
  startJob(exec, job);
  if (hit.kind === "ultimate") {
    job.callHash = hit.callHash;
    job.subtree = exec.taskSets.of(hit.subtreeTasks ?? [job.taskHash]);
    announce(exec, job, "ultimate", hit.callHash);
    finishJob(exec, job, value, { encoded: hit.value, cached: true });
    return;
  }
  announce(exec, job, "single", undefined);
  evaluate(exec, value, job, (failed, result, encoded) => {
    if (failed) failJob(exec, job, result);
    else finishJob(exec, job, result, { encoded: result === value ? hit.value : encoded, cached: true });
  });
}
