import type { Backend, CacheQuery, RecordJson } from "../backend/backend.ts";
import type { CallNodeRecord } from "../backend/records.ts";
import { lazy } from "../expression/expression.ts";
import { TaskNode } from "../expression/node.ts";
import type { BackendChecks } from "./contract.ts";
import {
  batchOf,
  callOf,
  errorOf,
  evaluationOf,
  fileOf,
  hashOf,
  idOf,
  taskOf,
  valueRecord,
} from "./contract-records.ts";
import { story } from "./contract-story.ts";
import { allIds, exported, shuffled } from "./contract-sync.ts";
import { recordId } from "./record-export.ts";

const task = taskOf("work.leaf");
const main = taskOf("work.main");
const [one, two, three] = [valueRecord(1), valueRecord(2), valueRecord(3)];
const file = fileOf("in.txt");
const expression = valueRecord(lazy(new TaskNode("work.leaf", [1], {}, [], undefined)));
const list = valueRecord([lazy(new TaskNode("work.leaf", [2], {}, [], undefined))], {
  subvalues: [expression, file],
});

const leaf = callOf({ task, args: [one], value: two });
const parent = callOf({ task: main, args: [one], value: two, children: [leaf] });
const failed = callOf({ task: main, args: [two], value: errorOf("boom"), children: [leaf] });
const thrown = callOf({ task, args: [three], value: errorOf("boom") });
const awaited = callOf({ task: main, args: [three], value: three });
const calls = [leaf, parent, failed, thrown, awaited];

/** Calls with single reductions of all kinds: the result itself, expressions, none. */
const work = batchOf({
  tasks: [task, main],
  callNodes: calls,
  evaluations: [evaluationOf(leaf), evaluationOf(parent, expression), evaluationOf(failed, list)],
  executions: [{ id: idOf("work"), args: ["redun", "run"], jobId: idOf("work 0"), startTime: 1000 }],
  jobs: calls.map((call, i) => ({
    id: idOf(`work ${i}`),
    executionId: idOf("work"),
    parentId: i === 0 ? null : idOf("work 0"),
    taskHash: call.taskHash,
    startTime: 1000 + i,
    endTime: 2000,
    callHash: call.callHash,
  })),
});

/** Texts of the single reductions that a store has for calls. */
async function singles(
  backend: Backend,
  of: readonly CallNodeRecord[] = calls,
): Promise<(string | undefined)[]> {
  const queries = of.map(({ evalHash = "", taskHash, argsHash }): CacheQuery => {
    return { evalHash, taskHash, argsHash, allowed: ["single"], contextHash: undefined };
  });
  return (await backend.lookup(queries, () => true)).map((hit) => hit?.value.text);
}

async function importAll(backend: Backend, records: readonly RecordJson[], size: number): Promise<void> {
  for (let i = 0; i < records.length; i += size) await backend.importRecords(records.slice(i, i + size));
}

