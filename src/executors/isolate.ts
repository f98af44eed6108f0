import { ExecutorError, PackageError } from "../errors/errors.ts";
import type { PackageDescription } from "../executor/executor.ts";
import { fromJobError } from "../executor/job-error.ts";
import { isJobError, isObject } from "./check-message.ts";
import { isDescription } from "./host-messages.ts";
import { type BatchOwner, IsolateBatch } from "./isolate-batch.ts";
import type { IsolateEntry, LaneCount } from "./isolate-entry.ts";
import { fromSent, type IsolateEntrypoint, type IsolateLimits, sentSize } from "./isolate-messages.ts";

/** A worker as the Worker Loader takes it. */
export interface IsolateCode {
  readonly compatibilityDate: string;
  readonly compatibilityFlags: string[];
  readonly mainModule: string;
  readonly modules: Record<string, IsolateModule>;
  readonly env: Readonly<Record<string, never>>;
  readonly globalOutbound: unknown;
  readonly limits: { readonly cpuMs: number };
}

/** One module of it: an ES module, plain data, text, or WebAssembly. */
export type IsolateModule =
  | { readonly js: string }
  | { readonly json: unknown }
  | { readonly text: string }
  | { readonly wasm: ArrayBuffer };

/** The part of a Worker Loader binding that is used. @see https://developers.cloudflare.com/dynamic-workers/ */
export interface IsolateLoader {
  get(name: string | null, getCode: () => Promise<IsolateCode>): { getEntrypoint(name: string): unknown };
}

/** How an isolate is made and watched. */
export interface IsolateSettings extends BatchOwner {
  readonly loader: IsolateLoader;
  readonly limits: IsolateLimits;
  readonly cpuMs: number;
  /** Milliseconds that it may take to hear that a job was cancelled, and to end a call whose jobs have ended. */
  readonly answerTimeout: number;
  /** Milliseconds until it must have described its package. */
  readonly maxLoadMs: number;
  /** The code of a package's isolate. */
  readonly code: () => Promise<IsolateCode>;
}

/** Bytes of arguments of one batch, at most, unless a single job has more. */
const BATCH_BYTES = 8 << 20;

/** Sizes of batches. */
const FIRST_BATCH = 16;
const LARGEST_BATCH = 512;

/** Most batches of which nothing was heard. */
const MOST_WAITING = 4;

/** Milliseconds: batches that end sooner grow, those that take longer shrink. */
const SOON = 200;
const LATE = 1000;

/**
 * An isolate of one package. It owns the jobs in it and takes jobs until it is retired, which it is when it has failed or
 * does not listen; then the next job of the package gets another.
 */
export class Isolate {
  /** Hash of its package; empty for one that runs scripts of no package. */
  readonly package: string;
  /** Takes no jobs but those that its own wait for, so that others have their turn. */
  draining = false;
  /** Since when it has had calls without a pause. */
  busySince = 0;
  #retired = false;
  readonly #id: string;
  readonly #settings: IsolateSettings;
  readonly #batches = new WeakMap<IsolateEntry, IsolateBatch>();
  readonly #open = new Set<IsolateBatch>();
  readonly #entries = new Set<IsolateEntry>();
  /** Those whose jobs were cancelled a moment ago. */
  readonly #checking = new Set<IsolateBatch>();
  /** Those whose jobs have ended, with what gives them up. */
  readonly #ending = new Map<IsolateBatch, ReturnType<typeof setTimeout>>();
  readonly #counts = new Map<string, LaneCount>();
  #calls = 0;
  #batchSize = FIRST_BATCH;
  #code: Promise<IsolateCode | undefined> | undefined;

  /** @param id - no other isolate has it, in the whole of the platform */
  constructor(packageHash: string, id: string, settings: IsolateSettings) {
    this.package = packageHash;
    this.#id = id;
    this.#settings = settings;
  }

  get retired(): boolean {
    return this.#retired;
  }

  /** Whether there are calls in flight. */
  get busy(): boolean {
    return this.#calls > 0;
  }

  /** How many jobs of a lane are here. */
  count(lane: string): LaneCount {
    let count = this.#counts.get(lane);
    if (count === undefined) {
      count = { working: 0, awaiting: 0 };
      this.#counts.set(lane, count);
    }
    return count;
  }

