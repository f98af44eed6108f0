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

/** Jobs that wait for the same units, so that a release looks at one job of each kind and not at all of them. */
interface Queue {
  readonly key: string;
  readonly units: Units;
  readonly jobs: { readonly job: Job; readonly order: number }[];
  head: number;
}

/**
 * Owns how many units of each resource are in use, and the jobs that wait for some, in order. A resource that is not
 * configured has one unit.
 */
export class LimitPool {
  private readonly capacity: ReadonlyMap<string, number>;
  private readonly used = new Map<string, number>();
  private readonly queues = new Map<string, Queue>();
  private nextOrder = 0;

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
    if (!this.fits(units)) {
      this.enqueue(job, units);
      return false;
    }
    this.take(units);
    return true;
  }

  /** Forgets all that is held and all that wait. */
  reset(): void {
    this.used.clear();
    this.queues.clear();
  }

  release(units: Units): void {
    for (const [name, count] of Object.entries(units)) this.used.set(name, this.inUse(name) - count);
  }

  /**
   * The waiting jobs that fit together into what is free, in the order in which they came. They are to be tried again;
   * if one of them then takes no units, {@link takeFitting} is due once more.
   */
  takeFitting(): readonly Job[] {
    const taken: Job[] = [];
    const reserved: Units[] = [];
    for (;;) {
      let next: Queue | undefined;
      for (const queue of this.queues.values()) {
        if (
          (next === undefined || queue.jobs[queue.head]!.order < next.jobs[next.head]!.order) &&
          this.fits(queue.units)
        )
          next = queue;
      }
      if (next === undefined) break;
      taken.push(next.jobs[next.head++]!.job);
      if (next.head === next.jobs.length) this.queues.delete(next.key);
      reserved.push(next.units);
      this.take(next.units);
    }
    for (const units of reserved) this.release(units);
    return taken;
  }

  private enqueue(job: Job, units: Units): void {
    const key = JSON.stringify(Object.entries(units).sort());
    let queue = this.queues.get(key);
    if (queue === undefined) {
      queue = { key, units, jobs: [], head: 0 };
      this.queues.set(key, queue);
    }
    queue.jobs.push({ job, order: this.nextOrder++ });
  }

  private fits(units: Units): boolean {
    for (const name in units) if (this.inUse(name) + units[name]! > this.capacityOf(name)) return false;
    return true;
  }

  private take(units: Units): void {
    for (const name in units) this.used.set(name, this.inUse(name) + units[name]!);
  }

  inUse(name: string): number {
    return this.used.get(name) ?? 0;
  }

  private capacityOf(name: string): number {
    return this.capacity.get(name) ?? 1;
  }
}
