import { availableParallelism } from "node:os";
import { ExecutorError } from "../errors/errors.ts";
import type { Executor, ExecutorContext, JobResult, JobSpec } from "../executor/executor.ts";
import { toJobError } from "../executor/job-error.ts";
import { encodeValue } from "../value/value.ts";
import { runScript } from "./script-runner.ts";
import { startProcess, startThread, type WorkerHandle } from "./worker-handle.ts";

/** Options of {@link ProcessExecutor}. */
export interface ProcessExecutorOptions {
  /** Default `process`. */
  readonly name?: string;
  /** Most workers at once. Default: as many as the machine has processors. */
  readonly maxWorkers?: number;
  /** Child processes, or threads of this one. The task option `mode` overrides it. Default `process`. */
  readonly mode?: "process" | "thread";
  /** Path of the local copy of a code package. */
  readonly packagePath?: (hash: string) => string;
  /** URLs or paths of modules that define tasks without a code package. */
  readonly modules?: readonly string[];
}

type Mode = "process" | "thread";

interface Entry {
  readonly id: number;
  readonly spec: JobSpec;
  readonly context: ExecutorContext;
  readonly resolve: (result: JobResult) => void;
  sent: number;
}

interface Member {
  readonly mode: Mode;
  readonly handle: WorkerHandle;
  /** Sent and unanswered; the first is the one that runs. */
  readonly inFlight: Entry[];
  /** Milliseconds that its jobs took of late. */
  pace: number;
  recalled: boolean;
}

/** Jobs faster than this, in milliseconds, are sent some at a time, so that the way does not cost more than the work. */
const QUICK = 5;
const WINDOW = 16;
/** Milliseconds after which jobs waiting behind a slow one are taken back for an idle worker. */
const PATIENCE = 50;

/**
 * Runs jobs in worker processes or threads of this machine. It owns a pool of them, started when needed and kept, one
 * for each processor.
 *
 * Invariants:
 * 1. A worker runs its jobs one after another, so the first of those in flight is the one that runs.
 * 2. When a worker ends unasked, that job fails and the others, which have not begun, go to other workers.
 * 3. A job is answered once.
 */
export class ProcessExecutor implements Executor {
  readonly name: string;
  private readonly options: ProcessExecutorOptions;
  private readonly maxWorkers: number;
  private readonly members: Member[] = [];
  private readonly waiting: Entry[] = [];
  private readonly scripts: (() => void)[] = [];
  private runningScripts = 0;
  private nextId = 1;
  private closed = false;

  constructor(options: ProcessExecutorOptions = {}) {
    this.name = options.name ?? "process";
    this.options = options;
    this.maxWorkers = Math.max(1, options.maxWorkers ?? availableParallelism());
  }

  run(spec: JobSpec, context: ExecutorContext): Promise<JobResult> {
    if (this.closed)
      return Promise.reject(
        new ExecutorError(`Cannot run ${spec.task}: the executor ${this.name} is closed`),
      );
    if (spec.script !== undefined) return this.runScript(spec, context);
    if (spec.package === undefined && (this.options.modules ?? []).length === 0) {
      return Promise.reject(
        new ExecutorError(
          `Cannot run ${spec.task} in another process: that process does not know where the task is defined`,
          {
            hint: "Run the workflow with the redun command, or give the executor the modules that define its tasks.",
          },
        ),
      );
    }
    return new Promise((resolve) => {
      const entry: Entry = { id: this.nextId++, spec, context, resolve, sent: 0 };
      context.signal.addEventListener("abort", () => this.cancel(entry), { once: true });
      this.waiting.push(entry);
      this.dispatch();
    });
  }

  private async runScript(spec: JobSpec, context: ExecutorContext): Promise<JobResult> {
    if (this.runningScripts >= this.maxWorkers)
      await new Promise<void>((resolve) => this.scripts.push(resolve));
    this.runningScripts++;
    try {
      return { ok: true, value: encodeValue(await runScript(spec.script!, context)).text };
    } catch (error) {
      return { ok: false, error: toJobError(error) };
    } finally {
      this.runningScripts--;
      this.scripts.shift()?.();
    }
  }

  private modeOf(spec: JobSpec): Mode {
    const mode = spec.options.mode ?? this.options.mode ?? "process";
    return mode === "thread" || mode === "threads" ? "thread" : "process";
  }

  /** Sends what waits to workers that have room. */
  private dispatch(): void {
    while (this.waiting.length > 0) {
      const entry = this.waiting[0]!;
      if (entry.context.signal.aborted) {
        this.waiting.shift();
        entry.resolve({ ok: false, error: toJobError(entry.context.signal.reason) });
        continue;
      }
      const mode = this.modeOf(entry.spec);
      const member = this.roomiest(mode);
      if (member === undefined) break;
      this.waiting.shift();
      this.send(member, entry);
    }
    if (this.waiting.length === 0) this.rebalance();
  }

