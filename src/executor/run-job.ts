import { ExecutorError, SchedulerError, UnknownTaskError } from "../errors/errors.ts";
import { hasCode } from "../errors/redun-error.ts";
import { addEvaluator, isExpression, lazy } from "../expression/expression.ts";
import { type ExpressionNode, nodeOf, SimpleNode } from "../expression/node.ts";
import { applyOperation } from "../expression/operators.ts";
import { jobStorage } from "../task/current-job.ts";
import { type TaskRegistry, taskRegistry } from "../task/registry.ts";
import { type SchedulerView, userSchedulerFunctions } from "../task/scheduler-task.ts";
import type { Task } from "../task/task.ts";
import { leaves, mapNested } from "../value/nested.ts";
import { codecOf } from "../value/registry.ts";
import { decodeValue, encodeValue } from "../value/value.ts";
import type { ExecutorContext, JobResult, JobSpec, ScriptRunner } from "./executor.ts";
import { thrownBy, toJobError } from "./job-error.ts";

/** What the place where a job runs provides. */
export interface RunJobOptions {
  /** Makes the tasks of a code package known. */
  readonly loadPackage?: (hash: string) => Promise<unknown>;
  readonly runScript?: ScriptRunner | undefined;
  readonly registry?: TaskRegistry<Task>;
}

/** A value that must not be awaited: it may be an expression, and awaiting one evaluates it. */
interface Boxed {
  readonly value: unknown;
}

/** A job that was sent here, while its code runs. */
class RemoteJob {
  readonly context: ExecutorContext;
  readonly package: string | undefined;

  constructor(context: ExecutorContext, packageHash: string | undefined) {
    this.context = context;
    this.package = packageHash;
  }

  async evaluate(expression: unknown): Promise<unknown> {
    await refresh(expression);
    const { text } = encodeValue(expression, "expression");
    const outcome = await this.context.evaluate!(text);
    if (!outcome.ok) throw thrownBy(outcome.error);
    return decodeValue(outcome.value);
  }
}

function currentRemoteJob(): RemoteJob | undefined {
  const job = jobStorage.current();
  return job instanceof RemoteJob ? job : undefined;
}

addEvaluator(() => {
  const job = currentRemoteJob();
  return job?.context.evaluate === undefined ? undefined : (node) => job.evaluate(lazy(node));
});

/**
 * Adds a line to the log of the job that was sent here and whose code is running.
 *
 * @returns whether there is one
 */
export function logInRemoteJob(line: string): boolean {
  const job = currentRemoteJob();
  job?.context.log(line);
  return job !== undefined;
}

/** Runs one job where it was sent. Never rejects: whatever goes wrong is the job's result. */
export async function runJob(
  spec: JobSpec,
  context: ExecutorContext,
  options: RunJobOptions = {},
): Promise<JobResult> {
  const started = Date.now();
  const timings = (): { started: number; ended: number } => ({ started, ended: Date.now() });
  try {
    const raw = await runCode(spec, context, options);
    const { value } = await settled(raw.value);
    return { ok: true, value: encodeValue(value, "result").text, timings: timings() };
  } catch (error) {
    return { ok: false, error: toJobError(error), timings: timings() };
  }
}

function runCode(spec: JobSpec, context: ExecutorContext, options: RunJobOptions): Promise<Boxed> {
  if (spec.script !== undefined) return runScript(spec.task, spec.script, context, options);
  if (spec.schedulerContext !== undefined)
    return callSchedulerTask(spec, spec.schedulerContext, context, options);
  if (spec.operation) return operate(spec, context, options);
  return callTask(spec, context, options);
}

/** Calls a method, or reads a member, of a value whose type the package may define. */
async function operate(spec: JobSpec, context: ExecutorContext, options: RunJobOptions): Promise<Boxed> {
  if (spec.package !== undefined) await options.loadPackage?.(spec.package);
  const [expression] = argumentsOf(spec);
  const result = jobStorage.run(new RemoteJob(context, spec.package), () => applyOperations(expression));
  return { value: isExpression(result) ? result : await result };
}

function applyOperations(value: unknown): unknown {
  const node = nodeOf(value);
  return node instanceof SimpleNode ? applyOperation(node.op, node.args.map(applyOperations)) : value;
}

