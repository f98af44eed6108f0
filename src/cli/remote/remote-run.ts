import type { ErrorRecord } from "../../errors/redun-error.ts";
import { fromJobError } from "../../executor/job-error.ts";
import { EventHub } from "../../scheduler/event-hub.ts";
import type { EventOf, JobCounts, JobInfo, SchedulerEventType } from "../../scheduler/events.ts";
import { ErrorValue, type Traceback } from "../../scheduler/traceback.ts";
import type { ExecutionEvent, HostedOutcome, JobView } from "../../server/execution-types.ts";
import type { RunSource } from "../run-source.ts";

/**
 * A run on a server as its events tell of it, in the words of a scheduler, so that it is shown as a run here would be.
 * It owns the numbers of jobs, and remembers the jobs at work, whose lines come with no more than an id.
 */
export class RemoteRun implements RunSource {
  /** How the run ended. */
  outcome: HostedOutcome | undefined = undefined;
  private readonly hub = new EventHub();
  private readonly jobs = new Map<string, JobInfo>();
  private counts: ReadonlyMap<string, JobCounts> = new Map();
  private executionId = "";
  private started = 0;

  on<T extends SchedulerEventType>(type: T, listener: (event: EventOf<T>) => void): () => void {
    return this.hub.on(type, listener);
  }

  status(): ReadonlyMap<string, JobCounts> {
    return this.counts;
  }

  /** Takes the next event. Those of kinds that a later server may add are passed over. */
  take(event: ExecutionEvent): void {
    const { time } = event;
    switch (event.type) {
      case "execution-start":
        this.executionId = event.executionId;
        // One that goes on in the place of an interrupted one takes as long as both.
        this.started ||= time;
        this.jobs.clear();
        if (event.resumes !== undefined) {
          const message = `The server was interrupted; ${event.executionId} goes on in place of ${event.resumes}`;
          this.hub.emit({ type: "warning", code: "resumed", message });
        }
        this.hub.emit({
          type: "execution-start",
          executionId: event.executionId,
          args: event.args,
          time,
        });
        break;
      case "execution-end":
        this.end(event.outcome, time);
        break;
      case "job-start": {
        const job = this.jobOf(event.job);
        this.jobs.set(job.id, job);
        this.hub.emit({ type: "job-start", job, executor: event.executor, time });
        break;
      }
      case "job-cached":
        this.hub.emit({
          type: "job-cached",
          job: this.jobOf(event.job),
          kind: "ultimate",
          callHash: undefined,
          time,
        });
        break;
      case "job-miss": {
        const { reason, message } = event;
        this.hub.emit({ type: "job-miss", job: this.jobOf(event.job), reason, message });
        break;
      }
      case "job-retry": {
        const { attempt, message } = event;
        this.hub.emit({ type: "job-retry", job: this.jobOf(event.job), attempt, error: message });
        break;
      }
      case "job-log": {
        const job = this.jobs.get(event.jobId) ?? this.jobOf({ id: event.jobId });
        this.hub.emit({ type: "job-log", job, line: event.line });
        break;
      }
      case "job-end": {
        const { status, callHash } = event;
        this.jobs.delete(event.job.id);
        this.hub.emit({ type: "job-end", job: this.jobOf(event.job), status, callHash, time });
        break;
      }
      case "counts":
        this.counts = new Map(Object.entries(event.counts));
        break;
      case "warning":
        this.hub.emit({ type: "warning", code: event.code, message: event.message });
        break;
    }
  }

  private end(outcome: HostedOutcome, time: number): void {
    this.outcome = outcome;
    this.hub.emit({
      type: "execution-end",
      executionId: this.executionId,
      status: outcome.status,
      time,
      duration: time - (this.started || time),
    });
  }

  private jobOf({ id, parentId = null, task = "", call = "" }: Partial<JobView> & { id: string }): JobInfo {
    return { id, executionId: this.executionId, parentId, task, evalHash: undefined, call };
  }
}

/** An error that a run on a server ended with, with its traceback. */
export function remoteError(record: ErrorRecord, traceback: Traceback | undefined): Error {
  const error = fromJobError({ value: undefined, record });
  // Making one is what gives an error its traceback.
  if (traceback !== undefined) new ErrorValue(error, traceback);
  return error;
}
