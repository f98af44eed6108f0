import type {
  Backend,
  CacheHit,
  CacheQuery,
  CallNodeRow,
  ExecutionRow,
  ExportOptions,
  FoundId,
  JobRow,
  RecordJson,
  RecordQuery,
  TagRow,
  ValueRow,
} from "../backend/backend.ts";
import type { Millis, RecordBatch, TagEntity, TagRecord, TaskRecord } from "../backend/records.ts";
import type { Json } from "../value/json.ts";
import { findInMemory } from "./memory-finder.ts";
import { MemoryStore } from "./memory-store.ts";
import { reachable } from "./reachable.ts";
import { exportRecords } from "./record-export.ts";
import { readRecords } from "./record-import.ts";
import type { RecordSource } from "./record-store.ts";
import { freshTag, TagCounts } from "./tags.ts";

/** A store that lives as long as its object, for tests and for work that nobody will ask about again. */
export class MemoryBackend implements Backend {
  private readonly store = new MemoryStore();
  private readonly source: RecordSource = this.makeSource();

  async load(): Promise<void> {}
  async close(): Promise<void> {}

  lookup(queries: readonly CacheQuery[], isCurrent: (taskHash: string) => boolean): (CacheHit | undefined)[] {
    return queries.map((query) => {
      for (const kind of query.allowed) {
        const hit = kind === "single" ? this.single(query) : this.ultimate(query, isCurrent);
        if (hit !== undefined) return hit;
      }
      return undefined;
    });
  }

  private single(query: CacheQuery): CacheHit | undefined {
    const value = this.store.values.get(this.store.evaluations.get(query.evalHash) ?? "");
    if (value === undefined || this.store.isError(value.hash)) return undefined;
    return { kind: "single", value };
  }

  private ultimate(query: CacheQuery, isCurrent: (taskHash: string) => boolean): CacheHit | undefined {
    const { values, callsByEval, jobs } = this.store;
    const { executions } = query;
    const isAmong = (call: string): boolean =>
      executions === undefined ||
      jobs.values().some((job) => job.callHash === call && executions.includes(job.executionId));
    const calls = (callsByEval.get(query.evalHash) ?? []).toSorted((a, b) => a.timestamp - b.timestamp);
    const call = calls.findLast(
      ({ callHash, value, contextHash, subtreeTasks }) =>
        contextHash === query.contextHash &&
        values.has(value) &&
        !this.store.isError(value) &&
        subtreeTasks?.every(isCurrent) &&
        isAmong(callHash),
    );
    if (call === undefined) return undefined;
    const { callHash, subtreeTasks } = call;
    return { kind: "ultimate", value: values.get(call.value)!, callHash, subtreeTasks };
  }

  write(batch: RecordBatch): void {
    this.store.write(batch);
  }

  heartbeat(executionId: string, time: Millis): void {
    this.store.touch(executionId, time);
  }

  async getValues(hashes: readonly string[]): Promise<(ValueRow | undefined)[]> {
    return hashes.map((hash) => this.store.values.get(hash));
  }

  async getExecutions(ids: readonly string[]): Promise<(ExecutionRow | undefined)[]> {
    return ids.map((id) => this.store.execution(id));
  }

  async getJobs(ids: readonly string[]): Promise<(JobRow | undefined)[]> {
    return ids.map((id) => this.store.job(id));
  }

  async getCallNodes(hashes: readonly string[]): Promise<(CallNodeRow | undefined)[]> {
    return hashes.map((hash) => this.store.call(hash));
  }

  async getTasks(hashes: readonly string[]): Promise<(TaskRecord | undefined)[]> {
    return hashes.map((hash) => this.store.tasks.get(hash));
  }

  async getTags(entityIds: readonly string[]): Promise<TagRow[]> {
    return entityIds.flatMap((id) => this.store.tagsOf(id)).filter((tag) => tag.isCurrent);
  }

