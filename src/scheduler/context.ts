import { mergeObjects } from "../value/nested.ts";
import { encodeValue } from "../value/value.ts";
import { EMPTY_CONTEXT, type JobContext } from "./job.ts";

/** The contexts of an execution, one object a distinct content. */
export class ContextTable {
  private readonly byHash = new Map<string, JobContext>();
  private readonly merged = new WeakMap<JobContext, WeakMap<object, JobContext>>();

  of(values: Readonly<Record<string, unknown>>): JobContext {
    if (Object.keys(values).length === 0) return EMPTY_CONTEXT;
    const encoded = encodeValue(values, "context");
    const known = this.byHash.get(encoded.hash);
    if (known !== undefined) return known;
    const context = { values, encoded };
    this.byHash.set(encoded.hash, context);
    return context;
  }

  /** A context with changes on top. */
  merge(base: JobContext, changes: Readonly<Record<string, unknown>>): JobContext {
    let row = this.merged.get(base);
    if (row === undefined) {
      row = new WeakMap();
      this.merged.set(base, row);
    }
    let context = row.get(changes);
    if (context === undefined) {
      context = this.of(mergeObjects(base.values, changes));
      row.set(changes, context);
    }
    return context;
  }
}
