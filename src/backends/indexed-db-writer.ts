import type { Table } from "dexie";
import type { TagRow } from "../backend/backend.ts";
import type { RecordBatch, TagRecord } from "../backend/records.ts";
import { Draft, type Known } from "./indexed-db-draft.ts";
import type { Key } from "./indexed-db-keys.ts";
import { type MergeContext, mergeCalls } from "./indexed-db-merge.ts";
import type { StoredCalls, StoredJob } from "./indexed-db-records.ts";
import { addNew, existing } from "./indexed-db-requests.ts";
import type { Database } from "./indexed-db-schema.ts";
import { TagEdits } from "./indexed-db-tags.ts";
import type { ImportBatch } from "./record-store.ts";

/** What is known of a cache key that was never seen. */
const FRESH: Omit<MergeContext, "isKnown"> = { isAside: () => false, isVacant: () => false };

/** Writes records, a batch in a transaction over the stores that it needs. */
export class IndexedDbWriter {
  private readonly db: Database;
  private readonly known: Known;

  constructor(db: Database, known: Known) {
    this.db = db;
    this.known = known;
  }

  async write(batch: RecordBatch): Promise<void> {
    const draft = Draft.ofBatch(batch, this.known);
    await this.transaction(draft, [], () => this.store(draft));
    this.learn(draft);
  }

  /** @returns how many records were new */
  async import(batch: ImportBatch): Promise<number> {
    const draft = Draft.ofImport(batch, this.known);
    const { calls, executions, jobs, values } = this.db;
    return this.transaction(draft, [calls, executions, jobs, values], async () => {
      // A call that was made here holds values that come again as records of their own.
      const held = await existing(this.db.calls, "held", [...draft.values.keys()]);
      for (const hash of held) draft.values.delete(hash);
      const added = await this.store(draft);
      await this.orderExecutions(draft);
      return added;
    });
  }

  /** @param fresh - whether a tag that is no longer current gets a successor that is */
  async addTags(records: readonly TagRecord[], fresh: boolean): Promise<TagRow[]> {
    return this.db.transaction("rw", this.db.tags, async () => {
      const edits = await TagEdits.load(this.db, records);
      const hashes = records.map((record) => {
        if (fresh) return edits.putFresh(record);
        edits.put(record);
        return record.tagHash;
      });
      await edits.save();
      return hashes.map((hash) => edits.row(hash));
    });
  }

  private async transaction<T>(draft: Draft, others: readonly Table[], work: () => Promise<T>): Promise<T> {
    const { db } = this;
    const tables = new Set<Table>(others);
    if (draft.values.size > 0) tables.add(db.values);
    if (draft.tasks.size > 0) tables.add(db.tasks);
    if (draft.calls.size > 0) tables.add(db.calls);
    if (draft.executions.size > 0) tables.add(db.executions);
    if (draft.jobs.size > 0 || draft.ends.length > 0) tables.add(db.jobs);
    if (draft.tags.length > 0) tables.add(db.tags);
    if (tables.size === 0) return work();
    // Dexie goes along with promises that are not its own only where it sees an async function.
    return db.transaction("rw", [...tables], async () => work());
  }

  /** @returns how many records were new, tasks not counted: their values are */
  private async store(draft: Draft): Promise<number> {
    const { db } = this;
    let added = await this.storeCalls(draft);
    added += draft.values.size - (await addNew(db.values, [...draft.values.values()])).length;
    await addNew(db.tasks, [...draft.tasks.values()]);
    added += draft.executions.size - (await addNew(db.executions, [...draft.executions.values()])).length;
    added += await this.storeJobs(draft);
    if (draft.tags.length === 0) return added;
    const edits = await TagEdits.load(db, draft.tags);
    for (const tag of draft.tags) if (edits.put(tag)) added++;
    await edits.save();
    return added;
  }

  private async storeCalls(draft: Draft): Promise<number> {
    const { calls } = this.db;
    const isKnown = await this.knownCalls(draft);
    let added = 0;
    // What was never seen is most likely not there, and added without a look.
    const fresh: StoredCalls[] = [];
    const others: Key[] = [];
    for (const [evalHash, group] of draft.calls) {
      if (this.known.evaluations.has(evalHash)) others.push(evalHash);
      else fresh.push(...mergeCalls(undefined, group, { ...FRESH, isKnown })!.records);
    }
    const refused = new Set(await addNew(calls, fresh));
    fresh.forEach((record, i) => {
      if (refused.has(i)) others.push(record.evalHash);
      else added += record.calls.length;
    });
    if (others.length === 0) return added;
    const changed: StoredCalls[] = [];
    const there = await calls.bulkGet(others);
    const aside = await this.callsAside(draft, there);
    const vacant = await this.vacantSingles(draft, there);
    const context: MergeContext = {
      isKnown,
      isAside: (hash) => aside.has(hash),
      isVacant: (hash) => vacant.has(hash),
    };
    others.forEach((evalHash, i) => {
      const merged = mergeCalls(there[i], draft.calls.get(evalHash)!, context);
      if (merged === undefined) return;
      changed.push(...merged.records);
      added += merged.added;
    });
    await calls.bulkPut(changed);
    return added;
  }

