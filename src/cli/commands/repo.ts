import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { replaceFile } from "../../package/local-copy.ts";
import { type Cli, openOwnConfig } from "../cli.ts";
import { RedunClientError, suggestion, UsageError } from "../client-error.ts";
import type { Config } from "../config.ts";
import { CONFIG_FILE } from "../config-dir.ts";
import { addSection, removeSection } from "../ini-edit.ts";
import { DEFAULT_REPO, formatAddress, looksLikeAddress, parseAddress } from "../remote/address.ts";

/** `redun repo add NAME DIR|URL` */
export async function addRepo(cli: Cli, words: string[]): Promise<void> {
  const [name, place, ...rest] = words;
  if (name === undefined || place === undefined || rest.length > 0)
    throw new UsageError("Which repository? Usage: redun repo add NAME DIR, or NAME URL");
  if (!/^[A-Za-z_][\w-]*$/.test(name)) {
    throw new UsageError(`Cannot add the repo ${name}: not a name`, {
      hint: "A name is made of letters, digits, - and _, and begins with a letter.",
    });
  }
  const { dir, config } = openOwnConfig(cli);
  if (name === DEFAULT_REPO || config.has(`repos.${name}`)) {
    throw new RedunClientError(`Cannot add the repo ${name}: there is one of that name`, {
      hint: "Choose another name, or remove that one with: redun repo rm NAME",
    });
  }
  const isServer = looksLikeAddress(place);
  const values = isServer ? serverValues(place) : folderValues(place);
  const shown = placeOf(values);
  const other = config.below("repos").find((known) => placeOf(config.section(`repos.${known}`)) === shown);
  if (other !== undefined) cli.output.log(`The repo ${other} is at the same place.`, "WARN");
  const file = join(dir, CONFIG_FILE);
  replaceFile(file, addSection(readFileSync(file, "utf8"), `repos.${name}`, values));
  cli.output.print(`Added repo '${name}': ${shown}`);
}

function serverValues(place: string): Record<string, string> {
  const { url, repo = DEFAULT_REPO } = parseAddress(place);
  // In an INI file `$` begins a variable.
  const plain = (text: string): string => text.replaceAll("$", "$$$$");
  if (/[\r\n]/.test(repo)) throw new UsageError("Cannot add the repo: its name has several lines");
  return { server: plain(url), repo: plain(repo) };
}

function folderValues(place: string): Record<string, string> {
  const folder = resolve(place);
  if (!existsSync(join(folder, CONFIG_FILE))) {
    throw new RedunClientError(`Cannot add the repo at ${folder}: it has no ${CONFIG_FILE}`, {
      hint: existsSync(join(folder, ".redun", CONFIG_FILE))
        ? `Did you mean ${join(place, ".redun")}?`
        : `Make it with: redun init -c ${place}`,
    });
  }
  return { config_dir: folder.replaceAll("$", "$$$$") };
}

/** Where a repository is, from the values of its section. */
function placeOf({ server, repo, config_dir: dir }: Readonly<Record<string, string>>): string {
  if (server === undefined) return dir ?? "(nowhere)";
  return formatAddress({
    ...parseAddress(server, repo === undefined),
    ...(repo === undefined ? {} : { repo }),
  });
}

/** `redun repo list` */
export function listRepos(cli: Cli): Promise<void> {
  const { config } = openOwnConfig(cli);
  const lines = config
    .below("repos")
    .sort()
    .map((name) => `  ${name}: ${placeOf(config.section(`repos.${name}`))}`);
  cli.output.print(["Repositories:", ...lines].join("\n"));
  return Promise.resolve();
}

/** `redun repo rm NAME` */
export function removeRepo(cli: Cli, words: string[]): Promise<void> {
  const [name, ...rest] = words;
  if (name === undefined || rest.length > 0)
    throw new UsageError("Which repository? Usage: redun repo rm NAME");
  const { dir, config } = openOwnConfig(cli);
  if (name === DEFAULT_REPO)
    throw new UsageError(`Cannot remove the repo ${DEFAULT_REPO}: it is the configuration's own`);
  if (!config.has(`repos.${name}`)) throw unknownRepo(name, config);
  const file = join(dir, CONFIG_FILE);
  replaceFile(file, removeSection(readFileSync(file, "utf8"), `repos.${name}`));
  cli.output.print(`Removed repo '${name}'. Its records stay where they are.`);
  return Promise.resolve();
}

/** `redun repo delete URL#REPO` */
export async function deleteRepo(
  { output }: Cli,
  words: string[],
  { force = false }: { readonly force?: boolean },
): Promise<void> {
  const [address, ...rest] = words;
  // What can't be undone is not done to a default.
  const { url, repo } = address === undefined ? {} : parseAddress(address);
  if (url === undefined || repo === undefined || rest.length > 0)
    throw new UsageError("Which repository of which server? Usage: redun repo delete URL#REPO");
  const { connect } = await import("../remote/connect.ts");
  const { client } = await connect({ url, repo, words: `--server ${url}#${repo}` });
  await client.removeRepo(repo, { force });
  output.print(`Deleted the repository ${repo} of ${url}`);
}

function unknownRepo(name: string, config: Config): UsageError {
  const names = config.below("repos");
  return new UsageError(`Unknown repo ${name}`, { hint: suggestion(name, names, "Known repos") });
}
