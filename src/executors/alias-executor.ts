import { ExecutorError } from "../errors/errors.ts";
import type {
  Executor,
  ExecutorContext,
  InvokedTask,
  JobResult,
  JobSpec,
  LocalCall,
} from "../executor/executor.ts";

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

  /** What it stands for now calls functions here, or does not. */
  get invoke(): ((call: LocalCall, context: ExecutorContext) => unknown) | undefined {
    const executor = this.resolve();
    return typeof executor === "string" ? undefined : executor.invoke?.bind(executor);
  }

  /** What it stands for now calls some tasks' functions only. */
  get invokes(): ((task: InvokedTask) => boolean) | undefined {
    const executor = this.resolve();
    return typeof executor === "string" ? undefined : executor.invokes?.bind(executor);
  }

  async run(spec: JobSpec, context: ExecutorContext): Promise<JobResult> {
    const executor = this.resolve();
    if (typeof executor !== "string") return executor.run(spec, context);
    throw new ExecutorError(`Cannot run ${spec.task} on ${this.name}: ${executor}`, {
      hint: `Configured executors: ${[...this.executors.keys()].join(", ")}.`,
    });
  }

  /** The executor at the end of the names, or why there is none. */
  private resolve(): Executor | string {
    const seen = new Set<Executor>([this]);
    for (let alias: AliasExecutor = this; ; ) {
      const executor = this.executors.get(alias.target);
      if (executor === undefined) return `it stands for ${alias.target}, which is not configured`;
      if (!(executor instanceof AliasExecutor)) return executor;
      if (seen.has(executor)) return `it stands for ${this.target}, which stands for itself`;
      seen.add(executor);
      alias = executor;
    }
  }
}
