/** So many of the newest entries are kept at least, and twice as many at most. */
const KEPT = 50_000;

/**
 * Remembers the ids of rows by their keys, the latest ones. Rows are never deleted, so what was once read stays true,
 * unless the transaction that made the row was rolled back.
 */
export class IdMap {
  private young = new Map<string, number>();
  private old = new Map<string, number>();
  private lastKey: string | undefined = undefined;
  private lastId = 0;

  get(key: string): number | undefined {
    // Jobs of one batch mostly have the same task, execution and parent.
    if (key === this.lastKey) return this.lastId;
    const id = this.young.get(key);
    if (id !== undefined) {
      this.lastKey = key;
      this.lastId = id;
      return id;
    }
    const older = this.old.get(key);
    return older === undefined ? undefined : this.set(key, older);
  }

  set(key: string, id: number): number {
    if (this.young.size >= KEPT) {
      this.old = this.young;
      this.young = new Map();
    }
    this.young.set(key, id);
    return id;
  }

  clear(): void {
    this.lastKey = undefined;
    this.young.clear();
    this.old.clear();
  }
}
