/** Questions to the store, in groups of a size that it answers at once. */
import type { CallNodeRow, ExecutionRow, JobRow, TagRow, ValueRow } from "../../src/backend/backend.ts";
import type { TaskRecord } from "../../src/backend/records.ts";
import type { StoreQueries } from "../../src/browser/engine-api.ts";
import { getEngine } from "./engine.ts";

const GROUP = 500;

/** Asks one question. */
export async function query<M extends keyof StoreQueries>(
  method: M,
  ...args: Parameters<StoreQueries[M]>
): Promise<Awaited<ReturnType<StoreQueries[M]>>> {
  return (await getEngine()).query(method, ...args);
}

async function byKey<T>(
  keys: Iterable<string>,
  ask: (keys: readonly string[]) => Promise<(T | undefined)[]>,
): Promise<Map<string, T>> {
  const wanted = [...new Set(keys)];
  const found = new Map<string, T>();
  for (let i = 0; i < wanted.length; i += GROUP) {
    const group = wanted.slice(i, i + GROUP);
    for (const [at, item] of (await ask(group)).entries())
      if (item !== undefined) found.set(group[at]!, item);
  }
  return found;
}

/** Values by hash. */
export const getValues = (hashes: Iterable<string>): Promise<Map<string, ValueRow>> =>
  byKey(hashes, (group) => query("getValues", group));

/** Call nodes by hash. */
export const getCallNodes = (hashes: Iterable<string>): Promise<Map<string, CallNodeRow>> =>
  byKey(hashes, (group) => query("getCallNodes", group));

/** Jobs by id. */
export const getJobs = (ids: Iterable<string>): Promise<Map<string, JobRow>> =>
  byKey(ids, (group) => query("getJobs", group));

/** Executions by id. */
export const getExecutions = (ids: Iterable<string>): Promise<Map<string, ExecutionRow>> =>
  byKey(ids, (group) => query("getExecutions", group));

/** Tasks by hash. */
export const getTasks = (hashes: Iterable<string>): Promise<Map<string, TaskRecord>> =>
  byKey(hashes, (group) => query("getTasks", group));

/** Current tags by what carries them. */
export async function getTags(ids: readonly string[]): Promise<Map<string, TagRow[]>> {
  const tags = new Map<string, TagRow[]>();
  for (let i = 0; i < ids.length; i += GROUP) {
    for (const tag of await query("getTags", ids.slice(i, i + GROUP))) {
      const list = tags.get(tag.entityId);
      if (list === undefined) tags.set(tag.entityId, [tag]);
      else list.push(tag);
    }
  }
  return tags;
}

/** All jobs of an execution, in the order in which they began. */
export async function getJobsOfExecution(executionId: string): Promise<JobRow[]> {
  const found = await query("find", { type: "Job", executionIds: [executionId] });
  const jobs = [...(await getJobs(found.map(({ id }) => id))).values()];
  return jobs.sort((a, b) => a.startTime - b.startTime || (a.id < b.id ? -1 : 1));
}
