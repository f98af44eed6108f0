import { TaskOptionError } from "../errors/errors.ts";
import type { Options } from "../expression/node.ts";
import type { Json } from "../value/json.ts";

/** Which earlier results a job may take: none, those of this execution, or all that the store has. */
export type CacheScope = "NONE" | "CSE" | "BACKEND";

/** What is checked before a cached result is taken: every call below it, or the result alone. */
export type CheckValid = "full" | "shallow";

/** Units of named resources that a job holds while its function runs; a list means one of each. */
export type Limits = readonly string[] | Readonly<Record<string, number>>;

/** Options that may be given where a task is called. Any other key is for the executor. */
export interface CallOptions {
  /** Name of the executor to run on. Default `default`. */
  readonly executor?: unknown;
  /** `false` is short for `cacheScope: "CSE"`, `true` for `"BACKEND"`. */
  readonly cache?: unknown;
  readonly cacheScope?: unknown;
  readonly checkValid?: unknown;
  readonly limits?: unknown;
  /** How many items the result has, which lets its expression be destructured. */
  readonly nout?: number;
  /** Tags of the job, and where the task is defined also of the task. */
  readonly tags?: unknown;
  /** `false` keeps this job and all below it out of the record. */
  readonly prov?: unknown;
  /** Seconds after which the job fails. */
  readonly timeout?: unknown;
  /** How many more times a failed job is tried. Default 0. */
  readonly retries?: unknown;
  /** GB. */
  readonly memory?: unknown;
  readonly vcpus?: unknown;
  /** Container image. */
  readonly image?: unknown;
  readonly [option: string]: unknown;
}

/** Options of a task's definition. */
export interface TaskOptions extends CallOptions {
  /** May carry its namespace: `math.add`. Default: the function's own name. */
  readonly name?: string;
  readonly namespace?: string;
  /** Replaces the source in the task's hash, so that the body may change without invalidating results. */
  readonly version?: string;
  /** The function returns a shell script, and the task's result is the script's stdout. */
  readonly script?: boolean;
  /** Values whose hashes join the task's hash. */
  readonly hashIncludes?: readonly unknown[];
  /** Parameters, by name or position, that don't count for the cache. */
  readonly configArgs?: readonly (string | number)[];
  /** Values, or expressions, for parameters that a call leaves out, by position. */
  readonly defaults?: readonly unknown[];
  /** Options that all jobs below inherit. */
  readonly exportOptions?: CallOptions;
  /** Replaces the source text in the record and in the hash. */
  readonly source?: string;
  readonly tags?: readonly (readonly [string, Json])[] | Readonly<Record<string, Json>>;
}

const scopes: readonly string[] = ["NONE", "CSE", "BACKEND"];
const validities: readonly string[] = ["full", "shallow"];

/** Replaces `cache` by the `cacheScope` it stands for, and refuses what can't be right. */
export function normalizeOptions(task: string, options: Options): Options {
  const normalized: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(options)) {
    if (value !== undefined) normalized[key] = value;
  }
  checkOneOf(task, normalized, "cacheScope", scopes);
  checkOneOf(task, normalized, "checkValid", validities);
  if (typeof normalized.cache === "boolean") {
    normalized.cacheScope ??= normalized.cache ? "BACKEND" : "CSE";
    delete normalized.cache;
  }
  const { nout } = normalized;
  if (nout !== undefined && !(Number.isInteger(nout) && (nout as number) >= 0)) {
    throw new TaskOptionError(task, `nout must be a non-negative integer, not ${String(nout)}`);
  }
  return normalized;
}

function checkOneOf(
  task: string,
  options: Record<string, unknown>,
  key: string,
  allowed: readonly string[],
): void {
  const value = options[key];
  if (typeof value === "string" && !allowed.includes(value)) {
    throw new TaskOptionError(
      task,
      `${key} must be one of ${allowed.join(", ")}, not ${JSON.stringify(value)}`,
    );
  }
}
