import { ExecutorError } from "../errors/errors.ts";
import type { JobResult } from "../executor/executor.ts";
import { toJobError } from "../executor/job-error.ts";
import { NO_OPTIONS } from "../expression/node.ts";
import { FairQueue } from "../util/fair-queue.ts";
import { Lease } from "./lease.ts";
import { Lines } from "./lines.ts";
import {
  type Entry,
  hasWaiting,
  isSettling,
  lostError,
  type Member,
  missingPackage,
  notKnownToHaveBegun,
  type PooledJob,
  survey,
} from "./pool-member.ts";
import type { Tickets } from "./tickets.ts";
import type { WorkerKind } from "./worker-handle.ts";
import type { FromWorker, PackageSource, ToWorker } from "./worker-messages.ts";

/** Settings of a {@link WorkerPool}. */
export interface PoolSettings {
  readonly maxWorkers: number;
  readonly modules: readonly string[];
  /** Gives the code packages that workers ask for. */
  readonly packages?: PackageSource | undefined;
  /** So many idle workers are kept besides, of kinds that are not asked for just now. Default 0. */
  readonly spare?: number | undefined;
  /** Milliseconds after which a worker without jobs ends. Default: never. */
  readonly idleTimeout?: number | undefined;
}

/** Jobs faster than this, in milliseconds, are sent some at a time, so that the way does not cost more than the work. */
const QUICK = 5;
const WINDOW = 32;
/** Milliseconds after which jobs that wait behind a slow one are taken back. */
const PATIENCE = 10;
/** The same under a lease, where it takes about as long to take them back. */
const LEASE_PATIENCE = 50;
/** So many of a job's last lines go with its result. */
const LOG_TAIL = 1000;

/**
 * The workers of an executor and the jobs that wait for them.
 *
 * Invariants:
 * 1. A worker runs its jobs one after another, and sends the result of each before it begins the next.
 * 2. A job waits at a worker behind others only under a ticket or a lease, so that it can be taken back, at any time or
 *    a moment later, and exactly if it has not begun. No job begins twice.
 * 3. While jobs are taken back from a worker, and it is told which, it gets no others.
 * 4. Each job is answered once.
 * 5. Executions take turns at the workers.
 */
export class WorkerPool {
  private readonly settings: PoolSettings;
  /** Most workers at once. */
  private most: number;
  private members: Member[] = [];
  private readonly waiting = new FairQueue<Entry>(({ job }) => job.spec.executionId);
  private nextId = 1;
  private watch: ReturnType<typeof setTimeout> | undefined = undefined;
  private closing: (() => void) | undefined = undefined;

  constructor(settings: PoolSettings) {
    this.settings = settings;
    this.most = settings.maxWorkers;
  }

  add(job: PooledJob): void {
    const { signal } = job.context;
    const entry: Entry = {
      id: this.nextId++,
      job,
      log: [],
      signal,
      abort: () => this.cancel(entry),
      ticket: false,
      begun: false,
    };
    signal.addEventListener("abort", entry.abort, { once: true });
    this.waiting.add(entry);
    this.dispatch();
  }

  /** Ends all workers. Jobs without an answer fail. */
  async close(reason: string): Promise<void> {
    const unanswered = [...this.waiting.takeAll(), ...this.members.flatMap(({ inFlight }) => inFlight)];
    for (const member of this.members) member.inFlight = [];
    for (const entry of unanswered)
      this.fail(entry, new ExecutorError(`Cannot finish ${entry.job.spec.task}: ${reason}`));
    if (this.members.length === 0) return;
    await new Promise<void>((resolve) => {
      this.closing = resolve;
      for (const member of this.members) this.end(member);
    });
  }

  /** Sends what waits to workers that have room. */
  private dispatch(): void {
    for (let entry = this.waiting.peek(); entry !== undefined; entry = this.waiting.peek()) {
      const member = this.roomiest(entry.job.kind, this.waiting.size);
      if (member === undefined) break;
      this.waiting.take();
      this.assign(member, entry);
    }
    for (const member of this.members) if (member.outbox.length > 0) this.deliver(member);
  }

  private roomiest(kind: WorkerKind, left: number): Member | undefined {
    const { idle, behind, spare, busy } = survey(this.members, kind, (member) => this.hasRoom(member, left));
    if (busy >= this.most) return behind;
    if (idle !== undefined) return idle;
    if (this.members.length < this.most + (this.settings.spare ?? 0)) return this.grow(kind);
    if (spare === undefined) return behind;
    // A worker of another kind makes room for one that is needed.
    this.end(spare);
    return undefined;
  }

  /** Whether jobs may wait at a busy worker: if it is quick, and there are more of them than workers. */
  private hasRoom(member: Member, left: number): boolean {
    if (member.pace >= QUICK) return false;
    if (member.tickets === undefined) void this.askForTickets(member);
    if (member.tickets === undefined || member.tickets === "asked") return false;
    // Filled when it is half empty, so that jobs travel some at a time.
    const filling = member.outbox.length > 0 || member.inFlight.length <= WINDOW / 2;
    return (
      filling &&
      member.inFlight.length < Math.min(WINDOW, 1 + left / Math.min(this.members.length, this.most))
    );
  }

