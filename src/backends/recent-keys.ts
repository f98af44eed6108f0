/** So many of the newest keys are kept at least, and twice as many at most. */
const KEPT = 50_000;

/** Remembers what is known of keys, the latest ones, where nothing that was known once ever changes. */
export class RecentKeys<K, T> {
  private young = new Map<K, T>();
  private old = new Map<K, T>();

  get(key: K): T | undefined {
    return this.young.get(key) ?? this.old.get(key);
  }

  has(key: K): boolean {
    return this.young.has(key) || this.old.has(key);
  }

  set(key: K, value: T): void {
    if (this.young.size >= KEPT) {
      this.old = this.young;
      this.young = new Map();
    }
    this.young.set(key, value);
  }
}