  async callsOfValue(valueHash: string, role: "result" | "argument"): Promise<string[]> {
    const wanted = this.store.withHolders(valueHash);
    const calls = [...this.store.calls.values()].filter((call) =>
      role === "result" ? wanted.has(call.value) : call.args.some((arg) => wanted.has(arg.value)),
    );
    return calls.map((call) => call.callHash);
  }

  async parentCalls(callHash: string): Promise<string[]> {
    return this.store.parentCalls(callHash);
  }

  async nearestCall(query: {
    taskName: string;
    taskHash: string;
    argsHash: string;
  }): Promise<CallNodeRow | undefined> {
    const calls = [...this.store.calls.values()];
    const call =
      calls
        .filter((other) => other.argsHash === query.argsHash && other.taskName === query.taskName)
        .toSorted((a, b) => a.timestamp - b.timestamp)
        .at(-1) ?? calls.findLast((other) => other.taskHash === query.taskHash);
    return call === undefined ? undefined : this.store.call(call.callHash);
  }

  async find(query: RecordQuery): Promise<FoundId[]> {
    const { offset = 0, limit = Number.POSITIVE_INFINITY, after } = query;
    const all = findInMemory(this.store, query);
    const from = (after === undefined ? 0 : all.indexOf(after) + 1 || all.length) + offset;
    const ids = all.slice(from, from + limit);
    return ids.map((id) => ({ type: query.type, id }));
  }

  async count(query: RecordQuery): Promise<number> {
    return findInMemory(this.store, query).length;
  }

  async tagCounts(): Promise<{ key: string; value: Json; entityType: TagEntity; count: number }[]> {
    const counts = new TagCounts();
    for (const tag of this.store.tags.values()) counts.add(tag);
    return counts.all();
  }

  async addTags(
    records: readonly TagRecord[],
    { fresh = false }: { readonly fresh?: boolean } = {},
  ): Promise<TagRow[]> {
    const { store } = this;
    return records.map((record) => {
      const tag = fresh
        ? freshTag(
            record,
            (hash) => store.tags.get(hash),
            (hash) => store.editsOf(hash),
          )
        : record;
      store.putTag(tag);
      return store.tags.get(tag.tagHash)!;
    });
  }

  reachable(ids?: readonly string[]): AsyncIterable<readonly string[]> {
    return reachable(this.source, ids);
  }

  async exportRecords(ids: readonly string[], options?: ExportOptions): Promise<RecordJson[]> {
    return exportRecords(this.source, ids, options);
  }

  async importRecords(records: readonly RecordJson[]): Promise<number> {
    return this.store.import(readRecords(records));
  }

  async missing(ids: readonly string[]): Promise<string[]> {
    return ids.filter((id) => !this.store.has(id));
  }

  private makeSource(): RecordSource {
    const { store } = this;
    /** What there is for each key. */
    const each = <T>(keys: readonly string[], get: (key: string) => T | undefined): Map<string, T> => {
      const found = new Map<string, T>();
      for (const key of keys) {
        const item = get(key);
        if (item !== undefined) found.set(key, item);
      }
      return found;
    };
    return {
      find: (query) => this.find(query),
      getValues: (hashes) => this.getValues(hashes),
      getExecutions: (ids) => this.getExecutions(ids),
      getTasks: (hashes) => this.getTasks(hashes),
      jobs: (ids) => ids.map((id) => store.job(id, true)),
      calls: (hashes) => hashes.map((hash) => store.exportedCall(hash)),
      childJobs: (ids) => each(ids, (id) => store.childJobs(id)),
      valueParts: (hashes) => each(hashes, (hash) => store.values.get(hash)?.subvalues),
      subtreeTasks: (hashes) => each(hashes, (hash) => store.calls.get(hash)?.subtreeTasks),
      tags: (hashes) => each(hashes, (hash) => store.tags.get(hash)),
      tagsAround: (ids) =>
        ids.flatMap((id) => [...store.tagsOf(id), ...store.editsOf(id)]).map((tag) => tag.tagHash),
    };
  }
}
