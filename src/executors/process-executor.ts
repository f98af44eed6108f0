import { availableParallelism } from "node:os";
import { processKind, threadKind, type WorkerSettings } from "./node-workers.ts";
import { PoolExecutor } from "./pool-executor.ts";
import { scriptRunner } from "./script-runner.ts";

/** Options of {@link ProcessExecutor}. */
export interface ProcessExecutorOptions extends WorkerSettings {
  /** Default `process`. */
  readonly name?: string;
  /** Most workers at once, and most scripts. Default: as many as the machine has processors. */
  readonly maxWorkers?: number;
  /** Child processes, or threads of this one. The task option `mode` overrides it. Default `process`. */
  readonly mode?: "process" | "thread";
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
export class ProcessExecutor extends PoolExecutor {
  constructor(options: ProcessExecutorOptions = {}) {
    const processes = processKind(options);
    const threads = threadKind(options);
    super({
      name: options.name ?? "process",
      maxWorkers: options.maxWorkers ?? availableParallelism(),
      modules: options.modules ?? [],
      runScript: scriptRunner(options.env),
      kindOf(spec) {
        const mode = spec.options.mode ?? options.mode;
        return mode === "thread" || mode === "threads" ? threads : processes;
      },
      packagePath: options.packagePath,
    });
  }
}
