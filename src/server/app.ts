import { OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { cors } from "hono/cors";
import { secureHeaders } from "hono/secure-headers";
import { ApiError } from "./api-error.ts";
import type { Health, Me, SignedIn } from "./api-types.ts";
import { type AppEnv, authenticate, noRepo, requireRepo, requireRole, signIn, signOut } from "./auth.ts";
import {
  DEFAULT_REPO,
  type Directory,
  mayUse,
  type NewToken,
  type Principal,
  REPO_NAME,
  ROLES,
  type Role,
} from "./directory.ts";
import { errorAnswer } from "./error-answer.ts";
import { FILE_PATH } from "./file-routes.ts";
import { addRepoRoutes, setPrincipal } from "./repo-app.ts";
import { apiRoute, checked, checkedApp, noRoute, pageQuery, type RepoApp } from "./route-parts.ts";

/** A line of the log of requests. It holds no secret: neither tokens nor bodies nor queries. */
export interface RequestLog {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly method: string;
  /** As it was sent, percent-encoded. */
  readonly path: string;
  readonly status: number;
  /** Milliseconds until the answer began. */
  readonly duration: number;
  /** Name of the token, if one was recognised. */
  readonly user: string | undefined;
  readonly error?: string;
}

/** Options of {@link createApp}. */
export interface AppOptions {
  readonly directory: Directory;
  /** Has the repository answer a request, which was found to be allowed. */
  readonly repo: (name: string, request: Request, env: unknown) => Response | Promise<Response>;
  /**
   * Removes a repository with all that it has, and takes it off the directory's list. One that is not there is no error,
   * so that a removal that broke off can be done again.
   *
   * @param force - whether executions that have not ended are cancelled; otherwise they prevent it
   */
  readonly removeRepo: (name: string, force: boolean) => Promise<void>;
  readonly version: string;
  /** Answers what is not of the API, such as the files of the web app. */
  readonly assets?: ((request: Request) => Response | undefined | Promise<Response | undefined>) | undefined;
  /** What failed attempts are counted by. Default: the header `CF-Connecting-IP`, or all clients together. */
  readonly clientOf?: ((c: Context) => string) | undefined;
  /** Origin at which browsers find the instance, if a proxy makes it another than the one that requests arrive at. */
  readonly publicOrigin?: string | undefined;
  /** Origins of other sites that may use the API from a browser, with tokens. Default: none. */
  readonly corsOrigins?: readonly string[] | undefined;
  /** Largest body of a request, in bytes. Default 32 MiB. */
  readonly maxBody?: number | undefined;
  readonly log?: ((line: RequestLog) => void) | undefined;
}

const API = "/api/v1";
const MAX_BODY = 32 * 1024 * 1024;
/** Largest body of a request without a token, in bytes. */
const MAX_OPEN_BODY = 4096;
/** Requests that change nothing though they are not GET. */
const READS = /\/(sync\/missing|sync\/reachable|query\/\w+)$/;

const roleSchema: z.ZodType<Role> = z.enum(ROLES);
const tokenSchema = z.looseObject({ id: z.string(), name: z.string(), role: roleSchema }).openapi("Token");
const meShape = { name: z.string(), role: roleSchema, repos: z.array(z.string()).nullable() };
const meSchema: z.ZodType<Me> = z.object(meShape).openapi("Me");
const signedInSchema: z.ZodType<SignedIn> = z.object({ ...meShape, key: z.string() }).openapi("SignedIn");
const repoSchema = z.object({ name: z.string(), created: z.number() }).openapi("Repo");

/**
 * The HTTP API of a hosted instance: finds out who asks and whether they may, and has the repository answer.
 *
 * @example
 * ```ts
 * import { createApp, Directory } from "redun/server";
 *
 * declare const directory: Directory;
 * declare const answer: (repo: string, request: Request) => Promise<Response>;
 * declare const remove: (repo: string, force: boolean) => Promise<void>;
 * const app = createApp({ directory, repo: answer, removeRepo: remove, version: "1.0.0" });
 * const response = await app.fetch(new Request("http://localhost/api/v1/health"));
 * ```
 */
export function createApp(options: AppOptions): OpenAPIHono<AppEnv> {
  const { directory, corsOrigins = [], log, maxBody = MAX_BODY } = options;
  const clientOf = options.clientOf ?? ((c: Context) => c.req.header("cf-connecting-ip") ?? "all");
  const auth = { directory, clientOf, publicOrigin: options.publicOrigin };
  const app = checkedApp<AppEnv>();
  const faults = new WeakMap<Request, string>();

  app.use(async (c, next) => {
    const start = Date.now();
    await next();
    if (log === undefined) return;
    const error = faults.get(c.req.raw);
    log({
      time: start,
      method: c.req.method,
      path: new URL(c.req.url).pathname,
      status: c.res.status,
      duration: Date.now() - start,
      user: (c.var as { principal?: Principal }).principal?.name,
      ...(error === undefined ? {} : { error }),
    });
  });
  app.use(
    `${API}/*`,
    secureHeaders({ contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } }),
  );
  app.use(`${API}/*`, async (c, next) => {
    await next();
    if (!c.res.headers.has("Cache-Control")) c.res.headers.set("Cache-Control", "no-store");
  });
  if (corsOrigins.length > 0) {
    const headers = ["Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID", "Range"];
    const exposeHeaders = ["Retry-After"];
    app.use(
      `${API}/*`,
      cors({ origin: [...corsOrigins], allowHeaders: headers, exposeHeaders, maxAge: 600 }),
    );
  }
  app.onError(errorAnswer((error, request) => faults.set(request, faultText(error))));

  addOpenRoutes(app, options, auth);
  app.use(`${API}/*`, authenticate(auth));
  const limited = limitBody(maxBody);
  // Files are not held in memory, and have a limit of their own.
  app.use(`${API}/*`, (c, next) => (isFile(c) ? next() : limited(c, next)));
  addOwnRoutes(app, options);
  addTokenRoutes(app, directory);
  app.all(`${API}/repos/:repo/*`, async (c) => {
    const { repo } = c.req.param();
    const { principal } = c.var;
    requireRepo(principal, repo);
    const reads = ["GET", "HEAD"].includes(c.req.method) || READS.test(c.req.path);
    requireRole(principal, reads ? "viewer" : "runner");
    if (!(await directory.hasRepo(repo))) throw noRepo(repo);
    const request = new Request(c.req.raw);
    request.headers.delete("authorization");
    request.headers.delete("cookie");
    setPrincipal(request.headers, principal, repo);
    return options.repo(repo, request, c.env);
  });
  app.all(`${API}/*`, noRoute);
  app.get("*", async (c) => (await options.assets?.(c.req.raw)) ?? c.notFound());
  return app;
}