  /** How many jobs it can be sent now. The runtime begins the calls that wait in no order, so few are let wait. */
  get room(): number {
    let waiting = 0;
    for (const batch of this.#open) if (!batch.answered) waiting++;
    return Math.max(0, MOST_WAITING - waiting) * this.#batchSize;
  }

  /** @throws PackageError if the package can't be loaded or described */
  async describe(): Promise<PackageDescription> {
    const { maxLoadMs } = this.#settings;
    const late = Promise.withResolvers<never>();
    late.promise.catch(() => {});
    const timer = setTimeout(
      () => late.reject(new ExecutorError(`it took more than ${maxLoadMs / 1000} s`)),
      maxLoadMs,
    );
    try {
      const reply: unknown = await this.#call((runtime) => unless(late.promise, runtime.describe()));
      if (isObject(reply)) {
        const content: unknown = JSON.parse(fromSent(reply.text));
        if (reply.ok === true && isDescription(content)) return content;
        if (reply.ok === false && isJobError(content)) throw fromJobError(content);
      }
      throw new ExecutorError("Its isolate does not describe it as it should");
    } catch (error) {
      this.retire();
      throw this.#unloadable(error);
    } finally {
      clearTimeout(timer);
    }
  }

  send(entries: readonly IsolateEntry[]): void {
    let batch: IsolateEntry[] = [];
    let bytes = 0;
    for (const entry of entries) {
      const size = sentSize(entry.sent.args) + sentSize(entry.spec.script ?? "");
      if (batch.length >= this.#batchSize || (batch.length > 0 && bytes + size > BATCH_BYTES)) {
        void this.#run(batch);
        batch = [];
        bytes = 0;
      }
      batch.push(entry);
      bytes += size;
    }
    if (batch.length > 0) void this.#run(batch);
  }

  async #run(entries: readonly IsolateEntry[]): Promise<void> {
    const batch: IsolateBatch = new IsolateBatch(entries, {
      ...this.#settings,
      moved: () => {
        this.#expectEnd(batch);
        this.#settings.moved();
      },
    });
    this.#open.add(batch);
    for (const entry of entries) {
      this.#batches.set(entry, batch);
      this.#entries.add(entry);
    }
    const started = Date.now();
    try {
      const jobs = entries.map(({ sent }) => sent);
      const end: unknown = await this.#call((runtime) =>
        unless(batch.broken, runtime.run(jobs, this.#settings.limits, batch.port)),
      );
      if (isObject(end) && typeof end.loadError === "string") {
        const error: unknown = JSON.parse(end.loadError);
        throw this.#unloadable(
          isJobError(error) ? fromJobError(error) : new Error("its code threw an error"),
        );
      }
      batch.hear(isObject(end) ? end.messages : undefined);
      const left = batch.unfinished();
      if (left.length > 0) throw new ExecutorError("it did not say how the job ended");
      this.#adapt(Date.now() - started, entries.length);
    } catch (error) {
      this.retire();
      for (const entry of batch.unfinished()) entry.fail(this.#ended(entry, error));
    } finally {
      batch.close();
      this.#open.delete(batch);
      clearTimeout(this.#ending.get(batch));
      this.#ending.delete(batch);
      for (const entry of entries) this.#entries.delete(entry);
      this.#settings.moved();
    }
  }

  /** Tells a job's code, if it is here, that it is not wanted. */
  cancel(entry: IsolateEntry): void {
    const batch = this.#batches.get(entry);
    if (batch === undefined) return;
    batch.cancel(entry);
    this.#expectEnd(batch);
    if (this.#checking.has(batch)) return;
    this.#checking.add(batch);
    setTimeout(() => {
      this.#checking.delete(batch);
      // What computes there ends by its limit; meanwhile others get another isolate.
      if (!batch.isHeard) this.retire();
    }, this.#settings.answerTimeout);
  }

  /** A call whose jobs have all ended has nothing more to do, and must not hold a place that others wait for. */
  #expectEnd(batch: IsolateBatch): void {
    if (!this.#open.has(batch) || this.#ending.has(batch) || batch.unfinished().length > 0) return;
    // Others may compute there meanwhile.
    const { cpuMs, answerTimeout } = this.#settings;
    this.#ending.set(
      batch,
      setTimeout(() => batch.giveUp(), cpuMs + answerTimeout),
    );
  }

  /** Fails the jobs in it. */
  close(reason: (what: string) => Error): void {
    this.retire();
    for (const entry of this.#entries) entry.fail(reason(`finish ${entry.spec.task}`));
  }

  retire(): void {
    this.#retired = true;
  }

  async #call<T>(call: (runtime: IsolateEntrypoint) => Promise<T>): Promise<T> {
    if (this.#calls++ === 0) this.busySince = Date.now();
    try {
      const { loader, code } = this.#settings;
      // Made before it is asked for, so that its errors come as they are.
      this.#code ??= code();
      const made = await this.#code;
      const worker = loader.get(this.#id, async () => made ?? (await code()));
      const result = await call(worker.getEntrypoint("Runtime") as IsolateEntrypoint);
      // Code of the package may have put stubs in it.
      (result as Partial<Disposable> | undefined)?.[Symbol.dispose]?.();
      // The runtime has it. If it lets go of the isolate, it asks again.
      this.#code = Promise.resolve(undefined);
      return result;
    } finally {
      this.#calls--;
      if (this.#calls === 0) {
        this.draining = false;
        this.#counts.clear();
      }
    }
  }

  /** Batches are as large as goes fast: a call has one allowance of computing time. */
  #adapt(elapsed: number, size: number): void {
    if (elapsed > LATE) this.#batchSize = Math.max(1, this.#batchSize >> 1);
    else if (elapsed < SOON && size >= this.#batchSize)
      this.#batchSize = Math.min(LARGEST_BATCH, this.#batchSize * 2);
  }

  #ended({ spec }: IsolateEntry, error: unknown): unknown {
    if (error instanceof PackageError) return error;
    const { message, hint } = error as ExecutorError;
    const { cpuMs } = this.#settings;
    return new ExecutorError(`Cannot finish ${spec.task}: the isolate of its package ended: ${message}`, {
      hint:
        hint ??
        `An isolate ends if its code uses more memory than a Worker may, computes for more than ${cpuMs / 1000} s at a time, or ends itself. Other jobs that ran in it failed with it.`,
      fields: { task: spec.task, package: this.package },
      cause: error,
    });
  }

  #unloadable(cause: unknown): PackageError {
    if (cause instanceof PackageError) return cause;
    const { message, hint } = cause as Partial<ExecutorError>;
    return new PackageError(`Cannot load the code package ${this.package}: ${message}`, {
      hint: hint ?? "See the cause, which its code has thrown when it was loaded.",
      fields: { hash: this.package },
      cause,
    });
  }
}

/** What a call of an isolate gives, unless something else is the matter first. Then the call is let go of. */
async function unless<T>(trouble: Promise<never>, call: Promise<T>): Promise<T> {
  try {
    return await Promise.race([call, trouble]);
  } catch (error) {
    (call as Partial<Disposable>)[Symbol.dispose]?.();
    throw error;
  }
}