async function callSchedulerTask(
  spec: JobSpec,
  schedulerContext: string,
  context: ExecutorContext,
  options: RunJobOptions,
): Promise<Boxed> {
  if (spec.package !== undefined) await options.loadPackage?.(spec.package);
  const fn = userSchedulerFunctions.get(spec.task);
  if (fn === undefined) throw new UnknownTaskError(spec.task, [...userSchedulerFunctions.keys()]);
  const job = new RemoteJob(context, spec.package);
  const view: SchedulerView = {
    evaluate: (value) => job.evaluate(value),
    context: decodeValue(schedulerContext) as SchedulerView["context"],
  };
  const args = argumentsOf(spec);
  const result: unknown = jobStorage.run(job, () => fn(view, ...args));
  return { value: isExpression(result) ? result : await result };
}

function argumentsOf(spec: JobSpec): readonly unknown[] {
  const args = decodeValue(spec.args);
  if (!Array.isArray(args)) throw new ExecutorError(`Cannot run ${spec.task}: its arguments are not a list`);
  return args;
}

async function callTask(spec: JobSpec, context: ExecutorContext, options: RunJobOptions): Promise<Boxed> {
  if (spec.package !== undefined) await options.loadPackage?.(spec.package);
  const registry = options.registry ?? (taskRegistry as TaskRegistry<Task>);
  const task = registry.get(spec.task);
  if (task === undefined) {
    throw new UnknownTaskError(
      spec.task,
      registry.names().filter((name) => !name.startsWith("redun.")),
    );
  }
  const { definition } = task;
  if (definition.hash !== spec.taskHash) {
    throw new ExecutorError(`Cannot run ${spec.task} here: its code differs from the scheduler's`, {
      hint: "Both must load the same code package, or the same modules. A version makes a task's hash independent of its text.",
      fields: { here: definition.hash, there: spec.taskHash },
    });
  }
  const args = argumentsOf(spec);
  try {
    const result: unknown = jobStorage.run(new RemoteJob(context, spec.package), () =>
      definition.fn(...args),
    );
    const value: unknown = isExpression(result) ? result : await result;
    if (!definition.script) return { value };
    if (typeof value === "string") return await runScript(spec.task, value, context, options);
    throw new SchedulerError(`Cannot run the script of ${spec.task}: it is not a string but ${typeof value}`);
  } catch (error) {
    throw hasCode(error, "no-current-job") ? awaitsElsewhere(spec.task, error as Error) : error;
  }
}

/** Awaiting an expression takes the scheduler, which is not here. */
function awaitsElsewhere(task: string, cause: Error): SchedulerError {
  return new SchedulerError(
    `Cannot await an expression in ${task}: the task does not run where the scheduler is`,
    {
      hint: "Return the expression instead of awaiting it, or make the function async and run it on the executor default.",
      fields: { task },
      cause,
    },
  );
}

async function runScript(
  task: string,
  script: string,
  context: ExecutorContext,
  options: RunJobOptions,
): Promise<Boxed> {
  if (options.runScript === undefined) {
    throw new ExecutorError(`Cannot run the script of ${task}: this runtime has no shell`, {
      hint: "Run it from the command line, or on an executor that has a shell.",
      fields: { task },
    });
  }
  return { value: await options.runScript(script, context) };
}

/** A result with its files and the like up to date, so that it can be encoded. */
async function settled(value: unknown): Promise<Boxed> {
  const replacements = new Map<unknown, unknown>();
  for (const leaf of leaves(value)) {
    if (typeof leaf !== "object" || leaf === null || replacements.has(leaf)) continue;
    const postprocess = codecOf(leaf)?.postprocess;
    if (postprocess !== undefined) replacements.set(leaf, await postprocess(leaf));
  }
  const replaced =
    replacements.size === 0
      ? value
      : mapNested((leaf) => (replacements.has(leaf) ? replacements.get(leaf) : leaf), value);
  await refresh(replaced);
  return { value: replaced };
}

/** Has all parts look outside that must before they are encoded, those in the arguments of expressions too. */
async function refresh(root: unknown): Promise<void> {
  const seen = new Set<ExpressionNode>();
  const stack: unknown[] = [root];
  while (stack.length > 0) {
    for (const leaf of leaves(stack.pop())) {
      if ((typeof leaf !== "object" && typeof leaf !== "function") || leaf === null) continue;
      const node = nodeOf(leaf);
      if (node === undefined) await codecOf(leaf)?.refresh?.(leaf);
      else if (!seen.has(node)) {
        seen.add(node);
        stack.push(node.args);
      }
    }
  }
}
