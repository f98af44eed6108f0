import type { ExecutorContext, JobResult, JobSpec } from "../executor/executor.ts";
import { thrownBy } from "../executor/job-error.ts";
import { decodeValue, encodeValue } from "../value/value.ts";
import { evaluateFor, logLine } from "./call.ts";
import type { Execution } from "./execution.ts";
import type { Job } from "./job.ts";

/** Code of a package that is no job: a scheduler task, or an operation on values. */
export type PackageWork = Pick<JobSpec, "evalHash" | "task" | "schedulerContext" | "operation"> & {
  readonly args: readonly unknown[];
};

/** Runs code of the package that is loaded elsewhere only, in the name of a job, and decodes what it gives. */
export function runPackageCode(
  exec: Execution,
  job: Job,
  { args, ...work }: PackageWork,
  done: (failed: boolean, result: unknown) => void,
): void {
  const abort = new AbortController();
  const giveUp = (reason: unknown): void => abort.abort(reason);
  const spec: JobSpec = {
    ...work,
    jobId: job.id,
    executionId: exec.id,
    taskHash: "",
    package: exec.options.registry.elsewhere?.package,
    args: encodeValue(args, "args").text,
    options: {},
    reuse: false,
  };
  let asked = 0;
  const context: ExecutorContext = {
    signal: abort.signal,
    log: (line) => logLine(exec, job, line),
    evaluate: async (expression) => {
      // Only while it asks does it wait for the execution.
      if (asked++ === 0) exec.held++;
      const evaluated = await evaluateFor(exec, job, expression);
      if (--asked === 0) exec.held--;
      return evaluated;
    },
  };
  const ended = (result: JobResult): void => {
    exec.awaitingElsewhere.delete(giveUp);
    if (!result.ok) {
      done(true, thrownBy(result.error));
      return;
    }
    let value: unknown;
    try {
      value = decodeValue(result.value);
    } catch (error) {
      done(true, error);
      return;
    }
    done(false, value);
  };
  const failed = (error: unknown): void => {
    exec.awaitingElsewhere.delete(giveUp);
    done(true, error);
  };
  const running = exec.options.executors.get("default")!.run(spec, context);
  exec.awaitingElsewhere.add(giveUp);
  exec.await(running, ended, failed);
}
