import { MemoryBackend } from "../../src/backends/memory-backend.ts";
import { recordingContext } from "../../src/executor/contract.ts";
import type { JobResult, JobSpec, PackageExecutor } from "../../src/executor/executor.ts";
import { fromJobError } from "../../src/executor/job-error.ts";
import { type RunOptions, Scheduler } from "../../src/index.ts";
import type { CodePackage } from "../../src/package/types.ts";
import { describedRegistry } from "../../src/task/description.ts";
import { decodeValue, encodeValue } from "../../src/value/value.ts";

/** A scheduler that knows a package by its description. */
export async function schedulerOf(
  pkg: CodePackage,
  executor: PackageExecutor,
  backend: MemoryBackend = new MemoryBackend(),
): Promise<{
  scheduler: Scheduler;
  run(name: string, args?: readonly unknown[], options?: RunOptions): Promise<unknown>;
}> {
  const description = await executor.describe(pkg.hash);
  const registry = describedRegistry(description, pkg.hash);
  const scheduler = new Scheduler({ backend, registry, executors: [executor] });
  return {
    scheduler,
    run: (name, args = [], options = {}) => scheduler.run(registry.get(name)!(...args), options),
  };
}

let lastJob = 0;

/** The spec of a job of a package. */
export function specOf(
  pkg: CodePackage,
  name: string,
  args: readonly unknown[] = [],
  more: Partial<JobSpec> = {},
): JobSpec {
  const id = `job-${++lastJob}`;
  return {
    jobId: id,
    executionId: "execution",
    evalHash: id,
    task: name,
    taskHash: pkg.manifest.tasks.find(({ fullname }) => fullname === name)!.hash,
    package: pkg.hash,
    args: encodeValue(args).text,
    options: {},
    reuse: false,
    ...more,
  };
}

/** What a job gives. @throws what it fails with */
export async function outcome(result: JobResult | Promise<JobResult>): Promise<unknown> {
  const ended = await result;
  if (!ended.ok) throw fromJobError(ended.error);
  return decodeValue(ended.value);
}

/** Runs one job of a package, and gives its value. */
export async function call(
  executor: PackageExecutor,
  pkg: CodePackage,
  name: string,
  args: readonly unknown[] = [],
  { signal, ...more }: Partial<JobSpec> & { signal?: AbortSignal } = {},
): Promise<unknown> {
  return await outcome(executor.run(specOf(pkg, name, args, more), recordingContext(signal)));
}
