import type {
  Evaluated,
  ExecutorContext,
  InvokedTask,
  JobResult,
  JobSpec,
  LocalCall,
  PackageDescription,
  PackageExecutor,
} from "../executor/executor.ts";
import { limitUnits, type Units } from "../scheduler/limits.ts";

interface Waiting {
  readonly units: Units;
  begin(): void;
}

/**
 * An executor whose jobs hold units of limits that all executions of a repository share. Each scheduler counts the units
 * of its own execution only. As there, a job lets go of its units when it awaits an expression.
 */
export class SharedLimits implements PackageExecutor {
  readonly name: string;
  private readonly executor: PackageExecutor;
  private readonly capacity: ReadonlyMap<string, number>;
  private readonly used = new Map<string, number>();
  private waiting: Waiting[] = [];

  /** @param limits - units of each resource; others have one */
  constructor(executor: PackageExecutor, limits: Readonly<Record<string, number>> = {}) {
    this.name = executor.name;
    this.executor = executor;
    this.capacity = new Map(Object.entries(limits));
  }

  describe(packageHash: string): Promise<PackageDescription> {
    return this.executor.describe(packageHash);
  }

  invokes(task: InvokedTask): boolean {
    return this.executor.invokes?.(task) ?? true;
  }

  invoke(call: LocalCall, context: ExecutorContext): unknown {
    return this.executor.invoke!(call, context);
  }

  async run(spec: JobSpec, context: ExecutorContext): Promise<JobResult> {
    const units = limitUnits(spec.options.limits);
    if (units === undefined) return this.executor.run(spec, context);
    await this.acquire(units, context.signal);
    let held = true;
    const release = (): void => {
      if (held) this.release(units);
      held = false;
    };
    const { signal } = context;
    try {
      return await this.executor.run(spec, {
        signal,
        log: (line) => context.log(line),
        evaluate: (expression): Promise<Evaluated> => {
          release();
          return context.evaluate!(expression);
        },
      });
    } finally {
      release();
    }
  }

  async close(): Promise<void> {
    await this.executor.close?.();
  }

  private acquire(units: Units, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.waiting.length === 0 && this.fits(units)) {
      this.add(units, 1);
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const entry: Waiting = {
        units,
        begin: () => {
          signal.removeEventListener("abort", give);
          resolve();
        },
      };
      const give = (): void => {
        this.waiting = this.waiting.filter((other) => other !== entry);
        reject(signal.reason as Error);
        this.beginWaiting();
      };
      signal.addEventListener("abort", give, { once: true });
      this.waiting.push(entry);
      this.beginWaiting();
    });
  }

  private release(units: Units): void {
    this.add(units, -1);
    this.beginWaiting();
  }

  /** In the order in which they came; one that does not fit does not hold up others that ask for something else. */
  private beginWaiting(): void {
    const left: Waiting[] = [];
    const blocked = new Set<string>();
    for (const entry of this.waiting) {
      const names = Object.keys(entry.units);
      if (!names.some((name) => blocked.has(name)) && this.fits(entry.units)) {
        this.add(entry.units, 1);
        entry.begin();
      } else {
        for (const name of names) blocked.add(name);
        left.push(entry);
      }
    }
    this.waiting = left;
  }

  private fits(units: Units): boolean {
    return Object.entries(units).every(
      ([name, count]) => (this.used.get(name) ?? 0) + count <= (this.capacity.get(name) ?? 1),
    );
  }

  private add(units: Units, sign: 1 | -1): void {
    for (const [name, count] of Object.entries(units))
      this.used.set(name, (this.used.get(name) ?? 0) + sign * count);
  }
}
