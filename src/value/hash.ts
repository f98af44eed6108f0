import { sha512 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { type Bencodable, bencode, bencodeText } from "./bencode.ts";

/** Computes SHA-512 synchronously; text is hashed as UTF-8. @returns at least 40 lower-case hex digits */
export type Sha512 = (data: string | Uint8Array) => string;

/** A SHA-512 computed over data that arrives in parts. */
export interface HashStream {
  update(data: Uint8Array): void;
  /** @returns the first 40 hex digits */
  digest(): string;
}

/** The number of hex digits of every hash. */
export const HASH_LENGTH = 40;

const utf8 = new TextEncoder();
const portable: Sha512 = (data) =>
  bytesToHex(sha512(typeof data === "string" ? utf8.encode(data) : data).subarray(0, 20));

interface NodeHash {
  update(data: Uint8Array): unknown;
  digest(encoding: "hex"): string;
}

interface NodeCrypto {
  hash?(algorithm: string, data: string | Uint8Array, encoding: "hex"): string;
  createHash?(algorithm: string): NodeHash;
}

/** Node, Deno and workerd hash several times faster than portable code; no import is needed to ask. */
function nodeCrypto(): NodeCrypto | undefined {
  const runtime = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
  return runtime.process?.getBuiltinModule?.("node:crypto") as NodeCrypto | undefined;
}

function detect(): Sha512 {
  try {
    const crypto = nodeCrypto();
    if (typeof crypto?.hash === "function") {
      const { hash } = crypto;
      if (hash("sha512", "", "hex").startsWith("cf83e135")) return compact(hash);
    }
  } catch {
    // A runtime may forbid the look-up; the portable form is always right.
  }
  return portable;
}

interface Latin1Buffer {
  latin1Write(text: string, offset: number, length: number): number;
  latin1Slice(start: number, end: number): string;
}

/** Copies the 40 digits out: a slice of the engine's would keep all 128 alive, three times the memory of a hash. */
function compact(hash: NonNullable<NodeCrypto["hash"]>): Sha512 {
  const { Buffer } = globalThis as unknown as { Buffer?: { alloc(size: number): Latin1Buffer } };
  const scratch = Buffer?.alloc(HASH_LENGTH);
  if (typeof scratch?.latin1Write !== "function") return (data) => hash("sha512", data, "hex");
  return (data) => {
    scratch.latin1Write(hash("sha512", data, "hex"), 0, HASH_LENGTH);
    return scratch.latin1Slice(0, HASH_LENGTH);
  };
}

let implementation: Sha512 = detect();

/** Replaces the SHA-512 in use, for a runtime with a faster one. `undefined` means the portable one. @returns the one in use before */
export function setSha512(sha: Sha512 | undefined): Sha512 {
  const before = implementation;
  implementation = sha ?? portable;
  return before;
}

/**
 * The hash of everything in redun: the first 40 hex digits of SHA-512.
 *
 * @param data - bytes, or text, which counts as its UTF-8 bytes
 */
export function hashBytes(data: string | Uint8Array): string {
  return implementation(data).slice(0, HASH_LENGTH);
}

/** The hash of a structure: {@link hashBytes} of its bencode form. */
export function hashStruct(structure: Bencodable): string {
  return hashBytes(hasBytes(structure) ? bencode(structure) : bencodeText(structure as string));
}

function hasBytes(structure: Bencodable): boolean {
  if (structure instanceof Uint8Array) return true;
  if (Array.isArray(structure)) return structure.some(hasBytes);
  return typeof structure === "object" && structure !== null && Object.values(structure).some(hasBytes);
}

/** The hash of bytes under a record type: the bencoded list `[tag]`, followed by the bytes themselves. */
export function hashTagBytes(tag: string, data: string | Uint8Array): string {
  const head = bencodeText([tag]);
  if (typeof data === "string") return hashBytes(head + data);
  const prefix = utf8.encode(head);
  const all = new Uint8Array(prefix.length + data.length);
  all.set(prefix);
  all.set(data, prefix.length);
  return hashBytes(all);
}

/** Starts a hash over parts; equal to {@link hashBytes} of the whole, whatever the block size. */
export function hashStream(): HashStream {
  const native = nativeStream();
  if (native !== undefined) {
    return {
      update: (data) => void native.update(data),
      digest: () => native.digest("hex").slice(0, HASH_LENGTH),
    };
  }
  const state = sha512.create();
  return {
    update: (data) => void state.update(data),
    digest: () => bytesToHex(state.digest().subarray(0, 20)),
  };
}

function nativeStream(): NodeHash | undefined {
  try {
    return nodeCrypto()?.createHash?.("sha512");
  } catch {
    // A runtime may forbid the look-up; the portable form is always right.
    return undefined;
  }
}

// Hashes are 40 ASCII characters, so these pre-images need no length computation.
const h = (hash: string): string => `40:${hash}`;

/** The hash of a call's arguments: those given by position, and filled-in defaults by name. */
export function hashArguments(
  positional: readonly string[],
  named?: Readonly<Record<string, string>>,
): string {
  let text = "l13:TaskArgumentsl";
  for (const hash of positional) text += h(hash);
  text += "e";
  if (named === undefined) return hashBytes(`${text}dee`);
  return hashBytes(`${text}${bencodeText(named)}e`);
}

/** The cache key of a call. */
export function hashEval(taskHash: string, argsHash: string): string {
  return hashBytes(`l4:Eval${h(taskHash)}${h(argsHash)}e`);
}

/** The hash of a finished call; the order of its children does not matter, repeats do. */
export function hashCallNode(
  taskHash: string,
  argsHash: string,
  valueHash: string,
  childCallHashes: readonly string[],
): string {
  let text = `l8:CallNode${h(taskHash)}${h(argsHash)}${h(valueHash)}l`;
  const children = childCallHashes.length > 1 ? [...childCallHashes].sort() : childCallHashes;
  for (const child of children) text += h(child);
  return hashBytes(`${text}ee`);
}

/** The hash of one recorded argument of a call, by position or by name. */
export function hashArgument(
  callHash: string,
  position: number | null,
  key: string | null,
  valueHash: string,
): string {
  return hashStruct([
    "Argument",
    callHash,
    position === null ? "None" : String(position),
    key ?? "None",
    valueHash,
  ]);
}
