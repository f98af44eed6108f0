import { SchedulerError } from "../errors/errors.ts";
import { deriveExpression, isExpression, QuotedExpression, quote } from "../expression/expression.ts";
import { nodeOf } from "../expression/node.ts";
import type { Expression, Lazy, Resolved } from "../expression/types.ts";
import { defineTask, isPartialTask, isTask, type PartialTask, type Task } from "../task/task.ts";
import type { ErrorConstructor } from "../value/error-classes.ts";
import { hashArguments, hashEval, hashStruct } from "../value/hash.ts";
import { leaves, mapNested } from "../value/nested.ts";
import { encodeValue, hashValue } from "../value/value.ts";
import { errorClass, matchesAny } from "./error-class.ts";
import type { Pending, SchedulerOps, TagList } from "./ops.ts";
import { defineSchedulerTask } from "./scheduler-task.ts";

const condTask = defineSchedulerTask("redun.cond", (ops, ...args) => {
  const choose = (index: number): void => {
    if (index === args.length - 1) {
      ops.settle.follow(ops.evaluate(args[index]));
      return;
    }
    ops.evaluate(args[index]).listen((test) => {
      if (test.isFailed) ops.settle.reject(test.error);
      else if (test.value) ops.settle.follow(ops.evaluate(args[index + 1]));
      else if (index + 2 < args.length) choose(index + 2);
      else ops.settle.resolve(undefined);
    });
  };
  choose(0);
});

/**
 * Evaluates the first branch whose condition is truthy, or the last one, and no other.
 *
 * @example Choose lazily
 * ```ts
 * import { cond, gt, task } from "redun";
 *
 * const size = task("demo.size", (text: string) => text.length);
 * export const main = task("demo.main", (text: string) => cond(gt(size(text), 10), "long", "short"));
 * ```
 */
export function cond<T, E>(condition: Lazy<unknown>, then: Lazy<T>, otherwise: Lazy<E>): Expression<T | E>;
export function cond<T, U, E>(
  condition: Lazy<unknown>,
  then: Lazy<T>,
  condition2: Lazy<unknown>,
  then2: Lazy<U>,
  otherwise: Lazy<E>,
): Expression<T | U | E>;
export function cond<T>(
  condition: Lazy<unknown>,
  then: Lazy<T>,
  ...rest: readonly Lazy<unknown>[]
): Expression<T>;
export function cond(...args: readonly unknown[]): Expression<unknown> {
  if (args.length < 2) throw new SchedulerError("Cannot make a cond of fewer than two arguments");
  return condTask(...args);
}

/** A task that gets an error. */
type Recovery<E, R> = Task<[error: E], R> | PartialTask<[error: E], R>;
type ErrorClasses<E extends Error = Error> = ErrorConstructor<E> | readonly ErrorConstructor<E>[];

const toClasses = (given: unknown): unknown => {
  if (Array.isArray(given)) return given.map((item) => errorClass(item as ErrorConstructor));
  return typeof given === "function" && !isExpression(given) ? errorClass(given as ErrorConstructor) : given;
};

/** An error as an argument of a recovery: one that can't be encoded is replaced by what describes it. */
function encodableError(error: unknown): unknown {
  try {
    encodeValue(error);
    return error;
  } catch {
    return new Error(String(error));
  }
}

const catchTask = defineSchedulerTask("redun.catch", (ops, expression, ...handlers) => {
  const taskHash = hashStruct(["Task", "redun.catch", "version", "1"]);
  const argsHash = hashArguments(ops.node.args.map(hashValue));
  const evalHash = hashEval(taskHash, argsHash);
  const recover = (error: unknown): void => {
    for (let i = 0; i + 1 < handlers.length; i += 2) {
      if (!matchesAny(error, handlers[i])) continue;
      const call = (handlers[i + 1] as (error: unknown) => unknown)(
        deriveExpression(expression, encodableError(error)),
      );
      const used = ops.tasksUsed(expression);
      ops.evaluate(call).listen((recovered) => {
        if (recovered.isFailed) {
          ops.settle.reject(recovered.error);
          return;
        }
        // The recovery holds only while no task that led to the failure has changed.
        ops.remember(evalHash, taskHash, argsHash, encodeValue([quote(call), used]));
        follow(ops, call, recovered);
      });
      return;
    }
    ops.settle.reject(error);
  };
  const attempt = (): void => {
    ops.evaluate(expression).listen((result) => {
      if (result.isFailed) recover(result.error);
      else follow(ops, expression, result);
    });
  };
  if (!ops.usesCache) {
    attempt();
    return;
  }
  ops.recall(evalHash, taskHash, argsHash, (value, hit) => {
    const [call, used] = hit ? (value as [QuotedExpression<unknown>, string[]]) : [];
    if (!(call instanceof QuotedExpression) || !used!.every((hash) => ops.isCurrent(hash))) attempt();
    else {
      ops.evaluate(call.eval()).listen((result) => {
        if (result.isFailed) ops.settle.reject(result.error);
        else follow(ops, call.eval(), result);
      });
    }
  });
});

