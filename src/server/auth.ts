import type { Context, MiddlewareHandler } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { ApiError } from "./api-error.ts";
import { type Directory, hasRole, mayUse, type Principal, type Role } from "./directory.ts";
import { matchesSession, sessionKey } from "./secrets.ts";

/** What the app's routes find in their context. */
export interface AppEnv {
  readonly Variables: { readonly principal: Principal };
}

/** What authentication works with. */
export interface AuthOptions {
  readonly directory: Directory;
  /** What failed attempts are counted by, such as the address that a request came from. */
  readonly clientOf: (c: Context) => string;
  /** Origin at which browsers find the instance, if a proxy makes it another than the one that requests arrive at. */
  readonly publicOrigin?: string | undefined;
}

/** Name of the header with the session's key. */
const SESSION_HEADER = "X-Redun-Session";
const SAFE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** Finds out who asks. @throws ApiError with status 401 or 429 */
export function authenticate(auth: AuthOptions): MiddlewareHandler<AppEnv> {
  const { directory, clientOf } = auth;
  return async (c, next) => {
    const token = bearerToken(c);
    const session = token === undefined ? getCookie(c, cookieName(c)) : undefined;
    if (token === undefined && session === undefined) throw unauthorized("there is no token");
    if (session !== undefined) {
      checkSameOrigin(c, auth);
      const key = c.req.header(SESSION_HEADER);
      if (key === undefined)
        throw unauthorized(`the session's key is missing, in the header ${SESSION_HEADER}`);
      if (!(await matchesSession(key, session)))
        throw await refusal(directory, clientOf(c), "the key is not that of the session");
    }
    const principal =
      token === undefined ? await directory.sessionOwner(session!) : await directory.authenticate(token);
    if (principal === undefined) {
      const why = token === undefined ? "the session is over" : "the token is unknown or over";
      throw await refusal(directory, clientOf(c), why);
    }
    c.set("principal", principal);
    await next();
  };
}

/** Begins a session for whoever gives a token. @returns whose it is, and its key */
export async function signIn(
  c: Context,
  auth: AuthOptions,
  token: string,
): Promise<{ principal: Principal; key: string }> {
  const { directory, clientOf } = auth;
  checkSameOrigin(c, auth);
  const principal = await directory.authenticate(token);
  if (principal === undefined) throw await refusal(directory, clientOf(c), "the token is unknown or over");
  const { session, expires } = await directory.createSession(principal.tokenId);
  setCookie(c, cookieName(c), session, { ...cookieOptions(c, auth), expires: new Date(expires) });
  return { principal, key: await sessionKey(session) };
}

/** Ends the session that a request is of. */
export async function signOut(c: Context, auth: AuthOptions): Promise<void> {
  const session = getCookie(c, cookieName(c));
  checkSameOrigin(c, auth);
  if (session !== undefined) await auth.directory.endSession(session);
  deleteCookie(c, cookieName(c), cookieOptions(c, auth));
}

/** Name of the session's cookie. Browsers send cookies to all ports of a host, where other instances may be. */
function cookieName(c: Context): string {
  const { port } = new URL(c.req.url);
  return port === "" ? "redun_session" : `redun_session_${port}`;
}

function cookieOptions(
  c: Context,
  auth: AuthOptions,
): { path: string; httpOnly: boolean; sameSite: "Strict"; secure: boolean } {
  const origins = [ownOrigin(c, auth), c.req.header("origin")];
  const secure = origins.some((origin) => origin?.startsWith("https:") ?? false);
  return { path: "/", httpOnly: true, sameSite: "Strict", secure };
}

/** @throws ApiError with status 403 if the role is less than asked for */
export function requireRole(principal: Principal, role: Role): void {
  if (hasRole(principal, role)) return;
  throw new ApiError(403, "forbidden", `A token of the role ${principal.role} may not do this`, {
    hint: `It takes the role ${role}.`,
  });
}

/** @throws ApiError with status 404, as if there were no such repository */
export function requireRepo(principal: Principal, repo: string): void {
  if (!mayUse(principal, repo)) throw noRepo(repo);
}

/** Code of the error of a repository that is not there, or that the token is not for. */
export const UNKNOWN_REPO = "unknown-repo";

export function noRepo(repo: string): ApiError {
  return new ApiError(404, UNKNOWN_REPO, `There is no repository ${JSON.stringify(repo.slice(0, 100))}`, {
    hint: "GET /api/v1/repos lists those that the token may use.",
  });
}

function bearerToken(c: Context): string | undefined {
  const header = c.req.header("authorization");
  if (header === undefined) return undefined;
  const match = /^Bearer +(\S+)$/i.exec(header);
  if (match === null) throw unauthorized("the header Authorization is not of the form: Bearer TOKEN");
  return match[1];
}

function unauthorized(why: string, hint = "Send the header Authorization: Bearer TOKEN."): ApiError {
  return new ApiError(401, "unauthorized", `Cannot answer: ${why}`, { hint });
}

/**
 * Counts a failed attempt. After many of them a client hears only that it must wait; whoever has a right token is let in
 * all the same, so that nobody can lock out others that share their address.
 */
async function refusal(directory: Directory, client: string, why: string): Promise<ApiError> {
  const wait = await directory.waitOf(client);
  if (wait === 0) {
    await directory.countFailure(client);
    return unauthorized(why, "Sign in again, with a token that is valid.");
  }
  return new ApiError(429, "too-many-failures", "Cannot answer: too many attempts with wrong tokens", {
    hint: "Wait, then try again with the right one.",
    retryAfter: wait / 1000,
  });
}

/**
 * Refuses what another site has a browser send in the name of somebody who is signed in here. WebSockets are not bound
 * to one origin, so they count as unsafe.
 */
function checkSameOrigin(c: Context, auth: AuthOptions): void {
  const isSafe = SAFE.has(c.req.method);
  const upgrade = c.req.header("upgrade") !== undefined;
  if (isSafe && !upgrade) return;
  // A form can send text, but not these types without asking first.
  const type = c.req.header("content-type");
  const isOwnType = isSafe || type === undefined || /^application\/(json|x-ndjson|octet-stream)\b/.test(type);
  if (isOwnType && isSameOrigin(c, upgrade, auth)) return;
  throw new ApiError(403, "cross-site", "Cannot answer: the request comes from another site", {
    hint: "Programs send the header Authorization instead of a cookie.",
  });
}

/** What browsers say of it themselves comes first: behind a proxy that adds TLS, the origin is not what is seen here. */
function isSameOrigin(c: Context, upgrade: boolean, auth: AuthOptions): boolean {
  const site = c.req.header("sec-fetch-site");
  if (site !== undefined) return site === "same-origin";
  const origin = c.req.header("origin");
  if (origin === undefined) return !upgrade;
  return origin === ownOrigin(c, auth) || origin === auth.publicOrigin;
}

/** The origin of a page that sends a request to where this one was sent. */
function ownOrigin(c: Context, { publicOrigin }: AuthOptions): string {
  const { origin, hostname } = new URL(c.req.url);
  return publicOrigin !== undefined && new URL(publicOrigin).hostname === hostname ? publicOrigin : origin;
}