  private roomiest(mode: Mode): Member | undefined {
    const members = this.members.filter((member) => member.mode === mode);
    const idle = members.find((member) => member.inFlight.length === 0);
    if (idle !== undefined) return idle;
    if (this.members.length < this.maxWorkers) return this.grow(mode);
    const spare = this.members.find((member) => member.mode !== mode && member.inFlight.length === 0);
    if (members.length === 0 && spare !== undefined) {
      this.remove(spare);
      spare.handle.kill();
      return this.grow(mode);
    }
    return members
      .filter((member) => member.pace < QUICK && member.inFlight.length < WINDOW)
      .sort((a, b) => a.inFlight.length - b.inFlight.length)[0];
  }

  /** Takes back jobs that wait behind a slow one while another worker has nothing to do. */
  private rebalance(): void {
    const idle = this.members.some((member) => member.inFlight.length === 0);
    if (!idle && this.members.length >= this.maxWorkers) return;
    const now = Date.now();
    for (const member of this.members) {
      const behind = member.inFlight[1];
      if (behind === undefined || member.recalled) continue;
      if (now - behind.sent > PATIENCE) {
        member.recalled = true;
        member.handle.send({ type: "recall" });
      } else setTimeout(() => this.rebalance(), PATIENCE + 1).unref();
    }
  }

  private send(member: Member, entry: Entry): void {
    entry.sent = Date.now();
    if (member.inFlight.length === 0) member.handle.hold(true);
    member.inFlight.push(entry);
    const { spec } = entry;
    const packagePath = spec.package === undefined ? undefined : this.options.packagePath?.(spec.package);
    try {
      member.handle.send({ type: "job", id: entry.id, spec, packagePath });
    } catch (error) {
      this.finish(member, entry, { ok: false, error: toJobError(error) });
    }
  }

  private grow(mode: Mode): Member {
    const handle = mode === "thread" ? startThread() : startProcess();
    // Until it has answered once, a worker is given one job at a time.
    const member: Member = { mode, handle, inFlight: [], pace: Number.POSITIVE_INFINITY, recalled: false };
    this.members.push(member);
    handle.send({ type: "init", modules: this.options.modules ?? [] });
    handle.hold(false);
    handle.onMessage((message) => {
      if (message.type === "returned") this.takeBack(member, message.ids);
      else {
        const entry = member.inFlight.find(({ id }) => id === message.id);
        if (entry === undefined) return;
        if (message.type === "log") entry.context.log(message.line);
        else this.finish(member, entry, message.result);
      }
    });
    handle.onOutput((text) => {
      for (const line of text.split("\n")) if (line !== "") member.inFlight[0]?.context.log(line);
    });
    handle.onExit((reason) => this.lost(member, reason));
    return member;
  }

  private finish(member: Member, entry: Entry, result: JobResult): void {
    member.inFlight.splice(member.inFlight.indexOf(entry), 1);
    const took = result.timings === undefined ? QUICK : result.timings.ended - result.timings.started;
    member.pace = member.pace === Number.POSITIVE_INFINITY ? took : 0.8 * member.pace + 0.2 * took;
    if (member.inFlight.length === 0) member.handle.hold(false);
    entry.resolve(result);
    this.dispatch();
  }

  private takeBack(member: Member, ids: readonly number[]): void {
    member.recalled = false;
    member.pace = QUICK;
    const returned = member.inFlight.filter(({ id }) => ids.includes(id));
    for (const entry of returned) member.inFlight.splice(member.inFlight.indexOf(entry), 1);
    this.waiting.unshift(...returned);
    this.dispatch();
  }

  /** A worker has ended: the job that it ran fails, and the rest go elsewhere. */
  private lost(member: Member, reason: string): void {
    this.remove(member);
    const [running, ...rest] = member.inFlight.splice(0);
    if (running !== undefined) {
      const { spec, context } = running;
      const error = context.signal.aborted
        ? context.signal.reason
        : new ExecutorError(`Cannot finish ${spec.task}: its worker ${member.mode} ended with ${reason}`, {
            hint: "Does the task end the process, or use more memory than there is?",
            fields: { jobId: spec.jobId, reason },
          });
      running.resolve({ ok: false, error: toJobError(error) });
    }
    this.waiting.unshift(...rest);
    if (!this.closed) this.dispatch();
  }

  private cancel(entry: Entry): void {
    const index = this.waiting.indexOf(entry);
    if (index >= 0) {
      this.waiting.splice(index, 1);
      entry.resolve({ ok: false, error: toJobError(entry.context.signal.reason) });
      return;
    }
    const member = this.members.find((candidate) => candidate.inFlight.includes(entry));
    // A function can't be stopped but with its worker.
    if (member?.inFlight[0] === entry) member.handle.kill();
    else if (member !== undefined && !member.recalled) {
      member.recalled = true;
      member.handle.send({ type: "recall" });
    }
  }

  private remove(member: Member): void {
    const index = this.members.indexOf(member);
    if (index >= 0) this.members.splice(index, 1);
  }

  async close(): Promise<void> {
    this.closed = true;
    const members = this.members.splice(0);
    await Promise.all(
      members.map(
        (member) =>
          new Promise<void>((resolve) => {
            member.handle.hold(true);
            member.handle.onExit(() => resolve());
            member.handle.kill();
          }),
      ),
    );
  }
}
