import { CODEC, type ValueCodec } from "./registry.ts";

/**
 * A value of a type whose module is not loaded here, as its encoding says it. It is encoded again as it was. A scheduler
 * that loads no user's code passes such values on.
 */
export class ForeignValue {
  /** Name of the type. */
  readonly type: string;
  readonly data: unknown;

  constructor(type: string, data: unknown) {
    this.type = type;
    this.data = data;
  }
}

Object.defineProperty(ForeignValue.prototype, CODEC, {
  get(this: ForeignValue): ValueCodec<ForeignValue> {
    let codec = codecs.get(this.type);
    if (codec === undefined) {
      codec = codecFor(this.type);
      codecs.set(this.type, codec);
    }
    return codec;
  },
});

const codecs = new Map<string, ValueCodec<ForeignValue>>();
const validated = new Set<string>();

const codecFor = (name: string): ValueCodec<ForeignValue> => ({
  name,
  is: (value) => value instanceof ForeignValue && value.type === name,
  encode: ({ data }) => data,
  decode: (data) => new ForeignValue(name, data),
  isValid: () => !validated.has(name),
  display: () => `${name}(…)`,
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
