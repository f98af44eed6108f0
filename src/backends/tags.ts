import type { TagRow } from "../backend/backend.ts";
import type { TagRecord } from "../backend/records.ts";
import { hashStruct } from "../value/hash.ts";
import { type Json, stableJson } from "../value/json.ts";

/** Hash of a tag: of its entity, key, value and the tags it supersedes. */
export function tagHash(entityId: string, key: string, value: Json, parents: readonly string[] = []): string {
  return hashStruct(["Tag", entityId, key, stableJson(value), [...parents].sort()]);
}

/**
 * Tags that will be current once recorded. A tag that was superseded or deleted exists already and is not current, so
 * recording it again would change nothing; a successor of its newest edit is made instead.
 */
export function freshTags(
  tags: readonly TagRecord[],
  find: (hash: string) => TagRow | undefined,
  edits: (hash: string) => readonly TagRow[],
): TagRecord[] {
  return tags.map((tag) => {
    const first = find(tag.tagHash);
    if (first === undefined || first.isCurrent) return tag;
    let at = first;
    for (;;) {
      const next: TagRow | undefined = edits(at.tagHash)[0];
      if (next === undefined) break;
      at = next;
      // A later edit back to the same tag is already what is wanted.
      if (
        at.isCurrent &&
        at.entityId === tag.entityId &&
        at.key === tag.key &&
        stableJson(at.value) === stableJson(tag.value)
      )
        return at;
    }
    const parents = [at.tagHash];
    return { ...tag, parents, tagHash: tagHash(tag.entityId, tag.key, tag.value, parents) };
  });
}

/** The tag that deletes others: it belongs to nothing and has their hashes as parents. */
export function tombstone(parents: readonly string[]): TagRecord {
  return {
    tagHash: tagHash("", "", null, parents),
    entityType: "Null",
    entityId: "",
    key: "",
    value: null,
    parents,
  };
}
