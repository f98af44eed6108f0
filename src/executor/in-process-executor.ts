import { Turns } from "../util/turns.ts";
import type { Executor, ExecutorContext, JobResult, JobSpec, LocalCall, ScriptRunner } from "./executor.ts";
import { runJob } from "./run-job.ts";

export type { ScriptRunner } from "./executor.ts";

/** Options of {@link InProcessExecutor}. */
export interface InProcessOptions {
  /** Default `default`. */
  readonly name?: string;
  /** How this runtime runs scripts, if it can. */
  readonly runScript?: ScriptRunner;
  /** Most scripts at once; functions share one thread anyhow. Default 20. */
  readonly maxScripts?: number;
}

/**
 * Runs tasks in the scheduler's own thread, where they may await expressions. A function is called as it is; a script
 * goes to the runtime's shell, if there is one, and waits its turn.
 */
export class InProcessExecutor implements Executor {
  readonly name: string;
  private readonly runScript: ScriptRunner | undefined;
  private readonly scripts: Turns;

  constructor(options: InProcessOptions = {}) {
    this.name = options.name ?? "default";
    this.runScript = options.runScript;
    this.scripts = new Turns(options.maxScripts ?? 20);
  }

  invoke({ fn, args }: LocalCall): unknown {
    return fn(...args);
  }

  run(spec: JobSpec, context: ExecutorContext): Promise<JobResult> {
    if (spec.script === undefined) return runJob(spec, context);
    return this.scripts.take(() => runJob(spec, context, { runScript: this.runScript }), spec.executionId);
  }
}
