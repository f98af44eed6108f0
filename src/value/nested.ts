import { isPlainArray, isPlainObject } from "./encode.ts";
import { codecOf } from "./registry.ts";

/** Whether nested evaluation looks inside a value: arrays, plain objects, maps and sets, of exactly these types. */
export function isContainer(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return isPlainArray(value);
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Map.prototype || prototype === Set.prototype) return true;
  return isPlainObject(value) && codecOf(value) === undefined;
}

/** A walk over more containers than this may be going in circles, so from here on each is entered once. */
const CYCLE_GUARD = 1_000_000;

/**
 * The leaves of a nested value, each once an occurrence, map keys included. The order is unspecified.
 * The walk of a cyclic value ends.
 */
export function* leaves(root: unknown): Generator<unknown> {
  const stack: unknown[] = [root];
  let entered: Set<unknown> | undefined;
  let containers = 0;
  while (stack.length > 0) {
    const value = stack.pop();
    if (!isContainer(value)) {
      yield value;
      continue;
    }
    if (++containers > CYCLE_GUARD) {
      entered ??= new Set();
      if (entered.has(value)) continue;
      entered.add(value);
    }
    if (Array.isArray(value)) for (const item of value) stack.push(item);
    else if (value instanceof Map) for (const [key, item] of value) stack.push(key, item);
    else if (value instanceof Set) for (const item of value) stack.push(item);
    else for (const key of Object.keys(value)) stack.push((value as Record<string, unknown>)[key]);
  }
}

/** A container of which some parts are mapped. */
interface Mapping {
  readonly source: object;
  /** The parts; a map's keys and values in turn. */
  readonly parts: readonly unknown[];
  readonly mapped: unknown[];
  changed: boolean;
}

/**
 * Maps the leaves of a nested value, keeping the kind and shape of its containers. Works without recursion, so depth
 * is bounded by memory alone.
 *
 * @returns the very same value if no leaf changed
 */
export function mapNested(map: (leaf: unknown) => unknown, value: unknown): unknown {
  if (!isContainer(value)) return map(value);
  const stack: Mapping[] = [mappingOf(value)];
  for (;;) {
    const top = stack[stack.length - 1]!;
    const { parts, mapped } = top;
    let inner: object | undefined;
    while (mapped.length < parts.length) {
      const part = parts[mapped.length];
      if (isContainer(part)) {
        inner = part;
        break;
      }
      const result = map(part);
      top.changed ||= !Object.is(result, part);
      mapped.push(result);
    }
    if (inner !== undefined) {
      stack.push(mappingOf(inner));
      continue;
    }
    stack.pop();
    const result = top.changed ? rebuilt(top.source, mapped) : top.source;
    const holder = stack[stack.length - 1];
    if (holder === undefined) return result;
    holder.changed ||= top.changed;
    holder.mapped.push(result);
  }
}

function mappingOf(source: object): Mapping {
  const parts = Array.isArray(source)
    ? source
    : source instanceof Map
      ? [...source].flat(1)
      : source instanceof Set
        ? [...source]
        : Object.values(source);
  return { source, parts, mapped: [], changed: false };
}

function rebuilt(source: object, mapped: unknown[]): unknown {
  if (Array.isArray(source)) return mapped;
  if (source instanceof Set) return new Set(mapped);
  if (source instanceof Map) {
    const result = new Map();
    for (let i = 0; i < mapped.length; i += 2) result.set(mapped[i], mapped[i + 1]);
    return result;
  }
  const result: Record<string, unknown> = {};
  for (const [i, key] of Object.keys(source).entries()) {
    const value = mapped[i];
    if (key === "__proto__")
      Object.defineProperty(result, key, { value, enumerable: true, configurable: true, writable: true });
    else result[key] = value;
  }
  return result;
}

/** Merges nested plain objects: later scalars win, and a later non-object replaces an earlier object. */
export function mergeObjects(...objects: readonly Record<string, unknown>[]): Record<string, unknown> {
  const merged: Record<string, unknown> = {};
  for (const object of objects) {
    for (const [key, value] of Object.entries(object)) {
      if (key === "__proto__") continue;
      const earlier = Object.hasOwn(merged, key) ? merged[key] : undefined;
      merged[key] = isObject(earlier) && isObject(value) ? mergeObjects(earlier, value) : value;
    }
  }
  return merged;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && isPlainObject(value);
}
