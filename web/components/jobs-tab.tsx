/** The tree of jobs, and beside it the one that is chosen. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Execution, Status } from "../state/execution.ts";
import { Empty } from "./basics.tsx";
import { JobDetail } from "./job-detail.tsx";
import { type JobFilter, JobTree } from "./job-tree.tsx";

const STATUSES: readonly (readonly [Status, string])[] = [
  ["RUNNING", "Running"],
  ["DONE", "Ran"],
  ["CACHED", "Cached"],
  ["FAILED", "Failed"],
  ["CANCELLED", "Cancelled"],
];

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
  const [filter, setFilter] = useState<JobFilter>({ text: "", status: "" });
  const job = jobId === undefined ? undefined : execution.jobs.get(jobId);
  if (execution.jobs.size === 0)
    return (
      <Empty>
        <p>{execution.status === "RUNNING" ? "The first job has not begun yet." : "No job was recorded."}</p>
      </Empty>
    );
  return (
    <div class={`split ${job === undefined ? "" : "has-detail"}`}>
      <div class="tree-side">
        <search class="toolbar">
          <input
            type="search"
            aria-label="Jobs with"
            placeholder="Filter by task or argument"
            value={filter.text}
            onInput={(event) => setFilter({ ...filter, text: event.currentTarget.value })}
          />
          <select
            aria-label="Status"
            value={filter.status}
            onChange={(event) => setFilter({ ...filter, status: event.currentTarget.value as Status | "" })}
          >
            <option value="">Any status</option>
            {STATUSES.map(([status, title]) => (
              <option key={status} value={status}>
                {title}
              </option>
            ))}
          </select>
        </search>
        <JobTree execution={execution} filter={filter} selectedId={jobId} onSelect={onSelect} />
      </div>
      {job !== undefined && (
        <aside class="detail" aria-label={`Job ${job.task}`}>
          <JobDetail key={job.id} execution={execution} job={job} />
        </aside>
      )}
    </div>
  );
}
