import { type Client, createClient, type RepoClient, ServerError } from "../../server/client.ts";
import { RemoteBackend } from "../../server/remote-backend.ts";
import { RedunClientError, suggestion } from "../client-error.ts";
import type { ServerTarget } from "./target.ts";
import { tokenFor } from "./tokens.ts";

/** A repository on a server that has answered. */
export interface Connection {
  readonly target: ServerTarget;
  readonly client: Client;
  readonly repo: RepoClient;
  readonly records: RemoteBackend;
}

/** So often is a server asked whether it is there: somebody waits for the answer. */
const TRIES = 2;

/**
 * Asks a server whether it is one, and whether it lets one in.
 *
 * @throws RedunClientError if it does not, which says what to do
 */
export async function connect(target: ServerTarget): Promise<Connection> {
  const token = tokenFor(target.url);
  const client = createClient(target.url, { token });
  const repo = client.repo(target.repo);
  const records = new RemoteBackend(repo);
  // Both at once; of an address that is no server's, the first answer says more.
  const loading = token === undefined ? undefined : records.load().then(undefined, (error: unknown) => error);
  await checkServer(client);
  if (loading === undefined) {
    throw new RedunClientError(`Cannot use the server ${target.url}: there is no token for it`, {
      hint: `Sign in with: redun login ${target.url}`,
    });
  }
  const error = await loading;
  if (error !== undefined) throw await explain(error, client, target);
  return { target, client, repo, records };
}

/** @throws RedunClientError if it is no server that this version can talk to */
export async function checkServer(client: Client): Promise<void> {
  const { api, status, version } = await client.health({ tries: TRIES });
  if (status === "ok" && api === 1) return;
  if (status !== "ok" || typeof api !== "number") {
    throw new RedunClientError(`Cannot use ${client.url}: it is not a redun server`, {
      hint: "Check the address.",
    });
  }
  throw new RedunClientError(
    `Cannot use the server ${client.url}: it has version ${api} of the API (redun ${version}), and this redun version 1`,
    { hint: "Use a redun of the server's version." },
  );
}

/** What a server's refusal means to somebody at a command line. */
async function explain(error: unknown, client: Client, { url, repo }: ServerTarget): Promise<unknown> {
  if (!(error instanceof ServerError)) return error;
  if (error.code === "unauthorized") {
    const fromEnvironment = Boolean(process.env.REDUN_TOKEN);
    return new RedunClientError(`Cannot use the server ${url}: the token is unknown or over`, {
      hint: fromEnvironment ? "It is the one in REDUN_TOKEN." : `Sign in again with: redun login ${url}`,
      cause: error,
    });
  }
  if (error.code === "unknown-repo") {
    const names = (await client.repos()).map(({ name }) => name);
    return new RedunClientError(`Cannot use the repository ${repo}: ${url} has none of that name`, {
      hint: suggestion(repo, names, "Those that the token may use"),
      cause: error,
    });
  }
  return error;
}
