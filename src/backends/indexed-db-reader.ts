import { Dexie } from "dexie";
import type { ArgumentRow, CallNodeRow, ExecutionRow, JobRow, TagRow, ValueRow } from "../backend/backend.ts";
import type { TaskRecord } from "../backend/records.ts";
import { ERROR_VALUE_TYPE } from "../backend/records.ts";
import { hashArgument, hashEval } from "../value/hash.ts";
import type { StoredCall, StoredCalls, StoredExecution, StoredJob } from "./indexed-db-records.ts";
import { allOfEach, existing, firstOfEach, keysOfEach } from "./indexed-db-requests.ts";
import type { Database } from "./indexed-db-schema.ts";
import { tagRow } from "./indexed-db-tags.ts";
import { executionStatus, jobStatus } from "./status.ts";

/** A call with the record that it is in. */
export interface FoundCall {
  readonly callHash: string;
  readonly call: StoredCall;
  readonly record: StoredCalls;
}

/** The calls of a record. */
export const callsIn = (record: StoredCalls): FoundCall[] =>
  record.calls.map((call, i) => ({ callHash: record.callHashes[i]!, call, record }));

/**
 * Reads records by their keys, many at once. Records are never removed, so one question may take several transactions.
 */
export class IndexedDbReader {
  private readonly db: Database;

  constructor(db: Database) {
    this.db = db;
  }

  /** The values that there are, by hash. */
  async values(hashes: Iterable<string>): Promise<Map<string, ValueRow>> {
    const wanted = [...new Set(hashes)];
    const found = new Map<string, ValueRow>();
    for (const value of await this.db.values.bulkGet(wanted)) {
      if (value !== undefined) found.set(value.hash, { ...value, file: value.file ?? null });
    }
    const others = wanted.filter((hash) => !found.has(hash));
    const holders = await firstOfEach(this.db.calls, "held", others);
    others.forEach((hash, i) => {
      const holder = holders[i];
      if (holder === undefined) return;
      const value = holder.values[holder.held.indexOf(hash)]!;
      found.set(hash, { hash, ...value, file: null, subvalues: [] });
    });
    return found;
  }

  async valueParts(hashes: readonly string[]): Promise<Map<string, readonly string[]>> {
    return new Map([...(await this.values(hashes))].map(([hash, { subvalues }]) => [hash, subvalues]));
  }

  async tasks(hashes: Iterable<string>): Promise<Map<string, TaskRecord>> {
    const tasks = new Map<string, TaskRecord>();
    for (const task of await this.db.tasks.bulkGet([...new Set(hashes)])) {
      if (task === undefined) continue;
      const { fullname: _, ...record } = task;
      tasks.set(task.hash, record);
    }
    return tasks;
  }

  async calls(hashes: Iterable<string>): Promise<Map<string, FoundCall>> {
    const wanted = [...new Set(hashes)];
    const found = new Map<string, FoundCall>();
    const records = await firstOfEach(this.db.calls, "callHashes", wanted);
    wanted.forEach((callHash, i) => {
      const record = records[i];
      if (record === undefined) return;
      found.set(callHash, { callHash, call: record.calls[record.callHashes.indexOf(callHash)]!, record });
    });
    return found;
  }

  async callRows(hashes: readonly string[]): Promise<(CallNodeRow | undefined)[]> {
    const calls = await this.calls(hashes);
    const promised = [...calls.values()].filter(({ call }) => call.promised);
    const edges = promised.flatMap(({ call, record }) => [
      ...record.below,
      ...call.args.flatMap(({ upstream }) => upstream),
    ]);
    const known = edges.length === 0 ? edges : await existing(this.db.calls, "callHashes", edges);
    const isKnown = new Set(known);
    return hashes.map((hash) => {
      const found = calls.get(hash);
      return found === undefined ? undefined : callRow(found, (edge) => isKnown.has(edge));
    });
  }

