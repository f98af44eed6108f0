/** The little of the runtime's modules that tests use. Their own types would bring globals that collide with the DOM's. */
declare module "cloudflare:workers" {
  import type {
    D1Database,
    DurableObjectNamespace,
    DurableObjectState,
    R2Bucket,
  } from "@cloudflare/workers-types";

  export class DurableObject {
    protected readonly ctx: DurableObjectState;
  }

  export const env: {
    readonly OBJECTS: DurableObjectNamespace;
    readonly PLAIN: DurableObjectNamespace;
    readonly BUCKET: R2Bucket;
    readonly [database: `D1_${number}`]: D1Database;
  };
}

declare module "cloudflare:test" {
  import type { DurableObjectState, DurableObjectStub } from "@cloudflare/workers-types";

  export function runInDurableObject<T>(
    stub: DurableObjectStub,
    callback: (instance: unknown, state: DurableObjectState) => T | Promise<T>,
  ): Promise<T>;
  export function evictDurableObject(stub: DurableObjectStub): Promise<void>;
}
