import { BackendError } from "../errors/errors.ts";

/** An object of a Python class, as plain data: nothing of it is ever called. */
export interface PythonObject {
  /** The class or function that would make it, such as `redun.file.File`. */
  readonly python: string;
  readonly args?: unknown;
  readonly state?: unknown;
}

const MARK: unique symbol = Symbol("mark");

/** Deeper values and longer pickles than any real one are refused. */
const MOST_STEPS = 10_000_000;

const latin1 = new TextDecoder("latin1");
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Reads a pickle of Python's, of protocols 2 to 5, without running anything: dictionaries with text keys become objects,
 * others maps; tuples become arrays; whatever is made by a class or function becomes a {@link PythonObject}.
 *
 * @throws BackendError if it is cut short, or has an instruction that is not known here
 * @see https://docs.python.org/3/library/pickletools.html
 */
export function readPickle(bytes: Uint8Array): unknown {
  return new Reader(bytes).read();
}

class Reader {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private at = 0;
  private stack: unknown[] = [];
  private readonly memo = new Map<number, unknown>();

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  read(): unknown {
    try {
      for (let steps = 0; steps < MOST_STEPS; steps++) {
        const code = String.fromCharCode(this.byte());
        if (code === ".") return plain(this.stack.pop(), 0);
        this.step(code);
      }
    } catch (cause) {
      throw new BackendError(`Cannot read a pickle: ${(cause as Error).message}`, { cause });
    }
    throw new BackendError("Cannot read a pickle: it is too long");
  }

  private step(code: string): void {
    const { stack } = this;
    const simple = CONSTANTS.get(code);
    if (simple !== undefined) {
      stack.push(simple());
      return;
    }
    switch (code) {
      case "\x80":
        this.at += 1;
        break;
      case "\x95":
        this.at += 8;
        break;
      case "K":
        stack.push(this.byte());
        break;
      case "M":
        stack.push(this.byte() | (this.byte() << 8));
        break;
      case "J":
        stack.push(this.view.getInt32(this.skip(4), true));
        break;
      case "G":
        stack.push(this.view.getFloat64(this.skip(8)));
        break;
      case "\x8a":
        stack.push(integer(this.take(this.byte())));
        break;
      case "\x8b":
        stack.push(integer(this.take(this.length(4))));
        break;
      case "\x8c":
        stack.push(utf8.decode(this.take(this.byte())));
        break;
      case "X":
        stack.push(utf8.decode(this.take(this.length(4))));
        break;
      case "\x8d":
        stack.push(utf8.decode(this.take(this.length(8))));
        break;
      case "C":
      case "U":
        stack.push(this.take(this.byte()).slice());
        break;
      case "B":
      case "T":
        stack.push(this.take(this.length(4)).slice());
        break;
      case "\x8e":
      case "\x96":
        stack.push(this.take(this.length(8)).slice());
        break;
      case "q":
        this.memo.set(this.byte(), stack.at(-1));
        break;
      case "r":
        this.memo.set(this.length(4), stack.at(-1));
        break;
      case "\x94":
        this.memo.set(this.memo.size, stack.at(-1));
        break;
      case "h":
        stack.push(this.remembered(this.byte()));
        break;
      case "j":
        stack.push(this.remembered(this.length(4)));
        break;
      case "0":
        stack.pop();
        break;
      case "1":
        this.marked();
        break;
      case "2":
        stack.push(stack.at(-1));
        break;
      default:
        this.compose(code);
    }
  }

