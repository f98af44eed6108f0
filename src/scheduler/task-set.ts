/** An immutable set of task hashes; equal sets are one object, so that comparing and storing them is cheap. */
export interface TaskSet {
  /** Sorted. */
  readonly hashes: readonly string[];
}

/** Interns the task sets of an execution's subtrees. */
export class TaskSets {
  private readonly singles = new Map<string, TaskSet>();
  private readonly interned = new Map<string, TaskSet>();
  private readonly unions = new WeakMap<TaskSet, WeakMap<TaskSet, TaskSet>>();

  single(hash: string): TaskSet {
    let set = this.singles.get(hash);
    if (set === undefined) {
      set = this.of([hash]);
      this.singles.set(hash, set);
    }
    return set;
  }

  of(hashes: Iterable<string>): TaskSet {
    const sorted = [...new Set(hashes)].sort();
    const key = sorted.join();
    let set = this.interned.get(key);
    if (set === undefined) {
      set = { hashes: sorted };
      this.interned.set(key, set);
    }
    return set;
  }

  union(a: TaskSet, b: TaskSet): TaskSet {
    if (a === b) return a;
    let row = this.unions.get(a);
    if (row === undefined) {
      row = new WeakMap();
      this.unions.set(a, row);
    }
    let set = row.get(b);
    if (set === undefined) {
      set = this.of([...a.hashes, ...b.hashes]);
      row.set(b, set);
    }
    return set;
  }
}