/** Single reductions that travel with their calls, and records that are not what they claim to be. */
export function checkImports({ describe, expect, check }: BackendChecks): void {
  describe("single reductions", () => {
    check("are answers of the second store too, in whatever order they come", async (source, another) => {
      await source.write(work);
      const expected = [two.text, expression.text, list.text, undefined, undefined];
      expect(await singles(source)).toEqual(expected);
      const records = await exported(source);
      const values = records.filter(({ _type }) => _type === "Value");
      const others = records.filter(({ _type }) => _type !== "Value");
      const orders = [
        [...values, ...others],
        [...others, ...values],
        shuffled(records, 1),
        shuffled(records, 2),
      ];
      for (const order of orders) {
        for (const size of [1, 5, order.length]) {
          const target = await another();
          await importAll(target, order, size);
          expect(await singles(target)).toEqual(expected);
          expect(await exported(target)).toEqual(records);
        }
      }
    });

    check("are reached with what is inside them", async (backend) => {
      await backend.write(work);
      const ids = await allIds(backend, [failed.callHash]);
      for (const { hash } of [list, expression, file]) expect(ids).toContain(hash);
      const [record] = await backend.exportRecords([failed.callHash]);
      expect([record?.single_hash, record?._opaque]).toEqual([list.hash, undefined]);
      const [none] = await backend.exportRecords([awaited.callHash]);
      expect(Object.keys(none!)).not.toContain("single_hash");
    });

    check("are no answers before their values are there", async (source, another) => {
      await source.write(work);
      const target = await another();
      const records = await exported(source);
      const late = records.filter((record) => recordId(record) === expression.hash);
      await target.importRecords(records.filter((record) => !late.includes(record)));
      expect(await singles(target, [leaf, parent])).toEqual([two.text, undefined]);
      // The next exchange brings what is missing, and that alone.
      expect(await target.missing(await allIds(source))).toEqual([expression.hash]);
      await target.importRecords(late);
      expect(await singles(target, [parent])).toEqual([expression.text]);
    });

    check("come to calls that are there without, and never replace others", async (source, another) => {
      await source.write(work);
      const records = await exported(source);
      const target = await another();
      const bare = records.map(({ single_hash: _, ...record }) => record as RecordJson);
      await target.importRecords(bare);
      expect(await singles(target)).toEqual(calls.map(() => undefined));
      await target.write(batchOf({ evaluations: [evaluationOf(leaf, three)] }));
      expect(await target.importRecords(records)).toBe(0);
      expect(await singles(target, [leaf, parent])).toEqual([three.text, expression.text]);
    });

    check("that are promised give way to ones that are there", async (source, another) => {
      await source.write(work);
      const target = await another();
      const [record] = await source.exportRecords([parent.callHash]);
      const values = await source.exportRecords([three.hash, two.hash]);
      await target.importRecords([{ ...record!, single_hash: hashOf("never") }]);
      expect(await singles(target, [parent])).toEqual([undefined]);
      await target.importRecords([...values, { ...record!, single_hash: three.hash }]);
      expect(await singles(target, [parent])).toEqual([three.text]);
      await target.importRecords([{ ...record!, single_hash: two.hash }]);
      expect(await singles(target, [parent])).toEqual([three.text]);
      await target.write(batchOf({ evaluations: [evaluationOf(parent, one)] }));
      expect(await singles(target, [parent])).toEqual([one.text]);
    });

    check("are never errors", async (source, another) => {
      await source.write(work);
      const target = await another();
      const records = await exported(source);
      await target.importRecords(
        records.map((record) =>
          recordId(record) === thrown.callHash ? { ...record, single_hash: thrown.value.hash } : record,
        ),
      );
      expect(await singles(target, [thrown, leaf])).toEqual([undefined, two.text]);
    });

    check("survive many calls of one key", async (source, another) => {
      const many = Array.from({ length: 40 }, (_, i) =>
        callOf({ task, args: [one], value: valueRecord({ i }) }),
      );
      await source.write(
        batchOf({ tasks: [task], callNodes: many, evaluations: [evaluationOf(many[0]!, expression)] }),
      );
      const ids = await allIds(
        source,
        many.map(({ callHash }) => callHash),
      );
      const records = await source.exportRecords(ids);
      for (const size of [1, 7, records.length]) {
        const target = await another();
        await importAll(target, shuffled(records, size), size);
        expect(await singles(target, [many[0]!])).toEqual([expression.text]);
        expect(await target.exportRecords(ids)).toEqual(records);
      }
    });
  });

  describe("a store that has only a part", () => {
    check("gives it on whole, with what it refers to", async (source, another) => {
      await source.write(work);
      await source.write(story.batch);
      const records = await exported(source);
      const between = await another();
      for (const record of records) {
        if (record._type !== "Job" && record._type !== "CallNode") continue;
        await between.importRecords([record]);
        const [again] = await between.exportRecords([recordId(record)]);
        // The jobs below and the status are told for people, and follow from other records.
        const { children, status, ...own } = record;
        expect(again).toMatchObject(record._type === "Job" ? own : record);
        expect(again).toMatchObject(own);
      }
    });
  });

  describe("exports of limited size", () => {
    check("end with the record that reaches the size", async (backend) => {
      await backend.write(story.batch);
      const ids = (await exported(backend)).map(recordId);
      const records = await backend.exportRecords(ids, { maxSize: 2000 });
      expect(records).toEqual(await backend.exportRecords(ids.slice(0, records.length)));
      const size = JSON.stringify(records).length;
      expect([size > 1900, size < 4000]).toEqual([true, true]);
      expect((await backend.exportRecords(ids, { maxSize: 1 })).length).toBe(1);
      expect(await backend.exportRecords(ids, { maxSize: 1e9 })).toEqual(await backend.exportRecords(ids));
      expect(await backend.exportRecords([], { maxSize: 1 })).toEqual([]);
    });
  });

  describe("forged records", () => {
    const text = (content: string): RecordJson => ({ data: btoa(content) });
    const asTask = (name: string): RecordJson => ({
      subtype: { _type: "Task", name, namespace: "work", source: "" },
    });
    const tag = story.batch.tags[0]!.tagHash;
    const forgeries: readonly (readonly [string, string, RecordJson])[] = [
      ["a value with other content", one.hash, text("7")],
      ["a value that is no JSON", one.hash, text("{")],
      ["a value that claims to be an error", one.hash, { type: "redun.ErrorValue" }],
      ["an error that claims to be data", story.values.boom.hash, { type: "Object" }],
      ["an expression with other arguments", expression.hash, text(expression.text.replace("[1]", "[7]"))],
      ["a list that holds another expression", list.hash, text(list.text.replace("[2]", "[7]"))],
      ["a file with another hash", file.hash, text(file.text.replace(file.hash, hashOf("other")))],
      ["a file with another path beside", file.hash, { subtype: { _type: "File", path: "other.txt" } }],
      ["a file that is none", one.hash, { subtype: { _type: "File", path: "in.txt" } }],
      ["a value that claims to be a task", one.hash, asTask("leaf")],
      ["a task of another name", task.hash, asTask("other")],
      ["a call with another result", leaf.callHash, { value_hash: three.hash }],
      ["a call with another task", leaf.callHash, { task_hash: main.hash }],
      ["a call with other children", parent.callHash, { children: [] }],
      ["a tag with another value", tag, { value: "beta" }],
      ["a tag of something else", tag, { entity_id: idOf("second") }],
    ];
    for (const [what, id, changes] of forgeries) {
      check(`are refused: ${what}`, async (source, another) => {
        await source.write(work);
        await source.write(story.batch);
        const target = await another();
        const [record] = await source.exportRecords([id]);
        const good = await source.exportRecords([two.hash]);
        await expect(target.importRecords([...good, { ...record!, ...changes }])).rejects.toMatchObject({
          code: "backend",
          fields: { type: record!._type, id },
        });
        expect(await target.missing([two.hash, id])).toEqual([two.hash, id]);
        expect(await target.importRecords([record!])).toBe(1);
      });
    }

    check("are told from ones whose hash covers more than they hold", async (source, another) => {
      const hidden = callOf({ task, args: [two], value: two });
      // The child without provenance counts in the hash, and has no record.
      const call = callOf({ task: main, args: [two], value: two, children: [leaf, hidden] });
      await source.write(batchOf({ tasks: [task, main], callNodes: [leaf, call] }));
      const ids = [call.callHash, leaf.callHash];
      const records = await source.exportRecords(ids);
      expect(records.map(({ _opaque }) => _opaque)).toEqual([true, undefined]);
      const target = await another();
      expect(await target.importRecords(records)).toBe(2);
      expect(await target.exportRecords(ids)).toEqual(records);
    });

    check("are not those of types that are unknown here, or of another format", async (source, another) => {
      const { format } = one;
      const values = [
        { ...one, hash: hashOf("pickle"), format: "application/python-pickle" },
        { hash: hashOf("own"), type: "acme.Unknown", format, text: '{"$":["acme.Unknown",[1]]}' },
        { hash: hashOf("nested"), type: "Array", format, text: '[{"$":["acme.Unknown",1]}]' },
      ];
      await source.write(batchOf({ values }));
      const ids = values.map(({ hash }) => hash);
      const target = await another();
      expect(await target.importRecords(await source.exportRecords(ids))).toBe(3);
      const there = await target.getValues(ids);
      expect(there.map((value) => value?.text)).toEqual(values.map((value) => value.text));
    });
  });
}
