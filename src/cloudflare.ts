/**
 * What Cloudflare's runtime adds to the engine: stores in Durable Objects and in D1, large values and files in R2, and
 * the hosted instance.
 *
 * @module
 */
export { D1Backend } from "./backends/d1-backend.ts";
export { DurableObjectBackend } from "./backends/durable-object-backend.ts";
export { R2ValueStore, type R2ValueStoreOptions } from "./backends/r2-value-store.ts";
export { createWorker, type HostedWorker, type WorkerOptions } from "./cloudflare/create-worker.ts";
export { d1Sql } from "./cloudflare/d1-sql.ts";
export { RepoObject } from "./cloudflare/repo-object.ts";
export type { WorkerEnv } from "./cloudflare/settings.ts";
export { IsolateOutbound } from "./executors/isolate-outbound.ts";
export { R2FileSystem, type R2FileSystemOptions, registerR2FileSystem } from "./file-systems/r2.ts";
