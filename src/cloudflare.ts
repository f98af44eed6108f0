/**
 * What Cloudflare's runtime adds to the engine: a store in a Durable Object, and large values and files in
 * R2.
 *
 * @module
 */
export { DurableObjectBackend } from "./backends/durable-object-backend.ts";
export { R2ValueStore, type R2ValueStoreOptions } from "./backends/r2-value-store.ts";
export { R2FileSystem, type R2FileSystemOptions, registerR2FileSystem } from "./file-systems/r2.ts";
