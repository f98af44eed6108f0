import { ExecutorError } from "../errors/errors.ts";
import type { Executor, ExecutorContext, JobResult, JobSpec, ScriptRunner } from "../executor/executor.ts";
import { runJob } from "../executor/run-job.ts";
import { Turns } from "../util/turns.ts";
import type { WorkerKind } from "./worker-handle.ts";
import type { PackageSource } from "./worker-messages.ts";
import { type PoolSettings, WorkerPool } from "./worker-pool.ts";

/** What makes one executor with a pool of workers differ from another. */
export interface PoolExecutorConfig {
  readonly name: string;
  /** Most workers at once, and most scripts. */
  readonly maxWorkers: number;
  /** URLs of modules that define tasks without a code package. */
  readonly modules: readonly string[];
  /** Runs scripts beside the workers. Without it they go to the workers as well. */
  readonly runScript: ScriptRunner | undefined;
  kindOf(spec: JobSpec): WorkerKind;
  /** Path of the local copy of a code package. */
  readonly packagePath?: ((hash: string) => string) | undefined;
  /** Gives the code packages that workers ask for. */
  readonly packages?: PackageSource | undefined;
  /** See the settings of the pool. */
  readonly spare?: PoolSettings["spare"];
  readonly idleTimeout?: PoolSettings["idleTimeout"];
}

/** Runs functions in a pool of workers, and scripts there or as the runtime can. */
export class PoolExecutor implements Executor {
  readonly name: string;
  private readonly config: PoolExecutorConfig;
  private readonly pool: WorkerPool;
  private readonly scripts: Turns;
  private closed = false;

  constructor(config: PoolExecutorConfig) {
    this.name = config.name;
    this.config = config;
    const { modules, packages, spare, idleTimeout } = config;
    const maxWorkers = Math.max(1, config.maxWorkers);
    this.pool = new WorkerPool({ maxWorkers, modules, packages, spare, idleTimeout });
    this.scripts = new Turns(maxWorkers);
  }

  run(spec: JobSpec, context: ExecutorContext): Promise<JobResult> {
    const { packagePath, runScript } = this.config;
    const { signal } = context;
    if (this.closed) {
      return Promise.reject(
        new ExecutorError(`Cannot run ${spec.task}: the executor ${this.name} is closed`),
      );
    }
    if (signal.aborted) return Promise.reject(signal.reason);
    if (spec.script !== undefined && runScript !== undefined) {
      return this.scripts.take(() => runJob(spec, context, { runScript }), spec.executionId);
    }
    const kind = this.config.kindOf(spec);
    if (!this.isKnownElsewhere(spec)) {
      return Promise.reject(
        new ExecutorError(
          `Cannot run ${spec.task} in a ${kind.name}: it does not know where the task is defined`,
          {
            hint: "Run it from a code package, as the redun command does, or give the executor the modules that define its tasks.",
            fields: { task: spec.task },
          },
        ),
      );
    }
    return new Promise((resolve, reject) => {
      const path = spec.package === undefined ? undefined : packagePath?.(spec.package);
      this.pool.add({ spec, context, kind, packagePath: path, resolve, reject });
    });
  }

  /** The engine's own tasks are part of every worker, and a script is the whole of its job. */
  private isKnownElsewhere(spec: JobSpec): boolean {
    return (
      spec.script !== undefined ||
      spec.package !== undefined ||
      this.config.modules.length > 0 ||
      spec.task.startsWith("redun.")
    );
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.pool.close(`the executor ${this.name} was closed`);
  }
}
