import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { suggestion, UsageError } from "./client-error.ts";
import type { Config } from "./config.ts";
import { CONFIG_FILE, type ConfigPlace, findConfigDir, openConfig } from "./config-dir.ts";
import type { Output } from "./output.ts";
import { version } from "./version.ts";

/** The options before the subcommand. */
export interface GlobalOptions {
  readonly config?: string;
  /** Name of a repository that the configuration knows. */
  readonly repo?: string;
  readonly server?: string;
  readonly serverRepo?: string;
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

/** Reads the configuration that is here, whatever repository the global options name. */
export function openOwnConfig(cli: Cli): Repo {
  const place = configPlace(cli);
  return { dir: place.dir, config: openConfig(place) };
}

/** Whether there is a configuration, which reading it would make otherwise. */
export function hasConfig(cli: Cli): boolean {
  return existsSync(join(configPlace(cli).dir, CONFIG_FILE));
}

/** Where the repository of a name is: in a folder, or on a server. */
export interface NamedRepo {
  /** The folder of its configuration. */
  readonly dir?: string;
  /** Address of the server. */
  readonly server?: string;
  /** Its name on the server. */
  readonly repo?: string;
}

/** @throws UsageError if the configuration knows no repository of the name */
export function namedRepo(cli: Cli, name: string): NamedRepo {
  const { dir, config } = openOwnConfig(cli);
  if (name === DEFAULT_REPO) return { dir };
  const section = `repos.${name}`;
  const server = config.get(section, "server");
  const repo = config.get(section, "repo");
  if (server !== undefined) return { server, ...(repo === undefined ? {} : { repo }) };
  const folder = config.get(section, "config_dir");
  if (folder !== undefined) return { dir: resolve(dir, folder) };
  throw new UsageError(`Unknown repo ${name}`, {
    hint: suggestion(name, config.below("repos"), "Known repos"),
  });
}

/** Reads the configuration of the repository that the global options name. */
export function openRepoConfig(cli: Cli): Repo {
  const { repo = DEFAULT_REPO } = cli.globals;
  if (repo === DEFAULT_REPO) return openOwnConfig(cli);
  const { dir, server } = namedRepo(cli, repo);
  if (dir === undefined) {
    throw new UsageError(`Cannot do this in the repo ${repo}: it is on the server ${server}`, {
      hint: "Leave out --repo to work on this machine.",
    });
  }
  return { dir, config: openConfig({ dir, source: "option" }) };
}

const DEFAULT_REPO = "default";

/** The first log lines of commands that work on a repository. */
export function logHead({ output }: Cli, dir: string): void {
  output.log(`redun :: version ${version()}`);
  output.log(`config dir: ${dir}`);
}

/** Collects the values of an option that may be given several times. */
export function collect(value: string, earlier: readonly string[] | undefined): string[] {
  return [...(earlier ?? []), value];
}
