import { SchedulerError } from "../errors/errors.ts";
import type { Job } from "./job.ts";

/** Units of resources that a job asks for. */
export type Units = Readonly<Record<string, number>>;

/** The units that a `limits` option means: a list is one of each. @throws SchedulerError if it is neither form */
export function limitUnits(option: unknown): Units | undefined {
  if (option === undefined || option === null) return undefined;
  if (Array.isArray(option)) return Object.fromEntries(option.map((name) => [String(name), 1]));
  if (typeof option === "object") {
    for (const [name, units] of Object.entries(option)) {
      if (typeof units !== "number" || !(units >= 0)) {
        throw new SchedulerError(
          `Cannot hold ${String(units)} units of the limit ${name}: not a non-negative number`,
        );
      }
    }
    return option as Units;
  }
  throw new SchedulerError(`Cannot read the limits option ${String(option)}: it must be a list or an object`);
}

/**
 * Owns how many units of each resource are in use, and the jobs that wait for some, in order. A resource that is not
 * configured has one unit.
 */
export class LimitPool {
  private readonly capacity: ReadonlyMap<string, number>;
  private readonly used = new Map<string, number>();
  private waiting: Job[] = [];

  constructor(capacity: Readonly<Record<string, number>> = {}) {
    this.capacity = new Map(Object.entries(capacity));
  }

  /** Takes the units of a job, or has it wait. @throws SchedulerError if it could never fit */
  acquire(job: Job, units: Units): boolean {
    for (const [name, count] of Object.entries(units)) {
      if (count > this.capacityOf(name)) {
        throw new SchedulerError(
          `Cannot run ${job.task.fullname}: it needs ${count} of the limit ${name}, which has ${this.capacityOf(name)}`,
        );
      }
    }
    if (!Object.entries(units).every(([name, count]) => this.inUse(name) + count <= this.capacityOf(name))) {
      this.waiting.push(job);
      return false;
    }
    for (const [name, count] of Object.entries(units)) this.used.set(name, this.inUse(name) + count);
    return true;
  }

  /** Forgets all that is held and all that wait. */
  reset(): void {
    this.used.clear();
    this.waiting = [];
  }

  release(units: Units): void {
    for (const [name, count] of Object.entries(units)) this.used.set(name, this.inUse(name) - count);
  }

  /** The jobs that wait, to be tried again in order. */
  takeWaiting(): readonly Job[] {
    const jobs = this.waiting;
    this.waiting = [];
    return jobs;
  }

  inUse(name: string): number {
    return this.used.get(name) ?? 0;
  }

  private capacityOf(name: string): number {
    return this.capacity.get(name) ?? 1;
  }
}
