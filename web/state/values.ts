/** Stored values, decoded. */
import "../../src/expression/expression.ts";
import "../../src/file/dir.ts";
import "../../src/file/file.ts";
import "../../src/file/file-set.ts";
import "../../src/scheduler/traceback.ts";
import "../../src/task/task.ts";
import type { CallNodeRow, ValueRow } from "../../src/backend/backend.ts";
import { display, trim } from "../../src/value/display.ts";
import { ForeignValue, keepForeignValues } from "../../src/value/foreign.ts";
import { decodeValue } from "../../src/value/value.ts";

// A type that only its workflow knows does not hide what is beside its values.
keepForeignValues();

/** The value that an encoding stands for, or that it is of a type which only its workflow knows. */
export type Decoded = { readonly known: true; readonly value: unknown } | { readonly known: false };

/** Decodes a stored text. */
export function decodeText(text: string): Decoded {
  try {
    const value = decodeValue(text);
    return value instanceof ForeignValue ? { known: false } : { known: true, value };
  } catch {
    return { known: false };
  }
}

/** A stored value on one line; one whose type is not known here shows its type. */
export function displayStored(value: ValueRow | undefined, max?: number): string {
  if (value === undefined) return "(unknown value)";
  const decoded = decodeText(value.text);
  return decoded.known ? display(decoded.value, max) : trim(`<${value.type} ${value.hash.slice(0, 8)}>`, max);
}

/** Arguments as the function gets them. */
export function sortedArguments(call: CallNodeRow): CallNodeRow["args"] {
  return [...call.args].sort((a, b) => {
    if (a.position !== null && b.position !== null) return a.position - b.position;
    if (a.position !== null) return -1;
    if (b.position !== null) return 1;
    return a.key! < b.key! ? -1 : 1;
  });
}

/** A call as text, `ns.task(1, key='x')`. */
export function callText(call: CallNodeRow, values: ReadonlyMap<string, ValueRow>, max = 80): string {
  const args = sortedArguments(call).map(({ key, valueHash }) => {
    const text = displayStored(values.get(valueHash), max);
    return key === null ? text : `${key}=${text}`;
  });
  return `${call.taskName}(${args.join(", ")})`;
}
