import { ExecutorError } from "../errors/errors.ts";
import { encodeValue } from "../value/value.ts";
import type { Executor, ExecutorContext, JobResult, JobSpec, LocalCall } from "./executor.ts";
import { toJobError } from "./job-error.ts";

/** Runs a shell script. @returns its stdout @throws ScriptError if it exits with a status other than 0 */
export type ScriptRunner = (script: string, context: ExecutorContext) => Promise<Uint8Array>;

/** Options of {@link InProcessExecutor}. */
export interface InProcessOptions {
  /** Default `default`. */
  readonly name?: string;
  /** How this runtime runs scripts, if it can. */
  readonly runScript?: ScriptRunner;
}

/** Runs tasks in the scheduler's own thread, where they may await expressions. */
export class InProcessExecutor implements Executor {
  readonly name: string;
  private readonly runScript: ScriptRunner | undefined;

  constructor(options: InProcessOptions = {}) {
    this.name = options.name ?? "default";
    this.runScript = options.runScript;
  }

  invoke({ fn, args }: LocalCall): unknown {
    return fn(...args);
  }

  async run(spec: JobSpec, context: ExecutorContext): Promise<JobResult> {
    if (spec.script === undefined || this.runScript === undefined) {
      throw new ExecutorError(`Cannot run the script of ${spec.task}: this runtime has no shell`, {
        hint: "Run it from the command line, or on an executor that has one.",
      });
    }
    try {
      return { ok: true, value: encodeValue(await this.runScript(spec.script, context)).text };
    } catch (error) {
      return { ok: false, error: toJobError(error) };
    }
  }
}
