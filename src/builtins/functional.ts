import { RedunError } from "../errors/redun-error.ts";
import { isExpression } from "../expression/expression.ts";
import { nodeOf, SchedulerNode } from "../expression/node.ts";
import type { Expression, Lazy, LazyArguments, Resolved } from "../expression/types.ts";
import { jobStorage } from "../task/current-job.ts";
import type { AnyFunction } from "../task/definition.ts";
import { taskRegistry } from "../task/registry.ts";
import { defineTask, isTask, type PartialTask, type Task, task } from "../task/task.ts";
import { hashBytes } from "../value/hash.ts";
import { isCallableTask } from "./control.ts";
import type { SchedulerOps } from "./ops.ts";
import { defineSchedulerTask } from "./scheduler-task.ts";

const builtin = (name: string) => ({ name, namespace: "redun", version: "1" });

/** Gives its argument back. */
export const identity: Task<[value: unknown], unknown> = task(builtin("identity"), (value: unknown) => value);

/** Waits for the second argument and gives back the first. */
export const constant: Task<[value: unknown, ignored: unknown], unknown> = task(
  builtin("constant"),
  (value: unknown, _ignored: unknown) => value,
);

/** The type of a list's items, once everything in it is evaluated. */
type ItemOf<T> = Resolved<T> extends readonly (infer I)[] ? I : never;

/** Joins a list of lists to one list. */
export const flatten: <T extends Lazy<readonly (readonly unknown[])[]>>(
  lists: T,
) => Expression<ItemOf<ItemOf<T>>[]> = task(builtin("flatten"), (lists: readonly (readonly unknown[])[]) =>
  lists.flat(1),
) as never;

/** Makes one list of tuples of several lists, as long as the shortest. */
export const zip: <T extends readonly Lazy<readonly unknown[]>[]>(
  ...lists: T
) => Expression<{ [K in keyof T]: ItemOf<T[K]> }[]> = task(
  builtin("zip"),
  (...lists: readonly (readonly unknown[])[]) => {
    const length = lists.length === 0 ? 0 : Math.min(...lists.map((list) => list.length));
    return Array.from({ length }, (_, i) => lists.map((list) => list[i]));
  },
) as never;

const composeApply = task(
  builtin("compose_apply"),
  (tasks: readonly ((...args: readonly unknown[]) => unknown)[], ...args: readonly unknown[]) => {
    let value: unknown;
    for (let i = tasks.length - 1; i >= 0; i--)
      value = i === tasks.length - 1 ? tasks[i]!(...args) : tasks[i]!(value);
    return value;
  },
);

/** A task or partial task. */
// biome-ignore lint/suspicious/noExplicitAny: the parameters are the last task's
type Callable<A extends readonly any[] = any[], R = any> = Task<A, R> | PartialTask<A, R>;

/** `compose(h, g, f)(x)` is `h(g(f(x)))`. */
// biome-ignore lint/suspicious/noExplicitAny: the result is the first task's
export function compose(...tasks: readonly Callable[]): PartialTask<any[], any> {
  if (tasks.length === 0) throw new RedunError("compose", "Cannot compose no tasks");
  return composeApply.partial(tasks as never) as never;
}

/** Settles with what calls give, and says that the result came from them rather than from the arguments. */
function resolveToCalls(ops: SchedulerOps, calls: readonly unknown[]): void {
  ops.node.upstreams = calls;
  ops.settle.resolve(calls);
}

const mapTask = defineSchedulerTask("redun.map", (ops, callee, values) => {
  const tasks: unknown[] = [callee];
  let source = values;
  // A map over a map is one call an element.
  for (
    let node = nodeOf(source);
    node instanceof SchedulerNode && node.taskName === "redun.map";
    node = nodeOf(source)
  ) {
    tasks.push(node.args[0]);
    source = node.args[1];
  }
  ops.evaluate([tasks, source]).listen((result) => {
    if (result.isFailed) {
      ops.settle.reject(result.error);
      return;
    }
    const [callables, items] = result.value as [unknown[], unknown];
    if (!Array.isArray(items) || !callables.every(isCallableTask)) {
      ops.settle.reject(new RedunError("map", "Cannot map: it takes a task and a list"));
      return;
    }
    const call = callables.length === 1 ? callables[0]! : compose(...(callables as never[]));
    resolveToCalls(
      ops,
      items.map((item) => (call as AnyFunction)(item)),
    );
  });
});

/** Calls a task once for each value, in parallel. The values may come late, and so may the task. */
export function map<T, R>(
  callee: Callable<[T], R> | Lazy<Callable<[T], R>>,
  values: Lazy<readonly NoInfer<T>[]>,
): Expression<Resolved<R>[]> {
  return mapTask(callee, values);
}

