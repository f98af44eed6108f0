import type { ExecutorContext, JobResult, JobSpec } from "../executor/executor.ts";
import type { IsolateJob } from "./isolate-messages.ts";
import type { Laned } from "./job-lanes.ts";

/** How many jobs of a lane are in an isolate. */
export interface LaneCount {
  /** Those that wait for no expression. */
  working: number;
  awaiting: number;
}

/** How long a job may run. */
export interface TimeLimit {
  /** Milliseconds in an isolate, not counting those in which it waits for expressions; each wait begins them anew. */
  readonly ms: number;
  /** Called when they are over. */
  over(): void;
}

/** A job on its way through the executor. It is settled once; what comes later is ignored. */
export class IsolateEntry implements Laned {
  readonly spec: JobSpec;
  readonly context: ExecutorContext;
  readonly lane: string;
  readonly sent: IsolateJob;
  /** Its last lines. */
  readonly log: string[] = [];
  readonly #resolve: (result: JobResult) => void;
  readonly #reject: (error: unknown) => void;
  readonly #limit: TimeLimit;
  #timer: ReturnType<typeof setTimeout> | undefined = undefined;
  #count: LaneCount | undefined;
  #awaiting = 0;
  #done = false;

  constructor(
    spec: JobSpec,
    context: ExecutorContext,
    sent: IsolateJob,
    limit: TimeLimit,
    settle: { resolve(result: JobResult): void; reject(error: unknown): void },
  ) {
    this.spec = spec;
    this.context = context;
    this.lane = `${spec.executionId}/${spec.package ?? ""}`;
    this.sent = sent;
    this.#limit = limit;
    this.#resolve = settle.resolve;
    this.#reject = settle.reject;
  }

  get done(): boolean {
    return this.#done;
  }

  /** Expressions that its code waits for. */
  get awaiting(): number {
    return this.#awaiting;
  }

  /** It goes to an isolate. */
  begin(count: LaneCount): void {
    this.#count = count;
    count.working++;
    this.#run();
  }

  #run(): void {
    this.#timer = setTimeout(() => this.#limit.over(), this.#limit.ms);
  }

  /** Its code waits for one expression more, or one less. */
  wait(change: 1 | -1): void {
    const before = this.#awaiting > 0;
    this.#awaiting += change;
    const after = this.#awaiting > 0;
    if (this.#count === undefined || before === after) return;
    this.#count.working += after ? -1 : 1;
    this.#count.awaiting += after ? 1 : -1;
    clearTimeout(this.#timer);
    if (!after) this.#run();
  }

  finish(result: JobResult): void {
    if (this.#settle()) this.#resolve(result);
  }

  fail(error: unknown): void {
    if (this.#settle()) this.#reject(error);
  }

  #settle(): boolean {
    if (this.#done) return false;
    this.#done = true;
    clearTimeout(this.#timer);
    if (this.#count !== undefined) {
      if (this.#awaiting > 0) this.#count.awaiting--;
      else this.#count.working--;
      this.#count = undefined;
    }
    return true;
  }
}
