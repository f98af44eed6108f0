/** The lines that jobs wrote. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { shortId } from "../lib/format.ts";
import type { Execution } from "../state/execution.ts";
import { address } from "../state/router.ts";
import { Empty } from "./basics.tsx";
import { VirtualList } from "./virtual-rows.tsx";

/** The log, its end in sight. */
export function LogTab({ execution }: { execution: Execution }): JSX.Element {
  execution.follow();
  const [filter, setFilter] = useState("");
  const lines =
    filter === ""
      ? execution.log
      : execution.log.filter(({ line }) => line.toLowerCase().includes(filter.toLowerCase()));
  if (execution.log.length === 0)
    return (
      <Empty>
        <p>{execution.status === "RUNNING" ? "No job has written a line yet." : "No log lines are kept."}</p>
        <p class="muted">
          What tasks write with console.log shows here. The last lines of the latest executions are kept.
        </p>
      </Empty>
    );
  return (
    <div class="log">
      <label class="field-inline">
        <span>Lines with</span>
        <input type="search" value={filter} onInput={(event) => setFilter(event.currentTarget.value)} />
      </label>
      <VirtualList count={lines.length} rowHeight={20} label="Log lines" class="log-lines" follow>
        {(index) => {
          const { jobId, line } = lines[index]!;
          const task = execution.jobs.get(jobId)?.task ?? "";
          return (
            <div class="log-line">
              <a
                href={address(["executions", execution.id, "jobs"], { job: jobId })}
                title={`Job ${shortId(jobId)}`}
              >
                {task || shortId(jobId)}
              </a>
              <span>{line}</span>
            </div>
          );
        }}
      </VirtualList>
    </div>
  );
}
