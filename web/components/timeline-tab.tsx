/** When jobs ran: a line each, or a lane for each worker. */
import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { duration, plural } from "../lib/format.ts";
import type { Execution, Job } from "../state/execution.ts";
import { address } from "../state/router.ts";
import { Empty } from "./basics.tsx";
import { TimelineLanes } from "./timeline-lanes.tsx";
import { VirtualList } from "./virtual-rows.tsx";

const ROW_HEIGHT = 22;
/** About so many marks are on the scale. */
const MARKS = 5;

/** The timeline. */
export function TimelineTab({ execution }: { execution: Execution }): JSX.Element {
  const version = execution.changes.value;
  const [isAll, setAll] = useState(false);
  const [view, setView] = useState<"jobs" | "workers">("jobs");
  const isRunning = execution.status === "RUNNING";
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (!isRunning) return;
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, [isRunning]);
  const jobs = useMemo(
    () =>
      [...execution.jobs.values()]
        .filter((job) => job.startTime !== undefined && (isAll || job.status !== "CACHED"))
        .sort((a, b) => a.startTime! - b.startTime!),
    [execution, version, isAll],
  );
  const start = execution.startTime ?? jobs[0]?.startTime ?? now;
  const end = Math.max(
    execution.endTime ?? (isRunning ? now : 0),
    jobs.reduce((latest, job) => Math.max(latest, job.endTime ?? 0), start + 1),
  );
  return (
    <div class="timeline">
      <div class="toolbar">
        <div class="modes" role="group" aria-label="A line for each">
          <button type="button" aria-pressed={view === "jobs"} onClick={() => setView("jobs")}>
            Job
          </button>
          <button type="button" aria-pressed={view === "workers"} onClick={() => setView("workers")}>
            Worker
          </button>
        </div>
        {view === "jobs" && (
          <span class="hint">{plural(jobs.length, "job")} by the time when they began</span>
        )}
        <span class="spacer" />
        {view === "jobs" && (
          <label class="check">
            <input
              type="checkbox"
              checked={isAll}
              onChange={(event) => setAll(event.currentTarget.checked)}
            />
            Show cached jobs as well
          </label>
        )}
      </div>
      {jobs.length === 0 ? (
        <Empty>
          <p>{isRunning ? "No job has begun yet." : "No job ran: all results came from the cache."}</p>
        </Empty>
      ) : (
        <>
          <Scale length={end - start} />
          {view === "workers" ? (
            <TimelineLanes
              jobs={jobs.filter(({ status }) => status !== "CACHED")}
              executionId={execution.id}
              start={start}
              end={end}
            />
          ) : (
            <VirtualList count={jobs.length} rowHeight={ROW_HEIGHT} label="Timeline" class="timeline-rows">
              {(index) => (
                <TimelineRow job={jobs[index]!} executionId={execution.id} start={start} end={end} />
              )}
            </VirtualList>
          )}
        </>
      )}
    </div>
  );
}

function Scale({ length }: { length: number }): JSX.Element {
  const marks = scaleMarks(length);
  return (
    <div class="timeline-scale" aria-hidden="true">
      {marks.map((at) => (
        <span key={at} style={{ left: `${(at / length) * 100}%` }}>
          {at === 0 ? "0" : duration(at)}
        </span>
      ))}
    </div>
  );
}

/** Round times that divide a length, in milliseconds. */
function scaleMarks(length: number): number[] {
  const rough = length / MARKS;
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1)));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough) ?? rough;
  const marks: number[] = [];
  for (let at = 0; at < length * 0.95; at += Math.max(step, 1)) marks.push(at);
  return marks;
}

function TimelineRow({
  job,
  executionId,
  start,
  end,
}: {
  job: Job;
  executionId: string;
  start: number;
  end: number;
}): JSX.Element {
  const from = job.startTime! - start;
  const to = (job.endTime ?? end) - start;
  const share = (millis: number): string => `${(millis / (end - start)) * 100}%`;
  const text = job.status === "CACHED" ? "cached" : duration(to - from);
  return (
    <a
      class="timeline-row"
      href={address(["executions", executionId, "jobs"], { job: job.id })}
      title={`${job.call ?? job.task}, ${text}`}
    >
      <span class="timeline-name mono">{job.task}</span>
      <span class="timeline-track">
        <span
          class={`timeline-bar status-${job.status.toLowerCase()}`}
          style={{ left: share(from), width: share(to - from) }}
        />
      </span>
      <span class="timeline-time">{text}</span>
    </a>
  );
}
