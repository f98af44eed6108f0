/** What differs between two executions. */
import type { CallNodeRow } from "../../src/backend/backend.ts";
import type { Execution, Job } from "./execution.ts";
import { getCallNodes } from "./store.ts";
import { openExecution } from "./stored.ts";

/** A job of the later execution, with the one before that it answers to. */
export interface ComparedJob {
  readonly job: Job;
  readonly earlier: Job | undefined;
  readonly kind: "same" | "code" | "arguments" | "new";
}

/** Two executions, side by side. */
export interface Comparison {
  readonly before: Execution;
  readonly after: Execution;
  readonly jobs: readonly ComparedJob[];
  /** Jobs before that nothing afterwards answers to, but for those below a call that came from the cache as a whole. */
  readonly gone: readonly Job[];
  /** Milliseconds that the jobs took before which the later execution took from the cache. */
  readonly savedTime: number;
}

/** Compares two executions. @returns nothing if one is not here */
export async function compareExecutions(beforeId: string, afterId: string): Promise<Comparison | undefined> {
  const [before, after] = await Promise.all([openExecution(beforeId), openExecution(afterId)]);
  if (before === undefined || after === undefined) return undefined;
  const [earlier, later] = await Promise.all([callsOf(before), callsOf(after)]);
  const byCall = new Map<string, Job>();
  const byArguments = new Map<string, Job>();
  const byTask = new Map<string, Job[]>();
  for (const job of before.jobs.values()) {
    const call = earlier.get(job.callHash ?? "");
    if (job.callHash !== undefined && byCall.get(job.callHash)?.status !== "DONE")
      byCall.set(job.callHash, job);
    if (call !== undefined) byArguments.set(argumentsKey(call), job);
    byTask.set(job.task, [...(byTask.get(job.task) ?? []), job]);
  }
  const matched = new Set<Job>();
  const jobs = [...after.jobs.values()].map((job): ComparedJob => {
    const compared = match(job, later.get(job.callHash ?? ""), { byCall, byArguments, byTask, matched });
    if (compared.earlier !== undefined) matched.add(compared.earlier);
    return compared;
  });
  const equalCalls = new Set(jobs.flatMap(({ job, kind }) => (kind === "same" ? (job.callHash ?? []) : [])));
  const inside = jobsInside(jobs);
  const gone = [...before.jobs.values()].filter(
    (job) => !matched.has(job) && !inside.has(job) && !equalCalls.has(job.callHash ?? ""),
  );
  return { before, after, jobs, gone, savedTime: savedTime(jobs) };
}

const callsOf = ({ jobs }: Execution): Promise<Map<string, CallNodeRow>> =>
  getCallNodes([...jobs.values()].flatMap(({ callHash }) => callHash ?? []));

const argumentsKey = ({ taskName, argsHash }: CallNodeRow): string => `${taskName} ${argsHash}`;

interface Earlier {
  readonly byCall: ReadonlyMap<string, Job>;
  readonly byArguments: ReadonlyMap<string, Job>;
  readonly byTask: ReadonlyMap<string, readonly Job[]>;
  readonly matched: ReadonlySet<Job>;
}

function match(
  job: Job,
  call: CallNodeRow | undefined,
  { byCall, byArguments, byTask, matched }: Earlier,
): ComparedJob {
  const same = job.callHash === undefined ? undefined : byCall.get(job.callHash);
  if (same !== undefined) return { job, earlier: same, kind: "same" };
  const equalArguments = call === undefined ? undefined : byArguments.get(argumentsKey(call));
  if (equalArguments !== undefined) return { job, earlier: equalArguments, kind: "code" };
  const other = byTask.get(job.task)?.find((candidate) => !matched.has(candidate));
  return other === undefined
    ? { job, earlier: undefined, kind: "new" }
    : { job, earlier: other, kind: "arguments" };
}

/** Jobs before that are below calls which came from the cache as a whole, without the calls that they made. */
function jobsInside(jobs: readonly ComparedJob[]): ReadonlySet<Job> {
  const inside = new Set<Job>();
  for (const { job, earlier } of jobs)
    if (job.status === "CACHED" && job.children.length === 0 && earlier !== undefined)
      for (const child of earlier.children) inside.add(child);
  for (const job of inside) for (const child of job.children) inside.add(child);
  return inside;
}

/** Time of jobs that waited for others counts for those others, unless none of them is looked up any more. */
function savedTime(jobs: readonly ComparedJob[]): number {
  let saved = 0;
  for (const { job, earlier } of jobs) {
    if (job.status !== "CACHED" || earlier?.status !== "DONE") continue;
    if (earlier.children.length > 0 && job.children.length > 0) continue;
    if (earlier.startTime !== undefined && earlier.endTime !== undefined)
      saved += earlier.endTime - earlier.startTime;
  }
  return saved;
}
