import { existsSync } from "node:fs";
import type { Backend, EntityType, FoundId } from "../backend/backend.ts";
import { newestJobOf } from "../backend/dataflow.ts";
import { RedunClientError } from "./client-error.ts";
import { shortId } from "./text.ts";

/** The kinds of record in the order in which they are listed. */
export const RECORD_TYPES: readonly EntityType[] = ["Execution", "Job", "CallNode", "Task", "Value"];

/** A file in the store, and the job that made or read it. */
export interface FoundFile {
  readonly path: string;
  readonly valueHash: string;
  readonly jobId: string | undefined;
  readonly role: "result" | "argument" | undefined;
}

/** Whether a word means a file rather than an id. */
export function looksLikePath(word: string): boolean {
  return word.includes(":") || word.includes("/") || existsSync(word);
}

/**
 * The records that a word names: `-` is the newest execution, `~2` the second newest, a task's name its task, and
 * anything else begins the ids of the records meant.
 */
export async function findRecords(
  backend: Backend,
  word: string,
  types: readonly EntityType[] = RECORD_TYPES,
): Promise<FoundId[]> {
  if (word === "-" || /^~\d+$/.test(word)) return [await nthExecution(backend, word)];
  const found: FoundId[] = [];
  if (/^[0-9a-f-]+$/i.test(word)) {
    const idPrefix = word.toLowerCase();
    for (const type of types) found.push(...(await backend.find({ type, idPrefix, limit: 20 })));
    if (found.length === 0 && word.length >= 8)
      found.push(...(await findByShortId(backend, idPrefix, types)));
  }
  if (found.length === 0 && types.includes("Task")) {
    found.push(...(await backend.find({ type: "Task", taskNames: [word] })));
  }
  // A value of a task has the task's own hash.
  return found.filter(
    ({ type, id }) => type !== "Value" || !found.some((o) => o.type === "Task" && o.id === id),
  );
}

/** The one record that a word names. @throws RedunClientError if there is none, or more than one */
export async function findRecord(
  backend: Backend,
  word: string,
  types: readonly EntityType[] = RECORD_TYPES,
): Promise<FoundId> {
  const found = await findRecords(backend, word, types);
  const [only] = found;
  if (only === undefined)
    throw new RedunClientError(`Unknown id: ${word}`, { hint: "List ids with: redun log" });
  if (found.length > 1) {
    const some = found.slice(0, 5).map(({ type, id }) => `${type} ${id}`);
    throw new RedunClientError(`Ambiguous id: ${word} begins ${found.length} or more ids`, {
      hint: `Give more of the id: ${some.join(", ")}${found.length > 5 ? ", ..." : ""}.`,
    });
  }
  return only;
}

async function nthExecution(backend: Backend, word: string): Promise<FoundId> {
  const n = word === "-" ? 1 : Number(word.slice(1));
  const [found] = n < 1 ? [] : await backend.find({ type: "Execution", limit: 1, offset: n - 1 });
  if (found !== undefined) return found;
  const count = await backend.count({ type: "Execution" });
  throw new RedunClientError(`Unknown execution: ${word}; there are ${count} executions`);
}

/** Ids that are shown by their last digits are found by them too. */
async function findByShortId(
  backend: Backend,
  word: string,
  types: readonly EntityType[],
): Promise<FoundId[]> {
  const found: FoundId[] = [];
  for (const type of types.filter((type) => type === "Execution" || type === "Job")) {
    for (const record of await backend.find({ type })) if (shortId(record.id) === word) found.push(record);
  }
  return found;
}

/** The newest job that returned a file, else the newest one that was given it. */
export async function findFile(backend: Backend, word: string): Promise<FoundFile | undefined> {
  const hashes = await backend.find({ type: "Value", filePaths: [word.replaceAll("*", "\\*")] });
  let consumed: FoundFile | undefined;
  const values = await backend.getValues(hashes.map(({ id }) => id));
  for (const role of ["result", "argument"] as const) {
    const files: { file: FoundFile; time: number }[] = [];
    for (const value of values) {
      if (value === undefined || value.file === null) continue;
      const job = await newestJobOf(backend, await backend.callsOfValue(value.hash, role));
      consumed ??= { path: value.file, valueHash: value.hash, jobId: undefined, role: undefined };
      if (job === undefined) continue;
      files.push({
        file: { path: value.file, valueHash: value.hash, jobId: job.id, role },
        time: job.startTime,
      });
    }
    files.sort((a, b) => b.time - a.time);
    if (files[0] !== undefined) return files[0].file;
  }
  return consumed;
}
