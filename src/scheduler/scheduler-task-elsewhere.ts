import type { SchedulerOps } from "../builtins/ops.ts";
import type { ExecutorContext, JobResult, JobSpec } from "../executor/executor.ts";
import { fromJobError } from "../executor/job-error.ts";
import { decodeValue, encodeValue } from "../value/value.ts";
import { evaluateFor, logLine } from "./call.ts";
import type { Execution } from "./execution.ts";
import type { Job } from "./job.ts";

/** Runs a scheduler task where its package is loaded, in the name of the job that called it. */
export function runSchedulerTaskElsewhere(
  exec: Execution,
  job: Job,
  packageHash: string,
  { node, context, settle }: SchedulerOps,
): void {
  const abort = new AbortController();
  const giveUp = (reason: unknown): void => abort.abort(reason);
  const spec: JobSpec = {
    jobId: job.id,
    executionId: exec.id,
    evalHash: node.hash,
    task: node.taskName,
    taskHash: "",
    package: packageHash,
    args: encodeValue(node.args, "args").text,
    options: {},
    schedulerContext: encodeValue(context, "context").text,
    reuse: false,
  };
  const surroundings: ExecutorContext = {
    signal: abort.signal,
    log: (line) => logLine(exec, job, line),
    evaluate: (expression) => evaluateFor(exec, job, expression),
  };
  const ended = (result: JobResult): void => {
    exec.awaiting.delete(giveUp);
    if (!result.ok) settle.reject(fromJobError(result.error));
    else {
      try {
        settle.resolve(decodeValue(result.value));
      } catch (error) {
        settle.reject(error);
      }
    }
  };
  exec.awaiting.add(giveUp);
  exec.hold(exec.options.executors.get("default")!.run(spec, surroundings), ended, (error) => {
    exec.awaiting.delete(giveUp);
    settle.reject(error);
  });
}
