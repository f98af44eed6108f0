import { Dexie } from "dexie";
import { BackendError } from "../errors/errors.ts";
import { RedunError } from "../errors/redun-error.ts";

/** What an error may carry of those that led to it; Dexie keeps them in its own fields. */
interface Nested {
  readonly inner?: unknown;
  readonly cause?: unknown;
  readonly failures?: readonly unknown[];
}

/** An error and all that led to it, found before it. */
function* chain(error: unknown): Iterable<Error> {
  if (!(error instanceof Error)) return;
  const { inner, cause, failures = [] } = error as Nested;
  for (const other of [...failures, inner, cause]) yield* chain(other);
  yield error;
}

/**
 * What the store says in place of an error of the database; other errors stay as they are.
 *
 * @param name - the database
 */
export async function storeError(name: string, error: unknown): Promise<unknown> {
  if (error instanceof RedunError) return error;
  const all = [...chain(error)];
  const has = (errorName: string): boolean => all.some((other) => other.name === errorName);
  if (has("QuotaExceededError")) return quotaError(name, error);
  if (has("DatabaseClosedError") || has("InvalidStateError")) return closedError(name, error);
  const isOurs = all.some((other) => other instanceof DOMException || other.name in Dexie.errnames);
  if (!isOurs) return error;
  return new BackendError(`Cannot use the store ${name}: ${all[0]!.message}`, {
    fields: { path: name },
    cause: error,
  });
}

/** The store is not open, or not any more. */
export function closedError(name: string, cause?: unknown): BackendError {
  return new BackendError(`Cannot use the store ${name}: it is not open`, {
    hint: "Call load() first. If it was open, another tab has removed it or brought it to a newer version: reload the page.",
    fields: { path: name },
    cause,
  });
}

async function quotaError(name: string, cause: unknown): Promise<BackendError> {
  const { usage, quota } = await navigator.storage.estimate();
  // Chromium tells pages a quota that is not the one it holds to, so it stays the browser's word.
  const used =
    usage === undefined || quota === undefined
      ? ""
      : `, and says that ${size(usage)} of ${size(quota)} are used`;
  return new BackendError(
    `Cannot write to the store ${name}: the browser gives this site no more room${used}`,
    {
      hint: "Export what you need and delete other stores and files of this site, free some disk space, or ask for more with navigator.storage.persist().",
      fields: { path: name, usage, quota },
      cause,
    },
  );
}

const UNITS = ["B", "KB", "MB", "GB", "TB"] as const;

function size(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), UNITS.length - 1);
  return `${(bytes / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${UNITS[power]}`;
}
