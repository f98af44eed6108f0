import type { ErrorHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import { answerOf } from "./api-error.ts";

/** The answer to a request that came to an error before an app had it. */
export function errorResponse(error: unknown): Response {
  const { status, body, retryAfter } = answerOf(error);
  const headers = retryAfter === undefined ? {} : { "Retry-After": String(Math.ceil(retryAfter)) };
  return Response.json(body, { status, headers });
}

/** Answers errors as the API promises. @param onError - told of faults of the server itself */
export function errorAnswer(
  onError: ((error: unknown, request: Request) => void) | undefined,
  // biome-ignore lint/suspicious/noExplicitAny: for apps of any environment
): ErrorHandler<any> {
  return (error, c) => {
    if (error instanceof HTTPException) {
      const { status, message } = error;
      return c.json(
        { error: { code: "invalid-request", message: message || "Cannot read the request" } },
        status,
      );
    }
    const { status, body, retryAfter } = answerOf(error);
    if (status === 500) onError?.(error, c.req.raw);
    if (retryAfter !== undefined) c.header("Retry-After", String(Math.ceil(retryAfter)));
    return c.json(body, status);
  };
}
