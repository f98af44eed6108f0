import { readFileSync } from "node:fs";
import type { Backend } from "../backend/backend.ts";
import type { PackageTask } from "../package/types.ts";
import { decodeValue } from "../value/value.ts";
import { RedunClientError, UsageError } from "./client-error.ts";
import { findRecord } from "./find-record.ts";

/** Reads a task's arguments from a file: a list by position, or an object by parameter name. */
export function readInput(path: string, task: PackageTask): unknown[] {
  let value: unknown;
  try {
    value = decodeValue(readFileSync(path, "utf8"));
  } catch (error) {
    throw new UsageError(`Cannot read the arguments in ${path}: ${(error as Error).message}`, {
      cause: error,
    });
  }
  if (Array.isArray(value)) return value;
  if (typeof value !== "object" || value === null) {
    throw new UsageError(
      `Cannot read the arguments in ${path}: expected a list, or an object by parameter name`,
    );
  }
  const unknown = Object.keys(value).find((key) => !task.parameters.some(({ name }) => name === key));
  if (unknown !== undefined)
    throw new UsageError(`Cannot use the arguments in ${path}: ${task.fullname} has no parameter ${unknown}`);
  const args = task.parameters.map(({ name }) => (value as Record<string, unknown>)[name]);
  while (args.length > 0 && args.at(-1) === undefined) args.pop();
  return args;
}

/** The task and arguments of an earlier job, or of an execution's root job. */
export async function rerunCall(backend: Backend, id: string): Promise<{ task: string; args: unknown[] }> {
  const found = await findRecord(backend, id, ["Execution", "Job"]);
  let jobId = found.id;
  if (found.type === "Execution") {
    const [execution] = await backend.getExecutions([found.id]);
    jobId = execution!.jobId;
  }
  const [job] = await backend.getJobs([jobId]);
  const [call] = job?.callHash == null ? [undefined] : await backend.getCallNodes([job.callHash]);
  if (job === undefined || call === undefined) {
    throw new RedunClientError(
      `Cannot run ${id} again: its job has not ended, so its arguments are not recorded`,
    );
  }
  // A plain call of the root is recorded as itself; any other is below the engine's own root task.
  const args = [...call.args]
    .filter(({ position }) => position !== null)
    .sort((a, b) => a.position! - b.position!);
  const values = await backend.getValues(args.map(({ valueHash }) => valueHash));
  try {
    return { task: job.taskName, args: values.map((value) => decodeValue(value!.text)) };
  } catch (error) {
    throw new RedunClientError(
      `Cannot run ${id} again: its arguments cannot be loaded (${(error as Error).message})`,
      {
        cause: error,
      },
    );
  }
}
