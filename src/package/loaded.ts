import { taskRegistry } from "../task/registry.ts";
import { type UserSchedulerFunction, userSchedulerFunctions } from "../task/scheduler-task.ts";
import type { Task } from "../task/task.ts";
import { type ErrorConstructor, errorClasses } from "../value/error-classes.ts";
import { customTypes, registerValue, type ValueCodec } from "../value/registry.ts";
import type { PackageManifest } from "./types.ts";

/** A code package whose tasks are registered in this process. */
export interface LoadedPackage {
  readonly hash: string;
  readonly manifest: PackageManifest;
  /** Those that its code defined, under their fullnames. */
  readonly tasks: readonly Task[];
  readonly schedulerTasks: ReadonlyMap<string, UserSchedulerFunction>;
  /** The types of values that its code registered. */
  readonly types: readonly ValueCodec[];
  readonly errorClasses: ReadonlyMap<string, ErrorConstructor>;
  readonly exports: Readonly<Record<string, unknown>>;
}

/** The packages that are loaded, by hash. */
const loaded = new Map<string, LoadedPackage>();

/** A package that was loaded before; what it defines is again what its names stand for. */
export function loadedPackage(hash: string): LoadedPackage | undefined {
  const known = loaded.get(hash);
  if (known === undefined) return undefined;
  // Another package may have defined others of the same names meanwhile.
  for (const task of known.tasks) if (taskRegistry.get(task.fullname) !== task) taskRegistry.add(task);
  for (const [name, fn] of known.schedulerTasks) userSchedulerFunctions.set(name, fn);
  for (const type of known.types) registerValue(type);
  for (const [name, type] of known.errorClasses) errorClasses.set(name, type);
  return known;
}

/** The end of the import at work: what a package defines is told by what the registry has more afterwards. */
let last: Promise<unknown> = Promise.resolve();

/**
 * Imports a package's module and registers its tasks with the hashes that its manifest gives them. One package is
 * imported at a time.
 *
 * @param importModule - evaluates the module
 * @param original - gives back the text that a function has in the package's code, where that was changed to load it
 */
export function registerPackage(
  { hash, manifest }: { readonly hash: string; readonly manifest: PackageManifest },
  importModule: () => Promise<Readonly<Record<string, unknown>>>,
  original: (text: string) => string = (text) => text,
): Promise<LoadedPackage> {
  const load = async (): Promise<LoadedPackage> => {
    const known = loadedPackage(hash);
    if (known !== undefined) return known;
    const [tasksBefore, typesBefore] = [new Set(taskRegistry.all()), new Set(customTypes())];
    const [functionsBefore, errorsBefore] = [new Map(userSchedulerFunctions), new Map(errorClasses)];
    const exports = await importModule();
    const tasks = taskRegistry.all().filter((task) => !tasksBefore.has(task)) as Task[];
    attachManifest(tasks, hash, manifest, original);
    const result: LoadedPackage = {
      ...{ hash, manifest, tasks, exports },
      schedulerTasks: added(functionsBefore, userSchedulerFunctions),
      types: customTypes().filter((type) => !typesBefore.has(type)),
      errorClasses: added(errorsBefore, errorClasses),
    };
    loaded.set(hash, result);
    return result;
  };
  const result = last.then(load);
  last = result.catch(() => undefined);
  return result;
}

/** What a map has that it had not before. */
function added<T>(before: ReadonlyMap<string, T>, after: ReadonlyMap<string, T>): Map<string, T> {
  return new Map([...after].filter(([name, value]) => before.get(name) !== value));
}

function attachManifest(
  tasks: readonly Task[],
  hash: string,
  manifest: PackageManifest,
  original: (text: string) => string,
): void {
  const described = new Map(
    [...manifest.tasks, ...(manifest.functions ?? [])].map((task) => [task.fullname, task]),
  );
  for (const { fullname, definition } of tasks) {
    const task = described.get(fullname);
    if (task !== undefined) definition.attach(task, hash);
    else definition.attachCode(manifest.codeHash, hash, original(definition.fn.toString()));
  }
  taskRegistry.changed();
}
