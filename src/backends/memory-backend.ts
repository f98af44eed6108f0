import type {
  Backend,
  CacheHit,
  CacheQuery,
  CallNodeRow,
  ExecutionRow,
  FoundId,
  JobRow,
  RecordJson,
  RecordQuery,
  TagRow,
  ValueRow,
} from "../backend/backend.ts";
import type { Millis, RecordBatch, TagEntity, TagRecord, TaskRecord } from "../backend/records.ts";
import { type Json, stableJson } from "../value/json.ts";
import { findInMemory } from "./memory-finder.ts";
import { MemoryStore } from "./memory-store.ts";
import { exportRecords, importRecords, reachable } from "./record-json.ts";
import { freshTags } from "./tags.ts";

/** A store that lives as long as its object, for tests and for work that nobody will ask about again. */
export class MemoryBackend implements Backend {
  private readonly store = new MemoryStore();

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
    const record = this.store.evaluations.get(query.evalHash);
    return record === undefined ? undefined : { kind: "single", value: record.value };
  }

  private ultimate(query: CacheQuery, isCurrent: (taskHash: string) => boolean): CacheHit | undefined {
    const calls = this.store.callsByEval.get(query.evalHash) ?? [];
    const call = calls
      .toSorted((a, b) => a.timestamp - b.timestamp)
      .findLast(
        ({ value, contextHash, subtreeTasks }) =>
          value.type !== "redun.ErrorValue" &&
          contextHash === query.contextHash &&
          subtreeTasks.every(isCurrent),
      );
    if (call === undefined) return undefined;
    return { kind: "ultimate", value: call.value, callHash: call.callHash, subtreeTasks: call.subtreeTasks };
  }

  write(batch: RecordBatch): void {
    this.store.write(batch);
  }

  heartbeat(executionId: string, time: Millis): void {
    const execution = this.store.executions.get(executionId);
    if (execution !== undefined) execution.updatedTime = time;
  }

  async getValues(hashes: readonly string[]): Promise<(ValueRow | undefined)[]> {
    return hashes.map((hash) => this.store.value(hash));
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
    return hashes.map((hash) => this.store.task(hash));
  }

  async getTags(entityIds: readonly string[]): Promise<TagRow[]> {
    return entityIds.flatMap((id) => this.store.allTagsOf(id)).filter((tag) => tag.isCurrent);
  }

  async callsOfValue(valueHash: string, role: "result" | "argument"): Promise<string[]> {
    const wanted = this.store.withHolders(valueHash);
    const calls = [...this.store.calls.values()].filter((call) =>
      role === "result" ? wanted.has(call.value.hash) : call.args.some((arg) => wanted.has(arg.value.hash)),
    );
    return calls.map((call) => call.callHash);
  }

  async parentCalls(callHash: string): Promise<string[]> {
    return this.store.parents.get(callHash) ?? [];
  }

  async nearestCall(query: {
    taskName: string;
    taskHash: string;
    argsHash: string;
  }): Promise<CallNodeRow | undefined> {
    const calls = [...this.store.calls.values()].toSorted((a, b) => a.timestamp - b.timestamp);
    const call =
      calls.findLast((other) => other.argsHash === query.argsHash && other.taskName === query.taskName) ??
      calls.findLast((other) => other.taskHash === query.taskHash);
    return call === undefined ? undefined : this.store.call(call.callHash);
  }

  async find(query: RecordQuery): Promise<FoundId[]> {
    const { offset = 0, limit = Number.POSITIVE_INFINITY } = query;
    const ids = findInMemory(this.store, query).slice(offset, offset + limit);
    return ids.map((id) => ({ type: query.type, id }));
  }

  async count(query: RecordQuery): Promise<number> {
    return findInMemory(this.store, query).length;
  }

  async tagCounts(): Promise<{ key: string; value: Json; entityType: TagEntity; count: number }[]> {
    const counts = new Map<string, { key: string; value: Json; entityType: TagEntity; count: number }>();
    for (const { key, value, entityType, isCurrent } of this.store.tags.values()) {
      if (!isCurrent) continue;
      const id = stableJson([key, value, entityType]);
      const entry = counts.get(id);
      if (entry === undefined) counts.set(id, { key, value, entityType, count: 1 });
      else entry.count++;
    }
    return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
  }

  async addTags(
    tags: readonly TagRecord[],
    { fresh = false }: { readonly fresh?: boolean } = {},
  ): Promise<TagRow[]> {
    const { store } = this;
    const added = fresh
      ? freshTags(
          tags,
          (hash) => store.tag(hash),
          (hash) => store.tagEdits(hash),
        )
      : tags;
    for (const tag of added) store.tag(tag);
    return added.map((tag) => store.tag(tag.tagHash));
  }

  reachable(ids?: readonly string[]): AsyncIterable<readonly string[]> {
    return reachable(this, this.store, ids);
  }

  async exportRecords(ids: readonly string[]): Promise<RecordJson[]> {
    return exportRecords(this.store, ids);
  }

  async importRecords(records: readonly RecordJson[]): Promise<number> {
    return importRecords(this.store, this.store, records);
  }

  async missing(ids: readonly string[]): Promise<string[]> {
    return ids.filter((id) => this.store.kindOf(id) === undefined);
  }
}
