import { Dexie } from "dexie";
import type { ArgumentRow, CallNodeRow, ExecutionRow, JobRow, TagRow, ValueRow } from "../backend/backend.ts";
import type { TaskRecord } from "../backend/records.ts";
import { ERROR_VALUE_TYPE } from "../backend/records.ts";
import { hashArgument, hashEval } from "../value/hash.ts";
import { headKey, type Key, packKey, packKeys, unpackKey, unpackKeys } from "./indexed-db-keys.ts";
import type { StoredCall, StoredCalls, StoredExecution, StoredJob } from "./indexed-db-records.ts";
import { allOfEach, existing, firstOfEach, keysOfEach } from "./indexed-db-requests.ts";
import type { Database } from "./indexed-db-schema.ts";
import { tagRow } from "./indexed-db-tags.ts";
import type { ExportedCall } from "./record-store.ts";
import { executionStatus, jobStatus } from "./status.ts";

/** A call with the record that it is in. */
export interface FoundCall {
  readonly callHash: Key;
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

  /** The values that there are, by key. */
  async values(keys: Iterable<Key>): Promise<Map<Key, ValueRow>> {
    const wanted = [...new Set(keys)];
    const found = new Map<Key, ValueRow>();
    for (const value of await this.db.values.bulkGet(wanted)) {
      if (value === undefined) continue;
      const subvalues = unpackKeys(value.subvalues);
      found.set(value.hash, { ...value, hash: unpackKey(value.hash), file: value.file ?? null, subvalues });
    }
    const others = wanted.filter((hash) => !found.has(hash));
    const holders = await firstOfEach(this.db.calls, "held", others);
    others.forEach((hash, i) => {
      const holder = holders[i];
      if (holder === undefined) return;
      const value = holder.values[holder.held.indexOf(hash)]!;
      found.set(hash, { hash: unpackKey(hash), ...value, file: null, subvalues: [] });
    });
    return found;
  }

  async valueParts(hashes: readonly string[]): Promise<Map<string, readonly string[]>> {
    const values = await this.values(packKeys(hashes));
    return new Map([...values.values()].map(({ hash, subvalues }) => [hash, subvalues]));
  }

  async valueRows(hashes: readonly string[]): Promise<(ValueRow | undefined)[]> {
    const keys = packKeys(hashes);
    const values = await this.values(keys);
    return keys.map((key) => values.get(key));
  }

  async tasks(hashes: readonly string[]): Promise<(TaskRecord | undefined)[]> {
    const tasks = await this.db.tasks.bulkGet(packKeys(hashes));
    return tasks.map((task, i) => {
      if (task === undefined) return undefined;
      const { fullname: _, ...record } = task;
      return { ...record, hash: hashes[i]! };
    });
  }

  /** The calls that there are, by key. */
  async calls(keys: Iterable<Key>): Promise<Map<Key, FoundCall>> {
    const wanted = [...new Set(keys)];
    const found = new Map<Key, FoundCall>();
    const records = await firstOfEach(this.db.calls, "callHashes", wanted);
    wanted.forEach((callHash, i) => {
      const record = records[i];
      if (record === undefined) return;
      found.set(callHash, { callHash, call: record.calls[record.callHashes.indexOf(callHash)]!, record });
    });
    return found;
  }

  /** Calls with their single reductions, and with edges to calls that are not there yet. */
  async exportedCalls(hashes: readonly string[]): Promise<(ExportedCall | undefined)[]> {
    const keys = packKeys(hashes);
    const calls = await this.calls(keys);
    const heads = await this.heads([...calls.values()].map(({ record }) => record));
    return keys.map((key) => {
      const found = calls.get(key);
      if (found === undefined) return undefined;
      const { single } = heads.get(found.record.evalHash) ?? found.record;
      return { ...callRow(found, () => true), singleHash: single === undefined ? null : unpackKey(single) };
    });
  }

  /** For records that were put aside, those in their place, which have the single reductions. */
  private async heads(records: readonly StoredCalls[]): Promise<Map<Key, StoredCalls | undefined>> {
    const aside = [...new Set(records.map(({ evalHash }) => evalHash))].filter((key) => key !== headKey(key));
    const found = aside.length === 0 ? [] : await this.db.calls.bulkGet(aside.map(headKey));
    return new Map(aside.map((key, i) => [key, found[i]]));
  }

