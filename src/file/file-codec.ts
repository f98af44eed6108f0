/** How files and their kin are stored: as their paths and hashes, never their content. */
import { InvalidEncodingError } from "../errors/errors.ts";
import { HASH_LENGTH } from "../value/hash.ts";
import { CODEC, registerBuiltin, type ValueCodec } from "../value/registry.ts";
import { FileHashUnknownError } from "./errors.ts";
import { hashStaging } from "./hash-file.ts";
import { displayPath } from "./path.ts";

/** What the codec of a file or a set of files needs to know of it. */
interface Hashed {
  readonly knownHash: string | undefined;
  updateHash(): Promise<string>;
  isValid(): Promise<boolean>;
}

/** Makes and installs the codec of a class of files or of sets of files, of which `field` names the path or pattern. */
export function hashedCodec<T extends Hashed>(
  type: string,
  field: keyof T & string,
  make: new (path: string, hash?: string) => T,
  more: Partial<ValueCodec<T>> = {},
): void {
  const name = `redun.${type}`;
  const key = (value: T): string => value[field] as string;
  const hashOf = (value: T): string => {
    if (value.knownHash === undefined) throw new FileHashUnknownError(key(value));
    return value.knownHash;
  };
  const codec: ValueCodec = {
    name,
    is: (value) => value instanceof make,
    encode: (value: T) => ({ [field]: key(value), hash: hashOf(value) }),
    decode: (data: unknown) => {
      const [key, hash] = textFields(name, data, field, "hash");
      if (hash.length !== HASH_LENGTH || !/^[0-9a-f]+$/.test(hash)) malformed(name);
      return new make(key, hash);
    },
    hash: hashOf,
    isValid: (value: T) => value.isValid(),
    refresh: (value: T) =>
      value.knownHash === undefined ? value.updateHash().then(() => undefined) : undefined,
    parse: (text: string) => new make(text),
    unparse: key,
    display: (value: T) => displayPath(type, key(value)),
    ...more,
  };
  install(codec, make);
}

/** Makes and installs the codec of a class of files. */
export function fileCodec<T extends Hashed & { readonly path: string }>(
  type: string,
  make: new (path: string, hash?: string) => T,
): void {
  hashedCodec(type, "path", make);
}

interface Pair {
  readonly local: { readonly path: string };
  readonly remote: { readonly path: string };
}

/** Makes and installs the codec of a class of staging pairs. */
export function stagingCodec<T extends Pair>(
  type: string,
  make: new (local: string, remote: string) => T,
): void {
  const name = `redun.${type}`;
  const codec: ValueCodec = {
    name,
    is: (value) => value instanceof make,
    encode: (value: T) => ({ local: value.local.path, remote: value.remote.path }),
    decode: (data: unknown) => {
      const [local, remote] = textFields(name, data, "local", "remote");
      return new make(local, remote);
    },
    hash: (value: T) => hashStaging(name, value.local.path, value.remote.path),
    display: (value: T) => displayPath(type, value.local.path, value.remote.path),
  };
  install(codec, make);
}

/** Registers a codec and gives it to the objects of its class, which then print in Node and Deno as they display. */
function install(codec: ValueCodec, type: abstract new (...args: never[]) => object): void {
  registerBuiltin(codec);
  Object.defineProperty(type.prototype, CODEC, { value: codec });
  Object.defineProperty(type.prototype, Symbol.for("nodejs.util.inspect.custom"), {
    value(this: object): string {
      return codec.display!(this);
    },
  });
}

/** Two fields of untrusted data that have to be text. */
function textFields(name: string, data: unknown, first: string, second: string): [string, string] {
  if (typeof data !== "object" || data === null) malformed(name);
  const [a, b] = [first, second].map((field) =>
    Object.hasOwn(data, field) ? (data as Record<string, unknown>)[field] : undefined,
  );
  if (typeof a !== "string" || typeof b !== "string" || a === "" || b === "") malformed(name);
  return [a, b];
}

function malformed(name: string): never {
  throw new InvalidEncodingError(`malformed data of type ${name}`);
}
