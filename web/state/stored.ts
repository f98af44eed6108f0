/** Executions read from the store. */
import type { ExecutionRow, JobRow, TagRow } from "../../src/backend/backend.ts";
import type { Engine, RunOutcome } from "../../src/browser/engine-api.ts";
import { asError, errorRecord } from "../../src/executor/job-error.ts";
import { ErrorValue } from "../../src/scheduler/traceback.ts";
import { getEngine } from "./engine.ts";
import { Execution, type Status } from "./execution.ts";
import { endJobs, expectExecution, liveExecution } from "./live.ts";
import {
  getCallNodes,
  getExecutions,
  getJobs,
  getJobsOfExecution,
  getTags,
  getValues,
  query,
} from "./store.ts";
import { callText, decodeText } from "./values.ts";

/** An execution: as events tell it if it is of this visit, else as the store has it. */
export async function openExecution(id: string): Promise<Execution | undefined> {
  const engine = await getEngine();
  const live = liveExecution(id);
  if (live !== undefined) {
    if (live.status === "RUNNING") void engine.follow?.(id).catch(() => {});
    return live;
  }
  const row = (await getExecutions([id])).get(id);
  if ((row === undefined || row.status === "RUNNING") && (await engine.follow?.(id))) {
    const execution = expectExecution(id);
    execution.args = row?.args ?? [];
    execution.startTime = row?.startTime ?? undefined;
    return execution;
  }
  if (row === undefined) return undefined;
  const [jobs, tags] = await Promise.all([getJobsOfExecution(id), getTags([id])]);
  const execution = executionOf(row, jobs);
  void readLog(engine, execution);
  execution.status = statusOf(row, tags.get(id) ?? []);
  if (execution.status === "INTERRUPTED") {
    // The outcome is that of the execution in its place.
    endJobs(execution, "INTERRUPTED");
    execution.continuedBy = await continuationOf(id);
    return execution;
  }
  execution.outcome = (await engine.outcome(id).catch(() => undefined)) ?? (await storedOutcome(execution));
  if (execution.outcome !== undefined && execution.status !== "CANCELLED")
    execution.status = execution.outcome.status;
  return execution;
}

/** The execution that went on in the place of an interrupted one. */
async function continuationOf(id: string): Promise<string | undefined> {
  const tags = [{ key: "redun.resumes", value: id }];
  const [found] = await query("find", { type: "Execution", limit: 1, tags });
  return found?.id;
}

async function readLog(engine: Engine, execution: Execution): Promise<void> {
  try {
    for (const line of await engine.log(execution.id)) execution.addLog(line);
    execution.touch();
  } catch {
    // An execution without its lines is worth showing.
  }
}

/** A stored status, where tags tell more of it. */
export function statusOf({ status }: ExecutionRow, tags: readonly TagRow[]): Status {
  const told = tags.find(({ key }) => key === "redun.status")?.value;
  return told === "cancelled" ? "CANCELLED" : told === "interrupted" ? "INTERRUPTED" : status;
}

function executionOf(row: ExecutionRow, jobs: readonly JobRow[]): Execution {
  const execution = new Execution(row.id);
  execution.args = row.args;
  execution.status = row.status;
  execution.startTime = row.startTime ?? undefined;
  execution.endTime = row.endTime ?? undefined;
  for (const stored of jobs) {
    const job = execution.job(stored.id, stored.taskName, stored.parentId);
    job.status = stored.status;
    job.startTime = stored.startTime;
    job.endTime = stored.endTime ?? undefined;
    job.callHash = stored.callHash ?? undefined;
  }
  return execution;
}

/** What the root job's call came to. */
async function storedOutcome({ roots }: Execution): Promise<RunOutcome | undefined> {
  const callHash = roots[0]?.callHash;
  const call = callHash === undefined ? undefined : (await getCallNodes([callHash])).get(callHash);
  const value = call === undefined ? undefined : (await getValues([call.valueHash])).get(call.valueHash);
  if (value === undefined) return undefined;
  const decoded = decodeText(value.text);
  if (!decoded.known || !(decoded.value instanceof ErrorValue))
    return { status: "DONE", value: value.text, valueHash: value.hash };
  const { error, traceback } = decoded.value;
  return { status: "FAILED", error: errorRecord(asError(error)), traceback };
}

/** Among so many of the latest executions an earlier one is looked for. */
const RECENT = 500;

/** The execution before one that ran the same task. */
export async function earlierExecution(id: string, task: string): Promise<string | undefined> {
  const found = await query("find", { type: "Execution", limit: RECENT });
  const at = found.findIndex((other) => other.id === id);
  const earlier = at < 0 ? [] : found.slice(at + 1).map((other) => other.id);
  const executions = await getExecutions(earlier);
  const roots = await getJobs([...executions.values()].map(({ jobId }) => jobId));
  return earlier.find((other) => roots.get(executions.get(other)?.jobId ?? "")?.taskName === task);
}

/** Finds out the texts of jobs' calls that are not known yet. */
export async function loadCallTexts(execution: Execution, ids: readonly string[]): Promise<void> {
  const jobs = ids.flatMap((id) => {
    const job = execution.jobs.get(id);
    return job !== undefined && job.call === undefined && job.callHash !== undefined ? [job] : [];
  });
  if (jobs.length === 0) return;
  const calls = await getCallNodes(jobs.map(({ callHash }) => callHash!));
  const values = await getValues(
    [...calls.values()].flatMap(({ args }) => args.map(({ valueHash }) => valueHash)),
  );
  for (const job of jobs) {
    const call = calls.get(job.callHash!);
    if (call !== undefined) job.call = callText(call, values);
  }
  execution.touch();
}
