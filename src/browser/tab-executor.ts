import type {
  Executor,
  ExecutorContext,
  InvokedTask,
  JobResult,
  JobSpec,
  LocalCall,
} from "../executor/executor.ts";

/**
 * The executor `default` of a tab: plain functions run in the pool of workers, on all cores. Those that are `async` run
 * beside the scheduler, since they may await expressions, and mostly wait anyhow. An `async` function that computes for
 * long names the executor `worker`.
 */
export class TabExecutor implements Executor {
  readonly name: string = "default";
  private readonly pool: Executor;

  /** @param pool - what it owns no part of */
  constructor(pool: Executor) {
    this.pool = pool;
  }

  /** Tasks without a package are the engine's own, which are small. */
  invokes(task: InvokedTask): boolean {
    return task.async || task.package === undefined;
  }

  invoke({ fn, args }: LocalCall): unknown {
    return fn(...args);
  }

  run(spec: JobSpec, context: ExecutorContext): Promise<JobResult> {
    return this.pool.run(spec, context);
  }
}
