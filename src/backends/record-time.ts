import { BackendError } from "../errors/errors.ts";

/** A time as records carry it: UTC with microseconds. */
export function formatTime(millis: number | null): string | null {
  if (millis === null) return null;
  const micros = Math.round(millis * 1000);
  const whole = Math.floor(micros / 1000);
  const rest = String(micros - whole * 1000).padStart(3, "0");
  return `${new Date(whole).toISOString().replace("T", " ").slice(0, -1)}${rest}+00:00`;
}

const TIME = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?\d*(Z|[+-]\d\d:?\d\d)?$/;

/**
 * Milliseconds since the epoch of a record's time; one without a zone is UTC.
 *
 * @throws BackendError if it is not a time
 */
export function parseTime(text: unknown): number | null {
  if (text === null || text === undefined) return null;
  const match = typeof text === "string" ? TIME.exec(text) : null;
  const seconds = match === null ? Number.NaN : Date.parse(`${match[1]}T${match[2]}${match[4] ?? "Z"}`);
  if (Number.isNaN(seconds))
    throw new BackendError(`Cannot read a record: ${JSON.stringify(text)} is not a time`);
  return seconds + Number((match![3] ?? "").padEnd(6, "0")) / 1000;
}
