import { FileError } from "../file/errors.ts";

/** Characters of the longest pattern. */
const LONGEST = 4096;

/** A pattern in two parts. */
export interface Glob {
  /** The folder that every match is below, without a slash at its end unless it is the root. May be empty. */
  readonly base: string;
  /** The pattern of the path below it. */
  readonly rest: string;
}

/** Splits a pattern at the last slash before its first wildcard; of a plain path the name is the rest. */
export function splitGlob(pattern: string): Glob {
  const wildcard = /[*?[{(\\]|[!+@]\(/.exec(pattern)?.index ?? pattern.length;
  const slash = pattern.lastIndexOf("/", wildcard === pattern.length ? wildcard : wildcard - 1);
  if (slash < 0 || wildcard === 0) return { base: "", rest: pattern };
  const base = pattern.slice(0, slash);
  // The slashes of `/` and of `memory://` belong to the base.
  return { base: base === "" || base.endsWith("/") ? `${base}/` : base, rest: pattern.slice(slash + 1) };
}

/**
 * A function that says whether a path below the base matches. The matcher is loaded when it is first needed, so that
 * a program without patterns does without it. However the pattern is made, matching takes no longer than a path is long.
 *
 * @param rest - as {@link splitGlob} gives it
 * @throws FileError for a pattern that can't be matched so
 */
export async function globMatcher(rest: string): Promise<(relativePath: string) => boolean> {
  if (rest.length > LONGEST) {
    throw new FileError("file", "match", `${rest.slice(0, 100)}…`, "the pattern is too long", {
      hint: `A pattern has ${LONGEST} characters at most below its folder.`,
    });
  }
  const { boundedGlob } = await import("./bounded-glob.ts");
  const matches = boundedGlob(rest);
  return (path) => path === rest || matches(path);
}
