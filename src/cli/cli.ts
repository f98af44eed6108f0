import { resolve } from "node:path";
import { suggestion, UsageError } from "./client-error.ts";
import type { Config } from "./config.ts";
import { type ConfigPlace, findConfigDir, openConfig } from "./config-dir.ts";
import type { Output } from "./output.ts";
import { version } from "./version.ts";

/** The options before the subcommand. */
export interface GlobalOptions {
  readonly config?: string;
  readonly repo: string;
  readonly logLevel: string;
  readonly checkVersion?: string;
  readonly setup: readonly string[];
  readonly setupHelp?: boolean;
}

/** What every command is given. */
export interface Cli {
  readonly output: Output;
  /** The full command line, beginning with the program's name. */
  readonly argv: readonly string[];
  readonly globals: GlobalOptions;
}

/** A repository's configuration and where it is. */
export interface Repo {
  readonly dir: string;
  readonly config: Config;
}

/** The place of the configuration, before anything is read or made. */
export function configPlace({ globals }: Cli): ConfigPlace {
  return findConfigDir(globals.config);
}

/** Reads the configuration of the repository that the global options name. */
export function openRepoConfig(cli: Cli): Repo {
  const place = configPlace(cli);
  const config = openConfig(place);
  const { repo } = cli.globals;
  if (repo === "default") return { dir: place.dir, config };
  const dir = config.get(`repos.${repo}`, "config_dir");
  if (dir === undefined) {
    const names = config.below("repos");
    throw new UsageError(`Unknown repo ${repo}`, { hint: suggestion(repo, names, "Known repos") });
  }
  const other: ConfigPlace = { dir: resolve(place.dir, dir), source: "option" };
  return { dir: other.dir, config: openConfig(other) };
}

/** The first log lines of commands that work on a repository. */
export function logHead({ output }: Cli, dir: string): void {
  output.log(`redun :: version ${version()}`);
  output.log(`config dir: ${dir}`);
}

/** Collects the values of an option that may be given several times. */
export function collect(value: string, earlier: readonly string[] | undefined): string[] {
  return [...(earlier ?? []), value];
}
