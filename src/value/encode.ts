import { UnsupportedValueError } from "../errors/errors.ts";
import { RedunError } from "../errors/redun-error.ts";
import { toBase64 } from "../util/base64.ts";
import { compareCodePoints } from "./bencode.ts";
import { classNamesOf } from "./error-classes.ts";
import { builtinNames, codecOf } from "./registry.ts";

/**
 * The canonical encoding: compact JSON in which object keys are sorted by code point and what JSON lacks is an
 * object with the one key `$`, holding a list of a type name and its data. A key of a plain object that begins
 * with `$` gets one more, so the two can't be confused. One value has one encoding, the same in every runtime,
 * whatever the order of its keys and whichever references it shares. An expression that occurs again is written as
 * the type `shared` and its hash, since a graph of expressions may stand for an exponentially larger tree.
 */
export const FORMAT = "application/vnd.redun.value+json; version=1";

/** A value's encoding. */
export interface Encoding {
  readonly text: string;
  /** Whether decoding it gives keys or entries in another order than the value had. */
  readonly reordered: boolean;
  /** Whether {@link encodeForHash} writes another text: of expressions only hashes, and no hashes of users' types. */
  readonly hashedApart: boolean;
}

/** Closes a container; the encoder counts depth by it. */
class Close {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** Text to emit as it stands. */
class Raw {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** Closes a value that later ones in the same encoding may refer to. */
class CloseShared extends Close {
  readonly hash: string;
  constructor(hash: string) {
    super("]}");
    this.hash = hash;
  }
}

const CLOSE_ARRAY = new Close("]");
const CLOSE_OBJECT = new Close("}");
const CLOSE_TAG = new Close("]}");
const COMMA = new Raw(",");

/** Past this depth a value is either very deep or cyclic, and it is worth finding out which. */
const CYCLE_CHECK_DEPTH = 2000;
/** Sets and maps sort their entries by encoding, which takes a call a level. */
const MAX_UNORDERED_DEPTH = 200;

const numberText = (value: number): string => {
  if (Number.isFinite(value) && !Object.is(value, -0)) return String(value);
  return `{"$":["number","${Object.is(value, -0) ? "-0" : value}"]}`;
};

/** The encoding of a value that needs no look at its parts, or `undefined`. */
export function encodePrimitive(value: unknown): string | undefined {
  switch (typeof value) {
    case "number":
      return numberText(value);
    case "string":
      return JSON.stringify(value);
    case "boolean":
      return value ? "true" : "false";
    case "undefined":
      return '{"$":["undefined"]}';
    case "bigint":
      return `{"$":["bigint","${value}"]}`;
    default:
      return value === null ? "null" : undefined;
  }
}

/**
 * Encodes a value canonically. Works without recursion, so depth is bounded by memory alone.
 *
 * @throws UnsupportedValueError for functions, symbols, unregistered classes and cycles, naming the path
 */
export function encode(value: unknown, root = "value"): Encoding {
  const primitive = encodePrimitive(value);
  if (primitive !== undefined) return { text: primitive, reordered: false, hashedApart: false };
  return new Encoder(value, root, false, 0).run();
}

/**
 * The text that a value's hash is taken over. It is the encoding, but of each expression it has only the hash, so that
 * hashing a long chain of them takes time in proportion to its length.
 *
 * @throws UnsupportedValueError as {@link encode} does
 */
export function encodeForHash(value: unknown, root = "value"): Encoding {
  return new Encoder(value, root, true, 0).run();
}

class Encoder {
  private out = "";
  private reordered = false;
  private readonly root: unknown;
  private readonly rootName: string;
  private readonly forHash: boolean;
  private readonly unorderedDepth: number;
  private readonly written = new Set<string>();
  private hashedApart = false;
  private checkedForCycle = false;

  constructor(root: unknown, rootName: string, forHash: boolean, unorderedDepth: number) {
    this.root = root;
    this.rootName = rootName;
    this.forHash = forHash;
    this.unorderedDepth = unorderedDepth;
  }

  run(): Encoding {
    const stack: unknown[] = [this.root];
    let depth = 0;
    while (stack.length > 0) {
      const item = stack.pop();
      const primitive = encodePrimitive(item);
      if (primitive !== undefined) {
        this.out += primitive;
      } else if (item instanceof Raw) {
        this.out += item.text;
      } else if (item instanceof Close) {
        this.out += item.text;
        depth--;
        if (item instanceof CloseShared) this.written.add(item.hash);
      } else {
        const before = stack.length;
        this.open(item as object, stack);
        if (stack.length > before && ++depth > CYCLE_CHECK_DEPTH && !this.checkedForCycle) {
          this.checkedForCycle = true;
          this.refuseCycles();
        }
      }
    }
    return { text: this.out, reordered: this.reordered, hashedApart: this.hashedApart };
  }