  /** Which calls of the batch are in records that were put aside. */
  private async callsAside(
    draft: Draft,
    there: readonly (StoredCalls | undefined)[],
  ): Promise<ReadonlySet<Key>> {
    const unsure = there.flatMap((stored) => {
      if (stored?.older === undefined) return [];
      const hashes = [...draft.calls.get(stored.evalHash)!.calls.keys()];
      return hashes.filter((hash) => !stored.callHashes.includes(hash));
    });
    return unsure.length === 0 ? new Set() : existing(this.db.calls, "callHashes", unsure);
  }

  /** Which single reductions were promised and have not come, where the batch promises others. */
  private async vacantSingles(
    draft: Draft,
    there: readonly (StoredCalls | undefined)[],
  ): Promise<ReadonlySet<Key>> {
    const unsure = there.flatMap((stored) => {
      if (stored?.single === undefined || stored.held.includes(stored.single)) return [];
      const { promised } = draft.calls.get(stored.evalHash)!;
      return promised === undefined || promised === stored.single ? [] : [stored.single];
    });
    if (unsure.length === 0) return new Set();
    const { calls, values } = this.db;
    const own = await existing(values, null, unsure);
    const held = await existing(calls, "held", unsure);
    return new Set(unsure.filter((hash) => !own.has(hash) && !held.has(hash)));
  }

  /** Whether a call that those of the batch refer to is there. */
  private async knownCalls(draft: Draft): Promise<(hash: Key) => boolean> {
    const isKnown = (hash: Key): boolean => draft.callHashes.has(hash) || this.known.calls.has(hash);
    const unsure = new Set<Key>();
    const check = (hash: Key): void => {
      if (!isKnown(hash)) unsure.add(hash);
    };
    for (const group of draft.calls.values()) {
      for (const { children, args, promised } of group.calls.values()) {
        if (promised) continue;
        children.forEach(check);
        for (const arg of args) arg.upstream.forEach(check);
      }
    }
    if (unsure.size === 0) return isKnown;
    const found = await existing(this.db.calls, "callHashes", [...unsure]);
    return (hash) => found.has(hash) || isKnown(hash);
  }

  private async storeJobs({ jobs, ends }: Draft): Promise<number> {
    const records = [...jobs.values()];
    const refused = (await addNew(this.db.jobs, records)).map((i) => records[i]!);
    const late = [
      ...ends,
      ...refused.flatMap(({ id, endTime, cached, callHash, failed }) =>
        endTime === undefined ? [] : [{ id, endTime, cached, callHash, failed }],
      ),
    ];
    if (late.length === 0) return jobs.size - refused.length;
    const running = new Map<Key, StoredJob>();
    for (const job of await this.db.jobs.bulkGet([...new Set(late.map(({ id }) => id))])) {
      if (job !== undefined && job.endTime === undefined) running.set(job.id, job);
    }
    const ended = new Map<Key, StoredJob>();
    for (const end of late) {
      const job = running.get(end.id);
      if (job !== undefined && !ended.has(end.id)) ended.set(end.id, { ...job, ...end });
    }
    await this.db.jobs.bulkPut([...ended.values()]);
    return jobs.size - refused.length;
  }

  /** Executions are ordered by the start of their root jobs, which may be imported before or after them. */
  private async orderExecutions(draft: Draft): Promise<void> {
    const { executions, jobs } = this.db;
    const roots = [...draft.jobs.values()].filter(({ parentId }) => parentId === null);
    const ids = new Set([...draft.executions.keys(), ...roots.map(({ executionId }) => executionId)]);
    const records = (await executions.bulkGet([...ids])).filter((record) => record !== undefined);
    const starts = await jobs.bulkGet(records.map(({ jobId }) => jobId));
    const ordered = records.flatMap((record, i) => {
      const startTime = starts[i]?.startTime;
      return startTime === undefined || startTime === record.startTime ? [] : [{ ...record, startTime }];
    });
    await executions.bulkPut(ordered);
  }

  /** Remembers what is in the database now. */
  private learn(draft: Draft): void {
    for (const evalHash of draft.calls.keys()) this.known.evaluations.set(evalHash, true);
    for (const [hash, failed] of draft.callHashes) {
      if (failed !== undefined) this.known.calls.set(hash, failed);
    }
    for (const hash of draft.values.keys()) this.known.values.set(hash, true);
  }
}
