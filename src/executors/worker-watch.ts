import type { FromWorker, ToWorker } from "./worker-messages.ts";

/** Where and when a job's function ran. */
export interface WorkerRun {
  /** Number of the worker, from 1. */
  readonly worker: number;
  /** Milliseconds since the epoch. */
  readonly started: number;
  readonly ended: number;
}

/**
 * Sees which of a pool's workers runs which job, from the messages that pass between them. It takes no part in the pool.
 */
export class WorkerWatch {
  /** The ids of jobs that were sent to each worker and have no result, in their order, by the pool's own numbers. */
  private readonly sentTo = new Map<number, Map<number, string>>();
  private readonly runs = new Map<string, WorkerRun>();

  /** A worker was started. @returns its number; that of one that has ended may be given again */
  begin(): number {
    let worker = 1;
    while (this.sentTo.has(worker)) worker++;
    this.sentTo.set(worker, new Map());
    return worker;
  }

  /** The worker was told something. */
  told(worker: number, message: ToWorker): void {
    const sent = this.sentTo.get(worker);
    if (message.type === "jobs") for (const { id, spec } of message.jobs) sent?.set(id, spec.jobId);
    else if (message.type === "forget") for (const id of message.ids) sent?.delete(id);
  }

  /** The worker said something. */
  heard(worker: number, message: FromWorker): void {
    if (message.type !== "result") return;
    const sent = this.sentTo.get(worker);
    const jobId = sent?.get(message.id);
    sent?.delete(message.id);
    const { timings } = message.result;
    if (jobId !== undefined && timings !== undefined) this.runs.set(jobId, { worker, ...timings });
  }

  end(worker: number): void {
    this.sentTo.delete(worker);
  }

  /** The job that each worker is at, by its id: the first without a result. */
  atWork(): ReadonlyMap<string, number> {
    const found = new Map<string, number>();
    for (const [worker, sent] of this.sentTo) {
      const [first] = sent.values();
      if (first !== undefined) found.set(first, worker);
    }
    return found;
  }

  /** Where a job ran that has a result. It is told once. */
  take(jobId: string): WorkerRun | undefined {
    const run = this.runs.get(jobId);
    this.runs.delete(jobId);
    return run;
  }

  /** Forgets what nobody asked for. */
  clear(): void {
    this.runs.clear();
  }
}
