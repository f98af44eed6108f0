import { availableParallelism } from "node:os";
import { ExecutorError } from "../errors/errors.ts";
import type { Executor, ExecutorContext, JobResult, JobSpec } from "../executor/executor.ts";
import { runJob } from "../executor/run-job.ts";
import { runScript } from "./script-runner.ts";
import type { WorkerSettings } from "./worker-handle.ts";
import { type Mode, type PooledJob, WorkerPool } from "./worker-pool.ts";

/** Options of {@link ProcessExecutor}. */
export interface ProcessExecutorOptions extends WorkerSettings {
  /** Default `process`. */
  readonly name?: string;
  /** Most workers at once, and most scripts. Default: as many as the machine has processors. */
  readonly maxWorkers?: number;
  /** Child processes, or threads of this one. The task option `mode` overrides it. Default `process`. */
  readonly mode?: Mode;
  /** Path of the local copy of a code package. */
  readonly packagePath?: (hash: string) => string;
  /** URLs of modules that define tasks without a code package. */
  readonly modules?: readonly string[];
}

/**
 * Runs jobs in worker processes or threads of this machine, and scripts in processes of their own. Workers are started
 * when they are needed and kept until {@link close}; they don't keep this process alive, and end with it.
 *
 * A job is called with what its worker knows: its code package, or the modules that the executor was given. A job that
 * is cancelled, or that ends its worker, does so alone; the jobs that wait for the same worker go to another.
 */
export class ProcessExecutor implements Executor {
  readonly name: string;
  private readonly options: ProcessExecutorOptions;
  private readonly pool: WorkerPool;
  private readonly waitingScripts: (() => void)[] = [];
  private freeScripts: number;
  private closed = false;

  constructor(options: ProcessExecutorOptions = {}) {
    this.name = options.name ?? "process";
    this.options = options;
    const maxWorkers = Math.max(1, options.maxWorkers ?? availableParallelism());
    this.freeScripts = maxWorkers;
    this.pool = new WorkerPool({ ...options, maxWorkers, modules: options.modules ?? [] });
  }

  run(spec: JobSpec, context: ExecutorContext): Promise<JobResult> {
    const { signal } = context;
    if (this.closed) {
      return Promise.reject(
        new ExecutorError(`Cannot run ${spec.task}: the executor ${this.name} is closed`),
      );
    }
    if (signal.aborted) return Promise.reject(signal.reason);
    if (spec.script !== undefined) return this.runScript(spec, context);
    if (!this.isKnownElsewhere(spec)) {
      return Promise.reject(
        new ExecutorError(
          `Cannot run ${spec.task} in another process: that process does not know where the task is defined`,
          {
            hint: "Run the workflow with the redun command, or give the executor the modules that define its tasks.",
            fields: { task: spec.task },
          },
        ),
      );
    }
    return new Promise((resolve, reject) => {
      const packagePath = spec.package === undefined ? undefined : this.options.packagePath?.(spec.package);
      const job: PooledJob = { spec, context, mode: this.modeOf(spec), packagePath, resolve, reject };
      this.pool.add(job);
    });
  }

  /** The engine's own tasks are part of every worker. */
  private isKnownElsewhere(spec: JobSpec): boolean {
    const { modules = [] } = this.options;
    return spec.package !== undefined || modules.length > 0 || spec.task.startsWith("redun.");
  }

  private modeOf(spec: JobSpec): Mode {
    const mode = spec.options.mode ?? this.options.mode ?? "process";
    return mode === "thread" || mode === "threads" ? "thread" : "process";
  }

  private async runScript(spec: JobSpec, context: ExecutorContext): Promise<JobResult> {
    if (this.freeScripts > 0) this.freeScripts--;
    else await new Promise<void>((resolve) => this.waitingScripts.push(resolve));
    try {
      return await runJob(spec, context, { runScript });
    } finally {
      const next = this.waitingScripts.shift();
      if (next === undefined) this.freeScripts++;
      else next();
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.pool.close(`the executor ${this.name} was closed`);
  }
}
