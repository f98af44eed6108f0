import type { RecordBatch, ValueRecord } from "../backend/records.ts";
import type { ValueStore } from "../backend/value-store.ts";
import { mapConcurrently } from "../file/map-concurrently.ts";
import type { EncodedValue } from "../value/value.ts";
import { type ImportBatch, taskValue } from "./record-store.ts";
import { checkValueSize, isAtLeast } from "./value-size.ts";

/** Transfers at a time; a Worker has six connections. */
const AT_ONCE = 6;

/** Of so many values it is remembered that they were put. */
const REMEMBERED = 50_000;

/** What large values are, and where they go. */
export interface LargeValuesOptions {
  readonly store: ValueStore;
  /** The smallest size that counts as large, in bytes. */
  readonly minSize: number;
  /** The largest size there may be, in bytes. */
  readonly maxSize: number;
}

/** Takes large values to a value store before their rows are written, so that no row points to nothing, and back. */
export class LargeValues {
  private readonly options: LargeValuesOptions;
  private readonly known = new Set<string>();

  constructor(options: LargeValuesOptions) {
    this.options = options;
  }

  /**
   * Puts those values that are large and not known to be there.
   *
   * @returns a promise only where there are any
   * @throws BackendError for one that is too large
   */
  put(values: Iterable<EncodedValue>): Promise<void> | undefined {
    const { store, minSize, maxSize } = this.options;
    const large = new Map<string, string>();
    for (const { hash, type, text } of values) {
      if (!isAtLeast(text, minSize)) continue;
      checkValueSize(type, text, maxSize);
      if (!this.known.has(hash)) large.set(hash, text);
    }
    if (large.size === 0) return undefined;
    return mapConcurrently([...large], AT_ONCE, async ([hash, text]) => {
      await store.put(hash, text);
      if (this.known.size >= REMEMBERED) this.known.clear();
      this.known.add(hash);
    }).then(() => {});
  }

  /** Texts by position; what is not there any more is left undefined, and put again when it comes again. */
  get(hashes: readonly string[]): Promise<(string | undefined)[]> {
    return mapConcurrently(hashes, AT_ONCE, async (hash) => {
      const text = await this.options.store.get(hash);
      if (text === undefined) this.known.delete(hash);
      return text;
    });
  }
}

/** All values of a batch, those inside others and those that stand for tasks too. */
export function* valuesOf(batch: RecordBatch): Generator<EncodedValue> {
  for (const task of batch.tasks) yield taskValue(task);
  for (const value of batch.values) yield* withParts(value);
  for (const { value } of batch.evaluations) yield* withParts(value);
  for (const { value, args } of batch.callNodes) {
    yield* withParts(value);
    for (const arg of args) yield* withParts(arg.value);
  }
}

function* withParts(value: ValueRecord): Generator<EncodedValue> {
  yield value;
  for (const part of value.subvalues ?? []) yield* withParts(part);
}

/** The same for records that are imported. */
export function* importedValuesOf(batch: ImportBatch): Generator<EncodedValue> {
  for (const task of batch.tasks) yield taskValue(task);
  yield* batch.values;
}
