import type { Options, SchedulerNode } from "../expression/node.ts";
import type { Task } from "../task/task.ts";
import type { Json } from "../value/json.ts";
import type { EncodedValue } from "../value/value.ts";

/** A value that will be there. Listeners are called in the scheduler, when it is. */
export interface Pending {
  readonly isFailed: boolean;
  readonly value: unknown;
  readonly error: unknown;
  listen(listener: (pending: Pending) => void): void;
}

/** How a scheduler task ends. */
export interface Settle {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  /** Ends as another pending value does. */
  follow(pending: Pending): void;
}

/** Tags by key, or a list of pairs where a key repeats. */
export type TagList = Readonly<Record<string, Json>> | readonly (readonly [string, Json])[];

/** All that a scheduler task sees of the scheduler that evaluates it. */
export interface SchedulerOps {
  /** The expression under evaluation. */
  readonly node: SchedulerNode;
  /** Evaluates an expression, or a nested value that holds some, under the calling job. */
  evaluate(value: unknown): Pending;
  /** Like {@link evaluate}, with options that the evaluated jobs and all below inherit. */
  evaluateWith(value: unknown, exported: Options): Pending;
  /** The context of the calling job. */
  readonly context: Readonly<Record<string, unknown>>;
  /** Whether results of earlier executions may be used here. */
  readonly usesCache: boolean;
  readonly settle: Settle;
  /**
   * Runs a function in the name of the calling job, so that it may await expressions, and ends as what it returns does:
   * a value, an expression, or a promise of one, on which the execution counts.
   */
  hold(run: () => unknown): void;
  task(fullname: string): Task | undefined;
  /** The stored single reduction under an evaluation hash. */
  recall(
    evalHash: string,
    taskHash: string,
    argsHash: string,
    found: (value: unknown, hit: boolean) => void,
  ): void;
  /** Stores a single reduction. */
  remember(evalHash: string, taskHash: string, argsHash: string, value: EncodedValue): void;
  /** Hashes of all tasks that the evaluated expressions in a value have used, in the calling job. */
  tasksUsed(value: unknown): readonly string[];
  /** Whether a task hash belongs to a task as it is defined now. */
  isCurrent(taskHash: string): boolean;
  tagValue(value: unknown, tags: TagList): void;
  tagJob(tags: TagList): void;
  tagExecution(tags: TagList): void;
}

/** A task that the scheduler evaluates itself, with its arguments unevaluated. */
export type SchedulerFunction = (ops: SchedulerOps, ...args: readonly unknown[]) => void;

/** The engine's own scheduler tasks, by fullname. */
const functions = new Map<string, SchedulerFunction>();

export function registerSchedulerTask(fullname: string, run: SchedulerFunction): void {
  functions.set(fullname, run);
}

export function schedulerTaskNamed(fullname: string): SchedulerFunction | undefined {
  return functions.get(fullname);
}

/** Makes a value of something that comes later; what scheduler tasks of users do with what they evaluate. */
export function toPromise(pending: Pending): Promise<unknown> {
  return new Promise((resolve, reject) => {
    pending.listen((from) => (from.isFailed ? reject(from.error) : resolve(from.value)));
  });
}