  /** Emits the head of an object and leaves its parts on the stack, last part first. */
  private open(value: object, stack: unknown[]): void {
    if (isPlainArray(value)) {
      this.out += "[";
      stack.push(CLOSE_ARRAY);
      for (let i = value.length - 1; i >= 0; i--) {
        stack.push(value[i]);
        if (i > 0) stack.push(COMMA);
      }
      return;
    }
    const codec = codecOf(value);
    if (codec !== undefined) {
      const own = this.forHash || codec.name.startsWith("redun.") ? undefined : codec.hash?.(value);
      this.hashedApart ||= codec.shared === true || own !== undefined;
      // Entries of sets and maps are sorted afterwards, so what is written there may not come first in the end.
      const mayRefer = codec.shared && (this.forHash || this.unorderedDepth === 0);
      const hash = mayRefer ? codec.hash?.(value) : undefined;
      if (hash !== undefined && (this.forHash || this.written.has(hash))) {
        this.out += `{"$":["shared","${hash}"]}`;
        return;
      }
      this.out += `{"$":[${JSON.stringify(codec.name)},`;
      stack.push(hash === undefined ? CLOSE_TAG : new CloseShared(hash));
      if (own !== undefined) stack.push(new Raw(`,"${own}"`));
      stack.push(codec.encode(value));
      return;
    }
    if (typeof value === "object" && isPlainObject(value))
      this.openObject(value as Record<string, unknown>, stack);
    else this.openBuiltin(value, stack);
  }

  private openObject(value: Record<string, unknown>, stack: unknown[]): void {
    const keys = Object.keys(value);
    let previous: string | undefined;
    for (const key of keys) {
      if (previous !== undefined && compareCodePoints(previous, key) > 0) {
        keys.sort(compareCodePoints);
        // Integer-like keys always come first in an object, so sorting them changes nothing that can be seen.
        this.reordered = true;
        break;
      }
      previous = key;
    }
    this.out += "{";
    stack.push(CLOSE_OBJECT);
    for (let i = keys.length - 1; i >= 0; i--) {
      const key = keys[i]!;
      stack.push(value[key]);
      stack.push(new Raw(`${i > 0 ? "," : ""}${JSON.stringify(key.startsWith("$") ? `$${key}` : key)}:`));
    }
  }

  private openBuiltin(value: object, stack: unknown[]): void {
    const prototype = Object.getPrototypeOf(value);
    if (prototype === Date.prototype) {
      const time = (value as Date).getTime();
      this.out += `{"$":["Date",${Number.isNaN(time) ? "null" : time}]}`;
    } else if (prototype === Map.prototype) {
      const entries = this.mapEntries(value as Map<unknown, unknown>);
      this.out += '{"$":["Map",[';
      stack.push(CLOSE_TAG, new Raw("]"));
      for (let i = entries.length - 1; i >= 0; i--) {
        const { key, item } = entries[i]!;
        stack.push(new Raw("]"), item, new Raw(`${i > 0 ? "," : ""}[${key},`));
      }
    } else if (prototype === Set.prototype) {
      this.out += `{"$":["Set",${this.setItems(value as Set<unknown>)}]}`;
    } else if (value instanceof Error) {
      this.out += '{"$":["Error",';
      stack.push(CLOSE_TAG, new Raw(errorClassesText(value)), errorData(value));
    } else if (value instanceof URL) {
      this.out += `{"$":["URL",${JSON.stringify(value.href)}]}`;
    } else if (value instanceof ArrayBuffer) {
      this.out += `{"$":["ArrayBuffer","${toBase64(new Uint8Array(value))}"]}`;
    } else if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
      const name = Object.prototype.toString.call(value).slice(8, -1);
      if (!builtinNames.has(name)) this.refuse(value);
      // A class on top, such as Node's Buffer, is not restored.
      if (Object.getPrototypeOf(prototype) !== typedArrayPrototype) this.reordered = true;
      const bytes = new Uint8Array(value.buffer as ArrayBuffer, value.byteOffset, value.byteLength);
      this.out += `{"$":["${name}","${toBase64(bytes)}"]}`;
    } else {
      this.refuse(value);
    }
  }

