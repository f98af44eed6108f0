import { AsyncLocalStorage } from "node:async_hooks";
import type { DurableObjectState } from "@cloudflare/workers-types";
import isolateRuntime from "#isolate-runtime";
import { DurableObjectBackend } from "../backends/durable-object-backend.ts";
import { openDurableObject } from "../backends/durable-object-driver.ts";
import { R2ValueStore } from "../backends/r2-value-store.ts";
import type { PackageExecutor } from "../executor/executor.ts";
import type { IsolateLoader } from "../executors/isolate.ts";
import type { HostList } from "../executors/network-rules.ts";
import { WorkerLoaderExecutor } from "../executors/worker-loader-executor.ts";
import type { FileSystem } from "../file/file-system.ts";
import { R2FileSystem } from "../file-systems/r2.ts";
import { serveFileSystem } from "../file-systems/rpc.ts";
import { isolatePackage } from "../package/isolate-package.ts";
import { Directory } from "../server/directory.ts";
import type { HostedRun } from "../server/execution-types.ts";
import { HostState } from "../server/host-state.ts";
import { Listeners } from "../server/listeners.ts";
import { createRepoApp } from "../server/repo-app.ts";
import { RepoHost } from "../server/repo-host.ts";
import type { RepoApp } from "../server/route-parts.ts";
import { d1Sql } from "./d1-sql.ts";
import { EventSockets } from "./event-sockets.ts";
import { ExecutionIndex } from "./execution-index.ts";
import { logFault } from "./log.ts";
import { readSettings, type WorkerEnv, type WorkerSettings } from "./settings.ts";

/** Schemes of the files that a repository has in the bucket. */
export const FILE_SCHEMES: readonly string[] = ["r2", "file"];

/** Most jobs inside of each other: an object's memory does not hold very many, and a recursion may have no end. */
const MAX_DEPTH = 10_000;

/** Where the files are that clients send, as tasks name it. */
const UPLOADS = "r2://uploads";

/** A repository that is open in a Durable Object: its host, and what tells others how its executions go. */
export interface Repository {
  readonly host: RepoHost;
  readonly app: RepoApp;
  readonly sockets: EventSockets;
  readonly index: ExecutionIndex;
}

/** What {@link openRepository} works with. */
export interface RepositoryParts {
  readonly ctx: DurableObjectState;
  readonly env: WorkerEnv;
  readonly name: string;
  readonly files: FileSystem;
  /** Told of each change of a run, in the same turn in which it is stored. */
  readonly onRun: (run: HostedRun) => void;
}

/** The files of a repository, below a prefix of its own in the bucket. */
export function filesOf(env: WorkerEnv, name: string): FileSystem {
  return new R2FileSystem({ bucket: env.BUCKET, schemes: FILE_SCHEMES, prefix: `repos/${name}/files` });
}

/** Removes all that a repository has in the bucket. */
export async function removeObjects({ BUCKET: bucket }: WorkerEnv, name: string): Promise<void> {
  for (;;) {
    const { objects } = await bucket.list({ prefix: `repos/${name}/` });
    if (objects.length === 0) return;
    await bucket.delete(objects.map(({ key }) => key));
  }
}

/** Opens a repository, and goes on with the executions that had not ended. */
export async function openRepository(parts: RepositoryParts): Promise<Repository> {
  const { ctx, env, name, onRun } = parts;
  const { storage } = ctx;
  const settings = readSettings(env);
  const valueStore = new R2ValueStore(env.BUCKET, { prefix: `repos/${name}/values` });
  const backend = new DurableObjectBackend(storage, { valueStore });
  // The store makes its tables first, since it refuses a database that holds others only.
  await backend.load();
  const db = openDurableObject(storage, `of the repository ${name}`);
  const state = new HostState(db);
  const directory = new Directory(d1Sql(env.DB));
  const sockets = new EventSockets(ctx, state, (ids) => directory.allowedTokens(ids, name));
  const index = new ExecutionIndex({
    ...{ db, state, repo: name, directory },
    warn: (message, error) => logFault(message, error, { repo: name }),
  });
  const { maxRunning, maxQueued, limits } = settings;
  const host = new RepoHost({
    backend,
    state,
    executor: executorOf(parts, state, settings),
    executorNames: ["process", "worker"],
    limits,
    maxDepth: MAX_DEPTH,
    uploads: { ...settings, files: parts.files, folder: UPLOADS },
    maxRunning,
    maxQueued,
    sync: () => storage.sync(),
    onFault: (error) => logFault("The repository has a fault", error, { repo: name }),
    onEvents: (run) => sockets.tell(run),
    onRun(run) {
      index.note(run);
      onRun(run);
    },
  });
  const app = createRepoApp({
    host,
    listeners: new Listeners({
      ...settings,
      allowed: (ids) => directory.allowedTokens(ids, name),
      others: (tokenId) => sockets.count(tokenId),
    }),
    upgrade(c, _host, run, after) {
      const { listeners, principal } = c.var;
      listeners.checkRoom(principal);
      return sockets.accept(run, after, principal.tokenId);
    },
    onError: (error, { method, url }) =>
      logFault("Cannot answer", error, { repo: name, method, path: new URL(url).pathname }),
  });
  await host.open();
  return { host, app, sockets, index };
}

/** Where the jobs of a repository run: in isolates that reach its files, and what of the network is allowed. */
function executorOf(
  { ctx, env, files }: RepositoryParts,
  state: HostState,
  { allowNetwork, maxJobMs, turnMs }: WorkerSettings,
): PackageExecutor {
  const { IsolateOutbound } = ctx.exports as unknown as OutboundExports;
  return boundExecutor(
    new WorkerLoaderExecutor({
      loader: env.LOADER as unknown as IsolateLoader,
      runtime: isolateRuntime,
      scope: ctx.id.toString(),
      packages: async (hash) => state.package(hash),
      prepare: isolatePackage,
      files: serveFileSystem(files, FILE_SCHEMES),
      allowNetwork,
      ...(maxJobMs === undefined ? {} : { maxJobMs }),
      ...(turnMs === undefined ? {} : { turnMs }),
      ...(IsolateOutbound === undefined
        ? {}
        : { outbound: (lists: readonly HostList[]) => IsolateOutbound({ props: { lists } }) }),
    }),
  );
}

/** The Worker's own exports, by which one makes services. */
interface OutboundExports {
  readonly IsolateOutbound?: (options: {
    readonly props: { readonly lists: readonly HostList[] };
  }) => unknown;
}

/** What an isolate asks for comes as a call of its own, and has to find the repository whose job it is about. */
function boundExecutor(executor: WorkerLoaderExecutor): PackageExecutor {
  return {
    name: executor.name,
    invoke: (call) => executor.invoke(call),
    invokes: (task) => executor.invokes(task),
    describe: (hash) => executor.describe(hash),
    close: () => executor.close(),
    run(spec, context) {
      const evaluate = context.evaluate?.bind(context);
      return executor.run(spec, {
        signal: context.signal,
        log: AsyncLocalStorage.bind((line: string) => context.log(line)),
        ...(evaluate === undefined ? {} : { evaluate: AsyncLocalStorage.bind(evaluate) }),
      });
    },
  };
}
