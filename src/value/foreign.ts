import { InvalidEncodingError } from "../errors/errors.ts";
import { CODEC, type ValueCodec } from "./registry.ts";

/**
 * A value of a type whose module is not loaded here, as its encoding says it. It is encoded again as it was. A scheduler
 * that loads no user's code passes such values on.
 */
export class ForeignValue {
  /** Name of the type. */
  readonly type: string;
  readonly data: unknown;
  /** Its own hash, if its type makes one. */
  readonly hash: string | undefined;

  /** @throws InvalidEncodingError if the hash is none */
  constructor(type: string, data: unknown, hash?: unknown) {
    if (hash !== undefined && (typeof hash !== "string" || !/^[0-9a-f]{40}$/.test(hash)))
      throw new InvalidEncodingError(`malformed data of type ${type}: its hash is not one of 40 hex digits`);
    this.type = type;
    this.data = data;
    this.hash = hash;
  }
}

Object.defineProperty(ForeignValue.prototype, CODEC, {
  get(this: ForeignValue): ValueCodec<ForeignValue> {
    const codecs = this.hash === undefined ? plain : hashed;
    let codec = codecs.get(this.type);
    if (codec === undefined) {
      codec = codecFor(this.type, this.hash !== undefined);
      codecs.set(this.type, codec);
    }
    return codec;
  },
});

const plain = new Map<string, ValueCodec<ForeignValue>>();
const hashed = new Map<string, ValueCodec<ForeignValue>>();
const validated = new Set<string>();

const codecFor = (name: string, isHashed: boolean): ValueCodec<ForeignValue> => ({
  name,
  is: (value) => value instanceof ForeignValue && value.type === name,
  encode: ({ data }) => data,
  ...(isHashed ? { hash: ({ hash }: ForeignValue) => hash! } : {}),
  decode: (data) => new ForeignValue(name, data),
  isValid: () => !validated.has(name),
});

let kept = false;

/** Whether values of unknown types are decoded to {@link ForeignValue} instead of being refused. */
export function keepsForeignValues(): boolean {
  return kept;
}

/**
 * Has values of unknown types kept as they are, in the whole of this runtime.
 *
 * @param types - types whose values may cease to be valid, which only their own module could tell: a cached one counts
 *   as outdated
 */
export function keepForeignValues(types: readonly string[] = []): void {
  kept = true;
  for (const type of types) validated.add(type);
}
