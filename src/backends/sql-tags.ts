import type { TagRow } from "../backend/backend.ts";
import type { TagEntity, TagRecord } from "../backend/records.ts";
import { type Json, stableJson } from "../value/json.ts";
import { partsOf, type SqlDriver, type SqlRow } from "./sql-driver.ts";
import { anyKey, anyText, hashKey, hashText } from "./sql-keys.ts";
import { all, type SqlWork } from "./sql-work.ts";
import { freshTag } from "./tags.ts";

/**
 * Stores a tag and takes currency from those that it supersedes. Tags and edits may come in any order.
 *
 * @returns whether the tag is new
 */
export function writeTag(db: SqlDriver, record: TagRecord): boolean {
  const { tagHash, entityType, entityId, key, value, parents } = record;
  // A tag that belongs to nothing only marks the deletion of others; one that an edit superseded before it came is past.
  const sql = `INSERT INTO r_tag(hash, entity_type, entity, key, value, is_current)
    VALUES (unhex(?1), ?2, ${anyKey("?3")}, ?4, ?5, ?2 <> 'Null' AND NOT EXISTS (SELECT 1 FROM r_tag_edit WHERE parent = unhex(?1)))
    ON CONFLICT(hash) DO NOTHING`;
  if (db.prepare(sql).run(tagHash, entityType, entityId, key, stableJson(value)) === 0) return false;
  for (const parent of parents) {
    db.prepare("INSERT OR IGNORE INTO r_tag_edit(parent, child) VALUES (unhex(?), unhex(?))").run(
      parent,
      tagHash,
    );
    db.prepare("UPDATE r_tag SET is_current = 0 WHERE hash = unhex(?)").run(parent);
  }
  return true;
}

/** Reads tags. */
export class SqlTags {
  /** Current tags of entities, entity by entity, oldest first. */
  current(entityIds: readonly string[]): SqlWork<TagRow[]> {
    return this.read(
      `json_each(?) q CROSS JOIN r_tag t ON t.entity = ${anyKey("q.value")} AND t.is_current = 1`,
      "q.key, t.id",
      entityIds,
    );
  }

  byHash(hashes: readonly string[]): SqlWork<TagRow[]> {
    return this.read(`json_each(?) q CROSS JOIN r_tag t ON t.hash = ${hashKey("q.value")}`, "q.key", hashes);
  }

  /** What {@link freshTag} gives for a tag. */
  *fresh(tag: TagRecord): SqlWork<TagRecord> {
    const [first] = yield* this.byHash([tag.tagHash]);
    const edits = new Map<string, readonly TagRow[]>();
    for (let at = first; at !== undefined; ) {
      const next: TagRow[] = yield* this.edits(at.tagHash);
      edits.set(at.tagHash, next);
      at = next.at(-1);
    }
    return freshTag(
      tag,
      () => first,
      (hash) => edits.get(hash) ?? [],
    );
  }

  /** Tags that supersede a tag, oldest first. */
  private edits(hash: string): SqlWork<TagRow[]> {
    const from = `json_each(?) q CROSS JOIN r_tag_edit e ON e.parent = ${hashKey("q.value")} JOIN r_tag t ON t.hash = e.child`;
    return this.read(from, "t.id", [hash]);
  }

  /** Hashes of the tags of entities, superseded ones too, and of the tags that supersede these tags. */
  *around(ids: readonly string[]): SqlWork<string[]> {
    const sql = `SELECT ${hashText("t.hash")} AS hash FROM json_each(?1) q CROSS JOIN r_tag t ON t.entity = ${anyKey("q.value")}
       UNION SELECT ${hashText("e.child")} FROM json_each(?1) q CROSS JOIN r_tag_edit e ON e.parent = ${anyKey("q.value")}`;
    const found = new Set<string>();
    for (const part of partsOf(ids)) {
      for (const row of yield* all(sql, JSON.stringify(part))) found.add(String(row.hash));
    }
    return [...found];
  }

  *counts(): SqlWork<{ key: string; value: Json; entityType: TagEntity; count: number }[]> {
    const rows = yield* all(
      "SELECT key, value, entity_type, count(*) AS n FROM r_tag WHERE is_current = 1 GROUP BY key, value, entity_type ORDER BY key, value, entity_type",
    );
    return rows.map((row) => ({
      key: String(row.key),
      value: JSON.parse(String(row.value)) as Json,
      entityType: row.entity_type as TagEntity,
      count: row.n as number,
    }));
  }

  private *read(from: string, order: string, keys: readonly string[]): SqlWork<TagRow[]> {
    const sql = `SELECT ${hashText("t.hash")} AS hash, t.entity_type AS entityType, ${anyText("t.entity")} AS entity, t.key AS key,
         t.value AS value, t.is_current AS current,
         (SELECT json_group_array(${hashText("p.parent")}) FROM (SELECT parent FROM r_tag_edit WHERE child = t.hash ORDER BY parent) p) AS parents
       FROM ${from} ORDER BY ${order}`;
    const found: TagRow[] = [];
    for (const part of partsOf(keys)) {
      for (const row of yield* all(sql, JSON.stringify(part))) found.push(tagRow(row));
    }
    return found;
  }
}

function tagRow(row: SqlRow): TagRow {
  return {
    tagHash: String(row.hash),
    entityType: row.entityType as TagEntity,
    entityId: String(row.entity),
    key: String(row.key),
    value: JSON.parse(String(row.value)) as Json,
    parents: JSON.parse(String(row.parents)) as string[],
    isCurrent: row.current === 1,
  };
}