  /** The encodings of a set's items, sorted, as one JSON list. */
  setItems(value: ReadonlySet<unknown>): string {
    const items = [...value].map((item) => this.part(item));
    this.sort(items);
    return `[${items.join(",")}]`;
  }

  /** A map's entries with their encoded keys, sorted. */
  private mapEntries(value: ReadonlyMap<unknown, unknown>): { key: string; item: unknown }[] {
    let entries: { key: string; item: unknown }[] = [];
    for (const [key, item] of value) entries.push({ key: this.part(key), item });
    // Different objects may have equal encodings as keys; then the items decide the order.
    if (new Set(entries.map(({ key }) => key)).size < entries.length)
      entries = entries.map(({ key, item }) => ({ key, item: new Raw(this.part(item)) }));
    const sortKey = ({ key, item }: { key: string; item: unknown }) =>
      item instanceof Raw ? `${key},${item.text}` : key;
    for (let i = 1; i < entries.length; i++) {
      if (compareCodePoints(sortKey(entries[i - 1]!), sortKey(entries[i]!)) > 0) {
        entries.sort((a, b) => compareCodePoints(sortKey(a), sortKey(b)));
        this.reordered = true;
        break;
      }
    }
    return entries;
  }

  private sort(items: string[]): void {
    for (let i = 1; i < items.length; i++) {
      if (compareCodePoints(items[i - 1]!, items[i]!) > 0) {
        items.sort(compareCodePoints);
        this.reordered = true;
        return;
      }
    }
  }

  private part(value: unknown): string {
    if (this.unorderedDepth >= MAX_UNORDERED_DEPTH) {
      throw new UnsupportedValueError(
        this.rootName,
        `sets and maps nest deeper than ${MAX_UNORDERED_DEPTH}, or in a cycle`,
      );
    }
    const primitive = encodePrimitive(value);
    if (primitive !== undefined) return primitive;
    const name = `${this.rootName}(item)`;
    const part = new Encoder(value, name, this.forHash, this.unorderedDepth + 1).run();
    this.reordered ||= part.reordered;
    this.hashedApart ||= part.hashedApart;
    return part.text;
  }

  /** Fails, having found out where in the whole value the culprit is. */
  private refuse(value: object): never {
    const path = pathTo(this.root, value) ?? [];
    throw new UnsupportedValueError(pathText(this.rootName, path), describeUnsupported(value));
  }

  private refuseCycles(): void {
    const path = cyclePath(this.root);
    if (path === undefined) return;
    throw new UnsupportedValueError(
      pathText(this.rootName, path),
      "it refers back to a value that holds it (a cycle)",
    );
  }
}

/** The encoding of a set as a list of its sorted items, which is what a set's hash is taken over. */
export function encodeSetItems(value: ReadonlySet<unknown>): string {
  return new Encoder(value, "value", true, 0).setItems(value);
}

/** Whether an array is of no class on top; `Array.prototype` of any realm is itself an array. */
export function isPlainArray(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && Array.isArray(Object.getPrototypeOf(value));
}

const typedArrayPrototype: object = Object.getPrototypeOf(Uint8Array.prototype);

/** Whether an object is made by a literal, or has no prototype. */
export function isPlainObject(value: object): value is Record<string, unknown> {
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return true;
  // Objects of another realm, such as a vm context or an iframe, have another Object.prototype.
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, "isPrototypeOf");
}

/** Errors nest no deeper than this, causes included; the innermost are left out. */
const MAX_ERRORS = 50;
/** The errors that are being encoded, each a part of the one before. */
const openErrors = new Set<Error>();

/**
 * An error as data: its name, message, cause, and own fields that can be encoded. The others are left out, since
 * people attach sockets and requests to errors. Stacks differ by runtime.
 */
function errorData(error: Error): Record<string, unknown> {
  if (openErrors.has(error) || openErrors.size >= MAX_ERRORS)
    throw new UnsupportedValueError(error.name, "errors nest too deep, or in a cycle");
  const data: Record<string, unknown> = { name: String(error.name), message: String(error.message) };
  const add = (key: string, field: unknown) => {
    const text = field === undefined ? undefined : tryEncode(field);
    if (text !== undefined) data[key] = new Raw(text);
  };
  openErrors.add(error);
  try {
    for (const key of Object.keys(error)) {
      if (!standardFields.has(key)) add(key, (error as unknown as Record<string, unknown>)[key]);
    }
    add("cause", error.cause);
    add("errors", (error as Partial<AggregateError>).errors);
  } finally {
    openErrors.delete(error);
  }
  return data;
}

