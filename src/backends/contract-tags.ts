import type { Backend } from "../backend/backend.ts";
import type { TagRecord } from "../backend/records.ts";
import { type Json, stableJson } from "../value/json.ts";
import type { BackendChecks } from "./contract.ts";
import { batchOf, hashOf, idOf, tagOf, valueRecord } from "./contract-records.ts";
import { tombstone } from "./tags.ts";

/** Tags and their edits. */
export function checkTags({ describe, expect, check }: BackendChecks): void {
  const entity = valueRecord("tagged").hash;

  /** `key=value` of the current tags of an entity, sorted. */
  const current = async (backend: Backend, id = entity): Promise<string[]> =>
    (await backend.getTags([id])).map(({ key, value }) => `${key}=${JSON.stringify(value)}`).sort();
  const on = (key: string, value: Json, parents: readonly TagRecord[] = []): TagRecord =>
    tagOf(
      "Value",
      entity,
      key,
      value,
      parents.map((parent) => parent.tagHash),
    );

  describe("tags", () => {
    check("hold any JSON on any record, keys more than once", async (backend) => {
      const values: Json[] = [null, true, 1.5, "text", "文件", [1, [2]], { b: 1, a: { c: null } }];
      const tags = values.map((value) => on("key", value));
      const others = (["Execution", "Job", "CallNode", "Task"] as const).map((type) =>
        tagOf(type, type === "CallNode" || type === "Task" ? hashOf(type) : idOf(type), "own", type),
      );
      await backend.write(batchOf({ tags: [...tags, ...others] }));
      const rows = await backend.getTags([entity]);
      const texts = (list: readonly Json[]): string[] => list.map(stableJson).sort();
      expect(texts(rows.map((row) => row.value))).toEqual(texts(values));
      expect(
        rows.every((row) => row.isCurrent && row.entityType === "Value" && row.entityId === entity),
      ).toBe(true);
      const all = await backend.getTags(others.map((tag) => tag.entityId));
      expect(all.map((row) => [row.entityType, row.entityId, row.value])).toEqual(
        others.map((tag) => [tag.entityType, tag.entityId, tag.value]),
      );
      expect(await backend.getTags([hashOf("untagged")])).toEqual([]);
    });

    check("recorded twice are one", async (backend) => {
      const tag = on("a", { x: 1, y: 2 });
      expect(on("a", { y: 2, x: 1 }).tagHash).toBe(tag.tagHash);
      await backend.write(batchOf({ tags: [tag, tag] }));
      const [row] = await backend.addTags([tag]);
      expect(row).toEqual({ ...tag, isCurrent: true });
      expect((await backend.getTags([entity])).length).toBe(1);
    });

    check("are superseded by those that have them as parents, and stay as history", async (backend) => {
      const first = on("a", 1);
      const second = on("a", 2, [first]);
      const renamed = on("b", 2, [second]);
      await backend.addTags([first]);
      expect(await current(backend)).toEqual(["a=1"]);
      await backend.addTags([second]);
      expect(await current(backend)).toEqual(["a=2"]);
      await backend.addTags([renamed]);
      expect(await current(backend)).toEqual(["b=2"]);
      const [record] = await backend.exportRecords([second.tagHash]);
      expect([record?.value, record?.parents]).toEqual([2, [first.tagHash]]);
    });

    check("are merged by an edit of several", async (backend) => {
      const [a, b] = [on("a", 1), on("a", 2)];
      const merged = on("a", 3, [a, b]);
      await backend.write(batchOf({ tags: [a, b, merged] }));
      expect(await current(backend)).toEqual(["a=3"]);
      expect((await backend.getTags([entity]))[0]?.parents).toEqual([a.tagHash, b.tagHash].sort());
    });

    check("are edited to the same end by the same edit twice", async (backend) => {
      const first = on("a", 1);
      const second = on("a", 2, [first]);
      await backend.addTags([first, second]);
      await backend.addTags([second, first]);
      expect(await current(backend)).toEqual(["a=2"]);
    });

    check("are edited to the same end whichever comes first", async (backend) => {
      const first = on("a", 1);
      const second = on("a", 2, [first]);
      await backend.addTags([second]);
      await backend.addTags([first]);
      expect(await current(backend)).toEqual(["a=2"]);
    });

    check("are deleted by a tag of nothing, which is never current", async (backend) => {
      const [a, b] = [on("a", 1), on("b", 2)];
      await backend.addTags([a, b]);
      const [stone] = await backend.addTags([tombstone([a.tagHash])]);
      expect([stone?.entityType, stone?.isCurrent]).toEqual(["Null", false]);
      expect(await current(backend)).toEqual(["b=2"]);
      await backend.addTags([tombstone([a.tagHash])]);
      expect(await current(backend)).toEqual(["b=2"]);
      expect(await backend.getTags([""])).toEqual([]);
    });

    check("that were deleted come back only when asked to be fresh, time after time", async (backend) => {
      const tag = on("a", 1);
      await backend.addTags([tag], { fresh: true });
      for (let i = 0; i < 3; i++) {
        const rows = await backend.getTags([entity]);
        expect(rows.length).toBe(1);
        await backend.addTags([tombstone(rows.map((row) => row.tagHash))]);
        await backend.addTags([tag]);
        expect(await current(backend)).toEqual([]);
        const [added] = await backend.addTags([tag], { fresh: true });
        expect([added?.isCurrent, added?.key, added?.value]).toEqual([true, "a", 1]);
        expect(await current(backend)).toEqual(["a=1"]);
        // Fresh as it is, it is not added again.
        await backend.addTags([tag], { fresh: true });
        expect(await current(backend)).toEqual(["a=1"]);
      }
    });

    check("are counted by key, value and kind of record", async (backend) => {
      const first = tagOf("Job", idOf("a"), "env", "dev");
      const gone = tagOf("Job", idOf("c"), "gone", 1);
      await backend.addTags([
        first,
        tagOf("Job", idOf("b"), "env", "dev"),
        tagOf("Execution", idOf("e"), "env", "dev"),
        tagOf("Job", idOf("a"), "env", "prod", [first.tagHash]),
        gone,
        tombstone([gone.tagHash]),
      ]);
      const counts = await backend.tagCounts();
      expect(counts.map((row) => `${row.key}=${row.value} ${row.entityType} ${row.count}`).sort()).toEqual([
        "env=dev Execution 1",
        "env=dev Job 1",
        "env=prod Job 1",
      ]);
    });
  });
}
