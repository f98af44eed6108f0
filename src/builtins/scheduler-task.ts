import { InvalidTaskNameError } from "../errors/errors.ts";
import { lazy } from "../expression/expression.ts";
import { SchedulerNode } from "../expression/node.ts";
import type { Expression, Resolved } from "../expression/types.ts";
import { refuseInJob } from "../task/current-job.ts";
import { checkTaskName } from "../task/definition.ts";
import {
  type SchedulerView,
  type UserSchedulerFunction,
  userSchedulerFunctions,
} from "../task/scheduler-task.ts";
import { registerSchedulerTask, type SchedulerFunction, type SchedulerOps, toPromise } from "./ops.ts";

/** Makes an expression; each builtin gives its own types to what it exports. */
// biome-ignore lint/suspicious/noExplicitAny: any expression
type MakeExpression = (...args: readonly unknown[]) => any;

/** Defines a scheduler task of the engine's own. @returns what makes an expression of its arguments */
export function defineSchedulerTask(fullname: string, run: SchedulerFunction): MakeExpression {
  registerSchedulerTask(fullname, run);
  return (...args) => lazy(new SchedulerNode(fullname, args));
}

export type { SchedulerView } from "../task/scheduler-task.ts";

/**
 * Defines a task that runs inside the scheduler and receives its arguments unevaluated, to evaluate them as it sees fit.
 * It makes no job and is not cached by itself. Under a scheduler that does not load the workflow's code it runs where
 * that is loaded, and its arguments and results travel.
 *
 * @throws InvalidTaskNameError if the name breaks the rule, or begins with `redun.`
 * @throws RedunError with code `task-in-task` if a task of a workflow's file is running
 * @param name - fullname
 * @param run - gets a view of the scheduler and the arguments, and may await expressions; what it returns is evaluated
 */
export function schedulerTask<Args extends readonly unknown[], Result>(
  name: string,
  run: (scheduler: SchedulerView, ...args: Args) => Result,
): (...args: Args) => Expression<Resolved<Result>> {
  refuseInJob("scheduler task", name);
  checkTaskName(name);
  if (name.startsWith("redun.")) throw new InvalidTaskNameError(name);
  userSchedulerFunctions.set(name, run as unknown as UserSchedulerFunction);
  return (...args) => lazy(new SchedulerNode(name, args)) as Expression<Resolved<Result>>;
}

/** Runs a scheduler task of the user's beside the scheduler. */
export function runUserSchedulerTask(ops: SchedulerOps, fn: UserSchedulerFunction): void {
  const view: SchedulerView = {
    evaluate: (value) => toPromise(ops.evaluate(value)),
    context: ops.context,
  };
  ops.hold(() => fn(view, ...ops.node.args));
}