/** The names of an error's classes, where its name does not tell them. Those of the engine's errors have a code instead. */
function errorClassesText(error: Error): string {
  if (error instanceof RedunError) return "";
  const names = classNamesOf(error);
  const isTold = names.length === 0 || (names.length === 1 && names[0] === error.name);
  return isTold ? "" : `,${JSON.stringify(names)}`;
}

/** Fields that are not stored as such: they have a place of their own, or would shadow what an error's class provides. */
export const standardFields: ReadonlySet<string> = new Set([
  ...["stack", "name", "message", "cause", "errors"],
  ...["__proto__", "constructor", "toString"],
]);

function tryEncode(value: unknown): string | undefined {
  try {
    return encode(value).text;
  } catch (error) {
    if (error instanceof UnsupportedValueError) return undefined;
    throw error;
  }
}

function describeUnsupported(value: object): string {
  if (typeof value === "function") {
    const name = (value as { name?: string }).name;
    return `a function${name ? ` (${name})` : ""} has no encoding`;
  }
  if (typeof value === "symbol") return "a symbol has no encoding";
  if (value instanceof Promise) return "a promise has no encoding; await it, or return it alone";
  const name = (value as { constructor?: { name?: string } }).constructor?.name;
  return `an object of class ${name || "(unnamed)"} has no registered codec`;
}

type Path = readonly (string | number)[];

const keyText = (key: unknown): string =>
  typeof key === "string" ? key : (encodePrimitive(key) ?? "(an object as key)");

function* parts(value: unknown): Iterable<[string | number, unknown]> {
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) yield [i, value[i]];
  } else if (value instanceof Map) {
    for (const [key, item] of value) yield [typeof key === "number" ? key : keyText(key), item];
  } else if (value instanceof Error) {
    // Of an error only what can be encoded is.
  } else if (isHolder(value)) {
    const codec = codecOf(value);
    if (codec !== undefined) yield* parts(codec.encode(value));
    else if (isPlainObject(value)) yield* Object.entries(value);
  }
}

interface Place {
  readonly value: unknown;
  readonly key: string | number;
  readonly holder: Place | undefined;
}

function pathTo(root: unknown, wanted: object): Path | undefined {
  const seen = new Set<unknown>();
  const stack: Place[] = [{ value: root, key: "", holder: undefined }];
  while (stack.length > 0) {
    const place = stack.pop()!;
    const { value } = place;
    if (value === wanted) {
      const path: (string | number)[] = [];
      for (let at = place; at.holder !== undefined; at = at.holder) path.push(at.key);
      return path.reverse();
    }
    if (!isHolder(value) || seen.has(value)) continue;
    seen.add(value);
    for (const [key, item] of parts(value)) stack.push({ value: item, key, holder: place });
  }
  return undefined;
}

const isHolder = (value: unknown): value is object =>
  (typeof value === "object" && value !== null) || typeof value === "function";

/** The path at which a value refers back to one of its own holders, if it does. */
function cyclePath(root: unknown): Path | undefined {
  const holders = new Set<unknown>();
  const path: (string | number)[] = [];
  const finished = new Set<unknown>();
  const frames: { value: unknown; rest: Iterator<[string | number, unknown]> }[] = [];
  const enter = (value: unknown): void => {
    holders.add(value);
    frames.push({ value, rest: parts(value)[Symbol.iterator]() });
  };
  enter(root);
  while (frames.length > 0) {
    const frame = frames[frames.length - 1]!;
    const next = frame.rest.next();
    if (next.done) {
      frames.pop();
      path.pop();
      holders.delete(frame.value);
      finished.add(frame.value);
      continue;
    }
    const [key, item] = next.value;
    if (!isHolder(item) || finished.has(item)) continue;
    path.push(key);
    if (holders.has(item)) return path;
    enter(item);
  }
  return undefined;
}

/** A path inside a value as code: `result.items[3].callback`. */
function pathText(root: string, path: Path): string {
  let text = root;
  for (const key of path) {
    if (typeof key === "number") text += `[${key}]`;
    else text += /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
  }
  // A cycle's path may be long; its beginning and end say enough.
  return text.length <= 300 ? text : `${text.slice(0, 150)}…${text.slice(-100)}`;
}
