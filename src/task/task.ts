import { InvalidTaskNameError, TaskOptionError, UnknownTaskError } from "../errors/errors.ts";
import { RedunError } from "../errors/redun-error.ts";
import { lazy } from "../expression/expression.ts";
import { NO_OPTIONS, type Options, TaskNode } from "../expression/node.ts";
import type { Expression, LazyArguments, Resolved } from "../expression/types.ts";
import { hashArguments, hashStruct } from "../value/hash.ts";
import { mergeObjects } from "../value/nested.ts";
import { CODEC, registerBuiltin, type ValueCodec } from "../value/registry.ts";
import { hashValue } from "../value/value.ts";
import { refuseInJob } from "./current-job.ts";
import { type AnyFunction, CONTEXT_OPTION, exportedNames, TaskDefinition } from "./definition.ts";
import { type CallOptions, normalizeOptions, type TaskOptions } from "./options.ts";
import { type TaskRegistry, taskRegistry } from "./registry.ts";

/**
 * A function that has become a step of a workflow. Calling it does no work: it gives a lazy expression, which the
 * scheduler evaluates.
 *
 * @typeParam Args - the function's parameters
 * @typeParam Result - what the function returns
 */
// biome-ignore lint/suspicious/noExplicitAny: the default stands for any task
export interface Task<Args extends readonly any[] = any[], Result = any> {
  (...args: LazyArguments<Args>): Expression<Resolved<Result>>;
  readonly name: string;
  /** Empty if the task has none. */
  readonly namespace: string;
  /** `namespace.name`, or the bare name. */
  readonly fullname: string;
  readonly version: string | undefined;
  /** The function's text. */
  readonly source: string;
  /** 40 hex digits over the fullname, and the code or version, and the options given since. */
  readonly hash: string;
  /** The function itself, to call without a scheduler. */
  readonly fn: (...args: Args) => Result;
  readonly definition: TaskDefinition;
  /** The options given since the definition. */
  readonly overrides: Options;
  readonly exportedOptions: readonly string[];
  /** The same task with other options for its calls. The cache does not depend on options. */
  options(options: CallOptions): Task<Args, Result>;
  /** Like {@link options}, and all jobs below inherit them. */
  exportOptions(options: CallOptions): Task<Args, Result>;
  /** The same task, whose calls and all below see the context with these changes. */
  updateContext(context: Readonly<Record<string, unknown>>): Task<Args, Result>;
  /** The task with its first arguments given. They are not evaluated before it is called. */
  partial<const Given extends Partial<LazyArguments<Args>>>(
    ...args: Given
  ): PartialTask<
    // biome-ignore lint/suspicious/noExplicitAny: matches any rest
    Args extends readonly [...{ [K in keyof Given]: any }, ...infer Rest] ? Rest : any[],
    Result
  >;
}

/** A task with some of its first arguments given. */
// biome-ignore lint/suspicious/noExplicitAny: the default stands for any task
export interface PartialTask<Args extends readonly any[] = any[], Result = any> {
  (...args: LazyArguments<Args>): Expression<Resolved<Result>>;
  readonly task: Task;
  readonly args: readonly unknown[];
  readonly fullname: string;
  readonly source: string;
  readonly hash: string;
  options(options: CallOptions): PartialTask<Args, Result>;
  // biome-ignore lint/suspicious/noExplicitAny: the rest of the rest
  partial(...args: unknown[]): PartialTask<any[], Result>;
}

interface TaskState {
  readonly definition: TaskDefinition;
  readonly overrides: Options;
  readonly exported: readonly string[];
  /** Hash that a stored task had when it was stored. */
  readonly storedHash: string | undefined;
}

const STATE = Symbol.for("redun.task");
const stateOf = (task: unknown): TaskState => (task as { [STATE]: TaskState })[STATE];

/** Whether a value is a task, but not a partial one. */
export function isTask(value: unknown): value is Task {
  return typeof value === "function" && (value as { [STATE]?: TaskState })[STATE] !== undefined;
}

const taskPrototype: object = Object.create(Function.prototype);

function defineMembers(prototype: object, members: Record<string, (self: never) => unknown>): void {
  for (const [key, read] of Object.entries(members)) {
    Object.defineProperty(prototype, key, {
      configurable: true,
      get(this: never) {
        return read(this);
      },
    });
  }
}

