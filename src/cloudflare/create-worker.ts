import { ApiError, type ErrorBody, type ErrorStatus } from "../server/api-error.ts";
import { createApp } from "../server/app.ts";
import { DEFAULT_REPO, Directory } from "../server/directory.ts";
import { errorResponse } from "../server/error-answer.ts";
import { d1Sql } from "./d1-sql.ts";
import { logFault, logLine } from "./log.ts";
import { REMOVE } from "./repo-object.ts";
import { readSettings, type WorkerEnv } from "./settings.ts";
import { staticAssets } from "./static-assets.ts";

/** Options of {@link createWorker}. What an operator may want to change is in the variables of {@link WorkerEnv}. */
export interface WorkerOptions {
  /** What `GET /health` tells. */
  readonly version: string;
  /** Whether each request is logged. Default true. */
  readonly logRequests?: boolean | undefined;
}

/** The default export of a Worker. */
export interface HostedWorker {
  fetch(request: Request, env: WorkerEnv): Promise<Response>;
}

type Fetch = (request: Request) => Response | Promise<Response>;

/**
 * The Worker of a hosted instance: finds out who asks and whether they may, has the repository's object answer, and serves
 * the web app.
 *
 * @example The whole Worker
 * ```ts
 * import { createWorker } from "redun/cloudflare";
 *
 * export { IsolateOutbound, RepoObject } from "redun/cloudflare";
 * export default createWorker({ version: "1.0.0" });
 * ```
 */
export function createWorker(options: WorkerOptions): HostedWorker {
  const apps = new WeakMap<WorkerEnv, Fetch>();
  return {
    async fetch(request, env) {
      let app = apps.get(env);
      if (app === undefined) {
        try {
          app = await openApp(env, options);
        } catch (error) {
          logFault("Cannot open the instance", error);
          return errorResponse(error);
        }
        apps.set(env, app);
      }
      return await app(request);
    },
  };
}

/** Each request opens the app by itself until one has: what one request waits for, another can't. */
async function openApp(env: WorkerEnv, { version, logRequests = true }: WorkerOptions): Promise<Fetch> {
  const { corsOrigins, maxBody } = readSettings(env);
  const directory = new Directory(d1Sql(env.DB));
  await directory.load();
  await directory.createRepo(DEFAULT_REPO);
  const app = createApp({
    directory,
    version,
    corsOrigins,
    maxBody,
    repo: (name, request) => askRepository(env, name, request),
    removeRepo: (name, force) => removeRepository(env, name, force),
    assets: env.ASSETS === undefined ? undefined : staticAssets(env.ASSETS),
    log: logRequests ? (line) => logLine({ ...line }) : undefined,
  });
  return (request) => app.fetch(request);
}

async function removeRepository(env: WorkerEnv, name: string, force: boolean): Promise<void> {
  const response = await askRepository(
    env,
    name,
    new Request(`${REMOVE}?force=${force}`, { method: "POST" }),
  );
  if (response.ok) return;
  const { error } = (await response.json()) as ErrorBody;
  throw new ApiError(response.status as ErrorStatus, error.code, error.message, error);
}

async function askRepository(env: WorkerEnv, name: string, request: Request): Promise<Response> {
  const stub = env.REPOS.get(env.REPOS.idFromName(name));
  try {
    const response = (await stub.fetch(request as never)) as unknown as Response;
    // The headers of an answer that comes from elsewhere can't be added to.
    return new Response(response.body, response);
  } catch (error) {
    // The object was moved, replaced by a new version, or has too much to do.
    logFault("Cannot reach the repository", error, { repo: name });
    throw new ApiError(503, "unavailable", `Cannot reach the repository ${name} at the moment`, {
      hint: "Try again.",
      retryAfter: 1,
      cause: error,
    });
  }
}
