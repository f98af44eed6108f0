import type { EntityType, RecordQuery } from "../backend/backend.ts";
import { type TagFilter, tagMatches, taskNameMatches } from "./filters.ts";
import { type Key, packKeys, unpackKey } from "./indexed-db-keys.ts";
import { newestFirst, pagesOf, pagesOfAll } from "./indexed-db-pages.ts";
import type { IndexedDbReader } from "./indexed-db-reader.ts";
import type { StoredJob } from "./indexed-db-records.ts";
import { keysOfEach } from "./indexed-db-requests.ts";
import type { Database } from "./indexed-db-schema.ts";

/** What the filters of a query leave, as far as indexes tell. */
export interface Restriction {
  /** Keys of all records that may match; missing if any may. */
  readonly keys: ReadonlySet<Key> | undefined;
  /** For jobs: their executions. */
  readonly executions: ReadonlySet<Key> | undefined;
  /** For jobs, calls and tasks: hashes of their tasks. */
  readonly tasks: ReadonlySet<Key> | undefined;
}

/** Which filters suit which type of record; with another one nothing is found. */
const narrowing: readonly (readonly [keyof RecordQuery, readonly EntityType[]])[] = [
  ["executionStatus", ["Execution"]],
  ["jobStatus", ["Job"]],
  ["taskNames", ["Job", "CallNode", "Task"]],
  ["taskHashes", ["Job", "CallNode", "Task"]],
  ["resultValues", ["Job"]],
  ["argValues", ["Job"]],
  ["valueTypes", ["Value"]],
  ["filePaths", ["Value"]],
  ["parentIds", ["Job"]],
  ["callHashes", ["Job", "CallNode", "Value"]],
];

/** Whether a query can find anything. */
export const suits = (query: RecordQuery): boolean =>
  narrowing.every(([filter, types]) => query[filter] === undefined || types.includes(query.type));

/** Turns filters into sets of ids by means of the indexes. */
export class IndexedDbFilters {
  private readonly db: Database;
  private readonly reader: IndexedDbReader;

  constructor(db: Database, reader: IndexedDbReader) {
    this.db = db;
    this.reader = reader;
  }

  async restrict(query: RecordQuery): Promise<Restriction> {
    const { type } = query;
    const executions = await this.executions(query);
    const sets: Iterable<Key>[] = [];
    if (query.ids !== undefined) sets.push(packKeys(query.ids));
    for (const tag of query.tags ?? []) sets.push(await this.tagged(tag));
    if (query.callHashes !== undefined) sets.push(await this.ofCalls(type, packKeys(query.callHashes)));
    if (query.parentIds !== undefined)
      sets.push(await keysOfEach(this.db.jobs, "parentId", packKeys(query.parentIds)));
    for (const role of ["result", "argument"] as const) {
      const values = role === "result" ? query.resultValues : query.argValues;
      if (values === undefined) continue;
      const calls = await this.reader.callsOfValues(packKeys(values), role);
      sets.push(await keysOfEach(this.db.jobs, "callHash", [...calls]));
    }
    if (executions !== undefined && type !== "Job") sets.push(await this.ofExecutions(type, executions));
    return {
      keys: intersection(sets),
      executions: type === "Job" ? executions : undefined,
      tasks: await this.tasks(query),
    };
  }

  private async executions({ executionIds, executionTags = [] }: RecordQuery): Promise<Set<Key> | undefined> {
    const sets: Iterable<Key>[] = executionIds === undefined ? [] : [packKeys(executionIds)];
    for (const tag of executionTags) sets.push(await this.tagged(tag));
    return intersection(sets);
  }

  /** Ids of what carries a tag. */
  private async tagged(filter: TagFilter): Promise<Set<Key>> {
    const ids = new Set<Key>();
    await this.db.tags
      .where("key")
      .equals(filter.key)
      .each((tag) => {
        if (tagMatches(tag, filter)) ids.add(tag.entityId);
      });
    return ids;
  }

  private async ofCalls(type: EntityType, hashes: readonly Key[]): Promise<Iterable<Key>> {
    if (type === "CallNode") return hashes;
    if (type === "Job") return keysOfEach(this.db.jobs, "callHash", hashes);
    return [...(await this.reader.calls(hashes)).values()].map(({ call }) => call.value);
  }

  /** Ids of the calls, tasks or values of executions, or the executions themselves. */
  private async ofExecutions(type: EntityType, executions: ReadonlySet<Key>): Promise<ReadonlySet<Key>> {
    if (type === "Execution") return executions;
    const found = new Set<Key>();
    const calls = new Set<Key>();
    for await (const jobs of this.jobsOf(executions)) {
      for (const { taskHash, callHash } of jobs) {
        if (type === "Task") found.add(taskHash);
        else if (callHash !== undefined) calls.add(callHash);
      }
    }
    if (type === "Task") return found;
    if (type === "CallNode") return calls;
    for (const page of pagesOf([...calls])) {
      for (const { call } of (await this.reader.calls(page)).values()) {
        found.add(call.value);
        for (const arg of call.args) found.add(arg.value);
      }
    }
    for (const page of pagesOf([...found])) {
      // What a call's record holds has nothing inside.
      for (const value of await this.db.values.bulkGet([...page])) {
        for (const part of value?.subvalues ?? []) found.add(part);
      }
    }
    return found;
  }

  private async *jobsOf(executions: Iterable<Key>): AsyncGenerator<StoredJob[]> {
    for (const id of executions) yield* newestFirst(this.db.jobs, "[executionId+startTime+id]", [id]);
  }

  /** Hashes of the tasks that the filters of tasks leave. */
  private async tasks({ taskNames, taskHashes }: RecordQuery): Promise<Set<Key> | undefined> {
    if (taskNames === undefined && taskHashes === undefined) return undefined;
    const found = new Set<Key>();
    for await (const tasks of pagesOfAll(this.db.tasks, (task) => task.hash)) {
      for (const task of tasks) {
        if (taskNames !== undefined && !taskNameMatches(task, taskNames)) continue;
        if (taskHashes !== undefined && !taskHashes.some((prefix) => unpackKey(task.hash).startsWith(prefix)))
          continue;
        found.add(task.hash);
      }
    }
    return found;
  }
}

function intersection(sets: readonly Iterable<Key>[]): Set<Key> | undefined {
  const [first, ...others] = sets.map((set) => new Set(set));
  return others.reduce<Set<Key> | undefined>((left, set) => left?.intersection(set), first);
}
