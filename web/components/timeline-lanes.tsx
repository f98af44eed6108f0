/** The timeline with a lane for each worker. */
import type { JSX } from "preact";
import { duration } from "../lib/format.ts";
import type { Job } from "../state/execution.ts";
import { type Lane, lanesOf, type Span } from "../state/lanes.ts";
import { address } from "../state/router.ts";

/** So many parts of the time can be told apart. */
const PARTS = 700;

/** The lanes. Bars lead to their jobs; by keyboard the list of jobs does. */
export function TimelineLanes({
  jobs,
  executionId,
  start,
  end,
}: {
  jobs: readonly Job[];
  executionId: string;
  start: number;
  end: number;
}): JSX.Element {
  const { areWorkers, lanes } = lanesOf(jobs, end, (end - start) / PARTS);
  return (
    <>
      <ul class="lanes" aria-label={areWorkers ? "Workers" : "Lanes"}>
        {lanes.map((lane) => (
          <LaneRow key={lane.name} lane={lane} executionId={executionId} start={start} end={end} />
        ))}
      </ul>
      <p class="hint">
        {areWorkers
          ? "A bar is the time in which a job's function ran in its worker. Asynchronous functions run beside the scheduler, in the engine, where many wait at once."
          : "Which worker ran a job is known while this page follows it. These jobs are packed into as few lanes as their times allow, and one that waited for others counts as at work."}
      </p>
    </>
  );
}

function LaneRow({
  lane: { name, spans, jobs, busy },
  executionId,
  start,
  end,
}: {
  lane: Lane;
  executionId: string;
  start: number;
  end: number;
}): JSX.Element {
  const share = Math.round((100 * busy) / (end - start));
  return (
    <li class="lane">
      <span class="timeline-name">
        {name}
        <span class="muted wide-only">
          {" "}
          {jobs} {jobs === 1 ? "job" : "jobs"}
        </span>
      </span>
      <span class="timeline-track" aria-hidden="true">
        {spans.map((span) => (
          <Bar key={span.jobs[0]!.id} span={span} executionId={executionId} start={start} end={end} />
        ))}
      </span>
      <span class="timeline-time">
        {share} %<span class="visually-hidden"> of the time at work</span>
      </span>
    </li>
  );
}

function Bar({
  span: { jobs, from, to },
  executionId,
  start,
  end,
}: {
  span: Span;
  executionId: string;
  start: number;
  end: number;
}): JSX.Element {
  const percent = (millis: number): string => `${(millis / (end - start)) * 100}%`;
  const [job] = jobs as readonly [Job];
  const status = jobs.find(({ status }) => status === "FAILED")?.status ?? job.status;
  const what = jobs.length === 1 ? (job.call ?? job.task) : `${jobs.length} jobs, the first ${job.task}`;
  return (
    <a
      class={`timeline-bar status-${status.toLowerCase()}`}
      style={{ left: percent(from - start), width: percent(to - from) }}
      href={address(["executions", executionId, "jobs"], { job: job.id })}
      title={`${what}, ${duration(to - from)}`}
      tabIndex={-1}
    >
      <span class="visually-hidden">{what}</span>
    </a>
  );
}
