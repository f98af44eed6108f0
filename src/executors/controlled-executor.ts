import type { Executor, ExecutorContext, JobResult, JobSpec } from "../executor/executor.ts";
import { toJobError } from "../executor/job-error.ts";
import { runJob } from "../executor/run-job.ts";
import { decodeValue, encodeValue } from "../value/value.ts";

/** A job that waits for a test to end it. It ends once; what comes later is let go. */
export interface ControlledJob {
  readonly spec: JobSpec;
  readonly args: readonly unknown[];
  readonly signal: AbortSignal;
  /** Adds a line to its log. */
  log(line: string): void;
  /** Ends it with a result. */
  resolve(value: unknown): void;
  /** Ends it with an error of its own. */
  reject(error: unknown): void;
  /** Ends it as if the place where it ran had failed. */
  lose(error: unknown): void;
  /** Ends it with what the task's own function gives. */
  call(): Promise<void>;
}

/**
 * An executor for tests: jobs begin, and end when and how the test says. One that is cancelled ends by itself.
 *
 * @example Let the second job end first
 * ```ts
 * import { Scheduler, task } from "redun";
 * import { ControlledExecutor, MemoryBackend } from "redun/testing";
 *
 * const work = task({ name: "work", executor: "controlled" }, (n: number) => n);
 * const executor = new ControlledExecutor();
 * const scheduler = new Scheduler({ backend: new MemoryBackend(), executors: [executor] });
 * const result = scheduler.run([work(1), work(2)]);
 * const [first, second] = [await executor.next(), await executor.next()];
 * second.resolve("b");
 * first.resolve("a");
 * console.log(await result); // [ 'a', 'b' ]
 * ```
 */
export class ControlledExecutor implements Executor {
  readonly name: string;
  /** The jobs that have begun and not ended, in the order in which they began. */
  readonly running: ControlledJob[] = [];
  private readonly begun: ControlledJob[] = [];
  private readonly waiting: ((job: ControlledJob) => void)[] = [];

  /** @param name - default `controlled` */
  constructor(name = "controlled") {
    this.name = name;
  }

  /** The next job, as soon as it begins; each is given once. */
  next(): Promise<ControlledJob> {
    const job = this.begun.shift();
    if (job !== undefined) return Promise.resolve(job);
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  run(spec: JobSpec, context: ExecutorContext): Promise<JobResult> {
    const { signal } = context;
    const started = Date.now();
    const { promise, resolve, reject } = Promise.withResolvers<JobResult>();
    const timings = (): { started: number; ended: number } => ({ started, ended: Date.now() });
    const failed = (error: unknown): void =>
      resolve({ ok: false, error: toJobError(error), timings: timings() });
    const job: ControlledJob = {
      spec,
      args: decodeValue(spec.args) as unknown[],
      signal,
      log: (line) => context.log(line),
      resolve(value) {
        try {
          resolve({ ok: true, value: encodeValue(value, "result").text, timings: timings() });
        } catch (error) {
          failed(error);
        }
      },
      reject: failed,
      lose: reject,
      call: async () => resolve(await runJob(spec, context)),
    };
    const cancel = (): void => reject(signal.reason);
    if (signal.aborted) cancel();
    else signal.addEventListener("abort", cancel, { once: true });
    this.running.push(job);
    const next = this.waiting.shift();
    if (next === undefined) this.begun.push(job);
    else next(job);
    return promise.finally(() => {
      signal.removeEventListener("abort", cancel);
      this.running.splice(this.running.indexOf(job), 1);
    });
  }
}
