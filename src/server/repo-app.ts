import type { MiddlewareHandler } from "hono";
import type { Principal } from "./directory.ts";
import { errorAnswer } from "./error-answer.ts";
import { addExecutionRoutes, type UpgradeEvents } from "./execution-routes.ts";
import { addFileRoutes } from "./file-routes.ts";
import type { Listeners } from "./listeners.ts";
import { addPackageRoutes } from "./package-routes.ts";
import { addRecordRoutes } from "./record-routes.ts";
import type { RepoHost } from "./repo-host.ts";
import { checkedApp, noRoute, type RepoApp, type RepoEnv } from "./route-parts.ts";
import { addSyncRoutes } from "./sync-routes.ts";

/** Header by which the app tells a repository who asks. Callers' own headers of that name are removed. */
const PRINCIPAL_HEADER = "x-redun-principal";

/** Notes in the headers of a request for a repository who asks. */
export function setPrincipal(headers: Headers, principal: Principal, repo: string): void {
  // A header holds few characters other than ASCII's, and not very many. The repository need not know of others.
  headers.set(PRINCIPAL_HEADER, encodeURIComponent(JSON.stringify({ ...principal, repos: [repo] })));
}

const principalOf = (header = "null"): Principal => JSON.parse(decodeURIComponent(header)) as Principal;

/** What a repository's part of the API works with. */
export interface RepoAppOptions {
  readonly host: RepoHost | Promise<RepoHost>;
  readonly listeners: Listeners;
  readonly upgrade?: UpgradeEvents | undefined;
  /** Told of faults of the server itself. */
  readonly onError?: ((error: unknown, request: Request) => void) | undefined;
}

/**
 * The part of the API that is about one repository. It trusts whoever calls it: the app in front has found out who asks
 * and whether they may.
 */
export function createRepoApp({ host, listeners, upgrade, onError }: RepoAppOptions): RepoApp {
  const app = checkedApp<RepoEnv>();
  const provide: MiddlewareHandler<RepoEnv> = async (c, next) => {
    c.set("host", await host);
    c.set("listeners", listeners);
    c.set("principal", principalOf(c.req.header(PRINCIPAL_HEADER)));
    await next();
  };
  app.use(provide);
  addRepoRoutes(app, upgrade);
  app.all("*", noRoute);
  app.onError(errorAnswer(onError));
  return app;
}

/** Adds the routes of a repository, also to an app that only describes them. */
export function addRepoRoutes(app: RepoApp, upgrade?: UpgradeEvents): void {
  addPackageRoutes(app);
  addExecutionRoutes(app, upgrade);
  addRecordRoutes(app);
  addSyncRoutes(app);
  addFileRoutes(app);
}
