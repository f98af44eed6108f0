import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { serve, upgradeWebSocket } from "@hono/node-server";
import { getConnInfo } from "@hono/node-server/conninfo";
import type { WSContext } from "hono/ws";
import { type WebSocket, WebSocketServer } from "ws";
import { registerHttpFileSystem } from "../../file-systems/http.ts";
import { ApiError, answerOf } from "../../server/api-error.ts";
import { createApp, type RequestLog } from "../../server/app.ts";
import type { UpgradeEvents } from "../../server/execution-routes.ts";
import { Listeners } from "../../server/listeners.ts";
import { createRepoApp } from "../../server/repo-app.ts";
import type { RepoHost } from "../../server/repo-host.ts";
import type { RepoApp } from "../../server/route-parts.ts";
import { isLoopback } from "../../util/loopback.ts";
import { RedunClientError, UsageError } from "../client-error.ts";
import type { Config } from "../config.ts";
import { registerFileSystems } from "../runtime.ts";
import { publicFetch } from "./public-fetch.ts";
import { openDirectory, Repositories } from "./repositories.ts";
import { readServerSettings } from "./server-settings.ts";
import { staticAssets } from "./static-assets.ts";

/** Options of {@link startServer}. */
export interface ServerOptions {
  /** The configuration's folder, which holds all that the server keeps. */
  readonly dir: string;
  readonly config: Config;
  readonly version: string;
  /** Address to listen on. Default `127.0.0.1`. */
  readonly host?: string | undefined;
  /** Default 8787; 0 takes a free one. */
  readonly port?: number | undefined;
  /** Address at which others find the server, such as that of a proxy in front of it. */
  readonly publicUrl?: string | undefined;
  /** The built web app. */
  readonly assets?: string | undefined;
  readonly corsOrigins?: readonly string[] | undefined;
  /** Most functions that compute at once. Default: as many as the machine has processors. */
  readonly maxWorkers?: number | undefined;
  readonly log?: ((line: RequestLog) => void) | undefined;
  readonly warn: (message: string) => void;
}

/** A server that runs. */
export interface RunningServer {
  readonly url: string;
  /** Where others find it. */
  readonly publicUrl: string;
  /** A token of an administrator, if there was no token before. */
  readonly firstToken: string | undefined;
  close(): Promise<void>;
}

/**
 * Serves the API and the app on this machine.
 *
 * @throws RedunClientError if another server has the folder open, or nobody can listen at the address
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { dir, config, version, host = "127.0.0.1", port = 8787, log, warn } = options;
  const settings = readServerSettings(config);
  const publicOrigin = originOf(options.publicUrl);
  const { directory, db } = await openDirectory(dir);
  // The scheduler looks at the files that tasks are given and return.
  registerFileSystems();
  registerHttpFileSystem({ fetch: publicFetch(settings) });
  const { maxWorkers } = options;
  const repositories = new Repositories({ dir, config, settings, directory, maxWorkers, warn });
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 64 * 1024 });
  const upgrade = upgradeEvents(warn);
  const onError = (error: unknown): void => warn(faultText(error));
  let server: Server | undefined;
  try {
    await repositories.openAll();
    const apps = new WeakMap<RepoHost, RepoApp>();
    const app = createApp({
      directory,
      version,
      corsOrigins: [...(options.corsOrigins ?? []), ...settings.corsOrigins],
      maxBody: settings.maxBody,
      log,
      publicOrigin,
      clientOf: (c) => getConnInfo(c).remote.address ?? "unknown",
      assets: options.assets === undefined ? undefined : staticAssets(options.assets),
      async repo(name, request, env) {
        const host = await repositories.host(name).catch((error: unknown) => {
          if (!(error instanceof ApiError)) onError(error);
          throw error;
        });
        let repo = apps.get(host);
        if (repo === undefined) {
          const allowed = (ids: readonly string[]): Promise<Set<string>> =>
            directory.allowedTokens(ids, name);
          const listeners = new Listeners({ ...settings, allowed });
          repo = createRepoApp({ host, listeners, upgrade, onError });
          apps.set(host, repo);
        }
        return repo.fetch(request, env as object);
      },
      removeRepo: (name, force) => repositories.remove(name, force),
    });
    const isLocal = isLoopback(host) || host === "::1";
    const publicHost = publicOrigin === undefined ? undefined : new URL(publicOrigin).hostname;
    server = await listen(host, port, sockets, (request, env) => {
      const { hostname } = new URL(request.url);
      const isKnown = !isLocal || isLoopback(hostname) || hostname === publicHost;
      return isKnown ? app.fetch(request, env) : otherHost();
    });
  } catch (error) {
    await repositories.close();
    db.close();
    throw error;
  }
  const running = server;
  const tokens = await directory.listTokens();
  const first = tokens.length > 0 ? undefined : await directory.createToken({ name: "admin", role: "admin" });
  const { port: actual } = running.address() as AddressInfo;
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${actual}`;
  return {
    url,
    publicUrl: publicOrigin ?? url,
    firstToken: first?.token,
    async close() {
      const closed = new Promise<void>((resolve) => running.close(() => resolve()));
      running.closeAllConnections();
      // Connections that were upgraded are not among those.
      for (const socket of sockets.clients) socket.terminate();
      await repositories.close();
      await closed;
      db.close();
    },
  };
}

/** @throws UsageError if it is not the address of a site as a whole */
function originOf(url: string | undefined): string | undefined {
  if (url === undefined) return undefined;
  const { origin, href } = URL.canParse(url) ? new URL(url) : { origin: "null", href: "" };
  if (/^https?:/.test(origin) && href === `${origin}/`) return origin;
  throw new UsageError(`--public-url must be like https://redun.example.org, not ${url}`, {
    hint: "The server has a host name of its own; it can't be below a path.",
  });
}

