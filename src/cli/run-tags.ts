import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { userInfo } from "node:os";
import { dirname, join } from "node:path";
import type { Json } from "../value/json.ts";
import type { Config } from "./config.ts";
import type { RunOptions } from "./run-options.ts";
import { parseTag, parseTagValue } from "./tag-text.ts";
import { version } from "./version.ts";

/** A tag of an execution. */
export type ExecutionTag = readonly [key: string, value: Json];

/** Starts finding the commit and origin of the working directory's repository. */
export function findGitTags(cwd: string = process.cwd()): Promise<ExecutionTag[]> {
  const { REDUN_GIT_COMMIT: commit, REDUN_GIT_ORIGIN_URL: origin } = process.env;
  const inRepo = isInGitRepo(cwd);
  const ask = (given: string | undefined, key: string, args: string[]): Promise<ExecutionTag[]> => {
    if (given) return Promise.resolve([[key, given]]);
    if (!inRepo) return Promise.resolve([]);
    return new Promise((resolve) => {
      execFile("git", args, { cwd, timeout: 2000 }, (error, stdout) => {
        const text = stdout.trim();
        resolve(error !== null || text === "" ? [] : [[key, text]]);
      });
    });
  };
  return Promise.all([
    ask(commit, "git_commit", ["rev-parse", "HEAD"]),
    ask(origin, "git_origin_url", ["config", "--get", "remote.origin.url"]),
  ]).then((tags) => tags.flat());
}

function isInGitRepo(cwd: string): boolean {
  for (let folder = cwd; ; folder = dirname(folder)) {
    if (existsSync(join(folder, ".git"))) return true;
    if (dirname(folder) === folder) return false;
  }
}

/** The tags that the command gives an execution. */
export function executionTags(
  options: RunOptions,
  config: Config,
  git: readonly ExecutionTag[],
  namespace: string,
): ExecutionTag[] {
  const user = options.user ?? process.env.REDUN_USER ?? loginName();
  const project = options.project ?? namespace;
  const configured = Object.entries(config.section("tags")).map(
    ([key, text]): ExecutionTag => [key, parseTagValue(text)],
  );
  return [
    ["redun.version", version()],
    ...git,
    ...(user === undefined || options.excludeUser?.includes(user) ? [] : [["user", user] as const]),
    ...(project === "" ? [] : [["project", project] as const]),
    ...(options.doc === undefined ? [] : [["doc", options.doc] as const]),
    ...configured,
    ...(options.tag ?? []).map((text): ExecutionTag => {
      const { key, value } = parseTag(text);
      return [key, value ?? null];
    }),
  ];
}

function loginName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    // A container may run as a user without a name.
    return undefined;
  }
}
