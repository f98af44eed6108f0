import type { TagRow } from "../backend/backend.ts";
import type { TagRecord } from "../backend/records.ts";
import { packKey, packKeys, unpackKey, unpackKeys } from "./indexed-db-keys.ts";
import type { StoredTag } from "./indexed-db-records.ts";
import { allOfEach } from "./indexed-db-requests.ts";
import type { Database } from "./indexed-db-schema.ts";
import { freshTag } from "./tags.ts";

/** A tag as its readers see it. */
export function tagRow({ order: _, tagHash, entityId, parents, ...tag }: StoredTag): TagRow {
  return {
    ...tag,
    tagHash: unpackKey(tagHash),
    entityId: unpackKey(entityId),
    parents: unpackKeys(parents),
  };
}

/** A tag as it is being written. */
interface OrderedTag extends TagRow {
  readonly order: number;
}

const orderedTag = (tag: StoredTag): OrderedTag => ({ ...tagRow(tag), order: tag.order });

const storedTag = ({ tagHash, entityId, parents, ...tag }: OrderedTag): StoredTag => ({
  ...tag,
  tagHash: packKey(tagHash),
  entityId: packKey(entityId),
  parents: packKeys(parents),
});

let lastOrder = 0;

/** A number that is greater than those before, and than those of other connections that were given earlier. */
function nextOrder(): number {
  lastOrder = Math.max(lastOrder + 1, Date.now() * 1000);
  return lastOrder;
}

/** Tags that are being written, with all that they supersede and are superseded by. It is used inside a transaction. */
export class TagEdits {
  private readonly db: Database;
  private readonly tags: Map<string, OrderedTag>;
  private readonly edits = new Map<string, OrderedTag[]>();
  private readonly changed = new Set<string>();

  private constructor(db: Database, tags: Map<string, OrderedTag>) {
    this.db = db;
    this.tags = tags;
    for (const tag of [...tags.values()].sort((a, b) => a.order - b.order)) this.link(tag);
  }

  /** Reads what the database knows of these tags. */
  static async load(db: Database, records: readonly TagRecord[]): Promise<TagEdits> {
    const tags = new Map<string, OrderedTag>();
    const parents = records.flatMap((record) => record.parents);
    let hashes = [...new Set([...records.map((record) => record.tagHash), ...parents])];
    for (const tag of await db.tags.bulkGet(packKeys(hashes))) {
      if (tag !== undefined) tags.set(unpackKey(tag.tagHash), orderedTag(tag));
    }
    // An edit may have been edited again.
    while (hashes.length > 0) {
      const next = new Set<string>();
      for (const stored of (await allOfEach(db.tags, "parents", packKeys(hashes))).flat()) {
        const edit = orderedTag(stored);
        if (tags.has(edit.tagHash)) continue;
        tags.set(edit.tagHash, edit);
        next.add(edit.tagHash);
      }
      hashes = [...next];
    }
    return new TagEdits(db, tags);
  }

  private link(tag: OrderedTag): void {
    for (const parent of tag.parents) {
      const list = this.edits.get(parent);
      if (list === undefined) this.edits.set(parent, [tag]);
      else list.push(tag);
    }
  }

  /** Adds a tag and takes currency from those that it supersedes. @returns whether it is new */
  put(record: TagRecord): boolean {
    const { tagHash, entityType } = record;
    if (this.tags.has(tagHash)) return false;
    // A tag that belongs to nothing only marks the deletion of others.
    const isCurrent = entityType !== "Null" && !this.edits.has(tagHash);
    const tag = { ...record, isCurrent, order: nextOrder() };
    this.set(tag);
    this.link(tag);
    for (const hash of record.parents) {
      const parent = this.tags.get(hash);
      if (parent?.isCurrent) this.set({ ...parent, isCurrent: false });
    }
    return true;
  }

  /** Adds a tag that is current, whatever became of those like it. */
  putFresh(record: TagRecord): string {
    const tag = freshTag(
      record,
      (hash) => this.tags.get(hash),
      (hash) => (this.edits.get(hash) ?? []).map((edit) => this.tags.get(edit.tagHash)!),
    );
    this.put(tag);
    return tag.tagHash;
  }

  row(hash: string): TagRow {
    const { order: _, ...row } = this.tags.get(hash)!;
    return row;
  }

  private set(tag: OrderedTag): void {
    this.tags.set(tag.tagHash, tag);
    this.changed.add(tag.tagHash);
  }

  async save(): Promise<void> {
    await this.db.tags.bulkPut([...this.changed].map((hash) => storedTag(this.tags.get(hash)!)));
  }
}
