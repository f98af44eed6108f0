import { SchedulerError } from "../errors/errors.ts";
import { NO_OPTIONS, nodeOf, type Options } from "../expression/node.ts";
import { CONTEXT_OPTION } from "../task/definition.ts";
import { normalizeOptions } from "../task/options.ts";
import { hashArguments, hashEval } from "../value/hash.ts";
import { type EncodedValue, encodeValue } from "../value/value.ts";
import { evaluate, hasExpression, staleParts } from "./evaluate.ts";
import type { Execution } from "./execution.ts";
import { failJob } from "./finish.ts";
import type { Job } from "./job.ts";
import { seekResult } from "./lookup.ts";

/** Evaluates what a job needs before it can be looked up: its options, its defaults and its arguments, in this order. */
export function prepareJob(exec: Execution, job: Job): void {
  if (job.isEnded) return;
  const { parent, node, task } = job;
  const { maxDepth } = exec.options;
  if (job.depth > maxDepth) {
    failJob(exec, job, tooDeep(task.fullname, maxDepth));
    return;
  }
  const inherited = parent?.exports ?? NO_OPTIONS;
  const options = mergeOptions(task.definition.options, inherited, node.options, task.definition.exported);
  evaluateOptions(exec, job, options, (evaluated) => {
    job.options = evaluated;
    job.exports = exportsOf(inherited, evaluated, node.exported);
    job.prov = (parent?.prov ?? exec.options.prov) && evaluated.prov !== false;
    job.context = contextOf(exec, job);
    evaluateArguments(exec, job);
  });
}

function tooDeep(task: string, most: number): SchedulerError {
  return new SchedulerError(`Cannot run ${task}: it is inside of more than ${most} other jobs`, {
    hint: "Is there a recursion without an end? A deep one can be made flat, such as by seq or by halving its work.",
    fields: { task, most },
  });
}

/** Later wins: the definition, what the parent exports, what the definition exports, the call. */
function mergeOptions(
  defined: Options,
  inherited: Options,
  given: Options,
  exported: readonly string[],
): Options {
  if (inherited === NO_OPTIONS && given === NO_OPTIONS) return defined;
  const own: Record<string, unknown> = {};
  for (const name of exported) if (name in defined) own[name] = defined[name];
  return { ...defined, ...inherited, ...own, ...given };
}

const withExpressions = new WeakMap<Options, boolean>();

function evaluateOptions(
  exec: Execution,
  job: Job,
  options: Options,
  done: (evaluated: Options) => void,
): void {
  let lazy = withExpressions.get(options);
  if (lazy === undefined) {
    lazy = hasExpression(options);
    withExpressions.set(options, lazy);
  }
  if (!lazy) {
    done(options);
    return;
  }
  evaluate(exec, options, job.parent, (failed, result) => {
    if (failed) {
      failJob(exec, job, result);
      return;
    }
    let evaluated: Options;
    try {
      evaluated = normalizeOptions(job.task.fullname, result as Options);
    } catch (error) {
      failJob(exec, job, error);
      return;
    }
    done(evaluated);
  });
}

function exportsOf(inherited: Options, options: Options, exported: readonly string[]): Options {
  if (exported.length === 0) return inherited;
  const exports: Record<string, unknown> = { ...inherited };
  for (const name of exported) {
    const key = name === "cache" ? "cacheScope" : name;
    if (key in options) exports[key] = options[key];
  }
  return exports;
}

function contextOf(exec: Execution, job: Job): Job["context"] {
  const base = job.parent?.context ?? exec.context;
  const changes = job.options[CONTEXT_OPTION];
  return changes === undefined ? base : exec.contexts.merge(base, changes as Record<string, unknown>);
}

