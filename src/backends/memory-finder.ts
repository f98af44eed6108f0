import type { EntityType, RecordQuery } from "../backend/backend.ts";
import type { JobStatus, TaskRecord } from "../backend/records.ts";
import {
  isTaskNamed,
  jobMatches,
  pathMatcher,
  type TagFilter,
  tagMatches,
  taskNameMatches,
} from "./filters.ts";
import type { MemoryStore } from "./memory-store.ts";

/** Finds the ids that satisfy all filters of a query, in the order that the port promises. */
export function findInMemory(store: MemoryStore, query: RecordQuery): string[] {
  const tests = [...testsOf(store, query)];
  return idsOf(store, query.type).filter((id) => tests.every((test) => test(id)));
}

function idsOf(store: MemoryStore, type: EntityType): string[] {
  const ids = store.ids(type);
  if (type !== "Execution" && type !== "Job") return ids;
  const time = (id: string): number =>
    (type === "Job" ? store.jobs.get(id)?.startTime : store.execution(id)?.startTime) ?? 0;
  return ids.reverse().sort((a, b) => time(b) - time(a));
}

type Test = (id: string) => boolean;
const never: Test = () => false;

function* testsOf(store: MemoryStore, query: RecordQuery): Iterable<Test> {
  const { type } = query;
  const taskOf = (id: string): TaskRecord | undefined => {
    if (type === "Value" || type === "Execution") return undefined;
    const hash =
      type === "Task" ? id : type === "Job" ? store.jobs.get(id)?.taskHash : store.calls.get(id)?.taskHash;
    return hash === undefined ? undefined : store.tasks.get(hash);
  };
  if (query.ids !== undefined) {
    const ids = new Set(query.ids);
    yield (id) => ids.has(id);
  }
  if (query.idPrefix !== undefined) {
    const prefix = query.idPrefix;
    yield (id) => {
      if (id.startsWith(prefix)) return true;
      const task = type === "Task" ? taskOf(id) : undefined;
      return task !== undefined && isTaskNamed(task, prefix);
    };
  }
  if (query.executionIds !== undefined) yield inExecutions(store, type, new Set(query.executionIds));
  for (const tag of query.executionTags ?? []) {
    const tagged = [...store.executions.keys()].filter((id) => hasTag(store, id, tag));
    yield inExecutions(store, type, new Set(tagged));
  }
  if (query.executionStatus !== undefined) {
    const statuses = query.executionStatus;
    yield type === "Execution" ? (id) => statuses.includes(store.execution(id)!.status) : never;
  }
  if (query.jobStatus !== undefined) {
    const statuses = query.jobStatus;
    yield type === "Job" ? (id) => statuses.some((status) => matchesStatus(store, id, status)) : never;
  }
  if (query.taskNames !== undefined) {
    const names = query.taskNames;
    yield (id) => {
      const task = taskOf(id);
      return task !== undefined && taskNameMatches(task, names);
    };
  }
  if (query.taskHashes !== undefined) {
    const hashes = query.taskHashes;
    yield (id) => {
      const task = taskOf(id);
      return task !== undefined && hashes.some((hash) => task.hash.startsWith(hash));
    };
  }
  if (query.resultValues !== undefined) {
    const values = new Set(query.resultValues.flatMap((hash) => [...store.withHolders(hash)]));
    yield (id) => values.has(callOfJob(store, type, id)?.value ?? "");
  }
  if (query.argValues !== undefined) {
    const values = new Set(query.argValues.flatMap((hash) => [...store.withHolders(hash)]));
    yield (id) => callOfJob(store, type, id)?.args.some((arg) => values.has(arg.value)) ?? false;
  }
  if (query.valueTypes !== undefined) {
    const types = query.valueTypes;
    yield type === "Value" ? (id) => types.includes(store.values.get(id)!.type) : never;
  }
  if (query.filePaths !== undefined) {
    const matches = pathMatcher(query.filePaths);
    yield type === "Value"
      ? (id) => {
          const { file } = store.values.get(id)!;
          return file !== null && matches(file);
        }
      : never;
  }
  for (const tag of query.tags ?? []) yield (id) => hasTag(store, id, tag);
  if (query.parentIds !== undefined) {
    const parents = query.parentIds;
    yield type === "Job" ? (id) => parents.includes(store.jobs.get(id)!.parentId ?? "") : never;
  }
  if (query.callHashes !== undefined) {
    const calls = query.callHashes;
    if (type === "CallNode") yield (id) => calls.includes(id);
    else if (type === "Job") yield (id) => calls.includes(store.jobs.get(id)!.callHash ?? "");
    else if (type === "Value") {
      const results = new Set(calls.map((hash) => store.calls.get(hash)?.value));
      yield (id) => results.has(id);
    } else yield never;
  }
}

function callOfJob(store: MemoryStore, type: EntityType, id: string) {
  const hash = type === "Job" ? store.jobs.get(id)?.callHash : undefined;
  return hash === undefined ? undefined : store.calls.get(hash);
}

function hasTag(store: MemoryStore, id: string, filter: TagFilter): boolean {
  return store.tagsOf(id).some((tag) => tagMatches(tag, filter));
}

function matchesStatus(store: MemoryStore, id: string, status: JobStatus): boolean {
  const job = store.jobs.get(id)!;
  return jobMatches(status, {
    failed: store.isFailure(job),
    cached: job.cached === true,
    ended: job.endTime !== undefined,
    called: job.callHash !== undefined,
  });
}

function inExecutions(store: MemoryStore, type: EntityType, executions: ReadonlySet<string>): Test {
  if (type === "Execution") return (id) => executions.has(id);
  if (type === "Job") return (id) => executions.has(store.jobs.get(id)!.executionId);
  const found = new Set<string>();
  for (const job of store.jobs.values()) {
    if (!executions.has(job.executionId)) continue;
    if (type === "Task") found.add(job.taskHash);
    const call = job.callHash === undefined ? undefined : store.calls.get(job.callHash);
    if (call === undefined) continue;
    if (type === "CallNode") found.add(call.callHash);
    else if (type === "Value") {
      for (const hash of [call.value, ...call.args.map((arg) => arg.value)]) {
        found.add(hash);
        for (const part of store.values.get(hash)?.subvalues ?? []) found.add(part);
      }
    }
  }
  return (id) => found.has(id);
}