  /** Instructions that make something of what is on the stack. */
  private compose(code: string): void {
    const { stack } = this;
    switch (code) {
      case "t":
        stack.push(this.marked());
        break;
      case "\x85":
      case "\x86":
      case "\x87":
        stack.push(stack.splice(-(code.charCodeAt(0) - 0x84)));
        break;
      case "a": {
        const item = stack.pop();
        this.top(Array.isArray).push(item);
        break;
      }
      case "e": {
        const items = this.marked();
        const list = this.top(Array.isArray);
        for (const item of items) list.push(item);
        break;
      }
      case "s": {
        const [key, value] = stack.splice(-2);
        this.top(isMap).set(key, value);
        break;
      }
      case "u": {
        const items = this.marked();
        const map = this.top(isMap);
        for (let i = 0; i + 1 < items.length; i += 2) map.set(items[i], items[i + 1]);
        break;
      }
      case "\x90": {
        const items = this.marked();
        const set = this.top(isSet);
        for (const item of items) set.add(item);
        break;
      }
      case "\x91":
        stack.push(new Set(this.marked()));
        break;
      case "l":
        stack.push(this.marked());
        break;
      case "c":
        stack.push(new Made(`${this.line()}.${this.line()}`));
        break;
      case "\x93": {
        const [module, name] = stack.splice(-2);
        stack.push(new Made(`${String(module)}.${String(name)}`));
        break;
      }
      case "R":
      case "\x81": {
        const [maker, args] = stack.splice(-2);
        stack.push(new Made(maker instanceof Made ? maker.name : "object", args));
        break;
      }
      case "\x92": {
        const [maker, args] = stack.splice(-3);
        stack.push(new Made(maker instanceof Made ? maker.name : "object", args));
        break;
      }
      case "b": {
        const state = stack.pop();
        const made = stack.at(-1);
        if (made instanceof Made) made.state = state;
        break;
      }
      default:
        throw new Error(`unknown instruction 0x${code.charCodeAt(0).toString(16)}`);
    }
  }

  /** What was put on the stack since the last mark. */
  private marked(): unknown[] {
    const mark = this.stack.lastIndexOf(MARK);
    if (mark < 0) throw new Error("a mark is missing");
    return this.stack.splice(mark).slice(1);
  }

  private top<T>(is: (value: unknown) => value is T): T {
    const value = this.stack.at(-1);
    if (!is(value)) throw new Error("it is malformed");
    return value;
  }

  private remembered(index: number): unknown {
    if (!this.memo.has(index)) throw new Error("it is malformed");
    return this.memo.get(index);
  }

  private byte(): number {
    return this.bytes[this.skip(1)]!;
  }

  private length(size: 4 | 8): number {
    const at = this.skip(size);
    return size === 4 ? this.view.getUint32(at, true) : Number(this.view.getBigUint64(at, true));
  }

  private take(length: number): Uint8Array {
    const at = this.skip(length);
    return this.bytes.subarray(at, at + length);
  }

  private skip(length: number): number {
    const { at } = this;
    if (at + length > this.bytes.length) throw new Error("it is cut short");
    this.at += length;
    return at;
  }

  private line(): string {
    const end = this.bytes.indexOf(10, this.at);
    if (end < 0) throw new Error("it is cut short");
    const text = latin1.decode(this.bytes.subarray(this.at, end));
    this.at = end + 1;
    return text;
  }
}

const CONSTANTS: ReadonlyMap<string, () => unknown> = new Map<string, () => unknown>([
  ["(", () => MARK],
  ["N", () => null],
  ["\x88", () => true],
  ["\x89", () => false],
  ["]", () => []],
  [")", () => []],
  ["}", () => new Map()],
  ["\x8f", () => new Set()],
]);

/** Something that a class or function would have made. */
class Made {
  readonly name: string;
  readonly args: unknown;
  state: unknown = undefined;

  constructor(name: string, args?: unknown) {
    this.name = name;
    this.args = args;
  }
}

const isMap = (value: unknown): value is Map<unknown, unknown> => value instanceof Map;
const isSet = (value: unknown): value is Set<unknown> => value instanceof Set;

/** A whole number in two's complement, least byte first. */
function integer(bytes: Uint8Array): number | bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  if ((bytes.at(-1) ?? 0) & 0x80) value -= 1n << BigInt(8 * bytes.length);
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

/** Makes plain data of what was read. */
function plain(value: unknown, depth: number): unknown {
  if (depth > 500) throw new Error("it is too deep");
  const inner = (part: unknown): unknown => plain(part, depth + 1);
  if (Array.isArray(value)) return value.map(inner);
  if (value instanceof Set) return new Set([...value].map(inner));
  if (value instanceof Map) {
    const entries = [...value].map(([key, part]): [unknown, unknown] => [inner(key), inner(part)]);
    return entries.every(([key]) => typeof key === "string")
      ? Object.fromEntries(entries as [string, unknown][])
      : new Map(entries);
  }
  if (!(value instanceof Made)) return value;
  const { name, args, state } = value;
  const hasArgs = Array.isArray(args) && args.length > 0;
  return {
    python: name,
    ...(hasArgs ? { args: inner(args) } : {}),
    ...(state === undefined ? {} : { state: inner(state) }),
  } satisfies PythonObject;
}
