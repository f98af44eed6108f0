import { RedunError } from "../errors/redun-error.ts";
import { isExpression } from "../expression/expression.ts";

/** What is known here of a job; it is an object of whoever runs it. */
export interface CurrentJob {
  /** Hash of the code package that its code came from, if it came from one. */
  readonly package: string | undefined;
}

/** Keeps track of which job the running code belongs to, across its awaits. */
export interface JobStorage {
  run<T>(job: CurrentJob, fn: () => T): T;
  current(): CurrentJob | undefined;
  /**
   * Makes a function that runs code as if outside of every job, so that what it starts keeps no job's context alive. It
   * is made where it is used, since workerd binds it to the request, or the Durable Object, that makes it.
   */
  outside(): <T>(fn: () => T) => T;
}

interface AsyncLocalStorage {
  run<T>(store: CurrentJob, fn: () => T): T;
  exit<T>(fn: () => T): T;
  getStore(): CurrentJob | undefined;
}

/** Node, Deno and workerd follow asynchronous code themselves; no import is needed to ask for it. */
function detect(): JobStorage {
  const runtime = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
  const hooks = runtime.process?.getBuiltinModule?.("node:async_hooks") as
    | { AsyncLocalStorage?: { new (): AsyncLocalStorage; snapshot(): <T>(fn: () => T) => T } }
    | undefined;
  if (hooks?.AsyncLocalStorage === undefined) return new LoweredStorage();
  const { AsyncLocalStorage } = hooks;
  const storage = new AsyncLocalStorage();
  return {
    run: (job, fn) => storage.run(job, fn),
    current: () => storage.getStore(),
    outside: () => storage.exit(() => AsyncLocalStorage.snapshot()),
  };
}

const CAPTURE: unique symbol = Symbol.for("redun.capture") as never;

/** What one step of a lowered async function gives: a value to await, or its result. */
interface StepResult {
  readonly value: unknown;
  readonly done?: boolean;
}

/** A native await asks a thenable for its value a moment later, when no job is current any more; so ask it now. */
function claim(step: StepResult): StepResult {
  const { value } = step;
  if (!isExpression(value)) return step;
  return { ...step, value: new Promise((resolve, reject) => void value.then(resolve, reject)) };
}

/**
 * For runtimes without asynchronous context. A code package built with lowered `async` functions asks the capture hook
 * when such a function is called, and runs each of its steps, up to the next `await`, inside what the hook gave. The
 * current job is thus set exactly while that job's code runs. Code that is not lowered has no current job after its
 * first `await`, and awaiting an expression there is refused rather than given a wrong parent.
 */
class LoweredStorage implements JobStorage {
  private job: CurrentJob | undefined = undefined;

  constructor() {
    const hook = () => {
      const captured = this.job;
      return (step: () => StepResult): StepResult =>
        captured === undefined ? step() : this.run(captured, () => claim(step()));
    };
    Object.defineProperty(globalThis, CAPTURE, { value: hook, configurable: true, writable: true });
  }

  run<T>(job: CurrentJob, fn: () => T): T {
    const outer = this.job;
    this.job = job;
    try {
      return fn();
    } finally {
      this.job = outer;
    }
  }

  current(): CurrentJob | undefined {
    return this.job;
  }

  outside(): <T>(fn: () => T) => T {
    return (fn) => fn();
  }
}

export let jobStorage: JobStorage = detect();

/**
 * Refuses to define a task while one of a code package runs: it would be known in this runtime alone, and what it takes
 * from around it would not count for its hash.
 *
 * @param kind - of what is defined
 * @throws RedunError with code `task-in-task`
 */
export function refuseInJob(kind: string, name: string): void {
  if (jobStorage.current()?.package === undefined) return;
  throw new RedunError("task-in-task", `Cannot define the ${kind} ${name} while a task runs`, {
    hint: "Define it at the top of a module that is not imported by import(), and pass it what it needs as arguments.",
    fields: { name },
  });
}

/** Uses the form for runtimes without asynchronous context, or goes back to what the runtime has. For tests. */
export function useLoweredStorage(lowered: boolean): void {
  jobStorage = lowered ? new LoweredStorage() : detect();
}