const faultText = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? String(error)) : String(error);

type Answer = (request: Request, env: object) => Response | Promise<Response>;

/** Milliseconds until a request has to be here. Files may be large, and their senders slow. */
const REQUEST_TIMEOUT = 24 * 3_600_000;

function listen(host: string, port: number, sockets: WebSocketServer, answer: Answer): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = serve(
      { fetch: answer as never, hostname: host, port, websocket: { server: sockets } } as Parameters<
        typeof serve
      >[0],
      () => resolve(server),
    ) as Server;
    server.requestTimeout = REQUEST_TIMEOUT;
    server.on("error", (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)));
  });
}

/** By codes of the system: why nobody can listen at an address, and what to do. */
const LISTEN_FAULTS: Readonly<Record<string, readonly [state: string, hint: string]>> = {
  EADDRINUSE: ["the port is in use", "Name another one with --port; --port 0 takes a free one."],
  EACCES: ["this user may not use the port", "Name one above 1023 with --port."],
  EADDRNOTAVAIL: ["this machine does not have the address", "Name one that it has with --host."],
  ENOTFOUND: ["the name of the host is unknown", "Name an address of this machine with --host."],
};

function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const fault = LISTEN_FAULTS[error.code ?? ""];
  if (fault === undefined) return error;
  const [state, hint] = fault;
  return new RedunClientError(`Cannot listen on ${host}, port ${port}: ${state}`, { hint, cause: error });
}

/** Another site's name may be made to lead to this machine, so that its pages reach what listens only here. */
function otherHost(): Response {
  const error = new ApiError(403, "wrong-host", "Cannot answer: this server is for this machine alone", {
    hint: "Use http://127.0.0.1, or start the server with --public-url URL, or with --host.",
  });
  const { status, body } = answerOf(error);
  return Response.json(body, { status });
}

/** More bytes than these wait for a slow reader; meanwhile it gets no more. */
const MOST_BUFFERED = 4_000_000;
/** Milliseconds between questions to a listener whether it is there. */
const BEAT = 15_000;
/** A listener that has not answered so many of them is cut off. */
const MOST_UNANSWERED = 8;

/** Sends events over a WebSocket, each as a message of JSON. @param warn - told why one was cut off */
function upgradeEvents(warn: (message: string) => void): UpgradeEvents {
  return async (c, host, run, after) => {
    const { listeners, principal } = c.var;
    listeners.checkRoom(principal);
    const upgrade = upgradeWebSocket(() => ({
      onOpen(_event, socket) {
        const { raw } = socket as WSContext<WebSocket>;
        const leave = listeners.add(principal, () => raw!.close(1008, "the token was taken back"));
        raw!.on("close", leave);
        sendEvents(raw!, host, run, after).catch((error) =>
          warn(`Cannot send the events of ${run}: ${faultText(error)}`),
        );
      },
    }));
    return (await upgrade(c as never, async () => {})) as Response;
  };
}

async function sendEvents(raw: WebSocket, host: RepoHost, run: string, after: number): Promise<void> {
  const ended = new AbortController();
  raw.on("close", () => ended.abort());
  let unanswered = 0;
  raw.on("pong", () => {
    unanswered = 0;
  });
  const beat = setInterval(() => {
    if (unanswered++ < MOST_UNANSWERED) raw.ping();
    else raw.terminate();
  }, BEAT);
  try {
    for await (const events of host.follow(run, after, ended.signal)) {
      for (const event of events) raw.send(JSON.stringify(event));
      while (raw.bufferedAmount > MOST_BUFFERED && !ended.signal.aborted)
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
    raw.close(1000);
  } catch (error) {
    raw.close(1011, "the server failed");
    throw error;
  } finally {
    clearInterval(beat);
  }
}
