import type { JobCounts } from "../scheduler/events.ts";
import { localTime } from "./text.ts";

const COLUMNS = ["PENDING", "RUNNING", "FAILED", "CACHED", "DONE"] as const;

/** Numbers of jobs by status, summed over tasks. */
export function totals(counts: ReadonlyMap<string, JobCounts>): Record<keyof JobCounts, number> {
  const sums = { PENDING: 0, RUNNING: 0, FAILED: 0, CACHED: 0, DONE: 0 };
  for (const row of counts.values()) for (const column of COLUMNS) sums[column] += row[column];
  return sums;
}

/** The table of job numbers by task and status, as lines. */
export function statusTable(counts: ReadonlyMap<string, JobCounts>, time: number): string[] {
  const names = [...counts.keys()].sort();
  const rows = [
    ["TASK", ...COLUMNS, "TOTAL"],
    numbers("ALL", totals(counts)),
    ...names.map((name) => numbers(name, counts.get(name)!)),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(7, ...rows.map((row) => row[column]!.length)));
  const lines = rows.map(
    (row) =>
      `| ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(" ")}`,
  );
  return [`| JOB STATUS ${localTime(time, "/")}`, lines[0]!, "| ", ...lines.slice(1), ""];
}

function numbers(name: string, counts: JobCounts): string[] {
  const values = COLUMNS.map((column) => counts[column]);
  return [name, ...values.map(String), String(values.reduce((sum, n) => sum + n, 0))];
}
