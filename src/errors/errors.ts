import { RedunError, type RedunErrorOptions } from "./redun-error.ts";

/** A value has no canonical encoding. `fields.path` names the place inside the value. */
export class UnsupportedValueError extends RedunError {
  constructor(path: string, what: string, options: RedunErrorOptions = {}) {
    super("unsupported-value", `Cannot encode ${path || "the value"}: ${what}`, {
      hint: "Return plain data, or teach the engine this type with registerValue().",
      ...options,
      fields: { path, what, ...options.fields },
    });
  }
}

/** Bytes that claim to be an encoded value are not one. */
export class InvalidEncodingError extends RedunError {
  constructor(message: string, options: RedunErrorOptions = {}) {
    super("invalid-encoding", `Cannot decode the value: ${message}`, options);
  }
}

/** An expression was used where a value is needed, such as in a template literal. */
export class LazyValueError extends RedunError {
  constructor(use: string, expression: string) {
    super("lazy-value", `Cannot ${use} the lazy expression ${expression}: its value is not known yet`, {
      hint: "Pass the expression to a task, or await it inside an async task.",
      fields: { use, expression },
    });
  }
}

/** A task name or namespace breaks the naming rule. */
export class InvalidTaskNameError extends RedunError {
  constructor(name: string, what = "name") {
    super(
      "invalid-task-name",
      `Cannot define a task with the ${what} ${JSON.stringify(name)}: not a valid ${what}`,
      {
        hint: "Use letters, digits and underscores, not starting with a digit; dots separate the parts of a namespace.",
        fields: { name },
      },
    );
  }
}

/** Task options are contradictory or of the wrong type. */
export class TaskOptionError extends RedunError {
  constructor(task: string, message: string, options: RedunErrorOptions = {}) {
    super("task-option", `Cannot define task ${task || "(unnamed)"}: ${message}`, {
      ...options,
      fields: { task, ...options.fields },
    });
  }
}

/** An expression was awaited where no job is running. */
export class NoCurrentJobError extends RedunError {
  constructor(expression: string) {
    super("no-current-job", `Cannot await ${expression}: no job is running here`, {
      hint: "Run it with scheduler.run(expression), or await it inside an async task.",
      fields: { expression },
    });
  }
}

/** A task is not registered where it is needed. */
export class UnknownTaskError extends RedunError {
  constructor(fullname: string, known: readonly string[] = [], hint?: string) {
    super("unknown-task", `Cannot run task ${fullname}: no task of that name is registered`, {
      hint:
        hint ??
        (known.length > 0 ? `Registered tasks: ${known.join(", ")}` : "Import the module that defines it."),
      fields: { fullname },
    });
  }
}

/** A path's scheme has no registered file system. */
export class UnknownSchemeError extends RedunError {
  constructor(scheme: string, path: string, provider?: string) {
    super("unknown-scheme", `Cannot open ${path}: no file system is registered for the scheme ${scheme}`, {
      hint: provider
        ? `Import ${provider} to register one.`
        : "Register one with registerFileSystem(), or check the spelling of the scheme.",
      fields: { scheme, path },
    });
  }
}

/** An executor name is not configured. */
export class UnknownExecutorError extends RedunError {
  constructor(name: string, known: readonly string[]) {
    super("unknown-executor", `Unknown executor "${name}"`, {
      hint: `Configured executors: ${known.join(", ") || "none"}.`,
      fields: { name },
    });
  }
}

/** The run was cancelled through its signal. */
export class CancelledError extends RedunError {
  constructor(message = "The execution was cancelled", options: RedunErrorOptions = {}) {
    super("cancelled", message, options);
  }
}

/** A dry run reached a job that is not cached. */
export class DryRunError extends RedunError {
  constructor() {
    super("dry-run", "Dry run: additional jobs would run", { hint: "Run without dryRun to run them." });
  }
}

/** A job took longer than its `timeout`. */
export class TimeoutError extends RedunError {
  constructor(task: string, seconds: number) {
    super("timeout", `Cannot finish task ${task}: it ran longer than its timeout of ${seconds} s`, {
      hint: "Raise the task's timeout option, or make the task faster.",
      fields: { task, seconds },
    });
  }
}

/** Something the scheduler was asked to do makes no sense. */
export class SchedulerError extends RedunError {
  constructor(message: string, options: RedunErrorOptions = {}) {
    super("scheduler", message, options);
  }
}

/** A store cannot be opened, read or written. `fields.path` names it. */
export class BackendError extends RedunError {
  constructor(message: string, options: RedunErrorOptions = {}) {
    super("backend", message, options);
  }
}

/** A store has a schema this version cannot use. */
export class BackendVersionError extends RedunError {
  constructor(message: string, options: RedunErrorOptions = {}) {
    super("backend-version", message, options);
  }
}

/** A place where jobs run failed, rather than the job's own code. */
export class ExecutorError extends RedunError {
  constructor(message: string, options: RedunErrorOptions = {}) {
    super("executor", message, options);
  }
}

/** A shell script ended with a status other than 0. The message is all of its stderr. */
export class ScriptError extends RedunError {
  constructor(stderr: string, exitCode: number | string, options: RedunErrorOptions = {}) {
    super("script", stderr, { ...options, fields: { exitCode, ...options.fields } });
  }

  override toString(): string {
    const lines = this.message.trimEnd().split("\n");
    return `ScriptError: Last line: ${lines[lines.length - 1]}`;
  }
}

/** A code package does not match its hash, or cannot be built or loaded. */
export class PackageError extends RedunError {
  constructor(message: string, options: RedunErrorOptions = {}) {
    super("package", message, options);
  }
}
