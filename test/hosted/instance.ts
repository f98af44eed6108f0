import { env as bindings } from "cloudflare:workers";
import pkg from "package:basics";
import type { DurableObjectStub, WebSocket as Socket } from "@cloudflare/workers-types";
import { createWorker, d1Sql, type WorkerEnv } from "../../src/cloudflare.ts";
import { createClient, Directory, type ExecutionEvent, type RepoClient } from "../../src/server.ts";

export const env: WorkerEnv = bindings as unknown as WorkerEnv;

/** The directory of the instance, as the instance itself has it. */
export const directory: Directory = new Directory(d1Sql(env.DB));

const worker = createWorker({ version: "test", logRequests: false });

/** A repository that nobody used before, with the token of an administrator and the package `basics`. */
export interface TestRepo {
  readonly name: string;
  readonly token: string;
  readonly repo: RepoClient;
  readonly stub: DurableObjectStub;
  /** Sends a request to the instance. */
  send(path: string, init?: RequestInit): Promise<Response>;
  /** Starts a task of the package. */
  start(task: string, args: readonly unknown[]): Promise<string>;
}

export async function newRepo(): Promise<TestRepo> {
  await directory.load();
  const name = `test-${crypto.randomUUID()}`;
  await directory.createRepo(name);
  const { token } = await directory.createToken({ name: "test", role: "admin" });
  const answer: typeof fetch = async (input, init) => {
    const response = await worker.fetch(new Request(input as string, init), env);
    // An answer that nobody reads would keep the object awake.
    return response.status === 101 ? response : new Response(await response.arrayBuffer(), response);
  };
  const repo = createClient("http://localhost", { token, fetch: answer }).repo(name);
  await repo.putPackage(pkg);
  return {
    ...{ name, token, repo },
    // Anew each time, since one is of no use any more when its object has crashed.
    get stub() {
      return env.REPOS.get(env.REPOS.idFromName(name));
    },
    send: (path, init = {}) =>
      answer(`http://localhost/api/v1/repos/${name}${path}`, {
        ...init,
        headers: { Authorization: `Bearer ${token}`, ...init.headers },
      }),
    start: (task, args) => repo.start({ package: pkg.hash, task, args: args as never }),
  };
}

/** A socket with what came on it. */
export interface Listener {
  readonly socket: Socket;
  readonly events: ExecutionEvent[];
  readonly texts: string[];
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
}

/** Opens a socket for the events of a run, and listens to it. */
export async function listen(repo: TestRepo, id: string, after = 0): Promise<Listener> {
  return hear(await openSocket(repo, id, after));
}

/** Opens a socket for the events of a run, from which nothing is read yet. */
export async function openSocket(repo: TestRepo, id: string, after = 0): Promise<Socket> {
  const response = await repo.send(`/executions/${id}/events?after=${after}`, {
    headers: { Upgrade: "websocket" },
  });
  const { webSocket: socket } = response as unknown as { readonly webSocket: Socket | null };
  if (socket === null) throw new Error(`There is no socket: ${response.status} ${await response.text()}`);
  return socket;
}

/** Listens to a socket. */
export function hear(socket: Socket): Listener {
  const [events, texts]: [ExecutionEvent[], string[]] = [[], []];
  const closed = Promise.withResolvers<{ code: number; reason: string }>();
  socket.addEventListener("message", ({ data }) => {
    const text = String(data);
    if (text.startsWith("{")) events.push(JSON.parse(text) as ExecutionEvent);
    else texts.push(text);
  });
  socket.addEventListener("close", ({ code, reason }) => closed.resolve({ code, reason }));
  socket.accept();
  return { socket, events, texts, closed: closed.promise };
}
