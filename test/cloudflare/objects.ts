import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { DurableObjectStorage, DurableObjectStub } from "@cloudflare/workers-types";
import type { Backend } from "../../src/backend/backend.ts";
import { DurableObjectBackend } from "../../src/backends/durable-object-backend.ts";
import type { SqlBackendOptions } from "../../src/backends/sql-backend.ts";

/** A Durable Object that nobody used before. */
export const newObject = (): DurableObjectStub => env.OBJECTS.get(env.OBJECTS.newUniqueId());

/** Does something inside an object. */
export const inObject = <T>(
  stub: DurableObjectStub,
  work: (storage: DurableObjectStorage) => T | Promise<T>,
): Promise<T> => runInDurableObject(stub, (_, { storage }) => work(storage));

/**
 * A store inside an object, as seen from a test outside: each call is made within the object.
 *
 * @param evict - evict the object first, so that nothing but its storage is left of what came before
 */
export function backendIn(stub: DurableObjectStub, options: SqlBackendOptions, evict = false): Backend {
  let backend: DurableObjectBackend | undefined;
  const call = (name: keyof Backend, args: readonly unknown[]): Promise<unknown> =>
    inObject(stub, (storage) => {
      backend ??= new DurableObjectBackend(storage, options);
      return (backend[name] as (...args: unknown[]) => unknown).apply(backend, [...args]);
    });
  return new Proxy({} as Backend, {
    get: (_, name: keyof Backend | "then") => {
      // It is no promise.
      if (name === "then") return undefined;
      if (name === "load") {
        return async (...args: readonly unknown[]) => {
          if (evict) await evictDurableObject(stub);
          return call("load", args);
        };
      }
      if (name === "reachable") {
        return async function* (ids?: readonly string[]) {
          yield* await inObject(stub, () => Array.fromAsync(backend!.reachable(ids)));
        };
      }
      return (...args: readonly unknown[]) => call(name, args);
    },
  });
}