/** Settles with a result, and says that it came from this expression rather than from all the arguments. */
function follow(ops: SchedulerOps, expression: unknown, result: Pending): void {
  ops.node.upstreams = [expression];
  ops.settle.follow(result);
}

/**
 * Evaluates an expression, and if it fails with an error of one of the given classes, the matching recovery instead.
 * The first class that matches wins; other errors go on. A successful recovery is cached: later runs don't try the
 * failing expression again while its code, and the recovery's, are the same.
 *
 * @param expression - what to try
 * @param errors - an error class, or a list of some
 * @param recovery - a task that gets the error
 */
export function catchError<T, E extends Error, R>(
  expression: Lazy<T>,
  errors: ErrorClasses<E>,
  recovery: Recovery<NoInfer<E>, R>,
): Expression<T | Resolved<R>>;
export function catchError<T, E extends Error, R, F extends Error, S>(
  expression: Lazy<T>,
  errors: ErrorClasses<E>,
  recovery: Recovery<NoInfer<E>, R>,
  errors2: ErrorClasses<F>,
  recovery2: Recovery<NoInfer<F>, S>,
): Expression<T | Resolved<R> | Resolved<S>>;
export function catchError<T, E extends Error, R, F extends Error, S>(
  expression: Lazy<T>,
  errors: ErrorClasses<E>,
  recovery: Recovery<NoInfer<E>, R>,
  errors2: ErrorClasses<F>,
  recovery2: Recovery<NoInfer<F>, S>,
  errors3: ErrorClasses,
  recovery3: Recovery<never, unknown>,
  ...handlers: readonly unknown[]
): Expression<unknown>;
export function catchError(expression: unknown, ...handlers: readonly unknown[]): Expression<unknown> {
  return catchTask(expression, ...handlers.map((handler, i) => (i % 2 === 0 ? toClasses(handler) : handler)));
}

const catchAllTask = defineSchedulerTask("redun.catch_all", (ops, nested, errors, recovery) => {
  const parts = [...new Set([...leaves(nested)].filter((leaf) => nodeOf(leaf) !== undefined))].reverse();
  const results = new Map<unknown, Pending>();
  const failures: unknown[] = [];
  let left = parts.length;
  const value = (): unknown =>
    mapNested((leaf) => {
      const result = results.get(leaf);
      if (result === undefined) return leaf;
      return result.isFailed ? encodableError(result.error) : result.value;
    }, nested);
  const conclude = (): void => {
    if (failures.length === 0) {
      ops.settle.resolve(value());
      return;
    }
    if (recovery === undefined || recovery === null) {
      ops.settle.reject(failures[0]);
      return;
    }
    ops.evaluate([errors, recovery]).listen((evaluated) => {
      if (evaluated.isFailed) {
        ops.settle.reject(evaluated.error);
        return;
      }
      const [wanted, recover] = evaluated.value as [unknown, (value: unknown) => unknown];
      const other = failures.find((error) => !matchesAny(error, wanted));
      if (other !== undefined) ops.settle.reject(other);
      else ops.settle.follow(ops.evaluate(recover(deriveExpression(nested, value()))));
    });
  };
  if (left === 0) conclude();
  for (const part of parts) results.set(part, ops.evaluate(part));
  for (const part of parts) {
    results.get(part)!.listen((result) => {
      if (result.isFailed) failures.push(result.error);
      if (--left === 0) conclude();
    });
  }
});

/**
 * Waits for every expression in a nested value. If some failed, and all their errors are of the given classes, the
 * recovery gets the value with errors in the places of the failures; else the first other error goes on.
 */
