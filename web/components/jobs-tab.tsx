/** The tree of jobs, and beside it the one that is chosen. */
import type { JSX } from "preact";
import type { Execution } from "../state/execution.ts";
import { Empty } from "./basics.tsx";
import { JobDetail } from "./job-detail.tsx";
import { JobTree } from "./job-tree.tsx";

/** The tab. */
export function JobsTab({
  execution,
  jobId,
  onSelect,
}: {
  execution: Execution;
  jobId: string | undefined;
  onSelect: (jobId: string) => void;
}): JSX.Element {
  execution.follow();
  const job = jobId === undefined ? undefined : execution.jobs.get(jobId);
  if (execution.jobs.size === 0)
    return (
      <Empty>
        <p>{execution.status === "RUNNING" ? "The first job has not begun yet." : "No job was recorded."}</p>
      </Empty>
    );
  return (
    <div class={`split ${job === undefined ? "" : "has-detail"}`}>
      <JobTree execution={execution} selectedId={jobId} onSelect={onSelect} />
      {job !== undefined && (
        <aside class="detail" aria-label={`Job ${job.task}`}>
          <JobDetail key={job.id} execution={execution} job={job} />
        </aside>
      )}
    </div>
  );
}
