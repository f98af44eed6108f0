import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { RedunClientError, UsageError } from "./client-error.ts";

let known: string | undefined;

/** The version of this command. */
export function version(): string {
  if (known !== undefined) return known;
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const file = join(folder, "package.json");
    if (existsSync(file)) {
      const manifest = JSON.parse(readFileSync(file, "utf8")) as { name?: string; version?: string };
      if (manifest.name === "redun" && manifest.version !== undefined) {
        known = manifest.version;
        return known;
      }
    }
    if (dirname(folder) === folder) return "unknown";
  }
}

/** Compares versions number by number; one that ends early comes first. */
export function compareVersions(a: string, b: string): number {
  const left = numbers(a);
  const right = numbers(b);
  for (const [i, n] of left.entries()) {
    const m = right[i];
    if (m === undefined) return 1;
    if (n !== m) return n < m ? -1 : 1;
  }
  return left.length === right.length ? 0 : -1;
}

function numbers(text: string): number[] {
  return text.split(".").map((part) => {
    if (!/^\d+$/.test(part)) throw new UsageError(`Invalid version: ${text}: each part must be a number`);
    return Number(part);
  });
}

const HOLDS: Readonly<Record<string, (order: number) => boolean>> = {
  "==": (order) => order === 0,
  ">=": (order) => order >= 0,
  "<=": (order) => order <= 0,
  ">": (order) => order > 0,
  "<": (order) => order < 0,
};

/** Whether a version satisfies all of a specification such as `>=0.4.1,<2`. */
export function satisfies(actual: string, specification: string): boolean {
  return specification.split(",").every((part) => {
    const match = /^\s*(==|>=|<=|>|<)?\s*(.*?)\s*$/.exec(part)!;
    return HOLDS[match[1] ?? "=="]!(compareVersions(actual, match[2]!));
  });
}

/** @throws RedunClientError if this version does not satisfy the specification */
export function checkVersion(specification: string): void {
  if (satisfies(version(), specification)) return;
  throw new RedunClientError(`This is redun ${version()}, but ${specification} is required`);
}
