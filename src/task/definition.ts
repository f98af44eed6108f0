import { InvalidTaskNameError, TaskOptionError } from "../errors/errors.ts";
import { NO_NAMES, NO_OPTIONS, type Options } from "../expression/node.ts";
import { hashStruct } from "../value/hash.ts";
import { codecOf } from "../value/registry.ts";
import { hashValue } from "../value/value.ts";
import { normalizeOptions, type TaskOptions } from "./options.ts";
import { parameterNames } from "./parameters.ts";

// biome-ignore lint/suspicious/noExplicitAny: a task may wrap any function
export type AnyFunction = (...args: any[]) => any;

/** The option under which a task's own context travels. */
export const CONTEXT_OPTION = "contextOverride";

/** What the code package knows of a task; it takes the place of what the function's text says. */
export interface TaskManifest {
  readonly fullname: string;
  /** The text that the hash covers: what the code means, whatever its format. */
  readonly canonical: string;
  /** The function as its author wrote it. */
  readonly source: string;
  readonly file: string;
  readonly line: number;
  readonly parameters: readonly { readonly name: string }[];
  readonly doc?: string | undefined;
  readonly async?: boolean | undefined;
}

/** What builds make of `async` where the runtime can't follow asynchronous code. */
const LOWERED_ASYNC = /(?:=>|return)\s*__async\(/;

/** What all tasks derived from one definition share. */
export class TaskDefinition {
  readonly name: string;
  readonly namespace: string;
  readonly fullname: string;
  readonly version: string | undefined;
  readonly fn: AnyFunction;
  readonly script: boolean;
  /** Whether the function is an `async` one, which may await expressions. */
  async: boolean;
  readonly options: Options;
  readonly exported: readonly string[];
  readonly defaults: readonly unknown[];
  readonly hashIncludes: readonly unknown[];
  readonly configArgs: readonly (string | number)[];
  readonly givenSource: string | undefined;
  /** Where the task was defined, as a stack trace says it. */
  readonly place: string | undefined;
  /** Hash of the code package the task came from, if it came from one. */
  package: string | undefined = undefined;
  private manifest: TaskManifest | undefined = undefined;
  private memo: string | undefined = undefined;
  private names: readonly string[] | undefined = undefined;
  private configs: ReadonlySet<number> | undefined = undefined;

  constructor(options: TaskOptions, fn: AnyFunction, place: string | undefined) {
    const {
      name,
      namespace,
      version,
      script,
      hashIncludes,
      configArgs,
      defaults,
      exportOptions,
      source,
      ...rest
    } = options;
    const path = [...(namespace ? [namespace] : []), name ?? fn.name].join(".");
    checkTaskName(path);
    const dot = path.lastIndexOf(".");
    this.fullname = path;
    this.name = path.slice(dot + 1);
    this.namespace = dot < 0 ? "" : path.slice(0, dot);
    this.version = version;
    this.fn = fn;
    this.script = script ?? false;
    this.async =
      Object.prototype.toString.call(fn) === "[object AsyncFunction]" || LOWERED_ASYNC.test(fn.toString());
    this.defaults = defaults ?? [];
    this.hashIncludes = hashIncludes ?? [];
    this.configArgs = configArgs ?? [];
    this.givenSource = source;
    this.place = place;
    if (version !== undefined && typeof version !== "string") {
      throw new TaskOptionError(path, `version must be a string, not ${typeof version}`);
    }
    const exports = normalizeOptions(path, exportOptions ?? NO_OPTIONS);
    this.options = normalizeOptions(path, { ...rest, ...exports });
    this.exported = exportedNames(Object.keys(exports), this.options);
    for (const config of this.configArgs) this.configIndex(config);
  }

  /** The author's text of the function. */
  get source(): string {
    return this.manifest?.source ?? this.givenSource ?? this.fn.toString();
  }

  get doc(): string | undefined {
    return this.manifest?.doc;
  }

  /** File and line of the definition, where they are known. */
  get location(): { readonly file: string; readonly line: number } | undefined {
    if (this.manifest !== undefined) return { file: this.manifest.file, line: this.manifest.line };
    const match = this.place === undefined ? null : /^(.*):(\d+):\d+$/.exec(this.place);
    return match === null ? undefined : { file: match[1]!, line: Number(match[2]) };
  }

  /** Names of the function's parameters. */
  get parameters(): readonly string[] {
    this.names ??=
      this.manifest?.parameters.map((parameter) => parameter.name) ??
      // What bundles the engine numbers names that collide; its own have no numbers.
      parameterNames(this.fn.toString()).map((name) =>
        this.fullname.startsWith("redun.") ? name.replace(/\d+$/, "") : name,
      );
    return this.names;
  }

  /** Positions of the parameters that don't count for the cache. */
  get configPositions(): ReadonlySet<number> {
    this.configs ??= new Set(this.configArgs.map((config) => this.configIndex(config)));
    return this.configs;
  }

  /** Hash of the definition: of its fullname, and of its version or else its code. */
  get hash(): string {
    this.memo ??= hashStruct(this.hashParts());
    return this.memo;
  }

  hashWith(overrides: Options): string {
    if (Object.keys(overrides).length === 0) return this.hash;
    return hashStruct([...this.hashParts(), hashValue(overrides)]);
  }

  /** What the hash is of: the fullname, and the version or else the code, and what `hashIncludes` adds. */
  hashParts(): readonly string[] {
    const code =
      this.version === undefined
        ? ["source", this.givenSource ?? this.manifest?.canonical ?? this.fn.toString()]
        : ["version", this.version];
    return ["Task", this.fullname, ...code, ...this.includeHashes()];
  }

  private includeHashes(): string[] {
    return this.hashIncludes
      .map((item) =>
        // Tasks are functions as well, which are values.
        typeof item === "function" && codecOf(item) === undefined ? hashValue(String(item)) : hashValue(item),
      )
      .sort();
  }

  /** Takes over what the code package says of this task. */
  attach(manifest: TaskManifest, packageHash: string): void {
    this.manifest = manifest;
    this.package = packageHash;
    if (manifest.async !== undefined) this.async = manifest.async;
    this.memo = undefined;
    this.names = undefined;
    this.configs = undefined;
  }

  /**
   * Takes over a code identity for a task whose name was made at run time: any change of the package counts.
   *
   * @param source - the function's text in the package's code
   */
  attachCode(codeHash: string, packageHash: string, source: string): void {
    this.manifest = {
      fullname: this.fullname,
      canonical: `${codeHash}\n${source}`,
      source,
      file: this.location?.file ?? "",
      line: this.location?.line ?? 0,
      parameters: this.parameters.map((name) => ({ name })),
    };
    this.package = packageHash;
    this.memo = undefined;
  }

  private configIndex(config: string | number): number {
    if (typeof config === "number") return config;
    const { parameters } = this;
    // A bundler may have numbered a parameter to keep it apart from a name of another module.
    const index = parameters.findIndex((name) => name === config || name.replace(/\d+$/, "") === config);
    if (index < 0) {
      throw new TaskOptionError(
        this.fullname,
        `configArgs names ${JSON.stringify(config)}, which is not a parameter`,
        {
          hint: `Its parameters are: ${parameters.join(", ") || "none"}.`,
        },
      );
    }
    return index;
  }
}

/** @throws InvalidTaskNameError if a fullname breaks the rule */
export function checkTaskName(path: string): void {
  if (path === "" || !/^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/.test(path)) throw new InvalidTaskNameError(path);
}

/** `prov` is always inherited, and so is the scope that `cache` stands for. */
export function exportedNames(names: readonly string[], options: Options): readonly string[] {
  const all = new Set(names);
  if (options.prov !== undefined) all.add("prov");
  return all.size === 0 ? NO_NAMES : [...all].sort();
}
