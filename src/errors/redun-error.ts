/** A serialisable form of an error, as it crosses `postMessage`, RPC and the store. */
export interface ErrorRecord {
  readonly name: string;
  readonly code?: string;
  readonly message: string;
  readonly hint?: string;
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly stack?: string;
  readonly cause?: ErrorRecord;
}

/** Options of every {@link RedunError}. */
export interface RedunErrorOptions {
  /** One sentence that says what to do about it. */
  readonly hint?: string | undefined;
  /** Plain data about the failure, safe to serialise. */
  readonly fields?: Readonly<Record<string, unknown>> | undefined;
  readonly cause?: unknown;
}

/**
 * The base of all errors that the engine itself raises. Guard by `code`, never by message:
 * codes are stable, messages are for people.
 */
export class RedunError extends Error {
  /** Stable identifier in kebab case, such as `unsupported-value`. */
  readonly code: string;
  /** What to do about it, if there is anything to do. */
  readonly hint: string | undefined;
  /** Plain data about the failure. */
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, options: RedunErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = options.hint;
    this.fields = options.fields ?? {};
  }
}

/** Whether a value is an error of this engine with the given code. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && (error as { code?: unknown }).code === code;
}
