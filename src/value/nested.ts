import { isPlainObject } from "./encode.ts";
import { CODEC, codecOf } from "./registry.ts";

/** Whether nested evaluation looks inside a value: arrays, plain objects, maps and sets, of exactly these types. */
export function isContainer(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return true;
  if (value instanceof Map || value instanceof Set)
    return (value as { [CODEC]?: unknown })[CODEC] === undefined;
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

/**
 * Maps the leaves of a nested value, keeping the kind and shape of its containers.
 *
 * @returns the very same value if no leaf changed
 */
export function mapNested(map: (leaf: unknown) => unknown, value: unknown): unknown {
  if (!isContainer(value)) return map(value);
  if (Array.isArray(value)) {
    let changed = false;
    const out = new Array(value.length);
    for (let i = 0; i < value.length; i++) {
      out[i] = mapNested(map, value[i]);
      changed ||= !Object.is(out[i], value[i]);
    }
    return changed ? out : value;
  }
  if (value instanceof Map) {
    const out = new Map();
    let changed = false;
    for (const [key, item] of value) {
      const newKey = mapNested(map, key);
      const newItem = mapNested(map, item);
      changed ||= !Object.is(newKey, key) || !Object.is(newItem, item);
      out.set(newKey, newItem);
    }
    return changed ? out : value;
  }
  if (value instanceof Set) {
    const out = new Set();
    let changed = false;
    for (const item of value) {
      const newItem = mapNested(map, item);
      changed ||= !Object.is(newItem, item);
      out.add(newItem);
    }
    return changed ? out : value;
  }
  const source = value as Record<string, unknown>;
  const out: Record<string, unknown> = {};
  let changed = false;
  for (const key of Object.keys(source)) {
    const item = mapNested(map, source[key]);
    changed ||= !Object.is(item, source[key]);
    if (key === "__proto__")
      Object.defineProperty(out, key, { value: item, enumerable: true, configurable: true, writable: true });
    else out[key] = item;
  }
  return changed ? out : value;
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
