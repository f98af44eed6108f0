import { ExecutorError } from "../errors/errors.ts";
import type { Evaluated, ExecutorContext, JobResult, ScriptRunner } from "../executor/executor.ts";
import { toJobError } from "../executor/job-error.ts";
import { runJob } from "../executor/run-job.ts";
import { whenQuiet } from "../util/quiet.ts";
import {
  type BatchControl,
  type BatchPort,
  type FromIsolate,
  fromSent,
  type IsolateJob,
  type IsolateLimits,
  type IsolateResult,
  type SentText,
  sentSize,
  type ToIsolate,
  toSent,
} from "./isolate-messages.ts";

/** What the isolate's runtime provides. */
export interface IsolateJobsRuntime {
  readonly runScript: ScriptRunner;
  /** Says that code of a job begins to run, and may do so for so many milliseconds until it pauses. */
  beginTurn(ms?: number): void;
  /** Makes what the owner of the batch calls. */
  control(tell: (messages: readonly ToIsolate[]) => void): BatchControl;
}

/** Bytes of one list of messages, at most, unless a single one is larger. */
const LIST_BYTES = 8 << 20;

/** Lines and characters of one job's log, at most. */
const MOST_LINES = 10_000;
const MOST_CHARACTERS = 1_000_000;

interface Running {
  readonly index: number;
  readonly abort: AbortController;
  lines: number;
  characters: number;
  ended: boolean;
}

/**
 * Runs a batch of jobs in an isolate, all at the same time. Owns what they have to say until it is sent.
 *
 * 1. One list of messages is on its way at a time, so those that come meanwhile go together.
 * 2. A job that was cancelled says nothing any more, and the batch does not wait for it.
 */
export class IsolateJobs {
  readonly #port: BatchPort;
  readonly #limits: IsolateLimits;
  readonly #runtime: IsolateJobsRuntime;
  readonly #running = new Map<number, Running>();
  readonly #asked = new Map<number, PromiseWithResolvers<Evaluated>>();
  readonly #end: PromiseWithResolvers<void> = Promise.withResolvers();
  #pending: FromIsolate[] = [];
  #sender: Promise<void> | undefined;
  #controlSent = false;
  #lastAsked = 0;

  constructor(port: BatchPort, limits: IsolateLimits, runtime: IsolateJobsRuntime) {
    this.#port = port;
    this.#limits = limits;
    this.#runtime = runtime;
  }

