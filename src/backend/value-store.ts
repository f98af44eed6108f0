/**
 * A place for values that are too large for a database: a bucket, a folder. What is there under a hash never changes,
 * and nothing is removed as long as a store refers to it.
 */
export interface ValueStore {
  /** @returns the encoded value, or `undefined` if it is not there */
  get(hash: string): Promise<string | undefined>;
  /** Keeps an encoded value, wholly or not at all. One that is there already stays as it is. */
  put(hash: string, text: string): Promise<void>;
}
