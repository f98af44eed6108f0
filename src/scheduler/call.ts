import { NoCurrentJobError, SchedulerError, TimeoutError, UnknownExecutorError } from "../errors/errors.ts";
import type { Evaluated, Executor, ExecutorContext, JobResult, JobSpec } from "../executor/executor.ts";
import { thrownBy, toJobError } from "../executor/job-error.ts";
import { isThenable } from "../expression/expression.ts";
import { jobStorage } from "../task/current-job.ts";
import { DescribedDefinition } from "../task/description.ts";
import { isContainer, leaves, mapNested } from "../value/nested.ts";
import { codecOf } from "../value/registry.ts";
import { decodeValue, type EncodedValue, encodeValue, normalizeValue } from "../value/value.ts";
import { evaluate, hasExpression, staleParts } from "./evaluate.ts";
import type { Execution } from "./execution.ts";
import { explainMiss } from "./explain.ts";
import { failJob, finishJob, releaseLimits, startJob, valueRecord } from "./finish.ts";
import type { Job } from "./job.ts";
import { limitUnits } from "./limits.ts";

/** A function that was at work for longer, in milliseconds, has its result stored before it is announced. */
const SLOW = 500;

/** Calls a job's function, here or on its executor, once there are units free for it. */
export function callFunction(exec: Execution, job: Job): void {
  if (job.isEnded || exec.isOver) return;
  if (exec.options.dryRun && !isInternal(job)) {
    exec.dryRunMisses++;
    explainMiss(exec, job);
    return;
  }
  if (executorOf(exec, job) === undefined) {
    const name = executorName(job);
    failJob(exec, job, new UnknownExecutorError(name, [...exec.options.executors.keys()]));
    return;
  }
  try {
    const units = limitUnits(job.options.limits);
    if (units !== undefined && !exec.options.dryRun) {
      if (!exec.options.limits.acquire(job, units)) return;
      job.units = units;
    }
  } catch (error) {
    failJob(exec, job, error);
    return;
  }
  startJob(exec, job);
  attempt(exec, job);
}

const executorName = (job: Job): string => String(job.options.executor || "default");

function executorOf(exec: Execution, job: Job): Executor | undefined {
  return exec.options.executors.get(executorName(job));
}

/** Tasks of the engine that only pass expressions on do no work of the user's, so that a dry run may call them. */
function isInternal(job: Job): boolean {
  return job.task.fullname === "redun.root_task";
}

function attempt(exec: Execution, job: Job): void {
  job.attempts++;
  job.busySince = Date.now();
  const executor = executorOf(exec, job)!;
  const { events } = exec.options;
  if (events.has("job-start")) {
    events.emit({ type: "job-start", job: job.info, executor: executor.name, time: job.startTime });
  }
  if (job.task.definition.script && !isDescribed(job)) makeScript(exec, job);
  else if (executor.invoke !== undefined && (executor.invokes?.(job.task.definition) ?? true)) {
    invokeHere(exec, job, executor);
  } else runElsewhere(exec, job, undefined);
}

/** Whether the scheduler knows of the task only what its code's place has told. */
const isDescribed = (job: Job): boolean => job.task.definition instanceof DescribedDefinition;

function invokeHere(exec: Execution, job: Job, executor: Executor): void {
  let result: unknown;
  try {
    const { fn } = job.task.definition;
    const context = new RunningContext(exec, job);
    result = jobStorage.run(job, () => executor.invoke!({ fn, args: job.args }, context));
  } catch (error) {
    failedAttempt(exec, job, error);
    return;
  }
  // An expression is a thenable as well, but it is the task's result, to be evaluated.
  if (isThenable(result)) exec.awaitJob(job, withTimeout(job, result), returned, failedAttempt);
  else returned(exec, job, result);
}

function makeScript(exec: Execution, job: Job): void {
  const { fn } = job.task.definition;
  let made: unknown;
  try {
    made = jobStorage.run(job, () => fn(...job.args));
  } catch (error) {
    failedAttempt(exec, job, error);
    return;
  }
  if (isThenable(made)) exec.awaitJob(job, made, runScript, failedAttempt);
  else runScript(exec, job, made);
}

