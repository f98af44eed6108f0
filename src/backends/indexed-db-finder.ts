import type { RecordQuery } from "../backend/backend.ts";
import { isTaskNamed, jobMatches, pathMatcher } from "./filters.ts";
import { IndexedDbFilters, type Restriction, suits } from "./indexed-db-filters.ts";
import { type Key, packKey, rangesOf, unpackKey } from "./indexed-db-keys.ts";
import {
  byStart,
  newestFirst,
  orderedKeys,
  type Pages,
  pagesOf,
  pagesOfAll,
  pagesOfIndex,
  pagesOfKeys,
  union,
} from "./indexed-db-pages.ts";
import type { IndexedDbReader } from "./indexed-db-reader.ts";
import type { StoredExecution, StoredJob } from "./indexed-db-records.ts";
import type { Database } from "./indexed-db-schema.ts";

/**
 * Finds records by filters. Indexes give a set of ids or a range to begin with, whichever leaves least; what they can't
 * tell is asked of each record, page by page, and only for as many pages as it takes.
 */
export class IndexedDbFinder {
  private readonly db: Database;
  private readonly reader: IndexedDbReader;
  private readonly filters: IndexedDbFilters;

  constructor(db: Database, reader: IndexedDbReader) {
    this.db = db;
    this.reader = reader;
    this.filters = new IndexedDbFilters(db, reader);
  }

  async find(query: RecordQuery): Promise<string[]> {
    const { offset = 0, limit = Number.POSITIVE_INFINITY, after } = query;
    const found: string[] = [];
    if (limit <= 0) return found;
    let passed = 0;
    let isAfter = after === undefined;
    for await (const keys of this.search(query)) {
      for (const key of keys) {
        if (!isAfter) {
          isAfter = unpackKey(key) === after;
          continue;
        }
        if (passed++ < offset) continue;
        found.push(unpackKey(key));
        if (found.length >= limit) return found;
      }
    }
    return found;
  }

  async count(query: RecordQuery): Promise<number> {
    const isFiltered = Object.entries(query).some(
      ([name, value]) => value !== undefined && !["type", "limit", "offset", "after"].includes(name),
    );
    if (!isFiltered) {
      const { executions, jobs, calls, tasks } = this.db;
      if (query.type === "Execution") return executions.count();
      if (query.type === "Job") return jobs.count();
      if (query.type === "CallNode") return calls.orderBy("callHashes").count();
      if (query.type === "Task") return tasks.count();
    }
    let count = 0;
    for await (const keys of this.search(query)) count += keys.length;
    return count;
  }

  private async *search(query: RecordQuery): AsyncGenerator<readonly Key[]> {
    if (!suits(query)) return;
    const restriction = await this.filters.restrict(query);
    if (restriction.keys?.size === 0 || restriction.tasks?.size === 0) return;
    if (query.type === "Execution") yield* this.executions(query, restriction);
    else if (query.type === "Job") yield* this.jobs(query, restriction);
    else if (query.type === "CallNode") yield* this.calls(query, restriction);
    else if (query.type === "Task") yield* this.tasks(query, restriction);
    else yield* this.values(query, restriction);
  }

  private async *executions(
    { idPrefix = "", executionStatus }: RecordQuery,
    { keys }: Restriction,
  ): AsyncGenerator<Key[]> {
    const { executions } = this.db;
    let source: Pages<StoredExecution>;
    if (keys !== undefined) source = sorted(pagesOfKeys(executions, keys));
    else if (idPrefix !== "") source = sorted(pagesOfAll(executions, ({ id }) => id, rangesOf(idPrefix)));
    else source = newestFirst(executions, "[startTime+id]");
    for await (const page of source) {
      const records = page.filter(({ id }) => begins(id, idPrefix));
      if (executionStatus === undefined) {
        yield records.map(({ id }) => id);
        continue;
      }
      const rows = await this.reader.executionRows(records);
      yield rows.filter(({ status }) => executionStatus.includes(status)).map(({ id }) => packKey(id));
    }
  }

  private async *jobs(query: RecordQuery, restriction: Restriction): AsyncGenerator<Key[]> {
    const { idPrefix = "", jobStatus } = query;
    const { executions, tasks } = restriction;
    for await (const page of this.jobPages(idPrefix, restriction)) {
      const records = page.filter(
        ({ id, executionId, taskHash }) =>
          begins(id, idPrefix) && (executions?.has(executionId) ?? true) && (tasks?.has(taskHash) ?? true),
      );
      if (jobStatus === undefined) {
        yield records.map(({ id }) => id);
        continue;
      }
      const outcomes = await this.reader.outcomes(records);
      const matches = ({ id, cached = false, endTime, callHash }: StoredJob): boolean => {
        const ended = endTime !== undefined;
        const state = { failed: outcomes.get(id) === true, cached, ended, called: callHash !== undefined };
        return jobStatus.some((status) => jobMatches(status, state));
      };
      yield records.filter(matches).map(({ id }) => id);
    }
  }

