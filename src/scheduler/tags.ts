import type { TagEntity } from "../backend/records.ts";
import { tagHash } from "../backend/tags.ts";
import type { Json } from "../value/json.ts";
import type { Execution } from "./execution.ts";

export type TagPairs = readonly (readonly [string, Json])[];

const NONE: TagPairs = [];

/** The tags that a `tags` option means: pairs, or an object. */
export function jobTags(option: unknown): TagPairs {
  if (option === undefined || option === null) return NONE;
  if (Array.isArray(option)) return option.map(([key, value]) => [String(key), value as Json]);
  return Object.entries(option as Record<string, Json>);
}

/** Records tags of an entity. */
export function recordTags(exec: Execution, entityType: TagEntity, entityId: string, tags: TagPairs): void {
  for (const [key, value] of tags) {
    exec.recorder.tag({
      tagHash: tagHash(entityId, key, value),
      entityType,
      entityId,
      key,
      value,
      parents: [],
    });
  }
}
