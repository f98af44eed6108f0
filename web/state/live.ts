/** Executions of this page's engine since the page was opened, by what its events told. */
import { type ReadonlySignal, signal } from "@preact/signals";
import type { Engine, EngineEvent } from "../../src/browser/engine-api.ts";
import { Execution, type Job, type Status } from "./execution.ts";

const live = new Map<string, Execution>();
const changes = signal(0);
let seen = 0;

/** Changes whenever an execution began or ended. */
export const executionChanges: ReadonlySignal<number> = changes;

/** An execution that events told of. */
export function liveExecution(id: string): Execution | undefined {
  return live.get(id);
}

/** Those at work, which the store may not know of yet. */
export function runningExecutions(): Execution[] {
  return [...live.values()].filter(({ status }) => status === "RUNNING");
}

/** An execution that is about to be asked for. */
export function expectExecution(id: string): Execution {
  let execution = live.get(id);
  if (execution === undefined) {
    execution = new Execution(id);
    live.set(id, execution);
  }
  return execution;
}

/** Listens to an engine's events, and catches up with what is at work already. */
export async function followEvents(engine: Engine): Promise<void> {
  // What comes while the earlier events are asked for is later than they are.
  let held: EngineEvent[] | undefined;
  engine.onEvents((events) => {
    if (held === undefined) apply(engine, events);
    else held.push(...events);
  });
  const catchUp = async (): Promise<void> => {
    held ??= [];
    try {
      apply(engine, await engine.eventsAfter(seen));
    } catch {
      // The engine has gone again, and its successor is caught up with in turn.
    } finally {
      const late = held ?? [];
      held = undefined;
      apply(engine, late);
    }
  };
  engine.onMoved(() => {
    // The engine that takes over counts its events anew, and goes on under other ids.
    seen = 0;
    for (const execution of live.values())
      if (execution.status === "RUNNING") endJobs(execution, "INTERRUPTED");
    void catchUp();
  });
  await catchUp();
}

function apply(engine: Engine, events: readonly EngineEvent[]): void {
  for (const event of events) {
    if (event.seq <= seen) continue;
    seen = event.seq;
    const execution = expectExecution(event.executionId);
    applyEvent(execution, event);
    if (event.type === "execution-end" && event.outcome === undefined) void askForOutcome(engine, execution);
    if (event.type === "execution-start" || event.type === "execution-end") changes.value++;
    execution.touch();
  }
}

/** Events leave large outcomes out. */
async function askForOutcome(engine: Engine, execution: Execution): Promise<void> {
  execution.outcome = await engine.outcome(execution.id).catch(() => undefined);
  execution.touch();
}

function applyEvent(execution: Execution, event: EngineEvent): void {
  switch (event.type) {
    case "execution-start":
      execution.args = event.args;
      if (event.resumes !== undefined) {
        const earlier = live.get(event.resumes);
        if (earlier !== undefined) {
          earlier.continuedBy = event.executionId;
          earlier.touch();
        }
      }
      execution.startTime = event.time;
      execution.status = "RUNNING";
      break;
    case "execution-end":
      execution.outcome = event.outcome;
      execution.endTime = event.time;
      endJobs(execution, event.status);
      break;
    case "job-start": {
      const job = jobOf(execution, event.job);
      job.status = "RUNNING";
      job.startTime = event.time;
      job.executor = event.executor;
      break;
    }
    case "job-end": {
      const job = jobOf(execution, event.job);
      job.status = event.status;
      job.startTime ??= event.time;
      job.endTime = event.time;
      job.callHash = event.callHash;
      if (event.ran !== undefined) {
        job.worker = event.ran.worker;
        job.ran = event.ran;
      }
      break;
    }
    case "at-work":
      for (const [id, worker] of Object.entries(event.workers)) {
        const job = execution.jobs.get(id);
        if (job?.ran === undefined && job !== undefined) job.worker = worker;
      }
      break;
    case "job-miss":
      jobOf(execution, event.job);
      execution.misses.set(event.job.id, event.message);
      break;
    case "job-log":
      execution.addLog({ jobId: event.jobId, line: event.line });
      break;
    case "counts":
      execution.counts = new Map(Object.entries(event.counts));
      break;
    case "warning":
      execution.warnings.push(event.message);
      break;
  }
}

/** Jobs that have not ended when their execution does never will. */
function endJobs(execution: Execution, status: Status): void {
  execution.status = status;
  for (const job of execution.jobs.values())
    if (job.status === "RUNNING" || job.status === "PENDING") job.status = "CANCELLED";
  execution.touch();
}

function jobOf(
  execution: Execution,
  view: {
    readonly id: string;
    readonly task: string;
    readonly parentId: string | null;
    readonly call: string;
  },
): Job {
  const job = execution.job(view.id, view.task, view.parentId);
  job.call = view.call;
  return job;
}