  private async *jobPages(
    idPrefix: string,
    { keys, executions }: Restriction,
  ): AsyncGenerator<readonly StoredJob[]> {
    const { jobs } = this.db;
    const index = "[executionId+startTime+id]";
    if (keys !== undefined) yield* sorted(pagesOfKeys(jobs, keys));
    else if (idPrefix !== "") yield* sorted(pagesOfAll(jobs, ({ id }) => id, rangesOf(idPrefix)));
    else if (executions === undefined) yield* newestFirst(jobs, "[startTime+id]");
    else if (executions.size === 1) yield* newestFirst(jobs, index, [...executions]);
    else yield* pagesOfKeys(jobs, await orderedKeys(jobs, index, [...executions]));
  }

  private async *calls({ idPrefix = "" }: RecordQuery, { keys, tasks }: Restriction): AsyncGenerator<Key[]> {
    const { calls } = this.db;
    if (keys !== undefined) {
      for (const page of pagesOf([...keys])) {
        const found = [...(await this.reader.calls(page)).values()].filter(
          ({ callHash, record }) => begins(callHash, idPrefix) && (tasks?.has(record.taskHash) ?? true),
        );
        yield found.map(({ callHash }) => callHash);
      }
      return;
    }
    if (tasks === undefined) {
      for await (const page of pagesOfIndex(calls, "callHashes", rangesOf(idPrefix))) {
        yield page.filter((key) => begins(key, idPrefix));
      }
      return;
    }
    for await (const page of pagesOfAll(calls, ({ evalHash }) => evalHash)) {
      const found = page.filter(({ taskHash }) => tasks.has(taskHash));
      yield found.flatMap(({ callHashes }) => callHashes).filter((key) => begins(key, idPrefix));
    }
  }

  private async *tasks({ idPrefix }: RecordQuery, { keys, tasks }: Restriction): AsyncGenerator<Key[]> {
    for await (const page of pagesOfAll(this.db.tasks, ({ hash }) => hash)) {
      const found = page.filter(
        (task) =>
          (keys?.has(task.hash) ?? true) &&
          (tasks?.has(task.hash) ?? true) &&
          (idPrefix === undefined || begins(task.hash, idPrefix) || isTaskNamed(task, idPrefix)),
      );
      yield found.map(({ hash }) => hash);
    }
  }

  private async *values(query: RecordQuery, { keys }: Restriction): AsyncGenerator<readonly Key[]> {
    const { idPrefix = "", valueTypes, filePaths } = query;
    const { calls, values } = this.db;
    if (keys === undefined && valueTypes === undefined && filePaths === undefined) {
      const ranges = rangesOf(idPrefix);
      for await (const page of union(
        pagesOfIndex(values, ":id", ranges),
        pagesOfIndex(calls, "held", ranges),
      )) {
        yield page.filter((key) => begins(key, idPrefix));
      }
      return;
    }
    const isPath = filePaths === undefined ? undefined : pathMatcher(filePaths);
    for (const page of pagesOf([...(keys ?? (await this.candidates(query)))])) {
      const found = [...(await this.reader.values(page))].filter(
        ([, { hash, type, file }]) =>
          hash.startsWith(idPrefix) &&
          (valueTypes?.includes(type) ?? true) &&
          (isPath === undefined || (file !== null && isPath(file))),
      );
      yield found.map(([key]) => key);
    }
  }

  /** Keys of the values of the types, or with the paths, that a query asks for. */
  private async candidates({ valueTypes = [], filePaths }: RecordQuery): Promise<Set<Key>> {
    const { calls, values } = this.db;
    const found = new Set<Key>();
    if (filePaths !== undefined) {
      for (const path of filePaths) {
        const [beginning = ""] = path.split("*");
        const range = values.where("file").startsWith(beginning);
        for (const hash of await range.primaryKeys()) found.add(hash);
      }
      return found;
    }
    for (const hash of await values.where("type").anyOf(valueTypes).primaryKeys()) found.add(hash);
    // No index tells the types of what calls hold.
    for await (const page of pagesOfAll(calls, ({ evalHash }) => evalHash)) {
      for (const record of page) {
        record.values.forEach(({ type }, i) => {
          if (valueTypes.includes(type)) found.add(record.held[i]!);
        });
      }
    }
    return found;
  }
}

/** Whether the id of a key begins with a prefix. */
const begins = (key: Key, prefix: string): boolean => prefix === "" || unpackKey(key).startsWith(prefix);

/** Records newest first, where no index has that order. */
async function* sorted<T extends { readonly id: Key; readonly startTime: number }>(
  pages: Pages<T>,
): AsyncGenerator<readonly T[]> {
  const all: T[] = [];
  for await (const page of pages) all.push(...page);
  yield* pagesOf(all.sort(byStart));
}