function runScript(exec: Execution, job: Job, script: unknown): void {
  if (typeof script === "string") {
    runElsewhere(exec, job, script);
    return;
  }
  const message = `Cannot run the script of ${job.task.fullname}: it is not a string but ${typeof script}`;
  failedAttempt(exec, job, new SchedulerError(message));
}

function runElsewhere(exec: Execution, job: Job, script: string | undefined): void {
  let running: Promise<JobResult>;
  try {
    running = executorOf(exec, job)!.run(specOf(job, script), new RunningContext(exec, job));
  } catch (error) {
    failedAttempt(exec, job, error);
    return;
  }
  exec.awaitJob(job, withTimeout(job, running), reported, failedAttempt);
}

/** An executor has reported how a job ended. */
function reported(exec: Execution, job: Job, result: JobResult): void {
  if (result.log !== undefined) job.log = [...result.log];
  // How long the job waited there for its turn makes its result no dearer.
  if (result.timings !== undefined && !job.awaited) {
    job.busySince = Date.now() - (result.timings.ended - result.timings.started);
  }
  if (!result.ok) {
    failedAttempt(exec, job, thrownBy(result.error));
    return;
  }
  let value: unknown;
  try {
    value = decodeValue(result.value);
  } catch (error) {
    failedAttempt(exec, job, error);
    return;
  }
  returned(exec, job, value);
}

function specOf(job: Job, script: string | undefined): JobSpec {
  const scope = job.options.cacheScope ?? "BACKEND";
  return {
    jobId: job.id,
    executionId: job.executionId,
    evalHash: job.evalHash!,
    task: job.task.fullname,
    taskHash: job.taskHash,
    package: job.task.definition.package,
    args: encodeValue(job.args, "args").text,
    options: job.options,
    script,
    reuse: scope === "BACKEND",
  };
}

/** What a running job may use; its signal is made when first asked for, since most jobs never do. */
class RunningContext implements ExecutorContext {
  readonly exec: Execution;
  readonly job: Job;

  constructor(exec: Execution, job: Job) {
    this.exec = exec;
    this.job = job;
  }

  get signal(): AbortSignal {
    this.job.abort ??= new AbortController();
    return this.job.abort.signal;
  }

  evaluate(expression: string): Promise<Evaluated> {
    return evaluateFor(this.exec, this.job, expression);
  }

  /** Made when asked for, so that it may be taken out of its object. */
  get log(): (line: string) => void {
    return (line) => logLine(this.exec, this.job, line);
  }
}

/** Evaluates what a job awaits whose code runs elsewhere. */
export async function evaluateFor(exec: Execution, job: Job, text: string): Promise<Evaluated> {
  try {
    const expression = decodeValue(text);
    const value = await awaitExpression(exec, job, expression, () => "an expression", exec.awaitingElsewhere);
    return { ok: true, value: encodeValue(value, "awaited").text };
  } catch (error) {
    return { ok: false, error: toJobError(error) };
  }
}

/** Adds a line to a running job's log. */
export function logLine(exec: Execution, job: Job, line: string): void {
  job.log ??= [];
  job.log.push(line);
  if (job.log.length > 1000) job.log.splice(0, 500);
  const { events } = exec.options;
  if (events.has("job-log")) events.emit({ type: "job-log", job: job.info, line });
}

/** Fails a job that runs longer than its timeout, and tells it through its signal. */
function withTimeout<T>(job: Job, running: PromiseLike<T>): PromiseLike<T> {
  const seconds = Number(job.options.timeout ?? 0);
  if (!(seconds > 0)) return running;
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => {
      const error = new TimeoutError(job.task.fullname, seconds);
      job.abort ??= new AbortController();
      job.abort.abort(error);
      reject(error);
    }, seconds * 1000);
    const settle =
      <V>(next: (value: V) => void) =>
      (value: V): void => {
        clearTimeout(timer);
        next(value);
      };
    running.then(settle(resolve), settle(reject));
  });
}