export function catchAll<T, R = never>(
  nested: T,
  errors?: ErrorClasses | Lazy<unknown>,
  recovery?: Recovery<Resolved<NoInfer<T>>, R>,
): Expression<Resolved<T> | Resolved<R>> {
  return catchAllTask(nested, toClasses(errors), recovery);
}

const seqTask = defineSchedulerTask("redun.seq", (ops, items) => {
  const list = items as readonly unknown[];
  const values: unknown[] = [];
  const next = (): void => {
    if (values.length === list.length) {
      ops.settle.resolve(values);
      return;
    }
    ops.evaluate(list[values.length]).listen((result) => {
      if (result.isFailed) ops.settle.reject(result.error);
      else {
        values.push(result.value);
        next();
      }
    });
  };
  next();
});

/** Evaluates the items of a list strictly one after another. */
export function seq<const T extends readonly unknown[]>(
  items: T,
): Expression<Resolved<{ -readonly [K in keyof T]: T[K] }>> {
  if (!Array.isArray(items)) throw new SchedulerError("Cannot evaluate in sequence: seq() takes a list");
  return seqTask(items);
}

/** An ordinary task that fails with the given error. */
export const throwError: Task<[error: unknown], never> = defineTask(
  { name: "throw", namespace: "redun", version: "1" },
  (error: unknown) => {
    throw error;
  },
) as Task<[error: unknown], never>;

const contextTask = defineSchedulerTask("redun.get_context", (ops, path, fallback) => {
  let at: unknown = ops.context;
  for (const key of String(path).split(".")) {
    if (typeof at !== "object" || at === null || Array.isArray(at) || !Object.hasOwn(at, key)) {
      ops.settle.resolve(fallback);
      return;
    }
    at = (at as Record<string, unknown>)[key];
  }
  ops.settle.resolve(at);
});

/**
 * What a dot path leads to in the calling job's context. As a default argument it takes part in the cache key, so that
 * a change of the context reruns just the tasks that read it.
 *
 * @param fallback - the value where the path leads nowhere; null by default
 */
export function getContext<T = unknown>(path: string, fallback: T | null = null): Expression<T> {
  return contextTask(path, fallback);
}

const tagsTask = defineSchedulerTask("redun.apply_tags", (ops, ...args) => {
  ops.evaluate(args).listen((result) => {
    if (result.isFailed) {
      ops.settle.reject(result.error);
      return;
    }
    const [value, valueTags, jobTags, executionTags] = result.value as [unknown, TagList, TagList, TagList];
    ops.tagValue(value, valueTags);
    ops.tagJob(jobTags);
    ops.tagExecution(executionTags);
    ops.node.upstreams = [args[0]];
    ops.settle.resolve(value);
  });
});

/** Gives the value back unchanged, and tags it, the calling job and the execution. */
export function applyTags<T>(
  value: Lazy<T>,
  tags: Lazy<TagList> = [],
  jobTags: Lazy<TagList> = [],
  executionTags: Lazy<TagList> = [],
): Expression<T> {
  return tagsTask(value, tags, jobTags, executionTags);
}

const exportTask = defineSchedulerTask("redun.with_export_options", (ops, quoted, options) => {
  ops.settle.follow(
    ops.evaluateWith((quoted as QuotedExpression<unknown>).eval(), options as Record<string, unknown>),
  );
});

const noProvTask: Task = defineTask(
  { name: "no_prov", namespace: "redun", version: "1", checkValid: "shallow" },
  (quoted: unknown): unknown => exportTask(quoted, { prov: false }),
);

/** Evaluates a subworkflow without recording its jobs; one job stands for all of it, and is skipped whole next time. */
export function noProv<T>(expression: Lazy<T>): Expression<T> {
  return noProvTask(quote(expression)) as unknown as Expression<T>;
}

/** The task that wraps what is run if that is not itself a call with plain arguments, so that there is one root job. */
export const rootTask: Task = defineTask(
  { name: "root_task", namespace: "redun", version: "1" },
  (quoted: QuotedExpression<unknown>) => quoted.eval(),
);

/** Whether a value may be called as a task. */
export function isCallableTask(value: unknown): value is (...args: unknown[]) => unknown {
  return isTask(value) || isPartialTask(value);
}
