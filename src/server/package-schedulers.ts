import type { Backend } from "../backend/backend.ts";
import { CancelledError } from "../errors/errors.ts";
import type { PackageDescription, PackageExecutor } from "../executor/executor.ts";
import { Scheduler } from "../scheduler/scheduler.ts";
import { describedRegistry } from "../task/description.ts";
import type { TaskRegistry } from "../task/registry.ts";
import type { Task } from "../task/task.ts";
import { keepForeignValues } from "../value/foreign.ts";
import { decodeValue } from "../value/value.ts";
import type { HostedOutcome, HostedRun } from "./execution-types.ts";
import { success } from "./outcome.ts";
import { callOf } from "./run-order.ts";

/** What a {@link PackageSchedulers} works with. */
export interface PackageSchedulersParts {
  readonly backend: Backend;
  readonly executor: PackageExecutor;
  /** Names besides `default` under which tasks may ask for that executor. */
  readonly executorNames?: readonly string[];
  readonly limits?: Readonly<Record<string, number>>;
  readonly context?: Readonly<Record<string, unknown>>;
  /** Most jobs that a job may be inside of. Default: as many as there is memory for. */
  readonly maxDepth?: number | undefined;
}

/** Tag of an execution that went on in the place of the one that it names. */
const RESUMES = "redun.resumes";

/** So many packages' descriptions are remembered. */
const REMEMBERED = 100;

/** Evaluates executions of code packages by schedulers that know a package only as the place describes it where it runs. */
export class PackageSchedulers {
  private readonly parts: PackageSchedulersParts;
  private readonly descriptions = new Map<string, Promise<PackageDescription>>();

  constructor(parts: PackageSchedulersParts) {
    this.parts = parts;
    keepForeignValues();
  }

  /**
   * Evaluates a run with a scheduler of its own.
   *
   * @param watch - gets the scheduler before it begins. @returns what is called when it has ended
   * @throws what the run ends with, or why its package can't be loaded
   */
  async evaluate(
    run: HostedRun,
    signal: AbortSignal,
    watch: (scheduler: Scheduler) => () => void,
  ): Promise<HostedOutcome> {
    const description = await unlessAborted(this.describe(run.package), signal);
    const registry = describedRegistry(description, run.package);
    const scheduler = this.scheduler(registry);
    const stop = watch(scheduler);
    try {
      const resumes = run.interrupted.at(-1);
      const { cache, dryRun, prov } = run.options;
      const value: unknown = await scheduler.run(callOf(run, registry), {
        executionId: run.current,
        args: run.commandLine,
        tags: resumes === undefined ? run.tags : [...run.tags, [RESUMES, resumes]],
        signal,
        resumes: run.interrupted,
        ...(cache === undefined ? {} : { cache }),
        ...(dryRun === undefined ? {} : { dryRun }),
        ...(prov === undefined ? {} : { prov }),
        ...(run.context === undefined
          ? {}
          : { context: decodeValue(run.context) as Record<string, unknown> }),
      });
      return success(value);
    } finally {
      stop();
    }
  }

  private scheduler(registry: TaskRegistry<Task>): Scheduler {
    const { backend, executor, executorNames = [], limits, context, maxDepth } = this.parts;
    const names = ["default", ...executorNames];
    return new Scheduler({
      backend,
      executors: Object.fromEntries(names.map((name) => [name, executor])),
      registry,
      config: { ignoreWarnings: ["namespace"], ...(maxDepth === undefined ? {} : { maxDepth }) },
      ...(limits === undefined ? {} : { limits }),
      ...(context === undefined ? {} : { context }),
    });
  }

  /** What a package defines. @throws whatever its code throws when it is loaded */
  private describe(hash: string): Promise<PackageDescription> {
    let description = this.descriptions.get(hash);
    if (description === undefined) {
      description = this.parts.executor.describe(hash);
      this.descriptions.set(hash, description);
      const [oldest] = this.descriptions.keys();
      if (this.descriptions.size > REMEMBERED) this.descriptions.delete(oldest!);
      description.then(
        ({ validatedTypes }) => keepForeignValues(validatedTypes),
        () => this.descriptions.delete(hash),
      );
    }
    return description;
  }
}

/** What work gives, unless the signal comes before. The work itself goes on. @throws CancelledError */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancelled = (): void =>
      reject(new CancelledError("The execution was cancelled before its code was loaded"));
    signal.addEventListener("abort", cancelled, { once: true });
    if (signal.aborted) cancelled();
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", cancelled));
  });
}