  async callRows(hashes: readonly string[]): Promise<(CallNodeRow | undefined)[]> {
    const keys = packKeys(hashes);
    const calls = await this.calls(keys);
    const promised = [...calls.values()].filter(({ call }) => call.promised);
    const edges = promised.flatMap(({ call, record }) => [
      ...record.below,
      ...call.args.flatMap(({ upstream }) => upstream),
    ]);
    const known = edges.length === 0 ? edges : await existing(this.db.calls, "callHashes", edges);
    const isKnown = new Set(known);
    return keys.map((key) => {
      const found = calls.get(key);
      return found === undefined ? undefined : callRow(found, (edge) => isKnown.has(edge));
    });
  }

  /** @param promised - whether their calls may be ones that are not there yet */
  async jobs(ids: readonly string[], promised = false): Promise<(JobRow | undefined)[]> {
    return this.jobRows(packKeys(ids), promised);
  }

  private async jobRows(keys: readonly Key[], promised = false): Promise<(JobRow | undefined)[]> {
    const records = await this.db.jobs.bulkGet([...keys]);
    const there = records.filter((record) => record !== undefined);
    const outcomes = await this.outcomes(there);
    const names = await this.db.tasks.bulkGet([...new Set(there.map(({ taskHash }) => taskHash))]);
    const nameOf = new Map(names.map((task) => [task?.hash, task?.fullname]));
    return records.map((record) => {
      if (record === undefined) return undefined;
      const { id, executionId, parentId, taskHash, startTime, endTime, cached = false, callHash } = record;
      const failed = outcomes.get(id);
      return {
        id: unpackKey(id),
        executionId: unpackKey(executionId),
        parentId: parentId === null ? null : unpackKey(parentId),
        taskHash: unpackKey(taskHash),
        taskName: nameOf.get(taskHash) ?? "",
        status: jobStatus({ failed: failed === true, ended: endTime !== undefined, cached }),
        startTime,
        endTime: endTime ?? null,
        cached,
        callHash: callHash === undefined || !(promised || failed !== undefined) ? null : unpackKey(callHash),
      };
    });
  }

  /** Whether jobs failed, for those of which the call is there. */
  async outcomes(jobs: readonly StoredJob[]): Promise<Map<Key, boolean>> {
    const outcomes = new Map<Key, boolean>();
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
    const records = await this.db.executions.bulkGet(packKeys(ids));
    const rows = await this.executionRows(records.filter((record) => record !== undefined));
    const byId = new Map(rows.map((row) => [row.id, row]));
    return ids.map((id) => byId.get(id));
  }

