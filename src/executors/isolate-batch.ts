import { RpcTarget } from "cloudflare:workers";
import { ExecutorError } from "../errors/errors.ts";
import type { Evaluated, JobError, JobResult } from "../executor/executor.ts";
import { fromJobError, toJobError } from "../executor/job-error.ts";
import { isJobError, isListOf, isNumber, isObject, isString } from "./check-message.ts";
import type { IsolateEntry } from "./isolate-entry.ts";
import {
  type BatchControl,
  type BatchPort,
  fromSent,
  sentSize,
  type ToIsolate,
  toSent,
} from "./isolate-messages.ts";

/** What a batch needs of its surroundings. */
export interface BatchOwner {
  readonly maxValueBytes: number;
  /** Answers what code of jobs asks of files, if there are any. */
  readonly files: ((operation: unknown, args: unknown) => Promise<unknown>) | undefined;
  /** Called when there may be room for other jobs. */
  moved(): void;
}

/** Bytes of one list of messages, at most, unless a single one is larger. */
const LIST_BYTES = 8 << 20;

/** Most expressions that one job waits for at the same time. */
const MOST_AWAITED = 100_000;

/** Most bytes of expressions that the jobs of a batch wait for, and of what they are told of those, at a time. */
const MOST_AWAITED_BYTES = 64 << 20;

/** Most lines and characters of one job's log that are believed; the isolate itself sends no more. */
const MOST_LINES = 10_001;
const MOST_CHARACTERS = 2_000_000;

/** So many of a job's last lines go with its result. */
const LOG_TAIL = 1000;

/** The stub of an isolate's object, which is held beyond the call that brought it. */
interface HeldControl extends BatchControl {
  dup(): HeldControl;
  [Symbol.dispose](): void;
}

/**
 * The jobs of one call of an isolate, as the isolate sees them and as their owner does. The isolate's own code can be
 * replaced by that of the workflow, so all that comes is checked, and can harm none but these jobs.
 */
export class IsolateBatch {
  /** What the isolate gets. */
  readonly port: BatchPort = new Port(this);
  /** Whether the isolate has said anything. */
  answered = false;
  readonly #entries: readonly IsolateEntry[];
  readonly #owner: BatchOwner;
  readonly #said: readonly { lines: number; characters: number }[];
  readonly #control: PromiseWithResolvers<HeldControl> = Promise.withResolvers();
  readonly #broken: PromiseWithResolvers<never> = Promise.withResolvers();
  #held: HeldControl | undefined;
  #pending: ToIsolate[] = [];
  /** Bytes of what is awaited, and of what is pending. */
  #awaited = 0;
  #telling = false;
  #over = false;

  constructor(entries: readonly IsolateEntry[], owner: BatchOwner) {
    this.#entries = entries;
    this.#owner = owner;
    this.#said = entries.map(() => ({ lines: 0, characters: 0 }));
    this.#control.promise.catch(() => {});
    this.#broken.promise.catch(() => {});
  }

  /** Jobs that have not ended. */
  unfinished(): IsolateEntry[] {
    return this.#entries.filter(({ done }) => !done);
  }

  /** Tells the isolate that a job is not wanted. */
  cancel(entry: IsolateEntry): void {
    this.#tell({ type: "cancel", job: this.#entries.indexOf(entry) });
  }

  /** Whether the isolate has heard all that it was told. */
  get isHeard(): boolean {
    return this.#over || (!this.#telling && this.#pending.length === 0);
  }

  /** The call has ended; nothing that comes now counts. */
  close(): void {
    this.#over = true;
    this.#held?.[Symbol.dispose]();
    this.#control.reject(new Error("The batch is over"));
  }

  /** The isolate should have ended the call. */
  giveUp(): void {
    this.#broken.reject(new ExecutorError("it did not end the call whose jobs have ended"));
  }

  /** Rejects when the isolate says what it should not, or is given up. */
  get broken(): Promise<never> {
    return this.#broken.promise;
  }

