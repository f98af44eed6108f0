import type { TagRow } from "../backend/backend.ts";
import type { TagRecord } from "../backend/records.ts";
import { tagHash } from "../backend/tags.ts";
import { stableJson } from "../value/json.ts";

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
