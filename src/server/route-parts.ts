import { createRoute, OpenAPIHono, type RouteConfig, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Backend, RecordQuery } from "../backend/backend.ts";
import type { Json } from "../value/json.ts";
import { ApiError } from "./api-error.ts";
import type { ErrorBody, Page } from "./api-types.ts";
import type { Principal } from "./directory.ts";
import type { Listeners } from "./listeners.ts";
import type { RepoHost } from "./repo-host.ts";

/** What the routes of a repository find in their context. */
export interface RepoEnv {
  readonly Variables: {
    readonly host: RepoHost;
    readonly principal: Principal;
    readonly listeners: Listeners;
  };
}

export type RepoApp = OpenAPIHono<RepoEnv>;

/** Where the routes of one repository are. */
const REPO_PATH = "/api/v1/repos/{repo}";

export const jsonSchema: z.ZodType<Json> = z.any().openapi({ description: "Any JSON" });
export const hashSchema: z.ZodType<string> = z
  .string()
  .regex(/^[0-9a-f]{40}$/)
  .openapi({ description: "40 hex digits" });
export const uuidSchema: z.ZodType<string> = z
  .string()
  .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/)
  .openapi({ description: "UUID" });
/** The beginning of an id, or all of it. */
export const idSchema: z.ZodType<string> = z
  .string()
  .regex(/^[0-9a-f-]{1,40}$/)
  .openapi({ description: "An id, or the beginning of one" });

/** Parameters of a page of a list. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(1000).default(100) as unknown as z.ZodType<number>,
  cursor: z
    .string()
    .regex(/^[0-9a-f-]{36,40}$/)
    .optional()
    .openapi({ description: "What came with the page before" }) as z.ZodType<string | undefined>,
};

export function pageSchema<T>(item: z.ZodType<T>): z.ZodType<Page<T>> {
  return z.object({ items: z.array(item), cursor: z.string().nullable() }) as unknown as z.ZodType<Page<T>>;
}

const errorSchema: z.ZodType<ErrorBody> = z
  .object({
    error: z.object({ code: z.string(), message: z.string(), hint: z.string().optional() }),
  })
  .openapi("Error") as unknown as z.ZodType<ErrorBody>;

/** The schemas of a request by where they are. */
export interface RequestParts {
  readonly params?: Readonly<Record<string, z.ZodType>>;
  readonly query?: Readonly<Record<string, z.ZodType>>;
  readonly headers?: Readonly<Record<string, z.ZodType>>;
  readonly body?: z.ZodType;
}

/** What a route takes and gives, apart from its path's `repo`. */
export interface RouteParts extends RequestParts {
  readonly summary: string;
  /** What is answered, with this status (200 by default). */
  readonly answer?: z.ZodType;
  readonly status?: number;
  readonly answerType?: string;
}

/** A route of a repository: OpenAPI's description of it, from which requests are checked. */
export function repoRoute(method: "get" | "post" | "put", path: string, parts: RouteParts): RouteConfig {
  return apiRoute(method, `${REPO_PATH}${path}`, { ...parts, params: { repo: z.string(), ...parts.params } });
}

/** A route of the API. */
export function apiRoute(
  method: "get" | "post" | "put" | "delete",
  path: string,
  { summary, params, query, headers, body, answer, status = 200, answerType }: RouteParts,
): RouteConfig {
  const content =
    answer === undefined ? {} : { content: { [answerType ?? "application/json"]: { schema: answer } } };
  return createRoute({
    method,
    path,
    summary,
    request: {
      ...(params === undefined ? {} : { params: z.object(params) }),
      ...(query === undefined ? {} : { query: z.object(query) }),
      ...(headers === undefined ? {} : { headers: z.object(headers) }),
      ...(body === undefined
        ? {}
        : { body: { required: true, content: { "application/json": { schema: body } } } }),
    },
    responses: {
      [status]: { description: "Done", ...content },
      default: { description: "Refused or failed", content: { "application/json": { schema: errorSchema } } },
    },
  });
}

/** An app whose routes refuse what their schemas don't allow. */
export function checkedApp<E extends object>(): OpenAPIHono<E> {
  return new OpenAPIHono<E>({
    defaultHook(result) {
      if (!result.success) throw invalidRequest(result.error, result.target);
    },
  });
}

/** What is wrong with a request. @param target - the part of it that the schema is of */
export function invalidRequest(error: Pick<z.ZodError, "issues">, target: string): ApiError {
  const issues = error.issues.slice(0, 5);
  const text = issues.map(({ path, message }) => `${path.join(".") || target}: ${message}`);
  return new ApiError(400, "invalid-request", `Cannot read the request: ${text.join("; ")}`, {
    hint: "GET /api/v1/openapi.json describes what is allowed.",
  });
}

/** The checked parts of a request, which schemas have typed already. */
export interface Checked<P, Q = never, B = never> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
}

export function checked<P, Q = never, B = never>(c: Context): Checked<P, Q, B> {
  const valid = (target: "param" | "query" | "json"): unknown => {
    try {
      return (c.req.valid as (target: string) => unknown)(target);
    } catch {
      return undefined;
    }
  };
  return { params: valid("param") as P, query: valid("query") as Q, body: valid("json") as B };
}

/** Finds the ids of some records, after the one that a cursor names. */
export type FindPage = (limit: number, cursor: string | undefined) => Promise<readonly string[]>;

/** Finds pages of what a query of a store means. */
export function findPages(backend: Backend, query: RecordQuery): FindPage {
  return async (limit, cursor) => {
    const after = cursor === undefined ? {} : { after: cursor };
    return (await backend.find({ ...query, limit, ...after })).map(({ id }) => id);
  };
}

/** A page of what is found, which is asked for one more than the page holds. Its cursor is the last record's id. */
export async function pageOf<T>(
  { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
  find: FindPage,
  view: (ids: readonly string[]) => Promise<readonly T[]>,
): Promise<Page<T>> {
  const found = await find(limit + 1, cursor);
  const ids = found.slice(0, limit);
  return { items: await view(ids), cursor: found.length > limit ? ids.at(-1)! : null };
}

/** @throws ApiError with status 404 for what no route answers */
export function noRoute({ req }: Context): never {
  throw new ApiError(404, "not-found", `There is no ${req.method} ${req.path}`, {
    hint: "GET /api/v1/openapi.json lists what there is.",
  });
}

/** @throws ApiError with status 404 */
export function notFound(what: string, id: string): never {
  throw new ApiError(404, "not-found", `There is no ${what} ${id} in this repository`);
}
