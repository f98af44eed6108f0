import { RedunError, type RedunErrorOptions } from "../errors/redun-error.ts";

/** Exit codes of the command. */
export const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** Something that the user of the command can put right. */
export class RedunClientError extends RedunError {
  readonly exitCode: number;

  constructor(message: string, options: RedunErrorOptions & { readonly exitCode?: number } = {}) {
    super("client", message, options);
    this.name = "RedunClientError";
    this.exitCode = options.exitCode ?? EXIT.failed;
  }
}

/** The command line itself is wrong. */
export class UsageError extends RedunClientError {
  constructor(message: string, options: RedunErrorOptions = {}) {
    super(message, { ...options, exitCode: EXIT.usage });
    this.name = "RedunClientError";
  }
}

/** An argument that the parser refuses, such as `argument --x: invalid number value: 'boom'`. */
export class ArgumentError extends UsageError {
  constructor(message: string, options: RedunErrorOptions = {}) {
    super(message, options);
    this.name = "error";
  }
}

/** The candidates that look most like a word, best first. */
export function closest(word: string, candidates: Iterable<string>, count = 3): string[] {
  const wanted = word.toLowerCase();
  const near = Math.max(wanted.length > 3 ? 2 : 1, Math.floor(wanted.length / 3));
  const scored: { candidate: string; score: number }[] = [];
  for (const candidate of candidates) {
    const other = candidate.toLowerCase();
    // A name may stand for itself with its namespace, but an ending is no name.
    const base = /\.(ts|js|mjs|mts)$/.test(other) ? other : other.slice(other.lastIndexOf(".") + 1);
    const distance = Math.min(editDistance(wanted, other), editDistance(wanted, base));
    const related = wanted.length > 2 && other.includes(wanted);
    if (related || distance <= near)
      scored.push({ candidate, score: related ? Math.min(distance, near) : distance });
  }
  scored.sort((a, b) => a.score - b.score);
  const best = scored[0]?.score ?? 0;
  return scored
    .filter(({ score }) => score <= best + 1)
    .slice(0, count)
    .map(({ candidate }) => candidate);
}

/** Levenshtein's distance. */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 20) return 99;
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replace, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

/** A hint that names the candidates meant most likely, or all of a few. */
export function suggestion(word: string, candidates: readonly string[], all: string): string | undefined {
  const similar = closest(word, candidates);
  if (similar.length > 0) return `Did you mean ${similar.join(" or ")}?`;
  if (candidates.length === 0) return undefined;
  const shown = candidates.slice(0, 10).join(", ");
  return `${all}: ${shown}${candidates.length > 10 ? ", ..." : ""}.`;
}
