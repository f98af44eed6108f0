/** Executions since the page was opened, by what their engine's events told. Each place has an engine of its own. */
import { type ReadonlySignal, signal } from "@preact/signals";
import type { Engine, EngineEvent } from "../../src/browser/engine-api.ts";
import { Execution, type Job, type Status } from "./execution.ts";
import { type Place, placeKey } from "./place.ts";
import { place } from "./router.ts";

/** What one engine told. */
interface Told {
  readonly executions: Map<string, Execution>;
  /** Number of its last event. */
  seen: number;
}

const told = new Map<string, Told>();
const changes = signal(0);

function toldOf(at: Place): Told {
  const key = placeKey(at);
  let entry = told.get(key);
  if (entry === undefined) {
    entry = { executions: new Map(), seen: 0 };
    told.set(key, entry);
  }
  return entry;
}

/** Changes whenever an execution began or ended. */
export const executionChanges: ReadonlySignal<number> = changes;

/** Says that executions of the current place began or ended of which no event told. */
export function noteChanges(): void {
  changes.value++;
}

/** An execution that events told of. */
export function liveExecution(id: string): Execution | undefined {
  return toldOf(place.value).executions.get(id);
}

/** Those at work, which the store may not know of yet. */
export function runningExecutions(): Execution[] {
  return [...toldOf(place.value).executions.values()].filter(({ status }) => status === "RUNNING");
}

/** An execution that is about to be asked for. */
export function expectExecution(id: string, at: Place = place.value): Execution {
  return expect(toldOf(at), id);
}

function expect({ executions }: Told, id: string): Execution {
  let execution = executions.get(id);
  if (execution === undefined) {
    execution = new Execution(id);
    executions.set(id, execution);
  }
  return execution;
}

/** Forgets an execution that could not be begun. */
export function dropExecution(id: string, at: Place): void {
  toldOf(at).executions.delete(id);
}

/** Listens to the events of a place's engine, and catches up with what is at work already. */
export async function followEvents(engine: Engine, at: Place): Promise<void> {
  const told = toldOf(at);
  // Another engine of the place before this one may have stopped in the middle of them.
  told.executions.clear();
  // What comes while the earlier events are asked for is later than they are.
  let held: EngineEvent[] | undefined;
  engine.onEvents((events) => {
    if (held === undefined) apply(engine, told, events);
    else held.push(...events);
  });
  const catchUp = async (): Promise<void> => {
    held ??= [];
    try {
      apply(engine, told, await engine.eventsAfter(told.seen));
    } catch {
      // The engine has gone again, and its successor is caught up with in turn.
    } finally {
      const late = held ?? [];
      held = undefined;
      apply(engine, told, late);
    }
  };
  engine.onMoved(() => {
    // The engine that takes over counts its events anew, and goes on under other ids.
    told.seen = 0;
    for (const execution of told.executions.values())
      if (execution.status === "RUNNING") endJobs(execution, "INTERRUPTED");
    void catchUp();
  });
  await catchUp();
}

function apply(engine: Engine, told: Told, events: readonly EngineEvent[]): void {
  for (const event of events) {
    if (event.seq <= told.seen) continue;
    told.seen = event.seq;
    const execution = expect(told, event.executionId);
    applyEvent(told, execution, event);
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

function applyEvent({ executions }: Told, execution: Execution, event: EngineEvent): void {
  switch (event.type) {
    case "execution-start":
      execution.args = event.args;
      if (event.resumes !== undefined) {
        const earlier = executions.get(event.resumes);
        if (earlier !== undefined) {
          earlier.continuedBy = event.executionId;
          if (earlier.status === "RUNNING") endJobs(earlier, "INTERRUPTED");
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
export function endJobs(execution: Execution, status: Status): void {
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