const starmapTask = defineSchedulerTask("redun.starmap", (ops, callee, lists) => {
  ops.evaluate([callee, lists]).listen((result) => {
    if (result.isFailed) {
      ops.settle.reject(result.error);
      return;
    }
    const [call, items] = result.value as [unknown, unknown];
    if (!Array.isArray(items) || !items.every(Array.isArray) || !isCallableTask(call)) {
      ops.settle.reject(
        new RedunError("starmap", "Cannot map: it takes a task and a list of argument lists"),
      );
      return;
    }
    resolveToCalls(
      ops,
      items.map((args: unknown[]) => call(...args)),
    );
  });
});

/** Calls a task once for each list of arguments, in parallel. */
export function starmap<A extends readonly unknown[], R>(
  callee: Callable<A, R> | Lazy<Callable<A, R>>,
  lists: Lazy<readonly NoInfer<A>[]> = [] as never,
): Expression<Resolved<R>[]> {
  return starmapTask(callee, lists);
}

const flatMapTask = task(builtin("flatMap"), (callee: Callable, values: readonly unknown[]) =>
  flatten(map(callee as never, values as never) as never),
);

/** Calls a task that gives lists once for each value, and joins what it gives. */
export function flatMap<T, R>(
  callee: Callable<[T], readonly R[]> | Lazy<Callable<[T], readonly R[]>>,
  values: Lazy<readonly NoInfer<T>[]>,
): Expression<Resolved<R>[]> {
  return flatMapTask(callee as never, values as never) as never;
}

/** Holds an expression unevaluated; passing it through tasks does not evaluate it. See {@link force}. */
export function delay<T>(expression: Lazy<T>): PartialTask<[], T> {
  return identity.partial(expression) as never;
}

const forceTask = task(builtin("force"), (delayed: () => unknown) => delayed());

/** Evaluates what {@link delay} holds. */
export function force<T>(delayed: PartialTask<[], T> | Expression<PartialTask<[], T>>): Expression<T> {
  return forceTask(delayed as never) as never;
}

/** Hash of the code package whose code made the task of a function, while it ran. */
const makers = new WeakMap<Task, string | undefined>();

/** Fullnames of the tasks of functions of code packages. */
const packaged = new WeakMap<AnyFunction, string>();

/**
 * Makes a task of a function of a code package, under the name that its build gave it. Code of packages calls this when
 * it is loaded, so that the task is known wherever the package is.
 *
 * @internal
 */
export function registerFunction(fn: AnyFunction, name: string): void {
  // What an npm package exports may be something else.
  if (typeof fn !== "function" || isTask(fn) || isExpression(fn)) return;
  packaged.set(fn, defineTask({ name, namespace: FUNCTIONS }, fn).fullname);
}

/** The namespace of tasks that are made of plain functions. */
const FUNCTIONS = "redun.function";

/**
 * A plain function as a task. In a workflow's file, where the call names a function of the top of a module or of an npm
 * package, its code identity is that of a task. Otherwise it is its own source text, so it must not use variables from
 * around it, and the task is known only where this was called.
 *
 * @throws RedunError with code `anonymous-function` if it has no name, `local-function` if another function of the same
 *   name and text was lifted before, as one made anew at each call is
 */
export function asTask<A extends readonly unknown[], R>(fn: (...args: A) => R): Task<A, R> {
  if (isTask(fn)) return fn as never;
  const known = packaged.get(fn);
  if (known !== undefined) return taskRegistry.get(known) as never;
  if (isExpression(fn) || typeof fn !== "function" || !/^[A-Za-z_]\w*$/.test(fn.name)) {
    throw new RedunError("anonymous-function", "Cannot make a task of a function without a name", {
      hint: "Define it at the top of the module as `function name(…) {…}`.",
    });
  }
  const name = `${fn.name}_${hashBytes(fn.toString()).slice(0, 8)}`;
  const earlier = taskRegistry.get(`${FUNCTIONS}.${name}`) as Task | undefined;
  if (earlier?.definition.fn === fn) return earlier as never;
  const maker = jobStorage.current()?.package;
  // The code of another package may have the same text.
  if (earlier !== undefined && (earlier.definition.package ?? makers.get(earlier)) === maker) {
    throw new RedunError(
      "local-function",
      `Cannot make a task of the function ${fn.name}: it is defined anew at each use`,
      {
        hint: "Define it at the top of the module, and pass it what it needs as arguments.",
      },
    );
  }
  const made = defineTask({ name, namespace: FUNCTIONS }, fn);
  makers.set(made, maker);
  return made as never;
}

/** Calls a plain function with arguments that may be lazy. See {@link asTask}. */
export function applyFunc<A extends readonly unknown[], R>(
  fn: (...args: A) => R,
  ...args: LazyArguments<A>
): Expression<Resolved<R>> {
  return asTask(fn)(...args);
}
