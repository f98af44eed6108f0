import type { Backend } from "../../backend/backend.ts";
import { type Cli, type NamedRepo, namedRepo, openRepoConfig } from "../cli.ts";
import { UsageError } from "../client-error.ts";
import { openStore } from "../store.ts";
import { DEFAULT_REPO, formatAddress, parseAddress } from "./address.ts";

/** The repository on a server that a command works on. */
export interface ServerTarget {
  readonly url: string;
  readonly repo: string;
  /** What says so on a command line, such as `--server https://host`. */
  readonly words: string;
}

/** Options by which a command is told of a server. */
export interface ServerOptions {
  readonly server?: string;
  readonly serverRepo?: string;
}

/**
 * The server that a command is to work on: by `--server`, else by `-r` if it names a repository on one, else by
 * `REDUN_SERVER`. Without any, the command works on this machine.
 *
 * @param options - those of the command itself, which may be given before it too
 */
export function serverTarget(cli: Cli, options: ServerOptions = {}): ServerTarget | undefined {
  const { globals } = cli;
  const server = options.server ?? globals.server;
  const serverRepo = options.serverRepo ?? globals.serverRepo;
  if (server !== undefined && globals.repo !== undefined)
    throw new UsageError("Cannot use both --repo and --server: each names a repository");
  if (server === undefined && globals.repo !== undefined) {
    const named = namedRepo(cli, globals.repo);
    return named.server === undefined ? undefined : targetOfRepo(globals.repo, named, serverRepo);
  }
  const address = server ?? process.env.REDUN_SERVER;
  if (!address) {
    if (serverRepo === undefined) return undefined;
    throw new UsageError("Cannot use --server-repo without a server", { hint: "Name it with --server URL." });
  }
  return targetOfAddress(address, serverRepo);
}

/** The repository that an address means. */
export function targetOfAddress(address: string, serverRepo?: string): ServerTarget {
  const { url, repo: named } = parseAddress(address);
  if (named !== undefined && serverRepo !== undefined && named !== serverRepo)
    throw new UsageError(`Cannot use the repositories ${named} and ${serverRepo} at once`);
  const repo = serverRepo ?? named ?? DEFAULT_REPO;
  return { url, repo, words: `--server ${formatAddress({ url, repo })}` };
}

/** The repository on a server that the configuration gives a name. */
export function targetOfRepo(
  name: string,
  { server, repo }: NamedRepo,
  serverRepo: string | undefined = repo,
): ServerTarget {
  const { url, repo: inAddress } = parseAddress(server!, repo === undefined);
  return { url, repo: serverRepo ?? inAddress ?? DEFAULT_REPO, words: `--repo ${name}` };
}

/** The options of a server, where a command has none of its own. */
export function refuseServer(cli: Cli, what: string, options: ServerOptions = {}): void {
  const target = serverTarget(cli, options);
  if (target === undefined) return;
  throw new UsageError(`Cannot ${what} on the server ${target.url}`, {
    hint: "It is done where the server runs, by whoever runs it.",
  });
}

/** Opens the records that a command reads, on this machine or on a server. The caller closes them. */
export async function openRecords(
  cli: Cli,
  options: ServerOptions,
  { migrate }: { readonly migrate: boolean },
): Promise<Backend> {
  const target = serverTarget(cli, options);
  if (target === undefined) return openStore(openRepoConfig(cli).config, { migrate });
  const { connect } = await import("./connect.ts");
  return (await connect(target)).records;
}