  async jobs(ids: readonly string[]): Promise<(JobRow | undefined)[]> {
    const records = await this.db.jobs.bulkGet([...ids]);
    const there = records.filter((record) => record !== undefined);
    const outcomes = await this.outcomes(there);
    const names = await this.db.tasks.bulkGet([...new Set(there.map(({ taskHash }) => taskHash))]);
    const nameOf = new Map(names.map((task) => [task?.hash, task?.fullname]));
    return records.map((record) => {
      if (record === undefined) return undefined;
      const { id, executionId, parentId, taskHash, startTime, endTime, cached = false, callHash } = record;
      const failed = outcomes.get(id);
      return {
        id,
        executionId,
        parentId,
        taskHash,
        taskName: nameOf.get(taskHash) ?? "",
        status: jobStatus({ failed: failed === true, ended: endTime !== undefined, cached }),
        startTime,
        endTime: endTime ?? null,
        cached,
        callHash: failed === undefined ? null : callHash!,
      };
    });
  }

  /** Whether jobs failed, for those of which the call is there. */
  async outcomes(jobs: readonly StoredJob[]): Promise<Map<string, boolean>> {
    const outcomes = new Map<string, boolean>();
    const open: StoredJob[] = [];
    for (const job of jobs) {
      if (job.failed !== undefined) outcomes.set(job.id, job.failed);
      else if (job.callHash !== undefined) open.push(job);
    }
    if (open.length === 0) return outcomes;
    const calls = await this.calls(open.map((job) => job.callHash!));
    const unknown = [...calls.values()].filter(({ call }) => call.failed === undefined);
    const values = await this.values(unknown.map(({ call }) => call.value));
    for (const job of open) {
      const call = calls.get(job.callHash!)?.call;
      if (call === undefined) continue;
      outcomes.set(job.id, call.failed ?? values.get(call.value)?.type === ERROR_VALUE_TYPE);
    }
    return outcomes;
  }

  async executions(ids: readonly string[]): Promise<(ExecutionRow | undefined)[]> {
    const records = await this.db.executions.bulkGet([...ids]);
    const rows = await this.executionRows(records.filter((record) => record !== undefined));
    const byId = new Map(rows.map((row) => [row.id, row]));
    return ids.map((id) => byId.get(id));
  }

  async executionRows(records: readonly StoredExecution[]): Promise<ExecutionRow[]> {
    const roots = await this.jobs(records.map(({ jobId }) => jobId));
    return records.map(({ id, args, jobId, updatedTime }, i) => {
      const root = roots[i];
      return {
        id,
        args,
        jobId,
        status: executionStatus(root?.status),
        startTime: root?.startTime ?? updatedTime,
        endTime: root?.endTime ?? null,
        updatedTime,
      };
    });
  }

  /** Ids of the jobs directly below jobs, by start. */
  async childJobs(ids: readonly string[]): Promise<Map<string, string[]>> {
    const children = new Map<string, string[]>();
    (await allOfEach(this.db.jobs, "parentId", ids)).forEach((jobs, i) => {
      if (jobs.length === 0) return;
      // Jobs of one parent come in the order of their ids, which tells those that started at the same time apart.
      const byStart = jobs.toSorted((a, b) => a.startTime - b.startTime);
      children.set(
        ids[i]!,
        byStart.map(({ id }) => id),
      );
    });
    return children;
  }

  async subtreeTasks(hashes: readonly string[]): Promise<Map<string, readonly string[]>> {
    const tasks = new Map<string, readonly string[]>();
    for (const { callHash, call } of (await this.calls(hashes)).values()) {
      if (call.subtreeTasks !== undefined) tasks.set(callHash, call.subtreeTasks);
    }
    return tasks;
  }

  /** Values that contain one of these, and these. */
  async withHolders(hashes: readonly string[]): Promise<Set<string>> {
    const holders = await keysOfEach(this.db.values, "subvalues", hashes);
    return new Set([...hashes, ...holders]);
  }

  /** Calls in which one of these values is the result or an argument, by itself or inside another. */
  async callsOfValues(hashes: readonly string[], role: "result" | "argument"): Promise<Set<string>> {
    const wanted = await this.withHolders(hashes);
    const calls = new Set<string>();
    for (const index of ["held", "uses"]) {
      await this.db.calls
        .where(index)
        .anyOf([...(await existing(this.db.calls, index, [...wanted]))])
        .each((record) => {
          for (const { callHash, call } of callsIn(record)) {
            const isOne =
              role === "result" ? wanted.has(call.value) : call.args.some(({ value }) => wanted.has(value));
            if (isOne) calls.add(callHash);
          }
        });
    }
    return calls;
  }