defineMembers(taskPrototype, {
  name: (self) => stateOf(self).definition.name,
  namespace: (self) => stateOf(self).definition.namespace,
  fullname: (self) => stateOf(self).definition.fullname,
  version: (self) => stateOf(self).definition.version,
  source: (self) => stateOf(self).definition.source,
  hash: (self) => stateOf(self).definition.hashWith(stateOf(self).overrides),
  fn: (self) => stateOf(self).definition.fn,
  definition: (self) => stateOf(self).definition,
  overrides: (self) => stateOf(self).overrides,
  exportedOptions: (self) => stateOf(self).exported,
  options: (self) => (options: CallOptions) => derive(self, options, []),
  exportOptions: (self) => (options: CallOptions) =>
    derive(self, options, Object.keys(normalizeOptions(stateOf(self).definition.fullname, options))),
  updateContext: (self) => (context: Record<string, unknown>) => {
    const earlier = (stateOf(self).overrides[CONTEXT_OPTION] ?? {}) as Record<string, unknown>;
    return derive(self, { [CONTEXT_OPTION]: mergeObjects(earlier, context) }, []);
  },
  partial:
    (self) =>
    (...args: unknown[]) =>
      makePartial(self, args),
});

function makeTask(state: TaskState): Task {
  const { definition, overrides, exported } = state;
  const nout = (overrides.nout ?? definition.options.nout) as number | undefined;
  const { fullname } = definition;
  const options = Object.keys(overrides).length === 0 ? NO_OPTIONS : overrides;
  const call = (...args: unknown[]) => lazy(new TaskNode(fullname, args, options, exported, nout));
  // The function's own name would hide the task's.
  Reflect.deleteProperty(call, "name");
  Object.setPrototypeOf(call, taskPrototype);
  Object.defineProperty(call, STATE, { value: state });
  return call as unknown as Task;
}

function derive(task: Task, options: CallOptions, exports: readonly string[]): Task {
  const { definition, overrides, exported } = stateOf(task);
  const merged = normalizeOptions(definition.fullname, { ...overrides, ...options });
  if (typeof options.cache === "boolean" && options.cacheScope === undefined) {
    (merged as Record<string, unknown>).cacheScope = options.cache ? "BACKEND" : "CSE";
  }
  return makeTask({
    definition,
    overrides: merged,
    exported: exportedNames([...exported, ...exports], merged),
    storedHash: undefined,
  });
}

const taskCodec: ValueCodec<Task, Record<string, unknown>> = {
  name: "redun.Task",
  is: isTask,
  encode: (task) => ({
    fullname: task.fullname,
    hash: stateOf(task).storedHash ?? task.hash,
    options: task.overrides,
    exports: task.exportedOptions,
  }),
  decode(data) {
    const { fullname, hash, options, exports } = data;
    if (typeof fullname !== "string" || typeof hash !== "string" || !Array.isArray(exports)) {
      throw new RedunError("invalid-encoding", "Cannot decode the value: malformed data of type redun.Task");
    }
    const registered = taskRegistry.get(fullname) as Task | undefined;
    return makeTask({
      definition: registered?.definition ?? undefinedTask(fullname),
      overrides: (options ?? NO_OPTIONS) as Options,
      exported: exports.map(String),
      storedHash: hash,
    });
  },
  isValid: (task) => isCurrentTask(task, taskRegistry),
  hash: (task) => stateOf(task).storedHash ?? task.hash,
  display: (task) => `Task(${task.fullname})`,
};
Object.defineProperty(taskPrototype, CODEC, { value: taskCodec });

/** Whether a task, or a partial one, is what a registry has under its name. */
export function isCurrentTask(task: Task | PartialTask, registry: TaskRegistry): boolean {
  if (isPartialTask(task)) return isCurrentTask(task.task, registry);
  const { storedHash, overrides } = stateOf(task);
  const registered = registry.get(task.fullname) as Task | undefined;
  if (registered === undefined) return false;
  return storedHash === undefined || storedHash === registered.definition.hashWith(overrides);
}

function undefinedTask(fullname: string): TaskDefinition {
  return new TaskDefinition(
    { name: fullname },
    () => {
      throw new UnknownTaskError(fullname);
    },
    undefined,
  );
}

interface PartialState {
  readonly task: Task;
  readonly args: readonly unknown[];
}

const PARTIAL = Symbol.for("redun.partial");
const partialOf = (partial: unknown): PartialState => (partial as { [PARTIAL]: PartialState })[PARTIAL];

/** Whether a value is a partial task. */
export function isPartialTask(value: unknown): value is PartialTask {
  return typeof value === "function" && (value as { [PARTIAL]?: PartialState })[PARTIAL] !== undefined;
}

const partialPrototype: object = Object.create(Function.prototype);

defineMembers(partialPrototype, {
  task: (self) => partialOf(self).task,
  args: (self) => partialOf(self).args,
  fullname: (self) => partialOf(self).task.fullname,
  source: (self) => partialOf(self).task.source,
  hash: (self) => {
    const { task, args } = partialOf(self);
    return hashStruct(["PartialTask", hashValue(task), hashArguments(args.map(hashValue))]);
  },
  options: (self) => (options: CallOptions) =>
    makePartial(partialOf(self).task.options(options), partialOf(self).args),
  partial:
    (self) =>
    (...args: unknown[]) =>
      makePartial(partialOf(self).task, [...partialOf(self).args, ...args]),
});

