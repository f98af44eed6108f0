import { RedunError } from "../errors/redun-error.ts";

/** What a registry needs to know of a task. */
export interface RegisteredTask {
  readonly fullname: string;
  readonly hash: string;
  readonly definition: { readonly hash: string; readonly place: string | undefined };
}

/**
 * The tasks that are defined in this runtime, by fullname. Owns which definition is the current one; knows nothing of
 * how tasks run. A later definition of a fullname replaces an earlier one.
 */
export class TaskRegistry<T extends RegisteredTask = RegisteredTask> {
  private readonly tasks = new Map<string, T>();
  private current: ReadonlySet<string> | undefined = undefined;
  /** The package whose code is loaded elsewhere only, if there is one, and the fullnames of its scheduler tasks. */
  elsewhere: { readonly package: string; readonly schedulerTasks: ReadonlySet<string> } | undefined =
    undefined;
  private readonly duplicates = new Map<string, { earlier: T; later: T }>();

  add(task: T): void {
    const earlier = this.tasks.get(task.fullname);
    if (earlier !== undefined) this.duplicates.set(task.fullname, { earlier, later: task });
    this.tasks.set(task.fullname, task);
    this.current = undefined;
  }

  get(fullname: string): T | undefined {
    return this.tasks.get(fullname);
  }

  /** @throws RedunError with code `registry` if neither a name nor a hash is given */
  find(by: { readonly fullname?: string; readonly hash?: string }): T | undefined {
    if (by.fullname !== undefined) return this.get(by.fullname);
    if (by.hash === undefined)
      throw new RedunError("registry", "Cannot find a task: give its fullname or its hash");
    return this.all().find((task) => task.hash === by.hash);
  }

  remove(fullname: string): void {
    this.tasks.delete(fullname);
    this.current = undefined;
  }

  all(): T[] {
    return [...this.tasks.values()];
  }

  names(): string[] {
    return [...this.tasks.keys()].sort();
  }

  /** Hashes of all registered tasks; a cached subtree is current if it used no others. */
  hashes(): ReadonlySet<string> {
    this.current ??= new Set([...this.tasks.values()].map((task) => task.definition.hash));
    return this.current;
  }

  /** Says that hashes of registered tasks have changed, as when a code package is attached. */
  changed(): void {
    this.current = undefined;
  }

  /**
   * The definitions that replaced a different one since the last call. Hashes are compared only here, since a code
   * package may still set them after the definition.
   */
  takeDuplicates(): { fullname: string; earlier: string; later: string }[] {
    const found = [...this.duplicates].filter(
      ([, pair]) => pair.earlier.definition.hash !== pair.later.definition.hash,
    );
    this.duplicates.clear();
    return found.map(([fullname, { earlier, later }]) => ({
      fullname,
      earlier: earlier.definition.place ?? "an unknown place",
      later: later.definition.place ?? "an unknown place",
    }));
  }
}

/** The registry that {@link task} defines into. */
export const taskRegistry: TaskRegistry = new TaskRegistry();
