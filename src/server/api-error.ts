import { RedunError, type RedunErrorOptions } from "../errors/redun-error.ts";

/** Statuses that the API answers errors with. */
export type ErrorStatus = 400 | 401 | 403 | 404 | 409 | 410 | 413 | 415 | 422 | 429 | 500 | 503;

/** An error that a caller of the API has to hear of. `code` is stable; `message` and `hint` are for people. */
export class ApiError extends RedunError {
  readonly status: ErrorStatus;
  /** Seconds after which asking again makes sense. */
  readonly retryAfter: number | undefined;

  constructor(
    status: ErrorStatus,
    code: string,
    message: string,
    options: RedunErrorOptions & { readonly retryAfter?: number } = {},
  ) {
    super(code, message, options);
    this.status = status;
    this.retryAfter = options.retryAfter;
  }
}

/** Statuses of the engine's own errors by their codes. Those that are not here are faults of the server. */
const STATUSES: Readonly<Record<string, ErrorStatus>> = {
  "unknown-task": 404,
  "invalid-encoding": 400,
  "unsupported-value": 400,
  "task-option": 400,
  package: 422,
  backend: 422,
  "value-type": 422,
};

/** A database's own errors are faults of the server, and tell of its disk. */
function statusOf({ code, fields }: RedunError): ErrorStatus | undefined {
  return code === "backend" && "sqlite" in fields ? undefined : STATUSES[code];
}

/** The body of an error's answer. */
export interface ErrorBody {
  readonly error: { readonly code: string; readonly message: string; readonly hint?: string };
}

/** How an error is answered. What is not meant for callers stays with the server. */
export function answerOf(error: unknown): {
  status: ErrorStatus;
  body: ErrorBody;
  retryAfter: number | undefined;
} {
  if (error instanceof RedunError) {
    const status = error instanceof ApiError ? error.status : statusOf(error);
    if (status !== undefined) {
      const { code, message, hint } = error;
      const retryAfter = error instanceof ApiError ? error.retryAfter : undefined;
      return {
        status,
        body: { error: { code, message, ...(hint === undefined ? {} : { hint }) } },
        retryAfter,
      };
    }
  }
  if (error instanceof RangeError && /call stack/.test(error.message)) {
    const message = "Cannot read the request: it is nested too deep";
    return { status: 400, body: { error: { code: "too-deep", message } }, retryAfter: undefined };
  }
  const message = "Cannot answer: the server failed";
  const hint = "Try again; the server's log says more.";
  return { status: 500, body: { error: { code: "internal", message, hint } }, retryAfter: undefined };
}
