import type { ErrorRecord } from "../errors/redun-error.ts";
import type { Options } from "../expression/node.ts";
import type { DescribedTasks } from "../task/description.ts";

/** Everything that a place far away needs to run one job. It is plain data: it crosses messages, files and the wire. */
export interface JobSpec {
  readonly jobId: string;
  readonly executionId: string;
  /** Cache key of the call; names the job's scratch folder. */
  readonly evalHash: string;
  /** Fullname. */
  readonly task: string;
  readonly taskHash: string;
  /** Hash of the code package that defines the task, if it came from one. */
  readonly package: string | undefined;
  /** Canonical encoding of the list of arguments. */
  readonly args: string;
  /** Evaluated options of the job, executor's and user's alike. */
  readonly options: Options;
  /** For a script job: the whole script, with its shebang. The task's function is not called. */
  readonly script?: string | undefined;
  /**
   * For a scheduler task of the user's, which gets its arguments unevaluated: canonical encoding of the context of the
   * job that called it, whose id this spec has.
   */
  readonly schedulerContext?: string | undefined;
  /** Whether no task is called: the one argument is an expression of built-in operations on values, to be evaluated. */
  readonly operation?: boolean | undefined;
  /** Whether results that an earlier run left at the remote place may be used. */
  readonly reuse: boolean;
}

/** When things happened, in milliseconds since the epoch. */
export interface JobTimings {
  readonly started: number;
  readonly ended: number;
}

/** How a job ended. */
export type JobResult =
  | {
      readonly ok: true;
      /** Canonical encoding of the result. */
      readonly value: string;
      readonly log?: readonly string[] | undefined;
      readonly timings?: JobTimings | undefined;
    }
  | {
      readonly ok: false;
      readonly error: JobError;
      readonly log?: readonly string[] | undefined;
      readonly timings?: JobTimings | undefined;
    };

/** An error as a job reports it: its canonical encoding where it has one, and always a record. */
export interface JobError {
  readonly value: string | undefined;
  readonly record: ErrorRecord;
}

/** What a running job may use of its surroundings. */
export interface ExecutorContext {
  /** Aborts when the job is cancelled or timed out. */
  readonly signal: AbortSignal;
  /** Takes a line of the job's log. */
  log(line: string): void;
  /**
   * Evaluates an expression that the job's code awaits where the scheduler is. Without it a job can await none.
   *
   * @param expression - canonical encoding
   */
  evaluate?(expression: string): Promise<Evaluated>;
}

/** How the evaluation of an awaited expression ended. */
export type Evaluated =
  | {
      readonly ok: true;
      /** Canonical encoding of the value. */
      readonly value: string;
    }
  | { readonly ok: false; readonly error: JobError };

/** What a code package defines, as a scheduler has to know it that does not load the package. */
export interface PackageDescription extends DescribedTasks {
  /** Names of the value types that it registers and whose values may cease to be valid. */
  readonly validatedTypes: readonly string[];
}

/** Runs a shell script. @returns its stdout @throws ScriptError if it exits with a status other than 0 */
export type ScriptRunner = (script: string, context: ExecutorContext) => Promise<Uint8Array>;

/** A call of a task's own function in this very runtime. */
export interface LocalCall {
  // biome-ignore lint/suspicious/noExplicitAny: a task's function takes anything
  readonly fn: (...args: any[]) => unknown;
  readonly args: readonly unknown[];
}

/** What an executor may ask about a task to find out where to call it. */
export interface InvokedTask {
  readonly fullname: string;
  /** Whether its function is an `async` one, which may await expressions where the scheduler is. */
  readonly async: boolean;
  /** Hash of the code package that defines it, if it came from one. */
  readonly package: string | undefined;
}

/**
 * A place where jobs run. It owns its workers and their life; it never sees the scheduler, and answers each job once.
 */
export interface Executor {
  readonly name: string;
  /**
   * Runs a job elsewhere. A failure of the job's own code is a result with `ok: false`; a rejection means that the
   * place itself failed.
   */
  run(spec: JobSpec, context: ExecutorContext): Promise<JobResult>;
  /**
   * Runs a task's function here and now, sparing the encoding of arguments and result. An executor that has this is
   * used for function jobs without {@link run}; it may return a promise.
   */
  readonly invoke?: ((call: LocalCall, context: ExecutorContext) => unknown) | undefined;
  /** Whether a task's function is called by {@link invoke}; those of other tasks go to {@link run}. Default: all are. */
  readonly invokes?: ((task: InvokedTask) => boolean) | undefined;
  /** Called before the first job of a run. */
  start?(): Promise<void>;
  /** Called when no job of the run is left. Workers may be kept. */
  stop?(): Promise<void>;
  /** Gives back everything. */
  close?(): Promise<void>;
}

/** An executor that loads code packages where their jobs run, and nowhere else. */
export interface PackageExecutor extends Executor {
  /**
   * @param packageHash - of a package that the executor can get
   * @throws PackageError if there is none, or its code can't be loaded
   */
  describe(packageHash: string): Promise<PackageDescription>;
}
