import type { R2Bucket } from "@cloudflare/workers-types";
import type { ValueStore } from "../backend/value-store.ts";

/** Options of an {@link R2ValueStore}. */
export interface R2ValueStoreOptions {
  /** Where in the bucket, such as `repos/mine/values`. Default `values`. */
  readonly prefix?: string;
}

/**
 * Large values in a bucket of R2, each under its hash.
 *
 * @see https://developers.cloudflare.com/r2/api/workers/workers-api-reference/
 */
export class R2ValueStore implements ValueStore {
  readonly #bucket: R2Bucket;
  readonly #prefix: string;

  constructor(bucket: R2Bucket, options: R2ValueStoreOptions = {}) {
    this.#bucket = bucket;
    this.#prefix = (options.prefix ?? "values").replace(/\/+$/, "");
  }

  async get(hash: string): Promise<string | undefined> {
    return (await this.#bucket.get(this.#keyOf(hash)))?.text();
  }

  async put(hash: string, text: string): Promise<void> {
    const key = this.#keyOf(hash);
    // To ask costs a tenth of a write, and spares sending it.
    if ((await this.#bucket.head(key)) === null) await this.#bucket.put(key, text);
  }

  #keyOf(hash: string): string {
    return `${this.#prefix}/${hash.slice(0, 2)}/${hash.slice(2)}`;
  }
}
