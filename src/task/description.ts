import { InvalidEncodingError, TaskOptionError } from "../errors/errors.ts";
import type { Options } from "../expression/node.ts";
import { mapNested } from "../value/nested.ts";
import { CODEC, codecNamed, codecOf, registerBuiltin, type ValueCodec } from "../value/registry.ts";
import { decodeValue, encodeValue } from "../value/value.ts";
import { TaskDefinition } from "./definition.ts";
import { TaskRegistry, taskRegistry } from "./registry.ts";
import { type Task, taskOf } from "./task.ts";

/**
 * What a scheduler must know of a task whose code is elsewhere. It is plain data, made where the code is loaded.
 */
export interface TaskDescription {
  readonly fullname: string;
  readonly version?: string | undefined;
  /** What the task's hash is of; see {@link TaskDefinition.hashParts}. */
  readonly hashParts: readonly string[];
  /** Canonical encoding of the options by name, which may hold expressions. */
  readonly options: string;
  /** Names of the options that jobs below inherit. */
  readonly exported: readonly string[];
  /** Canonical encoding of the list of defaults by position. */
  readonly defaults: string;
  readonly parameters: readonly string[];
  /** Positions of the parameters that don't count for the cache. */
  readonly configArgs: readonly number[];
  readonly async: boolean;
  readonly script: boolean;
  /** The function as its author wrote it. */
  readonly source: string;
  readonly doc?: string | undefined;
  readonly location?: { readonly file: string; readonly line: number } | undefined;
}

/** @throws TaskOptionError if an option or a default can't be encoded */
export function describeTask({ definition }: Task): TaskDescription {
  const { fullname, version, exported, parameters, async, script, source, doc, location } = definition;
  return {
    fullname,
    version,
    hashParts: definition.hashParts(),
    options: encoded(fullname, "options", definition.options),
    exported,
    defaults: encoded(fullname, "defaults", definition.defaults),
    parameters,
    configArgs: [...definition.configPositions],
    async,
    script,
    source,
    doc,
    location,
  };
}

function encoded(fullname: string, what: string, value: unknown): string {
  try {
    return encodeValue(mapNested(unrefreshed, value), what).text;
  } catch (cause) {
    throw new TaskOptionError(fullname, (cause as Error).message, {
      hint: "A scheduler that does not load the code has to know the options and defaults of its tasks.",
    });
  }
}

/**
 * Stands in a description for a value that looks outside, such as a file, as its text. Decoding it gives a new value each
 * time, which has not looked yet, so that each execution finds what is there then.
 */
class Unrefreshed {
  readonly type: string;
  readonly text: string;

  constructor(type: string, text: string) {
    this.type = type;
    this.text = text;
  }
}

function unrefreshed(leaf: unknown): unknown {
  if (typeof leaf !== "object" || leaf === null) return leaf;
  const codec = codecOf(leaf);
  return codec?.unparse === undefined ? leaf : new Unrefreshed(codec.name, codec.unparse(leaf));
}

const unrefreshedCodec: ValueCodec<Unrefreshed, { type: string; text: string }> = {
  name: "redun.Unrefreshed",
  is: (value) => value instanceof Unrefreshed,
  encode: ({ type, text }) => ({ type, text }),
  decode({ type, text }): never {
    const parse = typeof type === "string" ? codecNamed(type)?.parse : undefined;
    if (parse === undefined || typeof text !== "string")
      throw new InvalidEncodingError("malformed data of type redun.Unrefreshed");
    return parse(text) as never;
  },
};
Object.defineProperty(Unrefreshed.prototype, CODEC, { value: unrefreshedCodec });
registerBuiltin(unrefreshedCodec);

/**
 * The task of a description, for a scheduler that never calls its function.
 *
 * @param packageHash - the code package that defines it
 * @throws InvalidEncodingError, InvalidTaskNameError, TaskOptionError if the description is malformed
 */
function describedTask(description: TaskDescription, packageHash: string): Task {
  return taskOf(new DescribedDefinition(description, packageHash));
}

/** A definition whose code is elsewhere. */
export class DescribedDefinition extends TaskDefinition {
  private readonly description: TaskDescription;

  constructor(description: TaskDescription, packageHash: string) {
    const { fullname, version, script, configArgs } = description;
    const options = decodeValue(description.options);
    const defaults = decodeValue(description.defaults);
    if (typeof options !== "object" || options === null || !Array.isArray(defaults))
      throw new InvalidEncodingError(`a malformed description of the task ${fullname}`);
    const notHere = (): never => {
      throw new Error(`The code of ${fullname} is not loaded here`);
    };
    const all = options as Options;
    const exported = description.exported.filter((name) => Object.hasOwn(all, name));
    super(
      {
        ...all,
        name: fullname,
        ...(version === undefined ? {} : { version }),
        script,
        configArgs,
        defaults,
        exportOptions: Object.fromEntries(exported.map((name) => [name, all[name]])),
      },
      notHere,
      undefined,
    );
    this.description = description;
    this.async = description.async;
    this.package = packageHash;
  }

  override get source(): string {
    return this.description.source;
  }

  override get doc(): string | undefined {
    return this.description.doc;
  }

  override get location(): { readonly file: string; readonly line: number } | undefined {
    return this.description.location;
  }

  override get parameters(): readonly string[] {
    return this.description.parameters;
  }

  override hashParts(): readonly string[] {
    return this.description.hashParts;
  }
}

/** What a package defines, as far as it is to be called. */
export interface DescribedTasks {
  readonly tasks: readonly TaskDescription[];
  /** Fullnames of its scheduler tasks. */
  readonly schedulerTasks: readonly string[];
}

/**
 * The tasks of a description, and the engine's own, for a scheduler of one package's executions.
 *
 * @throws see {@link describedTask}
 */
export function describedRegistry(
  { tasks, schedulerTasks }: DescribedTasks,
  packageHash: string,
): TaskRegistry<Task> {
  const registry = new TaskRegistry<Task>();
  for (const task of taskRegistry.all() as Task[]) {
    if (task.fullname.startsWith("redun.") && task.definition.package === undefined) registry.add(task);
  }
  for (const description of tasks) registry.add(describedTask(description, packageHash));
  registry.elsewhere = { package: packageHash, schedulerTasks: new Set(schedulerTasks) };
  return registry;
}
