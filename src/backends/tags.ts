import type { TagRow } from "../backend/backend.ts";
import type { TagEntity, TagRecord } from "../backend/records.ts";
import { tagHash } from "../backend/tags.ts";
import { type Json, stableJson } from "../value/json.ts";

/**
 * The tag to record so that one like the given is current. A tag that was superseded or deleted exists already and is
 * not current, so recording it again would change nothing: its successor is one more edit of the newest edit.
 *
 * @param find - a tag by its hash
 * @param edits - the tags that supersede a tag, oldest first
 */
export function freshTag(
  tag: TagRecord,
  find: (hash: string) => TagRow | undefined,
  edits: (hash: string) => readonly TagRow[],
): TagRecord {
  let at = find(tag.tagHash);
  if (at === undefined || at.isCurrent) return tag;
  for (;;) {
    const next: TagRow | undefined = edits(at.tagHash).at(-1);
    if (next === undefined) break;
    at = next;
    if (at.isCurrent && isAlike(at, tag)) return at;
  }
  const parents = [at.tagHash];
  return { ...tag, parents, tagHash: tagHash(tag.entityId, tag.key, tag.value, parents) };
}

const isAlike = (a: TagRecord, b: TagRecord): boolean =>
  a.entityId === b.entityId && a.key === b.key && stableJson(a.value) === stableJson(b.value);

/** The tag that deletes others: it belongs to nothing and has their hashes as parents. */
export function tombstone(parents: readonly string[]): TagRecord {
  const hash = tagHash("", "", null, parents);
  return { tagHash: hash, entityType: "Null", entityId: "", key: "", value: null, parents };
}

/** A current tag key with one of its values, and how many entities of a type carry it. */
export interface TagCount {
  readonly key: string;
  readonly value: Json;
  readonly entityType: TagEntity;
  count: number;
}

/** Counts current tags by key, value and type of entity. */
export class TagCounts {
  private readonly counts = new Map<string, TagCount>();

  add({ key, value, entityType, isCurrent }: TagRow): void {
    if (!isCurrent) return;
    const id = stableJson([key, value, entityType]);
    const entry = this.counts.get(id);
    if (entry === undefined) this.counts.set(id, { key, value, entityType, count: 1 });
    else entry.count++;
  }

  /** All of them, sorted. */
  all(): TagCount[] {
    return [...this.counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
  }
}