function limitBody(maxSize: number): MiddlewareHandler {
  return bodyLimit({
    maxSize,
    onError: () => {
      const message = `Cannot read the request: its body is larger than ${maxSize} bytes`;
      throw new ApiError(413, "too-large", message);
    },
  });
}

const isFile = (c: Context): boolean => c.req.method === "PUT" && FILE_PATH.test(c.req.path);

function faultText(error: unknown): string {
  return error instanceof Error ? (error.stack ?? String(error)) : String(error);
}

type App = OpenAPIHono<AppEnv>;
type Auth = Parameters<typeof authenticate>[0];

/** Routes that take no token. */
function addOpenRoutes(app: App, { version }: AppOptions, auth: Auth): void {
  const healthSchema: z.ZodType<Health> = z.object({
    status: z.literal("ok"),
    version: z.string(),
    api: z.literal(1),
  });
  app.openapi(
    apiRoute("get", `${API}/health`, { summary: "Status and versions", answer: healthSchema }),
    (c) => c.json({ status: "ok", version, api: 1 }, 200),
  );
  let description: unknown;
  app.get(`${API}/openapi.json`, (c) => {
    description ??= describeApi(app, version);
    return c.json(description as Record<string, never>);
  });
  // Whoever has no token yet has no more to say.
  app.use(`${API}/session`, limitBody(MAX_OPEN_BODY));
  app.openapi(
    apiRoute("post", `${API}/session`, {
      summary:
        "Sign in with a token; the answer sets a cookie, which counts with the key in X-Redun-Session only",
      body: z.strictObject({ token: z.string().max(200) }),
      answer: signedInSchema,
    }),
    async (c) => {
      const { token } = checked<never, never, { token: string }>(c).body;
      const { principal, key } = await signIn(c, auth, token);
      return c.json({ ...meOf(principal), key }, 200);
    },
  );
  app.openapi(apiRoute("delete", `${API}/session`, { summary: "Sign out", status: 204 }), async (c) => {
    await signOut(c, auth);
    return c.body(null, 204);
  });
}

const meOf = ({ name, role, repos }: Principal): Me => ({ name, role, repos });