  private async askForTickets(member: Member): Promise<void> {
    member.tickets = "asked";
    const made = await member.kind.makeTickets();
    if (made === "lease") {
      member.tickets = new Lease();
      this.dispatch();
      return;
    }
    if (made === undefined || !this.members.includes(member)) {
      made?.tickets.close();
      made?.opened();
      return;
    }
    this.opening.set(member, () => {
      made.opened();
      member.tickets = made.tickets;
    });
    member.handle.send({ type: "tickets", place: made.place });
  }

  /** What to do when a worker has opened its tickets, or has ended. */
  private readonly opening = new Map<Member, () => void>();

  private assign(member: Member, entry: Entry): void {
    const { spec, packagePath } = entry.job;
    entry.ticket = member.inFlight.length > 0;
    entry.begun = false;
    if (!entry.ticket) {
      clearTimeout(member.idle);
      member.handle.hold(true);
      member.since = Date.now();
    }
    member.inFlight.push(entry);
    // The options are for executors, and may hold what can't be sent.
    const bare = { ...spec, options: NO_OPTIONS };
    member.outbox.push({ id: entry.id, spec: bare, packagePath, ticket: entry.ticket });
  }

  private deliver(member: Member): void {
    const jobs = member.outbox;
    member.outbox = [];
    const tickets = jobs.filter(({ ticket }) => ticket).length;
    let until: number | undefined;
    if (tickets > 0) {
      if (member.tickets instanceof Lease) until = member.tickets.renew();
      else (member.tickets as Tickets).add(tickets);
      this.startWatch();
    }
    member.handle.send({ type: "jobs", jobs, until });
  }

  private grow(kind: WorkerKind): Member {
    const lines = new Lines((line) => this.log(member.inFlight[0], line));
    const handle = kind.start({
      message: (message) => this.receive(member, message),
      output: (chunk) => lines.add(chunk),
      ending: (then) => {
        member.ending = true;
        this.takeBack(member, then);
      },
      ended: (reason) => {
        lines.end();
        this.lost(member, reason);
      },
      neverStarted: (error) => this.giveUp(member, error),
    });
    const member: Member = {
      kind,
      handle,
      inFlight: [],
      outbox: [],
      // Until it has answered once, a worker is given one job at a time.
      pace: Number.POSITIVE_INFINITY,
      since: 0,
      tickets: undefined,
      taking: undefined,
      forgetting: 0,
      ready: false,
      ending: false,
      idle: undefined,
    };
    this.members.push(member);
    handle.send({ type: "init", modules: this.settings.modules });
    handle.hold(false);
    return member;
  }

  private receive(member: Member, message: FromWorker): void {
    switch (message.type) {
      case "result":
        this.finish(member, message.id, message.result);
        break;
      case "log": {
        const entry = member.inFlight.find(({ id }) => id === message.id);
        for (const line of message.lines) this.log(entry, line);
        break;
      }
      case "tickets":
        this.opening.get(member)?.();
        this.opening.delete(member);
        this.dispatch();
        break;
      case "forgotten":
        member.forgetting--;
        this.dispatch();
        break;
      case "begun": {
        const entry = member.inFlight.find(({ id }) => id === message.id);
        if (entry !== undefined) entry.begun = message.begun;
        break;
      }
      case "package":
        void this.givePackage(member, message.hash);
        break;
      case "ready":
        member.ready = true;
    }
  }

  private async givePackage(member: Member, hash: string): Promise<void> {
    let answer: ToWorker;
    try {
      const pkg = await this.settings.packages?.(hash);
      if (pkg === undefined) throw missingPackage(hash);
      const { code, manifest, map } = pkg;
      answer = { type: "package", hash, content: { hash, code, manifest, map } };
    } catch (error) {
      answer = { type: "package", hash, error: toJobError(error) };
    }
    if (this.members.includes(member)) member.handle.send(answer);
  }

  private log(entry: Entry | undefined, line: string): void {
    if (entry === undefined) return;
    entry.log.push(line);
    if (entry.log.length > 2 * LOG_TAIL) entry.log.splice(0, LOG_TAIL);
    entry.job.context.log(line);
  }

  private finish(member: Member, id: number, result: JobResult): void {
    const index = member.inFlight.findIndex((entry) => entry.id === id);
    const entry = member.inFlight[index];
    if (entry === undefined) return;
    member.inFlight.splice(index, 1);
    const took = result.timings === undefined ? QUICK : result.timings.ended - result.timings.started;
    member.pace = member.pace === Number.POSITIVE_INFINITY ? took : 0.8 * member.pace + 0.2 * took;
    member.since = Date.now();
    if (member.inFlight.length === 0) this.rest(member);
    else this.prolong(member);
    entry.signal.removeEventListener("abort", entry.abort);
    entry.job.resolve(entry.log.length === 0 ? result : { ...result, log: entry.log.slice(-LOG_TAIL) });
    this.dispatch();
  }