  async parentCalls(hash: string): Promise<string[]> {
    const records = await this.db.calls.where("below").equals(hash).toArray();
    return records
      .flatMap(callsIn)
      .filter(({ call, record }) => call.children.includes(record.below.indexOf(hash)))
      .map(({ callHash }) => callHash);
  }

  async nearestCall(query: {
    taskName: string;
    taskHash: string;
    argsHash: string;
  }): Promise<CallNodeRow | undefined> {
    // The cache keys follow from the task's known hashes, so there is no need to search by arguments.
    const versions = await this.db.tasks.where("fullname").equals(query.taskName).primaryKeys();
    const records = await this.db.calls.bulkGet(versions.map((task) => hashEval(task, query.argsHash)));
    const sameArgs = newest(records.flatMap((record) => (record === undefined ? [] : callsIn(record))));
    const found = sameArgs ?? (await this.latestCall(query.taskHash));
    return found === undefined ? undefined : (await this.callRows([found.callHash]))[0];
  }

  private async latestCall(taskHash: string): Promise<FoundCall | undefined> {
    const record = await this.db.calls
      .where("[taskHash+time]")
      .between([taskHash, Dexie.minKey], [taskHash, Dexie.maxKey])
      .last();
    return record === undefined ? undefined : newest(callsIn(record));
  }

  /** Current tags of entities, entity by entity, oldest first. */
  async currentTags(entityIds: readonly string[]): Promise<TagRow[]> {
    const tags = await allOfEach(this.db.tags, "entityId", entityIds);
    return tags.flatMap((list) =>
      list
        .filter((tag) => tag.isCurrent)
        .sort((a, b) => a.order - b.order)
        .map(tagRow),
    );
  }

  async tags(hashes: readonly string[]): Promise<Map<string, TagRow>> {
    const tags = (await this.db.tags.bulkGet([...hashes])).filter((tag) => tag !== undefined);
    return new Map(tags.map((tag) => [tag.tagHash, tagRow(tag)]));
  }

  /** Hashes of the tags of entities, superseded ones too, and of the tags that supersede these tags. */
  async tagsAround(ids: readonly string[]): Promise<string[]> {
    const [own, edits] = [
      await allOfEach(this.db.tags, "entityId", ids),
      await allOfEach(this.db.tags, "parents", ids),
    ];
    return [...own, ...edits].flat().map(({ tagHash }) => tagHash);
  }

  /** Which of these ids no record has. */
  async missing(ids: readonly string[]): Promise<string[]> {
    const { calls, executions, jobs, tags, values } = this.db;
    let open = [...ids];
    for (const [table, index] of [
      [values, null],
      [calls, "callHashes"],
      [calls, "held"],
      [jobs, null],
      [executions, null],
      [tags, null],
    ] as const) {
      const found = await existing(table, index, open);
      open = open.filter((id) => !found.has(id));
    }
    return open;
  }
}

function newest(calls: readonly FoundCall[]): FoundCall | undefined {
  return calls.toSorted((a, b) => a.call.timestamp - b.call.timestamp).at(-1);
}

function callRow({ callHash, call, record }: FoundCall, isKnown: (hash: string) => boolean): CallNodeRow {
  const isThere = call.promised ? isKnown : (): boolean => true;
  return {
    callHash,
    taskName: call.taskName,
    taskHash: record.taskHash,
    argsHash: record.argsHash,
    valueHash: call.value,
    timestamp: call.timestamp,
    contextHash: call.contextHash ?? null,
    args: call.args.map(
      ({ position, key, value, upstream }): ArgumentRow => ({
        argHash: hashArgument(callHash, position, key, value),
        position,
        key,
        valueHash: value,
        upstream: upstream.filter(isThere),
      }),
    ),
    children: call.children.map((place) => record.below[place]!).filter(isThere),
  };
}