  /** @returns the last messages */
  async run(jobs: readonly IsolateJob[]): Promise<FromIsolate[]> {
    for (const index of jobs.keys()) {
      const abort = new AbortController();
      this.#running.set(index, { index, abort, lines: 0, characters: 0, ended: false });
    }
    for (const [index, job] of jobs.entries()) {
      const running = this.#running.get(index);
      if (running !== undefined) void this.#runJob(job, running);
    }
    this.#wake();
    await this.#end.promise;
    while (this.#sender !== undefined) await this.#sender;
    return this.#pending;
  }

  async #runJob(job: IsolateJob, running: Running): Promise<void> {
    this.#runtime.beginTurn(job.timeout);
    const { index, abort } = running;
    const context: ExecutorContext = {
      signal: abort.signal,
      log: (line) => this.#log(running, line),
      ...(job.canEvaluate ? { evaluate: (text: string) => this.#evaluate(running, text) } : {}),
    };
    const spec = { ...job.spec, args: fromSent(job.args), options: {} };
    const result = this.#toSend(
      job.spec.task,
      await runJob(spec, context, { runScript: this.#runtime.runScript }),
    );
    if (running.ended) return;
    this.#say({ type: "result", job: index, result });
    this.#finish(running);
  }

  #toSend(task: string, result: JobResult): IsolateResult {
    const { timings } = result;
    if (result.ok) {
      const value = toSent(result.value);
      const bytes = value.length;
      if (bytes <= this.#limits.maxValueBytes) return { ok: true, value, timings };
      const error = new ExecutorError(
        `Cannot hand on the result of ${task}: it has ${bytes} bytes, and at most ${this.#limits.maxValueBytes} can be sent`,
        {
          hint: "Write it to a File and return that, or split the work.",
          fields: { task, bytes, most: this.#limits.maxValueBytes },
        },
      );
      return { ok: false, error: JSON.stringify(toJobError(error)), timings };
    }
    const error = toSent(JSON.stringify(result.error));
    if (sentSize(error) <= this.#limits.maxValueBytes) return { ok: false, error, timings };
    const { name, message } = result.error.record;
    const short = new ExecutorError(`The task ${task} threw an error too large to be sent: ${name}`, {
      fields: { task, message: message.slice(0, 1000) },
    });
    return { ok: false, error: JSON.stringify(toJobError(short)), timings };
  }

  #log(running: Running, line: string): void {
    if (running.ended || running.lines > MOST_LINES) return;
    running.lines++;
    running.characters += line.length;
    const isFull = running.lines > MOST_LINES || running.characters > MOST_CHARACTERS;
    if (isFull) running.lines = MOST_LINES + 1;
    const text = isFull ? "(The job printed more, which was not kept.)" : line;
    const last = this.#pending.at(-1);
    if (last?.type === "log" && last.job === running.index) (last.lines as string[]).push(text);
    else this.#say({ type: "log", job: running.index, lines: [text] });
  }

  #evaluate(running: Running, text: string): Promise<Evaluated> {
    const expression = toSent(text);
    if (sentSize(expression) > this.#limits.maxValueBytes) {
      throw new ExecutorError("Cannot await an expression: its arguments are too large to be sent", {
        hint: "Write them to a File and pass that.",
      });
    }
    const id = ++this.#lastAsked;
    const asked = Promise.withResolvers<Evaluated>();
    this.#asked.set(id, asked);
    this.#say({ type: "evaluate", job: running.index, id, expression });
    return asked.promise;
  }

  #finish(running: Running): void {
    running.ended = true;
    this.#running.delete(running.index);
    if (this.#running.size === 0) this.#end.resolve();
  }

  #hear(messages: readonly ToIsolate[]): void {
    this.#runtime.beginTurn();
    for (const message of messages) {
      if (message.type === "cancel") {
        const running = this.#running.get(message.job);
        if (running === undefined) continue;
        this.#finish(running);
        running.abort.abort(new Error("The job was cancelled"));
      } else {
        this.#asked.get(message.id)?.resolve(JSON.parse(fromSent(message.outcome)) as Evaluated);
        this.#asked.delete(message.id);
      }
    }
  }

  #say(message: FromIsolate): void {
    this.#pending.push(message);
    this.#wake();
  }

  #wake(): void {
    this.#sender ??= this.#send().then(
      () => {
        this.#sender = undefined;
      },
      (error: unknown) => this.#end.reject(error),
    );
  }

  async #send(): Promise<void> {
    // What is said in this turn goes together.
    await whenQuiet(() => this.#pending.length);
    // That jobs are at work is said as well, and how they can be told something.
    while (this.#pending.length > 0 || (!this.#controlSent && this.#running.size > 0)) {
      // The last messages go with the end of the batch.
      if (this.#running.size === 0 && this.#fits()) return;
      const messages = this.#takeList();
      if (this.#controlSent) await this.#port.tell(messages);
      else {
        this.#controlSent = true;
        await this.#port.tell(
          messages,
          this.#runtime.control((heard) => this.#hear(heard)),
        );
      }
    }
  }

  #fits(): boolean {
    return this.#pending.reduce((sum, message) => sum + sizeOf(message), 0) <= LIST_BYTES;
  }

  /** As many messages as go in one list. */
  #takeList(): FromIsolate[] {
    let bytes = 0;
    let count = 0;
    for (const message of this.#pending) {
      bytes += sizeOf(message);
      if (count > 0 && bytes > LIST_BYTES) break;
      count++;
    }
    return this.#pending.splice(0, count);
  }
}

function sizeOf(message: FromIsolate): number {
  const text = (sent: SentText): number => 100 + sentSize(sent);
  switch (message.type) {
    case "result":
      return text(message.result.ok ? message.result.value : message.result.error);
    case "evaluate":
      return text(message.expression);
    case "log":
      return message.lines.reduce((sum, line) => sum + text(line), 0);
  }
}