function failedAttempt(exec: Execution, job: Job, error: unknown): void {
  if (job.isEnded || exec.isOver) return;
  job.slow = Date.now() - job.busySince > SLOW;
  const retries = Number(job.options.retries ?? 0);
  if (job.attempts > retries) {
    failJob(exec, job, error);
    return;
  }
  const { events } = exec.options;
  if (events.has("job-retry"))
    events.emit({ type: "job-retry", job: job.info, attempt: job.attempts, error });
  job.abort = undefined;
  // What the failed attempt has called is called again, or found among the finished calls.
  job.forgetChildren();
  // Units that were given back while the function waited must be had again.
  if (job.units === undefined && job.options.limits !== undefined) callFunction(exec, job);
  else attempt(exec, job);
}

/** A function has returned: its value is stored as the single reduction, and evaluated. */
function returned(exec: Execution, job: Job, raw: unknown): void {
  if (job.isEnded || exec.isOver) return;
  job.slow = Date.now() - job.busySince > SLOW;
  releaseLimits(exec, job);
  let encoded: EncodedValue;
  let value: unknown;
  try {
    if (needsPostprocess(raw)) {
      postprocess(exec, job, raw);
      return;
    }
    ({ value, encoded } = normalizeValue(raw, "result"));
  } catch (error) {
    const refreshes = staleParts(raw);
    if (refreshes.length === 0) failJob(exec, job, error);
    else {
      exec.await(
        Promise.all(refreshes),
        () => returned(exec, job, raw),
        (failure) => failJob(exec, job, failure),
      );
    }
    return;
  }
  reduce(exec, job, value, encoded);
}

function reduce(exec: Execution, job: Job, value: unknown, encoded: EncodedValue): void {
  if (job.prov && !job.awaited) {
    const record = valueRecord(encoded, value);
    exec.recorder.evaluation({
      evalHash: job.evalHash!,
      taskHash: job.taskHash,
      argsHash: job.argsHash,
      value: record,
    });
  }
  if (!hasExpression(value)) {
    finishJob(exec, job, value, { encoded });
    return;
  }
  evaluate(exec, value, job, (failed, result, known) => {
    if (failed) failJob(exec, job, result);
    else finishJob(exec, job, result, { encoded: known });
  });
}

function needsPostprocess(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const check = (leaf: unknown): boolean =>
    typeof leaf === "object" &&
    leaf !== null &&
    codecOf(leaf)?.postprocess !== undefined &&
    !processed.has(leaf);
  if (!isContainer(value)) return check(value);
  for (const leaf of leaves(value)) if (check(leaf)) return true;
  return false;
}

const processed = new WeakSet<object>();

function postprocess(exec: Execution, job: Job, raw: unknown): void {
  const replacements = new Map<unknown, unknown>();
  const work = async (): Promise<void> => {
    for (const leaf of leaves(raw)) {
      if (typeof leaf !== "object" || leaf === null || replacements.has(leaf)) continue;
      const codec = codecOf(leaf);
      if (codec?.postprocess === undefined) continue;
      const replacement: unknown = await codec.postprocess(leaf);
      if (typeof replacement === "object" && replacement !== null) processed.add(replacement);
      replacements.set(leaf, replacement);
    }
  };
  exec.await(
    work(),
    () =>
      returned(
        exec,
        job,
        mapNested((leaf) => (replacements.has(leaf) ? replacements.get(leaf) : leaf), raw),
      ),
    (error) => failJob(exec, job, error),
  );
}

/** Evaluates an expression that a running job awaits. */
export function awaitExpression(
  exec: Execution,
  job: Job,
  expression: unknown,
  text: () => string,
  awaiting: Set<(error: unknown) => void> = exec.awaiting,
): Promise<unknown> {
  if (job.isEnded || exec.isOver) return Promise.reject(new NoCurrentJobError(text()));
  job.awaited = true;
  exec.hasAwaited = true;
  // Units are for the function's own work; holding them here could keep the awaited jobs from ever starting.
  releaseLimits(exec, job);
  return new Promise((resolve, reject) => {
    awaiting.add(reject);
    exec.push(() =>
      evaluate(exec, expression, job, (failed, result) => {
        awaiting.delete(reject);
        job.busySince = Date.now();
        if (failed) reject(result);
        else resolve(result);
      }),
    );
  });
}
