// biome-ignore lint/suspicious/noExplicitAny: constructors of any error class
export type ErrorConstructor<E extends Error = Error> = new (...args: any[]) => E;

/** The runtime's own classes below `Error` that are known everywhere. */
export const ownErrorClasses: Readonly<Record<string, ErrorConstructor>> = {
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};
const isOwn = (name: string): boolean => Object.hasOwn(ownErrorClasses, name);

const MOST_CLASSES = 20;

/** All classes that are known in this runtime, by name. */
export const errorClasses: Map<string, ErrorConstructor> = new Map(Object.entries(ownErrorClasses));
const names = new WeakMap<object, string>();
const kept = new WeakMap<Error, readonly string[]>();

/**
 * Makes a class of errors known, so that errors of it that come from elsewhere are of it here. Code of packages calls this
 * when it is loaded.
 *
 * @param type - anything that is no class of errors is ignored
 * @param name - its name in its source, which bundling may have changed
 * @internal
 */
export function registerErrorClass(type: unknown, name?: string): void {
  if (typeof type !== "function" || !(type.prototype instanceof Error)) return;
  if (name !== undefined) names.set(type, name);
  const known = classNameOf(type);
  if (known !== "" && known !== "Error" && !isOwn(known)) errorClasses.set(known, type as ErrorConstructor);
}

/** The name of a class, as encodings have it. */
export function classNameOf(type: object): string {
  return names.get(type) ?? String((type as { name?: unknown }).name ?? "");
}

/** Names of an error's classes below `Error`, its own first. */
export function classNamesOf(error: Error): readonly string[] {
  const found = kept.get(error);
  if (found !== undefined) return found;
  const list: string[] = [];
  for (let at = Object.getPrototypeOf(error); at !== null; at = Object.getPrototypeOf(at)) {
    const type: unknown = Object.getOwnPropertyDescriptor(at, "constructor")?.value;
    if (type === Error || list.length === MOST_CLASSES) break;
    const name = typeof type === "function" ? classNameOf(type) : "";
    if (name !== "") list.push(name);
  }
  return list;
}

/** Makes a decoded error one of its class again if that is known here, and remembers what its classes are called. */
export function restoreErrorClass(error: Error, classes: readonly string[]): void {
  const type = errorClasses.get(classes[0]!);
  if (type !== undefined) Object.setPrototypeOf(error, type.prototype as object);
  kept.set(error, classes);
}
