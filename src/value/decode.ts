import { InvalidEncodingError } from "../errors/errors.ts";
import { hasCode, RedunError } from "../errors/redun-error.ts";
import { decodeBase64 } from "../util/base64.ts";
import { standardFields } from "./encode.ts";
import { ownErrorClasses, restoreErrorClass } from "./error-classes.ts";
import { ForeignValue, keepsForeignValues } from "./foreign.ts";
import { builtinNames, codecNamed, type ValueCodec } from "./registry.ts";

/**
 * Decodes a canonical encoding. The text is untrusted: it can neither run code nor touch a prototype, and its depth
 * is bounded by memory alone.
 *
 * @throws InvalidEncodingError if the text is not an encoded value, or names an unknown type
 */
export function decode(text: string): unknown {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    throw new InvalidEncodingError(`not JSON (${(error as Error).message})`, { cause: error });
  }
  // Every tag and every escaped key shows as `"$`; without it JSON has said all.
  return text.includes('"$') ? new Reviver().revive(data) : data;
}

interface Frame {
  readonly source: object;
  readonly keys: readonly string[] | undefined;
  /** An array, an object, or for a tag the list of its name and data. */
  readonly target: unknown[] | Record<string, unknown>;
  readonly tag: string | undefined;
  next: number;
}

function enter(source: object): Frame {
  if (Array.isArray(source))
    return { source, keys: undefined, target: new Array(source.length), tag: undefined, next: 0 };
  const keys = Object.keys(source);
  if (keys.length === 1 && keys[0] === "$") {
    const content = (source as { $: unknown }).$;
    const list: readonly unknown[] = Array.isArray(content) ? content : [];
    const [tag] = list;
    if (typeof tag !== "string" || list.length > (isUsers(tag) || tag === "Error" ? 3 : 2)) {
      throw new InvalidEncodingError("a tag that is not a list of a type name, its data, and its own hash");
    }
    return { source: list, keys: undefined, target: new Array(list.length), tag, next: 0 };
  }
  return { source, keys, target: {}, tag: undefined, next: 0 };
}

/** Whether a type is a user's, whose values may have a hash of their own in the encoding. */
const isUsers = (tag: string): boolean => !builtinNames.has(tag) && !tag.startsWith("redun.");

class Reviver {
  private readonly shared: { readonly codec: ValueCodec; readonly value: unknown }[] = [];
  private byHash: Map<string, unknown> | undefined = undefined;
  private indexed = 0;

  revive(root: unknown): unknown {
    if (typeof root !== "object" || root === null) return root;
    const frames: Frame[] = [enter(root)];
    for (;;) {
      const frame = frames[frames.length - 1]!;
      const size = frame.keys === undefined ? (frame.source as unknown[]).length : frame.keys.length;
      let descended = false;
      while (frame.next < size) {
        const item = childAt(frame);
        if (typeof item === "object" && item !== null) {
          frames.push(enter(item));
          descended = true;
          break;
        }
        store(frame, item);
      }
      if (descended) continue;
      const value = frame.tag === undefined ? frame.target : this.untag(frame.tag, frame.target as unknown[]);
      frames.pop();
      const parent = frames[frames.length - 1];
      if (parent === undefined) return value;
      store(parent, value);
    }
  }

  private untag(tag: string, list: readonly unknown[]): unknown {
    if (tag === "shared") return this.sharedValue(list[1]);
    if (builtinNames.has(tag)) return untagBuiltin(tag, list);
    const codec = codecNamed(tag);
    if (codec === undefined) {
      if (keepsForeignValues() && isUsers(tag)) return new ForeignValue(tag, list[1], list[2]);
      throw new InvalidEncodingError(`no type named ${JSON.stringify(tag)} is registered`, {
        hint: "Import the module that registers it with registerValue().",
        fields: { type: tag },
      });
    }
    let value: unknown;
    try {
      value = codec.decode(list[1]);
    } catch (error) {
      if (hasCode(error, "invalid-encoding")) throw error;
      throw new InvalidEncodingError(`malformed data of type ${tag}`, { cause: error });
    }
    if (codec.shared) this.shared.push({ codec, value });
    return value;
  }

  /** The value of a hash among those decoded so far. */
  private sharedValue(hash: unknown): unknown {
    this.byHash ??= new Map();
    for (; this.indexed < this.shared.length; this.indexed++) {
      const { codec, value } = this.shared[this.indexed]!;
      this.byHash.set(codec.hash!(value), value);
    }
    if (typeof hash !== "string" || !this.byHash.has(hash))
      throw new InvalidEncodingError("a reference to a value that does not come before it");
    return this.byHash.get(hash);
  }
}

function childAt(frame: Frame): unknown {
  return frame.keys === undefined
    ? (frame.source as unknown[])[frame.next]
    : (frame.source as Record<string, unknown>)[frame.keys[frame.next]!];
}

