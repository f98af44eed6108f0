/** How far an execution is, by task. */
import type { JSX } from "preact";
import type { JobCounts } from "../../src/scheduler/events.ts";
import { count } from "../lib/format.ts";
import type { Execution } from "../state/execution.ts";

const COLUMNS = ["PENDING", "RUNNING", "CACHED", "DONE", "FAILED"] as const;
const TITLES: Readonly<Record<keyof JobCounts, string>> = {
  PENDING: "Pending",
  RUNNING: "Running",
  CACHED: "Cached",
  DONE: "Ran",
  FAILED: "Failed",
};

const PASSING: ReadonlySet<keyof JobCounts> = new Set(["PENDING", "RUNNING"]);

const totalOf = (counts: JobCounts): number => COLUMNS.reduce((sum, status) => sum + counts[status], 0);

/** The table of tasks and statuses. */
export function ProgressTable({ execution }: { execution: Execution }): JSX.Element {
  execution.follow();
  const rows = [...execution.taskCounts()].sort(([a], [b]) => (a < b ? -1 : 1));
  const all = rows.reduce<JobCounts>((sum, [, counts]) => addCounts(sum, counts), {
    PENDING: 0,
    RUNNING: 0,
    FAILED: 0,
    CACHED: 0,
    DONE: 0,
  });
  // Once all have ended, nothing waits any more.
  const columns = COLUMNS.filter(
    (status) => execution.status === "RUNNING" || !PASSING.has(status) || all[status] > 0,
  );
  return (
    <section class="table-scroll" aria-label="Jobs by task" tabIndex={0}>
      <table class="table progress">
        <thead>
          <tr>
            <th scope="col">Task</th>
            <th scope="col" class="bar-column">
              <span class="visually-hidden">Share</span>
            </th>
            {columns.map((status) => (
              <th key={status} scope="col" class="number">
                {TITLES[status]}
              </th>
            ))}
            <th scope="col" class="number">
              Jobs
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([task, counts]) => (
            <ProgressRow key={task} name={task} counts={counts} columns={columns} />
          ))}
        </tbody>
        {rows.length > 1 && (
          <tfoot>
            <ProgressRow name="All" counts={all} columns={columns} />
          </tfoot>
        )}
      </table>
    </section>
  );
}

function ProgressRow({
  name,
  counts,
  columns,
}: {
  name: string;
  counts: JobCounts;
  columns: readonly (keyof JobCounts)[];
}): JSX.Element {
  const total = totalOf(counts);
  return (
    <tr>
      <th scope="row" class="mono">
        {name}
      </th>
      <td class="bar-column">
        <span class="bar" aria-hidden="true">
          {(["DONE", "CACHED", "FAILED", "RUNNING"] as const).map(
            (status) =>
              counts[status] > 0 && (
                <span
                  key={status}
                  class={`bar-part status-${status.toLowerCase()}`}
                  style={{ width: `${(counts[status] / total) * 100}%` }}
                />
              ),
          )}
        </span>
      </td>
      {columns.map((status) => (
        <td key={status} class={`number ${counts[status] === 0 ? "zero" : `status-${status.toLowerCase()}`}`}>
          {count(counts[status])}
        </td>
      ))}
      <td class="number">{count(total)}</td>
    </tr>
  );
}

/** Sums of counts. */
function addCounts(a: JobCounts, b: JobCounts): JobCounts {
  return {
    PENDING: a.PENDING + b.PENDING,
    RUNNING: a.RUNNING + b.RUNNING,
    FAILED: a.FAILED + b.FAILED,
    CACHED: a.CACHED + b.CACHED,
    DONE: a.DONE + b.DONE,
  };
}

/** In one sentence: how many jobs there are, and what became of them. */
export function progressText(execution: Execution): string {
  const counts = [...execution.taskCounts().values()];
  const total = counts.reduce((sum, each) => sum + totalOf(each), 0);
  const sum = (status: keyof JobCounts): number => counts.reduce((n, each) => n + each[status], 0);
  const parts = [
    [sum("DONE"), "ran"],
    [sum("CACHED"), "cached"],
    [sum("FAILED"), "failed"],
    [sum("RUNNING") + sum("PENDING"), execution.status === "RUNNING" ? "to go" : "did not run"],
  ] as const;
  const shown = parts.filter(([n]) => n > 0).map(([n, text]) => `${count(n)} ${text}`);
  return `${count(total)} ${total === 1 ? "job" : "jobs"}${shown.length > 0 ? `: ${shown.join(", ")}` : ""}`;
}
