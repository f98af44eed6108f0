declare const TYPE: unique symbol;

/** What every lazy expression has, whatever its value is. */
export interface LazyValue<T> extends PromiseLike<T> {
  /** Only for the type checker: an expression of one type is not one of another. */
  readonly [TYPE]?: T;
}

type IsAny<T> = 0 extends 1 & T ? true : false;

// biome-ignore lint/suspicious/noExplicitAny: matches every function
type AnyFunction = (...args: any[]) => any;

/** Whether an array type is a tuple of known length. */
type IsTuple<T extends readonly unknown[]> = number extends T["length"] ? false : true;

/** A method of a value that is not known yet. Of an overloaded one the last four forms count. */
type LazyMember<T> = [T] extends [
  {
    (...args: infer A1): infer R1;
    (...args: infer A2): infer R2;
    (...args: infer A3): infer R3;
    (...args: infer A4): infer R4;
  },
]
  ? LazyMethod<A1, R1> & LazyMethod<A2, R2> & LazyMethod<A3, R3> & LazyMethod<A4, R4>
  : Expression<T>;

type LazyMethod<A extends readonly unknown[], R> = (...args: LazyArguments<A>) => Expression<Resolved<R>>;

type MembersOf<T> = { readonly [K in Exclude<keyof T, "then" | symbol>]: LazyMember<T[K]> };

/** The lazy forms of a value's members. */
type LazyMembers<T> =
  IsAny<T> extends true
    ? // biome-ignore lint/suspicious/noExplicitAny: any in, any out
      any
    : T extends string
      ? // biome-ignore lint/complexity/noBannedTypes: the interface that has a string's members
        MembersOf<String>
      : T extends number | bigint | boolean | symbol | null | undefined
        ? unknown
        : T extends AnyFunction
          ? LazyMember<T>
          : T extends readonly unknown[]
            ? IsTuple<T> extends true
              ? { readonly [K in keyof T]: Expression<T[K]> }
              : { readonly [index: number]: Expression<T[number]> } & MembersOf<T>
            : T extends object
              ? MembersOf<T>
              : unknown;

/**
 * A value that is not known yet. Its properties, items and methods are lazy too; it may be passed wherever a task
 * takes a `T`, awaited inside an async task, or given to `scheduler.run`.
 *
 * @typeParam T - the type of the value
 */
export type Expression<T> = LazyValue<T> & LazyMembers<T>;

/**
 * Whatever a task accepts for a parameter of type `T`: the value, an expression of it, or a container in which some
 * parts are expressions.
 */
export type Lazy<T> =
  IsAny<T> extends true
    ? T
    :
        | T
        | LazyValue<T>
        | (T extends AnyFunction | Date | URL | Uint8Array | ArrayBuffer | RegExp | Error
            ? never
            : LazyParts<T>);

type LazyParts<T> =
  T extends ReadonlyMap<infer K, infer V>
    ? ReadonlyMap<Lazy<K>, Lazy<V>>
    : T extends ReadonlySet<infer V>
      ? ReadonlySet<Lazy<V>>
      : T extends readonly (infer E)[]
        ? IsTuple<T> extends true
          ? { [K in keyof T]: Lazy<T[K]> }
          : // Written as an array type, which is resolved late, so that recursive types such as JSON work.
            readonly Lazy<E>[]
        : T extends object
          ? { [K in keyof T]: Lazy<T[K]> }
          : never;

/** The parameters of a task's call. */
// biome-ignore lint/suspicious/noExplicitAny: keeps `any[]` as it is
export type LazyArguments<A extends readonly any[]> = { [K in keyof A]: Lazy<A[K]> };

/**
 * The type of a task result once everything in it is evaluated: promises and expressions are replaced by what they
 * stand for, also inside arrays and plain objects.
 */
export type Resolved<T> =
  IsAny<T> extends true
    ? T
    : T extends LazyValue<infer U>
      ? Resolved<U>
      : T extends PromiseLike<infer U>
        ? Resolved<U>
        : T extends AnyFunction | Date | URL | ArrayBuffer | ArrayBufferView | RegExp | Error
          ? T
          : T extends ReadonlyMap<infer K, infer V>
            ? Map<Resolved<K>, Resolved<V>>
            : T extends ReadonlySet<infer V>
              ? Set<Resolved<V>>
              : T extends readonly (infer E)[]
                ? IsTuple<T> extends true
                  ? { [K in keyof T]: Resolved<T[K]> }
                  : Resolved<E>[]
                : T extends { readonly [key: string]: unknown }
                  ? { [K in keyof T]: Resolved<T[K]> }
                  : T extends object
                    ? MethodsOf<T> extends never
                      ? { [K in keyof T]: Resolved<T[K]> }
                      : T
                    : T;

/** Names of the methods of a type; an interface that has none is seen as that of plain data. */
type MethodsOf<T> = { [K in keyof T]-?: T[K] extends AnyFunction ? K : never }[keyof T];
