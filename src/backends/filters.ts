import type { RecordQuery, TagRow } from "../backend/backend.ts";
import type { JobStatus, TaskRecord } from "../backend/records.ts";
import { stableJson } from "../value/json.ts";
import { fullnameOf } from "./record-store.ts";

/** The filters of a query, as tests of records that are in memory. */

export type TagFilter = NonNullable<RecordQuery["tags"]>[number];

/** Whether a tag is current and what a filter looks for. */
export function tagMatches(tag: TagRow, { key, value }: TagFilter): boolean {
  return (
    tag.isCurrent && tag.key === key && (value === undefined || stableJson(tag.value) === stableJson(value))
  );
}

/** What the status filters of jobs look at. */
export interface JobState {
  readonly failed: boolean;
  readonly cached: boolean;
  readonly ended: boolean;
  readonly called: boolean;
}

/** Whether a job counts as one of a status; the terms differ from the status shown: a cached failure counts as both. */
export function jobMatches(status: JobStatus, { failed, cached, ended, called }: JobState): boolean {
  if (status === "FAILED") return failed;
  if (status === "CACHED") return cached;
  if (status === "DONE") return !cached && ended && !failed;
  return !ended && !called;
}

type TaskName = Pick<TaskRecord, "name" | "namespace">;

/** Whether a task has one of these names: with a dot they are fullnames, without names in any namespace. */
export function taskNameMatches({ name, namespace }: TaskName, names: readonly string[]): boolean {
  return names.some((wanted) => wanted === (wanted.includes(".") ? fullnameOf(name, namespace) : name));
}

/** Whether a task's name, with its namespace or without, is what stands where an id would begin. */
export function isTaskNamed({ name, namespace }: TaskName, text: string): boolean {
  return name === text || fullnameOf(name, namespace) === text;
}

/** A test of paths by patterns in which `*` matches any text. */
export function pathMatcher(patterns: readonly string[]): (path: string) => boolean {
  const split = patterns.map((pattern) => pattern.split("*"));
  return (path) => split.some((pieces) => holdsInOrder(path, pieces));
}

/** Whether a text begins with the first piece, ends with the last, and has the others between, in order. */
function holdsInOrder(text: string, pieces: readonly string[]): boolean {
  const [first = "", ...rest] = pieces;
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}