// biome-ignore lint/suspicious/noExplicitAny: the parameters left are known to the caller's types alone
function makePartial(task: Task, given: readonly unknown[]): PartialTask<any, any> {
  const call = (...args: unknown[]) => (task as (...args: unknown[]) => unknown)(...given, ...args);
  Reflect.deleteProperty(call, "name");
  Object.setPrototypeOf(call, partialPrototype);
  Object.defineProperty(call, PARTIAL, { value: { task, args: given } });
  return call as unknown as PartialTask;
}

const partialCodec: ValueCodec<PartialTask, unknown[]> = {
  name: "redun.PartialTask",
  is: isPartialTask,
  encode: (partial) => [partial.task, partial.args],
  decode([task, args]) {
    if (!isTask(task) || !Array.isArray(args)) {
      throw new RedunError(
        "invalid-encoding",
        "Cannot decode the value: malformed data of type redun.PartialTask",
      );
    }
    return makePartial(task, args);
  },
  isValid: (partial) => isCurrentTask(partial, taskRegistry),
  hash: (partial) => partial.hash,
  display: (partial) => `PartialTask(${partial.fullname})`,
};
Object.defineProperty(partialPrototype, CODEC, { value: partialCodec });
registerBuiltin(taskCodec);
registerBuiltin(partialCodec);

/** Makes a task of a definition without registering it, in whatever registry. */
export function taskOf(definition: TaskDefinition): Task {
  return makeTask({
    definition,
    overrides: NO_OPTIONS,
    exported: definition.exported,
    storedHash: undefined,
  });
}

/** This module, as stack traces name it: as a URL, or as a path. A Worker's modules have no address. */
const MODULE: string | undefined = (import.meta.url as string | undefined)?.replace(/^file:\/\/(?=\/)/, "");

/** Where the caller of a definition function stands, from a stack trace. */
function callerPlace(): string | undefined {
  const lines = (new Error().stack ?? "").split("\n");
  for (const line of lines.slice(1, 9)) {
    const match = /\(?((?:[a-z]+:\/\/|\/)[^()]*:\d+:\d+)\)?$/.exec(line.trim());
    if (match !== null && (MODULE === undefined || !match[1]!.includes(MODULE))) return match[1];
  }
  return undefined;
}

/** Defines a task of given options and registers it. */
export function defineTask(options: TaskOptions, fn: AnyFunction): Task {
  if (typeof fn !== "function")
    throw new TaskOptionError(String(options.name ?? ""), "no function was given");
  const task = taskOf(new TaskDefinition(options, fn, callerPlace()));
  taskRegistry.add(task);
  return task;
}

interface DefineTask {
  /** Defines a task by name. The name may carry a namespace: `math.add`. */
  <A extends readonly unknown[], R>(name: string, fn: (...args: A) => R): Task<A, R>;
  /** Defines a task whose function returns a shell script; its result is the script's stdout. */
  <A extends readonly unknown[]>(
    options: TaskOptions & { readonly script: true },
    fn: (...args: A) => unknown,
  ): Task<A, Uint8Array>;
  /** Defines a task with options. */
  <A extends readonly unknown[], R>(options: TaskOptions, fn: (...args: A) => R): Task<A, R>;
  /** Defines a task named after its function. */
  <A extends readonly unknown[], R>(fn: (...args: A) => R): Task<A, R>;
}

function definer(namespace: string | undefined): DefineTask {
  return ((first: string | TaskOptions | AnyFunction, second?: AnyFunction): Task => {
    const base = namespace === undefined ? {} : { namespace };
    const fn = typeof first === "function" ? first : (second as AnyFunction);
    const given = typeof first === "function" ? {} : typeof first === "string" ? { name: first } : first;
    const options: TaskOptions = { ...base, ...given };
    refuseInJob("task", options.name ?? fn.name);
    return defineTask(options, fn);
  }) as DefineTask;
}

/**
 * Makes a function a step of a workflow and registers it by its fullname.
 *
 * @example Define and run a task
 * ```ts
 * import { task } from "redun";
 *
 * export const add = task("math.add", (a: number, b: number) => a + b);
 * export const main = task("math.main", () => add(add(1, 2), 3));
 * ```
 * @throws RedunError with code `task-in-task` if a task of a workflow's file is running
 * @throws InvalidTaskNameError if the name breaks the rule, or there is none
 * @throws TaskOptionError if the options can't be right
 */
export const task: DefineTask = definer(undefined);

/** Defines the tasks of one namespace. */
export interface Namespace {
  readonly name: string;
  readonly task: DefineTask;
}

/**
 * A namespace for tasks, such as `acme.genomics`.
 *
 * @throws InvalidTaskNameError if the name breaks the rule
 */
export function namespace(name = ""): Namespace {
  if (name !== "" && !/^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/.test(name))
    throw new InvalidTaskNameError(name, "namespace");
  return { name, task: definer(name) };
}
