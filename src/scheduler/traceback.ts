import { ERROR_VALUE_TYPE } from "../backend/records.ts";
import { InvalidEncodingError } from "../errors/errors.ts";
import { asError, errorRecord } from "../executor/job-error.ts";
import { display } from "../value/display.ts";
import { hashStruct } from "../value/hash.ts";
import { CODEC, registerBuiltin, type ValueCodec } from "../value/registry.ts";
import { encodeValue, hashValue } from "../value/value.ts";
import type { Job } from "./job.ts";

/** One job on the way from the root job to the one that failed. */
export interface Frame {
  readonly jobId: string;
  /** Fullname. */
  readonly task: string;
  readonly file: string | null;
  readonly line: number | null;
  /** First line of the task's source. */
  readonly source: string;
  /** Display text of each argument, by name, sorted. */
  readonly locals: Readonly<Record<string, string>>;
}

/** How an error came about: the jobs from root to failure, then the frames of the user's own stack. */
export interface Traceback {
  readonly frames: readonly Frame[];
  /** Frames of the JavaScript stack that are not the engine's, innermost last. */
  readonly stack: readonly string[];
  /** `TypeError: message` */
  readonly error: string;
  /** Last lines of the failed job's log. */
  readonly log: readonly string[];
}

/** Deeper job paths keep this many frames at each end. */
const FRAMES_AT_EACH_END = 50;
const LOG_LINES = 100;

const tracebacks = new WeakMap<object, Traceback>();

/** The traceback of an error that a run rejected with, or that a recovery task received. */
export function errorTraceback(error: unknown): Traceback | undefined {
  return typeof error === "object" && error !== null ? tracebacks.get(error) : undefined;
}

/** Makes the traceback of a job's error, once an error. */
export function recordTraceback(error: unknown, job: Job): Traceback {
  const known = errorTraceback(error);
  if (known !== undefined) return known;
  const jobs: Job[] = [];
  for (let at: Job | undefined = job; at !== undefined; at = at.parent) jobs.push(at);
  jobs.reverse();
  const kept =
    jobs.length <= 2 * FRAMES_AT_EACH_END
      ? jobs
      : [...jobs.slice(0, FRAMES_AT_EACH_END), ...jobs.slice(-FRAMES_AT_EACH_END)];
  const cause = asError(error);
  const traceback: Traceback = {
    frames: kept.map(frameOf),
    stack: userStack(cause),
    error: summary(cause),
    log: (job.log ?? []).slice(-LOG_LINES),
  };
  if (typeof error === "object" && error !== null) tracebacks.set(error, traceback);
  return traceback;
}

function summary(error: Error): string {
  const text =
    Object.hasOwn(error, "toString") || error.name === "ScriptError"
      ? error.toString()
      : `${error.name}: ${error.message}`;
  const cause =
    error.cause instanceof Error ? `\n  caused by ${error.cause.name}: ${error.cause.message}` : "";
  return text + cause;
}

function frameOf(job: Job): Frame {
  const { definition } = job.task;
  const names = definition.parameters;
  const locals = job.args.map((arg, i): [string, string] => [names[i] ?? `arg${i}`, display(arg)]);
  return {
    jobId: job.id,
    task: job.task.fullname,
    file: definition.location?.file ?? null,
    line: definition.location?.line ?? null,
    source: definition.source.trim().split("\n", 1)[0]!,
    locals: Object.fromEntries(locals.sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

/** Marks the engine's own frames, whichever way it is installed. */
const ENGINE = new Set<string>();

/** Says that stack frames of a package's modules are the engine's and not shown to users. */
export function hideFrames(moduleUrl: string | undefined): void {
  // A Worker's modules have no address.
  if (moduleUrl === undefined) return;
  // Stack traces name files by URL or by path.
  ENGINE.add(moduleUrl.replace(/^file:\/\//, "").replace(/\/(dist|src)\/.*$/, "/$1/"));
}

function userStack(error: Error): string[] {
  const lines = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  return lines
    .map((line) => line.trim())
    .filter((line) => !/\((?:node|ext):|at (?:node|ext):|<anonymous>\)$/.test(line))
    .filter((line) => ![...ENGINE].some((url) => line.includes(url)))
    .slice(0, 30)
    .reverse();
}

/** The traceback as text, root job first and the error last. */
export function formatTraceback(traceback: Traceback): string {
  const lines: string[] = [];
  for (const frame of traceback.frames) {
    const place = frame.file === null ? "" : ` File "${frame.file}", line ${frame.line},`;
    lines.push(`  Job ${frame.jobId.slice(-8)}:${place} in ${frame.task}`, `    ${frame.source}`);
    const width = Math.max(0, ...Object.keys(frame.locals).map((name) => name.length));
    for (const [name, value] of Object.entries(frame.locals))
      lines.push(`    ${name.padEnd(width)} = ${value}`);
  }
  for (const line of traceback.stack) lines.push(`  ${line}`);
  lines.push(traceback.error);
  if (traceback.log.length > 0) lines.push("", "Latest logs:", ...traceback.log.map((line) => `  ${line}`));
  return lines.join("\n");
}

const tracebackCodec: ValueCodec = {
  name: "redun.Traceback",
  is: () => false,
  encode: (value: { traceback: Traceback }) => value.traceback,
  decode: (data) => new StoredTraceback(data as Traceback),
};

/** A traceback as a value, so that it has a type name and a hash of its own. */
class StoredTraceback {
  readonly traceback: Traceback;
  constructor(traceback: Traceback) {
    this.traceback = traceback;
  }
}
Object.defineProperty(StoredTraceback.prototype, CODEC, { value: tracebackCodec });

/** What a failed call has in place of a result. */
export class ErrorValue {
  readonly error: unknown;
  readonly traceback: Traceback;

  constructor(error: unknown, traceback: Traceback) {
    this.error = error;
    this.traceback = traceback;
    if (typeof error === "object" && error !== null && !tracebacks.has(error))
      tracebacks.set(error, traceback);
  }
}

const errorValueCodec: ValueCodec<ErrorValue, unknown[]> = {
  name: ERROR_VALUE_TYPE,
  is: (value) => value instanceof ErrorValue,
  encode: (value) => [value.error, new StoredTraceback(value.traceback)],
  decode(data) {
    if (!Array.isArray(data) || !(data[1] instanceof StoredTraceback)) {
      throw new InvalidEncodingError("malformed data of type redun.ErrorValue");
    }
    return new ErrorValue(data[0], data[1].traceback);
  },
  hash: (value) =>
    hashStruct(["redun.ErrorValue", hashValue(value.error), hashValue(new StoredTraceback(value.traceback))]),
  display: (value) => display(value.error),
};
Object.defineProperty(ErrorValue.prototype, CODEC, { value: errorValueCodec });
registerBuiltin(tracebackCodec);
registerBuiltin(errorValueCodec);

/** An error value that can be stored for sure: an error without an encoding is replaced by one that describes it. */
export function storableErrorValue(error: unknown, traceback: Traceback): ErrorValue {
  const value = new ErrorValue(error, traceback);
  try {
    encodeValue(value);
    return value;
  } catch {
    const record = errorRecord(asError(error));
    return new ErrorValue(new Error(`${record.name}: ${record.message}`), traceback);
  }
}

hideFrames(import.meta.url);
// The engine in isolates.
hideFrames("redun:///engine/");
