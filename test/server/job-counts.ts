import type { ExecutionEvent } from "../../src/server.ts";

/** The calls of one task that have ended, whether they ran or came from the cache. */
export function endedCalls(events: readonly ExecutionEvent[], task: string): Set<string> {
  return new Set(
    events.flatMap((event) => (event.type === "job-end" && event.job.task === task ? [event.job.call] : [])),
  );
}

/** Counts of the jobs of one task that ran, by their call. */
export function runsOf(events: readonly ExecutionEvent[], task: string): Map<string, number> {
  const runs = new Map<string, number>();
  for (const event of events) {
    if (event.type === "job-end" && event.job.task === task && event.status === "DONE")
      runs.set(event.job.call, (runs.get(event.job.call) ?? 0) + 1);
  }
  return runs;
}