  async executionRows(records: readonly StoredExecution[]): Promise<ExecutionRow[]> {
    const roots = await this.jobRows(records.map(({ jobId }) => jobId));
    return records.map(({ id, args, jobId, updatedTime }, i) => {
      const root = roots[i];
      return {
        id: unpackKey(id),
        args,
        jobId: unpackKey(jobId),
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
    (await allOfEach(this.db.jobs, "parentId", packKeys(ids))).forEach((jobs, i) => {
      if (jobs.length === 0) return;
      // Jobs of one parent come in the order of their ids, which tells those that started at the same time apart.
      const byStart = jobs.toSorted((a, b) => a.startTime - b.startTime);
      children.set(
        ids[i]!,
        byStart.map(({ id }) => unpackKey(id)),
      );
    });
    return children;
  }

  async subtreeTasks(hashes: readonly string[]): Promise<Map<string, readonly string[]>> {
    const tasks = new Map<string, readonly string[]>();
    for (const { callHash, call } of (await this.calls(packKeys(hashes))).values()) {
      if (call.subtreeTasks !== undefined) tasks.set(unpackKey(callHash), unpackKeys(call.subtreeTasks));
    }
    return tasks;
  }

  /** Values that contain one of these, and these. */
  async withHolders(keys: readonly Key[]): Promise<Set<Key>> {
    const holders = await keysOfEach(this.db.values, "subvalues", keys);
    return new Set([...keys, ...holders]);
  }

  /** Calls in which one of these values is the result or an argument, by itself or inside another. */
  async callsOfValues(keys: readonly Key[], role: "result" | "argument"): Promise<Set<Key>> {
    const wanted = await this.withHolders(keys);
    const calls = new Set<Key>();
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
    const key = packKey(hash);
    const records = await this.db.calls.where("below").equals(key).toArray();
    return records
      .flatMap(callsIn)
      .filter(({ call, record }) => call.children.includes(record.below.indexOf(key)))
      .map(({ callHash }) => unpackKey(callHash));
  }

  async nearestCall(query: {
    taskName: string;
    taskHash: string;
    argsHash: string;
  }): Promise<CallNodeRow | undefined> {
    // The cache keys follow from the task's known hashes, so there is no need to search by arguments.
    const versions = await this.db.tasks.where("fullname").equals(query.taskName).primaryKeys();
    const records = await this.db.calls.bulkGet(
      versions.map((task) => packKey(hashEval(unpackKey(task), query.argsHash))),
    );
    const sameArgs = newest(records.flatMap((record) => (record === undefined ? [] : callsIn(record))));
    const found = sameArgs ?? (await this.latestCall(query.taskHash));
    return found === undefined ? undefined : (await this.callRows([unpackKey(found.callHash)]))[0];
  }

  private async latestCall(taskHash: string): Promise<FoundCall | undefined> {
    const task = packKey(taskHash);
    const record = await this.db.calls
      .where("[taskHash+time]")
      .between([task, Dexie.minKey], [task, Dexie.maxKey])
      .last();
    return record === undefined ? undefined : newest(callsIn(record));
  }

  /** Current tags of entities, entity by entity, oldest first. */
  async currentTags(entityIds: readonly string[]): Promise<TagRow[]> {
    const tags = await allOfEach(this.db.tags, "entityId", packKeys(entityIds));
    return tags.flatMap((list) =>
      list
        .filter((tag) => tag.isCurrent)
        .sort((a, b) => a.order - b.order)
        .map(tagRow),
    );
  }

  async tags(hashes: readonly string[]): Promise<Map<string, TagRow>> {
    const tags = (await this.db.tags.bulkGet(packKeys(hashes))).filter((tag) => tag !== undefined);
    return new Map(tags.map(tagRow).map((tag) => [tag.tagHash, tag]));
  }

  /** Hashes of the tags of entities, superseded ones too, and of the tags that supersede these tags. */
  async tagsAround(ids: readonly string[]): Promise<string[]> {
    const keys = packKeys(ids);
    const own = await allOfEach(this.db.tags, "entityId", keys);
    const edits = await allOfEach(this.db.tags, "parents", keys);
    return [...own, ...edits].flat().map(({ tagHash }) => unpackKey(tagHash));
  }

  /** Which of these ids no record has, or that of a job without its end. */
  async missing(ids: readonly string[]): Promise<string[]> {
    const { calls, executions, jobs, tags, values } = this.db;
    let open = packKeys(ids);
    for (const [table, index] of [
      [values, null],
      [calls, "callHashes"],
      [calls, "held"],
      [executions, null],
      [tags, null],
    ] as const) {
      const found = await existing(table, index, open);
      open = open.filter((id) => !found.has(id));
    }
    const ended = (await jobs.bulkGet(open)).map((job) => job?.endTime !== undefined);
    return unpackKeys(open.filter((_, i) => !ended[i]));
  }
}

function newest(calls: readonly FoundCall[]): FoundCall | undefined {
  return calls.toSorted((a, b) => a.call.timestamp - b.call.timestamp).at(-1);
}

function callRow({ callHash, call, record }: FoundCall, isKnown: (key: Key) => boolean): CallNodeRow {
  const hash = unpackKey(callHash);
  const isThere = call.promised ? isKnown : (): boolean => true;
  return {
    callHash: hash,
    taskName: call.taskName,
    taskHash: unpackKey(record.taskHash),
    argsHash: unpackKey(record.argsHash),
    valueHash: unpackKey(call.value),
    timestamp: call.timestamp,
    contextHash: call.contextHash === undefined ? null : unpackKey(call.contextHash),
    args: call.args.map(({ position, key, value, upstream }): ArgumentRow => {
      const valueHash = unpackKey(value);
      return {
        argHash: hashArgument(hash, position, key, valueHash),
        position,
        key,
        valueHash,
        upstream: unpackKeys(upstream.filter(isThere)),
      };
    }),
    children: unpackKeys(call.children.map((place) => record.below[place]!).filter(isThere)),
  };
}
