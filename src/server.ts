/**
 * A hosted instance: the HTTP API, what it keeps, and its typed client. Uses the Web's APIs only.
 *
 * @module
 */
export { ApiError, type ErrorBody } from "./server/api-error.ts";
export type * from "./server/api-types.ts";
export { type AppOptions, createApp, type RequestLog } from "./server/app.ts";
export { type AsyncSql, asyncSql, type SqlCall } from "./server/async-sql.ts";
export {
  Client,
  type ClientOptions,
  createClient,
  type ExecutionFilter,
  RepoClient,
  ServerError,
} from "./server/client.ts";
export { Directory, type NewToken, type Principal } from "./server/directory.ts";
export { HostState } from "./server/host-state.ts";
export { Listeners, type ListenersOptions } from "./server/listeners.ts";
export { RemoteBackend } from "./server/remote-backend.ts";
export { createRepoApp, type RepoAppOptions } from "./server/repo-app.ts";
export { RepoHost, type RepoHostParts } from "./server/repo-host.ts";
export type { RunOrder } from "./server/run-order.ts";
