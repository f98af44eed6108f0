import { InvalidEncodingError } from "../errors/errors.ts";
import { RedunError } from "../errors/redun-error.ts";
import { codecOf } from "../value/registry.ts";
import { lazy } from "./expression.ts";
import { SimpleNode } from "./node.ts";
import type { Expression, Lazy } from "./types.ts";

const simple = <T>(op: string, ...args: readonly unknown[]): Expression<T> => lazy(new SimpleNode(op, args));

/** Lazy `a === b`; NaN is not equal to itself. */
export const eq = <T>(a: Lazy<T>, b: Lazy<T>): Expression<boolean> => simple("eq", a, b);
/** Lazy `a !== b`. */
export const ne = <T>(a: Lazy<T>, b: Lazy<T>): Expression<boolean> => simple("ne", a, b);
/** Lazy `a < b`. */
export const lt = <T>(a: Lazy<T>, b: Lazy<T>): Expression<boolean> => simple("lt", a, b);
/** Lazy `a <= b`. */
export const le = <T>(a: Lazy<T>, b: Lazy<T>): Expression<boolean> => simple("le", a, b);
/** Lazy `a > b`. */
export const gt = <T>(a: Lazy<T>, b: Lazy<T>): Expression<boolean> => simple("gt", a, b);
/** Lazy `a >= b`. */
export const ge = <T>(a: Lazy<T>, b: Lazy<T>): Expression<boolean> => simple("ge", a, b);

/** A type of operand that `+` takes. */
type Addable = number | bigint | string;
type Widen<T> = T extends number ? number : T extends bigint ? bigint : T extends string ? string : T;

/** Lazy `a + b`, of numbers, bigints or strings. */
export function plus<T extends Addable>(a: Lazy<T>, b: Lazy<NoInfer<Widen<T>>>): Expression<Widen<T>> {
  return simple("add", a, b);
}
/** Lazy `a - b`. */
export function minus<T extends number | bigint>(
  a: Lazy<T>,
  b: Lazy<NoInfer<Widen<T>>>,
): Expression<Widen<T>> {
  return simple("sub", a, b);
}
/** Lazy `a * b`. */
export function times<T extends number | bigint>(
  a: Lazy<T>,
  b: Lazy<NoInfer<Widen<T>>>,
): Expression<Widen<T>> {
  return simple("mul", a, b);
}
/** Lazy `a / b`. */
export function dividedBy<T extends number | bigint>(
  a: Lazy<T>,
  b: Lazy<NoInfer<Widen<T>>>,
): Expression<Widen<T>> {
  return simple("div", a, b);
}
/** Lazy `a && b`: gives an operand, but both are evaluated first. Use `cond` to evaluate only one. */
export const and = <A, B>(a: Lazy<A>, b: Lazy<B>): Expression<A | B> => simple("and", a, b);
/** Lazy `a || b`: gives an operand, but both are evaluated first. Use `cond` to evaluate only one. */
export const or = <A, B>(a: Lazy<A>, b: Lazy<B>): Expression<A | B> => simple("or", a, b);
/** Lazy `!a`. */
export const not = (a: Lazy<unknown>): Expression<boolean> => simple("not", a);

/** Reaching these through stored expressions would reach the code-making constructors behind every value. */
const forbidden = new Set([
  ...["constructor", "__proto__", "prototype"],
  ...["__defineGetter__", "__defineSetter__", "__lookupGetter__", "__lookupSetter__"],
]);

function get(object: unknown, key: unknown): unknown {
  if (object === null || object === undefined) {
    throw new TypeError(`Cannot read ${JSON.stringify(key)} of ${object}`);
  }
  if (typeof key !== "string" && typeof key !== "number")
    throw new TypeError(`Cannot read a key of type ${typeof key}`);
  if (forbidden.has(String(key)) || (typeof object === "function" && codecOf(object) === undefined)) {
    throw new RedunError(
      "forbidden-member",
      `Cannot read the member ${JSON.stringify(key)} of a lazy value: not allowed`,
    );
  }
  if (typeof key === "number" && Array.isArray(object) && (key < 0 || key >= object.length)) {
    throw new RangeError(`Cannot read item ${key}: the list has ${object.length} items`);
  }
  if (object instanceof Map && typeof key === "string" && !(key in object)) return object.get(key);
  const value = (object as Record<string, unknown>)[key as string];
  return typeof value === "function" && codecOf(value) === undefined ? value.bind(object) : value;
}

// biome-ignore lint/suspicious/noExplicitAny: operands are checked by the operators themselves
type Operation = (...args: any[]) => unknown;

const operations: Readonly<Record<string, Operation>> = {
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  lt: (a, b) => a < b,
  le: (a, b) => a <= b,
  gt: (a, b) => a > b,
  ge: (a, b) => a >= b,
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  and: (a, b) => a && b,
  or: (a, b) => a || b,
  not: (a) => !a,
  getattr: get,
  getitem: get,
  call(callee, args) {
    if (typeof callee !== "function") throw new TypeError(`Cannot call a value of type ${typeof callee}`);
    if (!Array.isArray(args)) throw new InvalidEncodingError("a call without a list of arguments");
    return callee(...args);
  },
};

/**
 * Applies a built-in operation to evaluated arguments.
 *
 * @throws RedunError with code `unknown-operation`, or whatever the operation throws
 */
export function applyOperation(op: string, args: readonly unknown[]): unknown {
  if (!Object.hasOwn(operations, op)) {
    throw new RedunError(
      "unknown-operation",
      `Cannot evaluate the operation ${JSON.stringify(op)}: not implemented`,
    );
  }
  return operations[op]!(...args);
}
