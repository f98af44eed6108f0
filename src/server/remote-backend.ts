import type {
  Backend,
  CacheHit,
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
import type { TagEntity, TagRecord, TaskRecord } from "../backend/records.ts";
import { recordId, recordSize } from "../backends/record-export.ts";
import { BackendError } from "../errors/errors.ts";
import { hasCode } from "../errors/redun-error.ts";
import type { Json } from "../value/json.ts";
import type { RepoClient } from "./client.ts";

/** Ids and records in one request at most. */
const MOST = 5_000;
/** Characters of records in one request, as far as single ones allow. */
const BODY = 8_000_000;
/** Characters of records in one answer, as far as single ones allow. */
const ANSWER = 16_000_000;

/**
 * The store of a repository on a server, for all that reads and tags it, and that moves records. Executions are started
 * there by the server itself, so this store takes no records of a scheduler.
 */
export class RemoteBackend implements Backend {
  private readonly repo: RepoClient;

  constructor(repo: RepoClient) {
    this.repo = repo;
  }

  /** Asks whether the server is there and lets one in. */
  async load(): Promise<void> {
    await this.repo.list({ limit: 1 });
  }

  async close(): Promise<void> {}

  lookup(): (CacheHit | undefined)[] {
    throw notHere();
  }

  write(): void {
    throw notHere();
  }

  heartbeat(): void {
    throw notHere();
  }

  /** An answer ends early where values are large; then the others are asked for. */
  async getValues(hashes: readonly string[]): Promise<(ValueRow | undefined)[]> {
    const rows: (ValueRow | undefined)[] = [];
    while (rows.length < hashes.length) {
      const some = await this.repo.query("getValues", hashes.slice(rows.length, rows.length + 500));
      if (some.length === 0) throw new BackendError("Cannot read values: the server's answer is empty");
      rows.push(...some);
    }
    return rows;
  }

  getExecutions(ids: readonly string[]): Promise<(ExecutionRow | undefined)[]> {
    return inParts(ids, MOST, (part) => this.repo.query("getExecutions", part));
  }

  getJobs(ids: readonly string[]): Promise<(JobRow | undefined)[]> {
    return inParts(ids, MOST, (part) => this.repo.query("getJobs", part));
  }

  getCallNodes(hashes: readonly string[]): Promise<(CallNodeRow | undefined)[]> {
    return inParts(hashes, MOST, (part) => this.repo.query("getCallNodes", part));
  }

  getTasks(hashes: readonly string[]): Promise<(TaskRecord | undefined)[]> {
    return inParts(hashes, MOST, (part) => this.repo.query("getTasks", part));
  }

  getTags(entityIds: readonly string[]): Promise<TagRow[]> {
    return inParts(entityIds, MOST, (part) => this.repo.query("getTags", part));
  }

  callsOfValue(valueHash: string, role: "result" | "argument"): Promise<string[]> {
    return this.repo.query("callsOfValue", valueHash, role);
  }

  parentCalls(callHash: string): Promise<string[]> {
    return this.repo.query("parentCalls", callHash);
  }

  nearestCall(query: Parameters<Backend["nearestCall"]>[0]): Promise<CallNodeRow | undefined> {
    return this.repo.query("nearestCall", query);
  }

  find(query: RecordQuery): Promise<FoundId[]> {
    return this.repo.query("find", query);
  }

  count(query: RecordQuery): Promise<number> {
    return this.repo.query("count", query);
  }

  tagCounts(): Promise<{ key: string; value: Json; entityType: TagEntity; count: number }[]> {
    return this.repo.query("tagCounts");
  }

  addTags(
    tags: readonly TagRecord[],
    { fresh = false }: { readonly fresh?: boolean } = {},
  ): Promise<TagRow[]> {
    return this.repo.addTags(tags, fresh);
  }

  reachable(ids?: readonly string[]): AsyncIterable<readonly string[]> {
    return this.repo.reachable(ids);
  }

  async exportRecords(
    ids: readonly string[],
    { maxSize = Number.POSITIVE_INFINITY }: ExportOptions = {},
  ): Promise<RecordJson[]> {
    const records: RecordJson[] = [];
    let size = 0;
    for (let from = 0; from < ids.length && size < maxSize; ) {
      const part = ids.slice(from, from + MOST);
      const room = Math.min(ANSWER, maxSize - size);
      const given = await this.repo.query("exportRecords", part, { maxSize: room });
      for (const record of given) records.push(record);
      const length = given.reduce((sum, record) => sum + recordSize(record), 0);
      size += length;
      // Below that size all were given; those that are not among them are unknown.
      const last = length < room ? -1 : part.indexOf(recordId(given.at(-1)!));
      from += last < 0 ? part.length : last + 1;
    }
    return records;
  }

  async importRecords(records: readonly RecordJson[]): Promise<number> {
    let added = 0;
    let part: RecordJson[] = [];
    let size = 0;
    const send = async (): Promise<void> => {
      if (part.length > 0) added += await this.repo.sendRecords(part).catch(tooLarge(part));
      part = [];
      size = 0;
    };
    for (const record of records) {
      const length = recordSize(record);
      if (part.length === MOST || size + length > BODY) await send();
      part.push(record);
      size += length;
    }
    await send();
    return added;
  }

  missing(ids: readonly string[]): Promise<string[]> {
    return inParts(ids, MOST, (part) => this.repo.missing(part));
  }
}

async function inParts<T>(
  ids: readonly string[],
  most: number,
  ask: (part: readonly string[]) => Promise<readonly T[]>,
): Promise<T[]> {
  const all: T[] = [];
  for (let from = 0; from < ids.length; from += most) {
    for (const item of await ask(ids.slice(from, from + most))) all.push(item);
  }
  return all;
}

/** Says which record it is that a server takes no request of the size of. */
function tooLarge([record, ...others]: readonly RecordJson[]): (error: unknown) => never {
  return (error) => {
    if (record === undefined || others.length > 0 || !hasCode(error, "too-large")) throw error;
    const size = Math.round(recordSize(record) / 1_000_000);
    throw new BackendError(
      `Cannot send the ${record._type} ${recordId(record)}: it has ${size} MB, more than the server takes`,
      {
        hint: "Of a task that writes a file, no more than the file's name is sent.",
        cause: error,
      },
    );
  };
}

function notHere(): BackendError {
  return new BackendError("Cannot run with the store of a server: its own scheduler writes there", {
    hint: "Start the execution on the server.",
  });
}
