import { hashStruct } from "../value/hash.ts";
import { type Json, stableJson } from "../value/json.ts";

/** Hash of a tag: of its entity, key, value and the tags it supersedes. */
export function tagHash(entityId: string, key: string, value: Json, parents: readonly string[] = []): string {
  return hashStruct(["Tag", entityId, key, stableJson(value), [...parents].sort()]);
}