function addOwnRoutes(app: App, { directory, removeRepo }: AppOptions): void {
  app.openapi(apiRoute("get", `${API}/me`, { summary: "Who the token is for", answer: meSchema }), (c) =>
    c.json(meOf(c.var.principal), 200),
  );
  app.openapi(
    apiRoute("get", `${API}/repos`, {
      summary: "List the repositories that the token may use",
      answer: z.object({ items: z.array(repoSchema) }),
    }),
    async (c) => {
      const repos = (await directory.listRepos()).filter(({ name }) => mayUse(c.var.principal, name));
      return c.json({ items: repos }, 200);
    },
  );
  app.openapi(
    apiRoute("post", `${API}/repos`, {
      summary: "Create a repository",
      body: z.strictObject({ name: z.string().max(100) }),
      status: 201,
      answer: z.object({ name: z.string() }),
    }),
    async (c) => {
      const { name } = checked<never, never, { name: string }>(c).body;
      requireRole(c.var.principal, "admin");
      requireRepo(c.var.principal, name);
      if (!(await directory.createRepo(name)))
        throw new ApiError(409, "repo-exists", `Cannot create the repository ${name}: there is one already`);
      return c.json({ name }, 201);
    },
  );
  app.openapi(
    apiRoute("delete", `${API}/repos/{repo}`, {
      summary:
        "Remove a repository for good: executions, records, values, files that were sent, code packages",
      params: { repo: z.string() },
      query: {
        force: z.enum(["true", "false"]).optional().openapi({
          description: "Whether executions that have not ended are cancelled; else they prevent it",
        }),
      },
      status: 204,
    }),
    async (c) => {
      const { params, query } = checked<{ repo: string }, { force?: string }>(c);
      const { repo } = params;
      requireRole(c.var.principal, "admin");
      requireRepo(c.var.principal, repo);
      if (!REPO_NAME.test(repo)) throw noRepo(repo);
      if (repo === DEFAULT_REPO)
        throw new ApiError(
          409,
          "default-repo",
          `Cannot remove the repository ${repo}: every instance has it`,
        );
      await removeRepo(repo, query.force === "true");
      return c.body(null, 204);
    },
  );
  app.openapi(
    apiRoute("get", `${API}/executions`, {
      summary: "List executions of all repositories that the token may use, newest first",
      query: {
        limit: pageQuery.limit,
        status: z.string().max(20).optional(),
        cursor: z
          .string()
          .regex(/^\d{1,15} [0-9a-f-]{1,40}$/)
          .optional(),
      },
      answer: z.object({ items: z.array(z.looseObject({})), cursor: z.string().nullable() }),
    }),
    async (c) => {
      const { limit, status, cursor } = checked<never, { limit: number; status?: string; cursor?: string }>(
        c,
      ).query;
      const [created, id] = cursor?.split(" ") ?? [];
      const after = id === undefined ? undefined : { created: Number(created), id };
      const { repos } = c.var.principal;
      const items = await directory.listExecutions({ repos, status, limit, after });
      const last = items.length < limit ? undefined : items.at(-1);
      return c.json(
        { items: items as never, cursor: last === undefined ? null : `${last.created} ${last.id}` },
        200,
      );
    },
  );
}

function addTokenRoutes(app: App, directory: Directory): void {
  app.use(`${API}/tokens/*`, async (c, next) => {
    requireRole(c.var.principal, "admin");
    await next();
  });
  app.openapi(
    apiRoute("get", `${API}/tokens`, {
      summary: "List tokens, without their secrets",
      answer: z.object({ items: z.array(tokenSchema) }),
    }),
    async (c) => {
      requireRole(c.var.principal, "admin");
      const tokens = (await directory.listTokens()).filter((token) => covers(c.var.principal, token.repos));
      return c.json({ items: tokens as never }, 200);
    },
  );
  app.openapi(
    apiRoute("post", `${API}/tokens`, {
      summary: "Create a token; its text is shown this once",
      body: z.strictObject({
        name: z.string().min(1).max(100),
        role: roleSchema,
        repos: z.array(z.string().max(100)).max(1000).nullable().optional(),
        expires: z.number().int().positive().nullable().optional(),
      }),
      status: 201,
      answer: z.object({ token: z.string(), info: tokenSchema }),
    }),
    async (c) => {
      const { body } = checked<never, never, NewToken>(c);
      requireRole(c.var.principal, "admin");
      if (!covers(c.var.principal, body.repos ?? null)) {
        throw new ApiError(
          403,
          "forbidden",
          "Cannot create a token for repositories that one's own is not for",
        );
      }
      return c.json((await directory.createToken(body)) as never, 201);
    },
  );
  app.openapi(
    apiRoute("delete", `${API}/tokens/{id}`, {
      summary: "Take a token back, with its sessions",
      params: { id: z.string().regex(/^[0-9a-f]{16}$/) },
      status: 204,
    }),
    async (c) => {
      const { id } = checked<{ id: string }>(c).params;
      const token = (await directory.listTokens()).find((one) => one.id === id);
      if (token === undefined || !covers(c.var.principal, token.repos) || !(await directory.revokeToken(id)))
        throw new ApiError(404, "not-found", `There is no token ${id}`);
      return c.body(null, 204);
    },
  );
}

/** Whether an administrator of some repositories may deal with a token for others. */
function covers({ repos }: Principal, others: readonly string[] | null): boolean {
  return repos === null || (others?.every((repo) => repos.includes(repo)) ?? false);
}

/** The OpenAPI document of the whole API. */
function describeApi(app: App, version: string): unknown {
  const all = new OpenAPIHono();
  all.route("/", app as unknown as OpenAPIHono);
  addRepoRoutes(all as unknown as RepoApp);
  all.openAPIRegistry.registerComponent("securitySchemes", "token", { type: "http", scheme: "bearer" });
  return all.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "redun",
      version,
      description: "A hosted instance of redun: workflows, their runs and provenance.",
    },
    security: [{ token: [] }],
  });
}
