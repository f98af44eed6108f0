/**
 * Whether the ids of records follow from what they hold, so that a record that was damaged or forged on its way is
 * known as such. The pre-images are those of redun.
 *
 * @module
 */
import type { CallNodeRow } from "../backend/backend.ts";
import type { TagRecord } from "../backend/records.ts";
import { tagHash } from "../backend/tags.ts";
import { FORMAT } from "../value/encode.ts";
import { hashCallNode, hashTagBytes } from "../value/hash.ts";
import { builtinNames, codecNamed } from "../value/registry.ts";
import { decodeValue, hashValue } from "../value/value.ts";
import { fullnameOf, type ImportedValue } from "./record-store.ts";

/** Whether a call's hash follows from its parts. It does not where it covers children without provenance. */
export function isCallHash(
  call: Pick<CallNodeRow, "callHash" | "taskHash" | "argsHash" | "valueHash" | "children">,
): boolean {
  return call.callHash === hashCallNode(call.taskHash, call.argsHash, call.valueHash, call.children);
}

/** Whether a tag's hash follows from its parts. It does not where Python's redun hashed a float such as `1.0`. */
export function isTagHash(tag: TagRecord): boolean {
  return tag.tagHash === tagHash(tag.entityId, tag.key, tag.value, tag.parents);
}

/** The name of the type that an encoding begins with, if it is not plain JSON. */
const TAG = /^\{"\$":\["([^"\\]+)"/;
const TAGS = /\{"\$":\["([^"\\]+)"/g;

/**
 * What is wrong with a value that comes from elsewhere. Values of other formats, of types that are not registered here,
 * and partial tasks, whose hash is made of a task's code, can't be checked: nothing is said against them.
 *
 * @returns a reason, for a sentence that begins with the value
 */
export function valueFlaw(value: ImportedValue): string | undefined {
  if (value.format !== FORMAT) return undefined;
  return typeFlaw(value) ?? hashFlaw(value);
}

/** Checks what is recorded beside the encoding and follows from it. */
function typeFlaw({ type, text, file }: ImportedValue): string | undefined {
  const tag = TAG.exec(text)?.[1];
  if (type !== tag && [type, tag].some((name) => name?.startsWith("redun.")))
    return `its type is not ${type} but ${tag ?? "that of plain data"}`;
  if (file !== undefined && dataOf(text)?.path !== file) return `its path is not ${JSON.stringify(file)}`;
  return undefined;
}

function hashFlaw({ hash, text }: ImportedValue): string | undefined {
  if (hashTagBytes("Value", text) === hash) return undefined;
  const names = new Set(Array.from(text.matchAll(TAGS), (match) => match[1]!));
  names.delete("shared");
  const isUnknown = (name: string): boolean => !builtinNames.has(name) && codecNamed(name) === undefined;
  if (names.has("redun.PartialTask") || [...names].some(isUnknown)) return undefined;
  const isHashed = [...names].some((name) => name === "Set" || codecNamed(name)?.hash !== undefined);
  if (!isHashed) return "its content has another hash";
  let actual: string;
  try {
    actual = hashValue(decodeValue(text));
  } catch (error) {
    // A type of the user's may be unable to read what an earlier version of it wrote.
    if ([...names].some((name) => !builtinNames.has(name) && !name.startsWith("redun."))) return undefined;
    return `its content can't be read: ${(error as Error).message}`;
  }
  return actual === hash ? undefined : `its content has the hash ${actual}`;
}

/** Data of a tagged value, as far as it is an object. */
function dataOf(text: string): Record<string, unknown> | undefined {
  try {
    return (JSON.parse(text) as { $: [string, Record<string, unknown>?] }).$[1];
  } catch {
    return undefined;
  }
}

/** What is wrong with the value that stands for a task, whose name the task's record has too. */
export function taskFlaw(value: ImportedValue, name: string, namespace: string): string | undefined {
  if (value.format !== FORMAT) return undefined;
  const fullname = fullnameOf(name, namespace);
  return value.type === "redun.Task" && dataOf(value.text)?.fullname === fullname
    ? undefined
    : `it is not the task ${fullname}`;
}