  /** A worker has no jobs. */
  private rest(member: Member): void {
    const { idleTimeout } = this.settings;
    member.handle.hold(false);
    if (idleTimeout === undefined) return;
    const idle = setTimeout(() => this.end(member), idleTimeout);
    (idle as { unref?(): void }).unref?.();
    member.idle = idle;
  }

  /** Lets a worker that answers begin what waits there. */
  private prolong(member: Member): void {
    const { tickets, ending, handle } = member;
    if (tickets instanceof Lease && tickets.isShort && !isSettling(member) && !ending)
      handle.send({ type: "lease", until: tickets.renew() });
  }

  private fail(entry: Entry, error: unknown): void {
    entry.signal.removeEventListener("abort", entry.abort);
    entry.job.reject(error);
  }

  private startWatch(): void {
    if (this.watch === undefined) this.watch = setTimeout(this.relieve, PATIENCE);
  }

  /** Takes back what waits behind slow jobs. */
  private readonly relieve = (): void => {
    this.watch = undefined;
    const now = Date.now();
    let rest = false;
    for (const member of this.members) {
      if (!hasWaiting(member)) continue;
      const patience = member.tickets instanceof Lease ? LEASE_PATIENCE : PATIENCE;
      if (now - member.since > patience && !isSettling(member)) {
        member.pace = Math.max(member.pace, QUICK);
        this.takeBack(member, () => {});
      } else rest = true;
    }
    if (rest) this.startWatch();
    this.dispatch();
  };

  /** Has the jobs that a worker has not begun wait for any worker again, then calls a function. */
  private takeBack(member: Member, then: () => void): void {
    const { tickets } = member;
    const most = notKnownToHaveBegun(member);
    if (most === 0) then();
    else if (!(tickets instanceof Lease)) {
      this.remove(member, (tickets as Tickets).take(most));
      then();
    } else if (member.taking !== undefined) member.taking.push(then);
    else {
      const all = [then];
      member.taking = all;
      tickets.whenOver(() => {
        member.taking = undefined;
        this.remove(member, notKnownToHaveBegun(member));
        for (const one of all) one();
        this.dispatch();
      });
    }
  }

  private remove(member: Member, count: number): void {
    if (count === 0) return;
    const taken = member.inFlight.splice(-count);
    this.waiting.putBack(taken);
    if (member.ending) return;
    member.forgetting++;
    member.handle.send({ type: "forget", ids: taken.map(({ id }) => id) });
  }

  private cancel(entry: Entry): void {
    if (this.cancelWaiting(entry)) return;
    const member = this.members.find(({ inFlight }) => inFlight.includes(entry));
    if (member === undefined) return;
    this.takeBack(member, () => {
      if (!this.cancelWaiting(entry) && member.inFlight.at(-1) === entry) {
        // A function can't be stopped but with its worker.
        member.inFlight.pop();
        this.fail(entry, entry.signal.reason);
        this.end(member);
      }
      // Otherwise it has ended, or its result is on the way.
      this.dispatch();
    });
  }

  private cancelWaiting(entry: Entry): boolean {
    if (!this.waiting.remove(entry)) return false;
    this.fail(entry, entry.signal.reason);
    return true;
  }

  private end(member: Member): void {
    if (member.ending) return;
    member.ending = true;
    // Its end is news that jobs or a caller may wait for.
    member.handle.hold(true);
    member.handle.kill();
  }

  /**
   * A worker could not begin, as others of its kind could not. Those that have begun go on with the jobs, and get no
   * company; if there are none, the jobs fail, rather than have workers started for ever.
   */
  private giveUp(member: Member, error: (task: string) => ExecutorError): void {
    const { kind } = member;
    const others = this.members.filter((other) => other !== member);
    const entries = member.inFlight.splice(0);
    if (others.some((other) => other.kind === kind && other.ready && !other.ending)) {
      this.most = others.length;
      this.waiting.putBack(entries);
    } else {
      entries.push(...this.waiting.takeAll(({ job }) => job.kind === kind));
      for (const entry of entries) this.fail(entry, error(entry.job.spec.task));
    }
    this.lost(member, "");
  }

  /** A worker has ended: the job that it ran fails, and those that it had not begun go elsewhere. */
  private lost(member: Member, reason: string): void {
    clearTimeout(member.idle);
    this.members = this.members.filter((other) => other !== member);
    this.opening.get(member)?.();
    this.opening.delete(member);
    member.ending = true;
    this.takeBack(member, () => {
      if (!(member.tickets instanceof Lease) && member.tickets !== "asked") member.tickets?.close();
      for (const entry of member.inFlight.splice(0)) this.fail(entry, lostError(member, entry, reason));
      if (this.closing === undefined) this.dispatch();
      else if (this.members.length === 0) this.closing();
    });
  }
}
