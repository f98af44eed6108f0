import type { WorkerWatch } from "../executors/worker-watch.ts";
import type { JobCounts, JobInfo } from "../scheduler/events.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import type { JobView } from "../server/execution-types.ts";
import type { EngineEvent, RunOutcome } from "./engine-api.ts";

/** So many of the latest events are kept at least, and twice as many at most. */
const KEPT = 50_000;
/** Milliseconds in which events gather before they are sent, and between two tables of counts. */
const INTERVAL = 100;

/** So many characters of an outcome go with an event. */
const MOST_OUTCOME = 10_000;
/** Longer lines and words of a command line, in characters, are cut. */
const MOST_TEXT = 4000;

/** An outcome, if it is small enough for events that are kept and sent to all pages. */
export function smallOutcome(outcome: RunOutcome): RunOutcome | undefined {
  const size = outcome.status === "DONE" ? outcome.value.length : JSON.stringify(outcome).length;
  return size <= MOST_OUTCOME ? outcome : undefined;
}

/** The beginning of a text, and how much more there is. */
export function cut(text: string): string {
  if (text.length <= MOST_TEXT) return text;
  return `${text.slice(0, MOST_TEXT)}… (${text.length - MOST_TEXT} more characters)`;
}

/** An event before it has its number. */
type Unnumbered<T> = T extends EngineEvent ? Omit<T, "seq"> : never;

/** The events of an engine: numbers them, keeps the latest, and sends them on some at a time. */
export class EventLog {
  private readonly send: (events: readonly EngineEvent[]) => void;
  private events: EngineEvent[] = [];
  private unsent: EngineEvent[] = [];
  private last = 0;
  private timer: ReturnType<typeof setTimeout> | undefined = undefined;

  constructor(send: (events: readonly EngineEvent[]) => void) {
    this.send = send;
  }

  add(event: Unnumbered<EngineEvent>): void {
    const numbered = { seq: ++this.last, ...event } as EngineEvent;
    this.events.push(numbered);
    if (this.events.length >= 2 * KEPT) this.events = this.events.slice(-KEPT);
    this.unsent.push(numbered);
    this.timer ??= setTimeout(this.flush, INTERVAL);
  }

  /** Those after a number, as far as they are kept. */
  after(seq: number): readonly EngineEvent[] {
    const first = this.events[0]?.seq ?? 1;
    return this.events.slice(Math.max(0, seq + 1 - first));
  }

  readonly flush = (): void => {
    clearTimeout(this.timer);
    this.timer = undefined;
    const { unsent } = this;
    if (unsent.length === 0) return;
    this.unsent = [];
    this.send(unsent);
  };
}

const viewOf = ({ id, parentId, task, call }: JobInfo): JobView => ({ id, parentId, task, call });

/** Writes a scheduler's jobs and counts to a log while one of its executions runs. @returns what ends that */
export function logExecution(
  scheduler: Scheduler,
  executionId: string,
  log: EventLog,
  watch: WorkerWatch,
): () => void {
  const base = (): { executionId: string; time: number } => ({ executionId, time: Date.now() });
  // Until the scheduler begins, its counts are those of the execution before.
  let hasBegun = false;
  const counts = (): void => {
    if (!hasBegun) return;
    const table: Record<string, JobCounts> = {};
    for (const [task, numbers] of scheduler.status()) table[task] = { ...numbers };
    log.add({ ...base(), type: "counts", counts: table });
  };
  let shown = "{}";
  const atWork = (): void => {
    const workers = Object.fromEntries(watch.atWork());
    const text = JSON.stringify(workers);
    if (text !== shown) log.add({ ...base(), type: "at-work", workers });
    shown = text;
  };
  const stops = [
    scheduler.on("execution-start", (event) => {
      hasBegun ||= event.executionId === executionId;
    }),
    scheduler.on("job-start", ({ job, executor }) =>
      log.add({ ...base(), type: "job-start", job: viewOf(job), executor }),
    ),
    scheduler.on("job-end", ({ job, status, callHash }) => {
      const end = { ...base(), type: "job-end", job: viewOf(job), status, callHash } as const;
      const ran = watch.take(job.id);
      log.add(ran === undefined ? end : { ...end, ran });
    }),
    scheduler.on("job-miss", ({ job, message }) =>
      log.add({ ...base(), type: "job-miss", job: viewOf(job), message }),
    ),
    scheduler.on("job-log", ({ job, line }) =>
      log.add({ ...base(), type: "job-log", jobId: job.id, line: cut(line) }),
    ),
    scheduler.on("warning", ({ message }) => log.add({ ...base(), type: "warning", message })),
  ];
  const timer = setInterval(() => {
    counts();
    atWork();
  }, 2 * INTERVAL);
  return () => {
    clearInterval(timer);
    for (const stop of stops) stop();
    watch.clear();
    counts();
  };
}
