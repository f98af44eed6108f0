import { ExecutorError, UnknownTaskError } from "../errors/errors.ts";
import { type TaskRegistry, taskRegistry } from "../task/registry.ts";
import type { Task } from "../task/task.ts";
import { leaves, mapNested } from "../value/nested.ts";
import { codecOf } from "../value/registry.ts";
import { decodeValue, encodeValue } from "../value/value.ts";
import type { ExecutorContext, JobResult, JobSpec } from "./executor.ts";
import type { ScriptRunner } from "./in-process-executor.ts";
import { toJobError } from "./job-error.ts";

/** What the place where a job runs provides. */
export interface RunJobOptions {
  /** Makes the tasks of a code package known. */
  readonly loadPackage?: (hash: string) => Promise<unknown>;
  readonly runScript?: ScriptRunner;
  readonly registry?: TaskRegistry<Task>;
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
    const value =
      spec.script === undefined ? await callTask(spec, options) : await runScript(spec, context, options);
    return { ok: true, value: encodeValue(await settled(value), "result").text, timings: timings() };
  } catch (error) {
    return { ok: false, error: toJobError(error), timings: timings() };
  }
}

async function callTask(spec: JobSpec, options: RunJobOptions): Promise<unknown> {
  if (spec.package !== undefined) await options.loadPackage?.(spec.package);
  const registry = options.registry ?? (taskRegistry as TaskRegistry<Task>);
  const task = registry.get(spec.task);
  if (task === undefined)
    throw new UnknownTaskError(
      spec.task,
      registry.names().filter((name) => !name.startsWith("redun.")),
    );
  const { definition } = task;
  if (definition.hash !== spec.taskHash) {
    throw new ExecutorError(`Cannot run ${spec.task} here: its code differs from the scheduler's`, {
      hint: "Both must load the same code package, or the same modules.",
      fields: { here: definition.hash, there: spec.taskHash },
    });
  }
  return definition.fn(...(decodeValue(spec.args) as unknown[]));
}

async function runScript(
  spec: JobSpec,
  context: ExecutorContext,
  options: RunJobOptions,
): Promise<Uint8Array> {
  if (options.runScript === undefined) {
    throw new ExecutorError(`Cannot run the script of ${spec.task}: this place has no shell`);
  }
  return options.runScript(spec.script!, context);
}

/** A result with its files and the like up to date, so that it can be encoded. */
async function settled(value: unknown): Promise<unknown> {
  const replacements = new Map<unknown, unknown>();
  for (const leaf of leaves(value)) {
    if (typeof leaf !== "object" || leaf === null || replacements.has(leaf)) continue;
    const codec = codecOf(leaf);
    if (codec?.postprocess !== undefined) replacements.set(leaf, await codec.postprocess(leaf));
    await codec?.refresh?.(replacements.get(leaf) ?? leaf);
  }
  return replacements.size === 0 ? value : mapNested((leaf) => replacements.get(leaf) ?? leaf, value);
}