  /** The isolate says something, and the first time how it can be told something. */
  told(messages: unknown, control: unknown): void {
    if (this.#over) return;
    this.answered = true;
    if (control !== undefined && this.#held === undefined) {
      this.#held = (control as HeldControl).dup();
      this.#control.resolve(this.#held);
    }
    try {
      this.hear(messages);
    } catch (error) {
      this.#broken.reject(error);
    }
  }

  /** The isolate asks for files. */
  async call(operation: unknown, args: unknown): Promise<unknown> {
    const { files } = this.#owner;
    if (files !== undefined && !this.#over) return await files(operation, args);
    const error = new ExecutorError(
      "Cannot use files by bare paths or r2:// here: there is no place for them",
      {
        hint: "Use memory:// for files that last as long as the isolate, or connect a bucket to the instance.",
      },
    );
    return { ok: false, error: toJobError(error) };
  }

  /** @throws ExecutorError if these are not messages about the jobs */
  hear(messages: unknown): void {
    if (!Array.isArray(messages)) throw malformed("what came is no list");
    for (const message of messages) this.#hearOne(message);
    this.#owner.moved();
  }

  #hearOne(message: unknown): void {
    if (!isObject(message) || !isNumber(message.job)) throw malformed("a message is not about a job");
    const { job: index } = message;
    const entry = this.#entries[index];
    if (entry === undefined) throw malformed("a message is about another job");
    if (entry.done) return;
    switch (message.type) {
      case "result":
        entry.finish(this.#result(entry, message.result));
        return;
      case "log":
        if (!isListOf(message.lines, isString)) throw malformed("a job's log has other things than lines");
        for (const line of message.lines) {
          const said = this.#said[index]!;
          said.characters += line.length;
          if (++said.lines > MOST_LINES || said.characters > MOST_CHARACTERS) return;
          entry.log.push(line);
          entry.context.log(line);
        }
        return;
      case "evaluate":
        if (!isNumber(message.id) || !entry.sent.canEvaluate || entry.awaiting >= MOST_AWAITED)
          throw malformed("a job awaits what it can't await");
        void this.#evaluate(entry, message.id, this.#text(message.expression));
        return;
      default:
        throw malformed("a message is of no known type");
    }
  }

  #text(sent: unknown): string {
    const size = isString(sent) ? sent.length : sent instanceof Uint8Array ? sent.length : 0;
    if (size > this.#owner.maxValueBytes) throw malformed("a text is larger than allowed");
    try {
      return fromSent(sent);
    } catch {
      throw malformed("a text is not one");
    }
  }

  #result({ log }: IsolateEntry, result: unknown): JobResult {
    if (!isObject(result)) throw malformed("a result is not one");
    const { timings } = result;
    const common = {
      ...(log.length === 0 ? {} : { log: log.slice(-LOG_TAIL) }),
      ...(isObject(timings) && isNumber(timings.started) && isNumber(timings.ended)
        ? { timings: { started: timings.started, ended: timings.ended } }
        : {}),
    };
    if (result.ok === true) return { ok: true, value: this.#text(result.value), ...common };
    return { ok: false, error: readError(this.#text(result.error)), ...common };
  }

  async #evaluate(entry: IsolateEntry, id: number, expression: string): Promise<void> {
    this.#hold(expression.length);
    entry.wait(1);
    let outcome: Evaluated;
    try {
      outcome = await entry.context.evaluate!(expression);
    } catch (error) {
      outcome = { ok: false, error: toJobError(error) };
    }
    entry.wait(-1);
    this.#awaited -= expression.length;
    if (entry.done) return;
    let sent = toSent(JSON.stringify(outcome));
    const { maxValueBytes } = this.#owner;
    if (sentSize(sent) > maxValueBytes) {
      const error = new ExecutorError(
        `Cannot hand an awaited value to ${entry.spec.task}: it has ${sentSize(sent)} bytes, and at most ${maxValueBytes} can be sent`,
        { hint: "Await a File that holds it, or return the expression instead of awaiting it." },
      );
      sent = toSent(JSON.stringify({ ok: false, error: toJobError(error) }));
    }
    this.#hold(sentSize(sent));
    this.#tell({ type: "evaluated", id, outcome: sent });
  }

  /** Has the batch fail rather than its owner's memory be used up. */
  #hold(bytes: number): void {
    this.#awaited += bytes;
    if (this.#awaited <= MOST_AWAITED_BYTES) return;
    const message = `its jobs await more than ${MOST_AWAITED_BYTES >> 20} MB at a time`;
    this.#broken.reject(
      new ExecutorError(message, {
        hint: "Await less at a time, or Files in the place of large values.",
      }),
    );
  }

  #tell(message: ToIsolate): void {
    if (this.#over) return;
    this.#pending.push(message);
    if (!this.#telling) void this.#send();
  }

  async #send(): Promise<void> {
    this.#telling = true;
    try {
      const control = await this.#control.promise;
      while (this.#pending.length > 0 && !this.#over) {
        let bytes = 0;
        const count = this.#pending.findIndex((message, i) => {
          bytes += outcomeSize(message);
          return i > 0 && bytes > LIST_BYTES;
        });
        const messages = this.#pending.splice(0, count < 0 ? this.#pending.length : count);
        await control.tell(messages);
        for (const message of messages) this.#awaited -= outcomeSize(message);
      }
    } catch {
      // The isolate has gone, which the call itself tells.
      this.#pending = [];
    } finally {
      this.#telling = false;
    }
  }
}

const outcomeSize = (message: ToIsolate): number =>
  message.type === "evaluated" ? sentSize(message.outcome) : 0;

/** What of a batch an isolate may call: all methods of such an object. */
class Port extends RpcTarget implements BatchPort {
  readonly #batch: IsolateBatch;

  constructor(batch: IsolateBatch) {
    super();
    this.#batch = batch;
  }

  async tell(messages: unknown, control?: unknown): Promise<void> {
    this.#batch.told(messages, control);
  }

  call(operation: unknown, args: unknown): Promise<unknown> {
    return this.#batch.call(operation, args);
  }
}

function readError(text: string): JobError {
  try {
    const error: unknown = JSON.parse(text);
    if (isJobError(error)) {
      fromJobError(error);
      return error;
    }
  } catch {
    // It is said below.
  }
  throw malformed("an error is not one");
}

function malformed(what: string): ExecutorError {
  return new ExecutorError(`Cannot read what the isolate says: ${what}`, {
    hint: "Code of the package may have changed the isolate's own objects, such as Array.prototype.",
  });
}
