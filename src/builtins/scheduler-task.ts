import { lazy } from "../expression/expression.ts";
import { SchedulerNode } from "../expression/node.ts";
import type { Expression, Resolved } from "../expression/types.ts";
import { refuseInJob } from "../task/current-job.ts";
import {
  type SchedulerView,
  type UserSchedulerFunction,
  userSchedulerFunctions,
} from "../task/scheduler-task.ts";
import { hashStruct } from "../value/hash.ts";
import { registerSchedulerTask, type SchedulerFunction, toPromise } from "./ops.ts";

/** Hash of a scheduler task; its version stands for its code. */
const hashOf = (fullname: string, version: string): string =>
  hashStruct(["Task", fullname, "version", version]);

/** Makes an expression; each builtin gives its own types to what it exports. */
// biome-ignore lint/suspicious/noExplicitAny: any expression
type MakeExpression = (...args: readonly unknown[]) => any;

/** Defines a scheduler task of the engine's own. @returns what makes an expression of its arguments */
export function defineSchedulerTask(fullname: string, run: SchedulerFunction): MakeExpression {
  registerSchedulerTask({ fullname, hash: hashOf(fullname, "1"), run });
  return (...args) => lazy(new SchedulerNode(fullname, args));
}

export type { SchedulerView } from "../task/scheduler-task.ts";

/**
 * Defines a task that runs inside the scheduler and receives its arguments unevaluated, to evaluate them as it sees fit.
 * It makes no job and is not cached by itself. Under a scheduler that does not load the workflow's code it runs where
 * that is loaded, and its arguments and results travel.
 *
 * @throws RedunError with code `task-in-task` if a task of a workflow's file is running
 * @param name - fullname
 * @param run - gets a view of the scheduler and the arguments, and may await expressions; what it returns is evaluated
 */
export function schedulerTask<Args extends readonly unknown[], Result>(
  name: string,
  run: (scheduler: SchedulerView, ...args: Args) => Result,
): (...args: Args) => Expression<Resolved<Result>> {
  refuseInJob("scheduler task", name);
  const fn = run as unknown as UserSchedulerFunction;
  userSchedulerFunctions.set(name, fn);
  return defineSchedulerTask(name, (ops, ...args) => {
    const view: SchedulerView = {
      evaluate: (value) => toPromise(ops.evaluate(value)),
      context: ops.context,
    };
    ops.hold(() => fn(view, ...args));
  }) as (...args: Args) => Expression<Resolved<Result>>;
}