function store(frame: Frame, value: unknown): void {
  const index = frame.next++;
  if (frame.keys === undefined) {
    (frame.target as unknown[])[index] = value;
    return;
  }
  const raw = frame.keys[index]!;
  let key = raw;
  if (raw.startsWith("$")) {
    if (!raw.startsWith("$$")) throw new InvalidEncodingError(`a reserved key ${JSON.stringify(raw)}`);
    key = raw.slice(1);
  }
  if (key === "__proto__") {
    // Assignment would set the prototype.
    Object.defineProperty(frame.target, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    (frame.target as Record<string, unknown>)[key] = value;
  }
}

const typedArrays: Readonly<Record<string, (bytes: Uint8Array<ArrayBuffer>) => unknown>> = {
  ArrayBuffer: (bytes) => bytes.buffer,
  Uint8Array: (bytes) => bytes,
  Int8Array: (bytes) => new Int8Array(bytes.buffer),
  Uint8ClampedArray: (bytes) => new Uint8ClampedArray(bytes.buffer),
  Uint16Array: (bytes) => new Uint16Array(bytes.buffer),
  Int16Array: (bytes) => new Int16Array(bytes.buffer),
  Uint32Array: (bytes) => new Uint32Array(bytes.buffer),
  Int32Array: (bytes) => new Int32Array(bytes.buffer),
  Float32Array: (bytes) => new Float32Array(bytes.buffer),
  Float64Array: (bytes) => new Float64Array(bytes.buffer),
  BigInt64Array: (bytes) => new BigInt64Array(bytes.buffer),
  BigUint64Array: (bytes) => new BigUint64Array(bytes.buffer),
};

const numbers: Readonly<Record<string, number>> = {
  NaN: NaN,
  Infinity: Infinity,
  "-Infinity": -Infinity,
  "-0": -0,
};

function untagBuiltin(tag: string, list: readonly unknown[]): unknown {
  const data = list[1];
  const malformed = (): never => {
    throw new InvalidEncodingError(`malformed data of type ${tag}`);
  };
  if (Object.hasOwn(typedArrays, tag)) {
    if (typeof data !== "string") return malformed();
    try {
      return typedArrays[tag]!(decodeBase64(data));
    } catch (error) {
      throw new InvalidEncodingError(`malformed data of type ${tag}`, { cause: error });
    }
  }
  switch (tag) {
    case "undefined":
      return list.length === 1 ? undefined : malformed();
    case "number":
      return typeof data === "string" && Object.hasOwn(numbers, data) ? numbers[data] : malformed();
    case "bigint":
      return typeof data === "string" && /^-?\d+$/.test(data) ? BigInt(data) : malformed();
    case "Date":
      return data === null ? new Date(NaN) : typeof data === "number" ? new Date(data) : malformed();
    case "URL":
      return typeof data === "string" && URL.canParse(data) ? new URL(data) : malformed();
    case "Set":
      return Array.isArray(data) ? new Set(data) : malformed();
    case "Map":
      if (!Array.isArray(data) || !data.every((entry) => Array.isArray(entry) && entry.length === 2))
        return malformed();
      return new Map(data as [unknown, unknown][]);
    case "Error":
      return isErrorData(data) && isClassNames(list[2]) ? decodeError(data, list[2]) : malformed();
    default:
      return malformed();
  }
}

interface ErrorData {
  readonly name: string;
  readonly message: string;
  readonly [key: string]: unknown;
}

function isErrorData(data: unknown): data is ErrorData {
  const { name, message } = (data ?? {}) as Partial<ErrorData>;
  return typeof name === "string" && typeof message === "string";
}

function isClassNames(names: unknown): names is readonly string[] | undefined {
  return (
    names === undefined ||
    (Array.isArray(names) && names.length > 0 && names.every((name) => typeof name === "string"))
  );
}

function decodeError(data: ErrorData, classes: readonly string[] = [data.name]): Error {
  const { name, message } = data;
  let error: Error;
  if (Array.isArray(data.errors)) error = new AggregateError(data.errors, message);
  else if (typeof data.code === "string" && "fields" in data) {
    error = new RedunError(data.code, message, {
      hint: typeof data.hint === "string" ? data.hint : undefined,
      fields: data.fields as Record<string, unknown>,
    });
  } else {
    const own = classes.find((each) => Object.hasOwn(ownErrorClasses, each));
    error = own === undefined ? new Error(message) : new ownErrorClasses[own]!(message);
    restoreErrorClass(error, classes);
  }
  const hidden = (key: string, value: unknown) =>
    Object.defineProperty(error, key, { value, configurable: true, writable: true });
  if (error.name !== name) hidden("name", name);
  // Its stack is that of this function.
  hidden("stack", message === "" ? name : `${name}: ${message}`);
  if (Object.hasOwn(data, "cause")) hidden("cause", data.cause);
  for (const [key, field] of Object.entries(data)) {
    if (!standardFields.has(key) && !Object.hasOwn(error, key)) {
      Object.defineProperty(error, key, {
        value: field,
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
  }
  return error;
}
