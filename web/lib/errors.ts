/** What to show of an error. */
import type { ErrorRecord } from "../../src/errors/redun-error.ts";

/** An error's message, with its hint if it has one, and when it makes sense to try again. */
export function errorText(error: unknown): string {
  if (typeof error !== "object" || error === null) return String(error);
  const { message, hint, retryAfter } = error as { message?: unknown; hint?: unknown; retryAfter?: unknown };
  const wait = typeof retryAfter === "number" ? `Try again in ${waitText(retryAfter)}.` : undefined;
  return [message, hint, wait].filter((text) => typeof text === "string" && text !== "").join("\n");
}

function waitText(seconds: number): string {
  return seconds < 100 ? `${Math.max(1, Math.ceil(seconds))} s` : `${Math.ceil(seconds / 60)} minutes`;
}

/** `TypeError: message` */
export function errorHeadline({ name, message }: Pick<ErrorRecord, "name" | "message">): string {
  return `${name}: ${message}`;
}

/** The place in a source that an error of a build tells. */
export interface BuildPlace {
  readonly text: string;
  readonly file: string;
  /** Both count from 1. */
  readonly line: number;
  readonly column: number;
}

/** Where a build failed, if the error says so. */
export function buildPlace(error: unknown): BuildPlace | undefined {
  const { fields } = (error ?? {}) as { fields?: Record<string, unknown> };
  const { text, file, line, column } = fields ?? {};
  if (typeof line !== "number" || typeof file !== "string") return undefined;
  return {
    text: typeof text === "string" ? text : errorText(error),
    file,
    line,
    column: typeof column === "number" ? column : 1,
  };
}