function evaluateArguments(exec: Execution, job: Job): void {
  const given = job.node.args;
  const filled = filledPositions(job);
  if (filled.length === 0) {
    evaluate(exec, given, job.parent, (failed, result) => {
      if (failed) failJob(exec, job, result);
      else {
        job.args = result as unknown[];
        hashJob(exec, job);
      }
    });
    return;
  }
  const { defaults } = job.task.definition;
  // A default sees the context that the job itself has, while its jobs are siblings of this one.
  const scope = job.parent !== undefined ? defaultScope(job) : job.parent;
  let failed = false;
  let left = 2;
  const parts: [given: readonly unknown[], defaults: readonly unknown[]] = [
    given,
    filled.map((position) => defaults[position]),
  ];
  const arrived = (index: 0 | 1) => (error: boolean, result: unknown) => {
    if (failed) return;
    if (error) {
      failed = true;
      failJob(exec, job, result);
      return;
    }
    parts[index] = result as unknown[];
    if (--left > 0) return;
    const args = [...parts[0]];
    filled.forEach((position, i) => {
      args[position] = parts[1][i];
    });
    job.args = args;
    hashJob(exec, job);
  };
  evaluate(exec, parts[1], scope, arrived(1));
  evaluate(exec, given, job.parent, arrived(0));
}

const NO_POSITIONS: readonly number[] = [];

/** Positions of the arguments that defaults fill, ascending. */
function filledPositions(job: Job): readonly number[] {
  const size = job.task.definition.defaults.length;
  if (size === 0) return NO_POSITIONS;
  const positions: number[] = [];
  for (let i = 0; i < size; i++) if (job.isFilled(i)) positions.push(i);
  return positions;
}

/** The parent, as an evaluation under this job's context sees it. */
function defaultScope(job: Job): Job {
  const parent = job.parent!;
  if (parent.context === job.context) return parent;
  return Object.create(parent, {
    context: { value: job.context },
    // Expressions equal but for the context must not share a cell.
    cells: { value: undefined, writable: true },
    children: {
      get: () => parent.children,
      set: (children) => {
        parent.children = children;
      },
    },
  });
}

/** Hashes the arguments and makes the cache key. Files and the like may first have to look outside. */
function hashJob(exec: Execution, job: Job): void {
  if (job.isEnded) return;
  try {
    computeHashes(job);
  } catch (error) {
    const refreshes = staleParts(job.args);
    if (refreshes.length === 0) {
      failJob(exec, job, error);
      return;
    }
    exec.await(
      Promise.all(refreshes),
      () => {
        try {
          computeHashes(job);
        } catch (failure) {
          failJob(exec, job, failure);
          return;
        }
        seekResult(exec, job);
      },
      (failure) => failJob(exec, job, failure),
    );
    return;
  }
  seekResult(exec, job);
}

/** An argument that is the result of one call has been encoded as that. */
function encodeArguments(job: Job): EncodedValue[] {
  const { node, args } = job;
  return args.map((arg, i) => {
    const inner = nodeOf(node.args[i]);
    const cell = inner === undefined ? undefined : job.parent?.cellOf(inner.hash);
    return cell?.encoded ?? encodeValue(arg, `args[${i}]`);
  });
}

function computeHashes(job: Job): void {
  const { node, task, args } = job;
  const { definition } = task;
  const configs = definition.configPositions;
  job.taskHash = definition.hash;
  job.argValues = args === node.args && node.argValues !== undefined ? node.argValues : encodeArguments(job);
  const positional: string[] = [];
  let named: Record<string, string> | undefined;
  for (let i = 0; i < args.length; i++) {
    if (configs.has(i)) continue;
    const { hash } = job.argValues[i]!;
    if (!job.isFilled(i)) positional.push(hash);
    else {
      named ??= {};
      named[String(i)] = hash;
    }
  }
  job.argsHash =
    configs.size === 0 && named === undefined && args === node.args && node.argsHash !== undefined
      ? node.argsHash
      : hashArguments(positional, named);
  job.evalHash = hashEval(job.taskHash, job.argsHash);
}
