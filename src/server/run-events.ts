import type { JobCounts, JobInfo } from "../scheduler/events.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import type { ExecutionEvent, ExecutionNews, HostedRun, JobView } from "./execution-types.ts";

/** Milliseconds in which events gather before they are stored and told. */
const INTERVAL = 100;
/** Milliseconds between two tables of counts. */
const COUNTS = 500;
/** Milliseconds until events that could not be stored are tried again. */
const RETRY = 1_000;
/** After so many events of jobs, an execution's further jobs are only counted. */
const MOST = 500_000;
/** The longest text of a call and of a line in an event, in characters. */
const LONGEST = 2_000;

/** Where the events of a run go. */
export interface EventSink {
  /** Has all that the events tell of stored, so that nothing that was told happens again. */
  settle(): Promise<void>;
  /** Stores events, and with the last of them how the run ended, and tells them. */
  publish(events: readonly ExecutionEvent[], ended?: HostedRun): Promise<void>;
  /** Told that events could not be stored; they are tried again. */
  onFault(error: unknown): void;
}

const cut = (text: string): string => (text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`);
const viewOf = ({ id, parentId, task, call }: JobInfo): JobView => ({ id, parentId, task, call: cut(call) });

/** The events of one run: numbers them, and hands them on some at a time, after what they tell of is stored. */
export class RunEvents {
  private readonly sink: EventSink;
  private seq: number;
  private waiting: ExecutionEvent[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined = undefined;
  private publishing: Promise<void> = Promise.resolve();
  /** Events on their way to the sink, or that it could not store. */
  private kept: readonly ExecutionEvent[] = [];

  /** @param last - number of the last event that is stored */
  constructor(last: number, sink: EventSink) {
    this.seq = last;
    this.sink = sink;
  }

  add(news: ExecutionNews): void {
    this.waiting.push({ seq: ++this.seq, time: Date.now(), ...news });
    this.wake(INTERVAL);
  }

  private wake(delay: number): void {
    this.timer ??= setTimeout(() => {
      this.flush().catch((error: unknown) => {
        this.sink.onFault(error);
        this.wake(RETRY);
      });
    }, delay);
  }

  /**
   * @param ended - the run as it is after these events, its last
   * @returns when all events so far are told; rejects if they could not be stored, and keeps them for the next time
   */
  flush(ended?: HostedRun): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const events = this.waiting;
    this.waiting = [];
    const published = this.publishing.then(() => this.publish(events, ended));
    this.publishing = published.catch(() => {});
    return published;
  }

  private async publish(given: readonly ExecutionEvent[], ended: HostedRun | undefined): Promise<void> {
    // Those that could not be stored before come first.
    const events = [...this.kept, ...given];
    if (events.length === 0) return;
    this.kept = events;
    try {
      await this.sink.settle();
    } catch {
      // A store that fails ends the execution, which says why. What has happened is told all the same.
    }
    await this.sink.publish(events, ended);
    this.kept = [];
  }

  /** Writes what a scheduler does from now on. @returns what ends that */
  watch(scheduler: Scheduler): () => void {
    let jobs = 0;
    const job = (news: () => ExecutionNews): void => {
      if (++jobs <= MOST) this.add(news());
      else if (jobs === MOST + 1)
        this.add({
          type: "warning",
          code: "many-events",
          message: `After ${MOST} events of jobs, further ones are only counted.`,
        });
    };
    const counts = (): void => {
      const table: Record<string, JobCounts> = {};
      for (const [task, numbers] of scheduler.status()) table[task] = { ...numbers };
      if (Object.keys(table).length > 0) this.add({ type: "counts", counts: table });
    };
    const stops = [
      scheduler.on("job-start", (event) =>
        job(() => ({ type: "job-start", job: viewOf(event.job), executor: event.executor })),
      ),
      scheduler.on("job-end", (event) =>
        job(() => ({
          type: "job-end",
          job: viewOf(event.job),
          status: event.status,
          callHash: event.callHash,
        })),
      ),
      scheduler.on("job-cached", (event) => job(() => ({ type: "job-cached", job: viewOf(event.job) }))),
      scheduler.on("job-retry", ({ attempt, error, ...event }) => {
        const message = cut(String(error).split("\n", 1)[0]!);
        job(() => ({ type: "job-retry", job: viewOf(event.job), attempt, message }));
      }),
      scheduler.on("job-miss", ({ reason, message, ...event }) =>
        job(() => ({ type: "job-miss", job: viewOf(event.job), reason, message: cut(message) })),
      ),
      scheduler.on("job-log", (event) =>
        job(() => ({ type: "job-log", jobId: event.job.id, line: cut(event.line) })),
      ),
      scheduler.on("warning", ({ code, message }) =>
        this.add({ type: "warning", code, message: cut(message) }),
      ),
    ];
    const timer = setInterval(counts, COUNTS);
    return () => {
      clearInterval(timer);
      for (const stop of stops) stop();
      counts();
    };
  }
}
