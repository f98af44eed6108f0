import { ExecutorError } from "../errors/errors.ts";
import type { Executor, ExecutorContext, JobResult, JobSpec } from "../executor/executor.ts";

/** Another name for an executor, which is looked up at each job. It starts and stops nothing. */
export class AliasExecutor implements Executor {
  readonly name: string;
  private readonly target: string;
  private readonly executors: ReadonlyMap<string, Executor>;

  constructor(name: string, target: string, executors: ReadonlyMap<string, Executor>) {
    this.name = name;
    this.target = target;
    this.executors = executors;
  }

  async run(spec: JobSpec, context: ExecutorContext): Promise<JobResult> {
    const executor = this.executors.get(this.target);
    if (executor === undefined) {
      throw new ExecutorError(
        `Cannot run ${spec.task} on ${this.name}: it stands for ${this.target}, which is not configured`,
        {
          hint: `Configured executors: ${[...this.executors.keys()].join(", ")}.`,
        },
      );
    }
    return executor.run(spec, context);
  }
}
