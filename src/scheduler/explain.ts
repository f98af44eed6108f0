import type { Execution } from "./execution.ts";
import type { Job } from "./job.ts";

const short = (hash: string): string => hash.slice(0, 8);

/** Says why a job of a dry run would run, compared with the nearest earlier call. */
export function explainMiss(exec: Execution, job: Job): void {
  const { events, backend } = exec.options;
  if (!events.has("job-miss")) return;
  const query = { taskName: job.task.fullname, taskHash: job.taskHash, argsHash: job.argsHash };
  const report = (message: string): void =>
    events.emit({ type: "job-miss", job: job.info, reason: "dry-run", message });
  exec.await(
    backend.nearestCall(query),
    (call) => {
      if (call === undefined)
        report(`new task ${short(job.taskHash)} with new arguments ${short(job.argsHash)}`);
      else if (call.argsHash === job.argsHash) {
        report(
          `new task with previous arguments: task ${short(call.taskHash)} became ${short(job.taskHash)}`,
        );
      } else
        report(
          `existing task with new arguments: arguments ${short(call.argsHash)} became ${short(job.argsHash)}`,
        );
    },
    () => report("the reason cannot be determined"),
  );
}
