/**
 * What Cloudflare's runtime adds to the engine: a store in a Durable Object, and large values in R2.
 *
 * @module
 */
export { DurableObjectBackend } from "./backends/durable-object-backend.ts";
export { R2ValueStore, type R2ValueStoreOptions } from "./backends/r2-value-store.ts";
