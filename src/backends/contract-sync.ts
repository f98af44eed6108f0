import type { Backend, RecordJson } from "../backend/backend.ts";
import type { BackendChecks } from "./contract.ts";
import { batchOf, callOf, hashOf, idOf, tagOf, taskOf, valueRecord } from "./contract-records.ts";
import { story } from "./contract-story.ts";
import { recordId } from "./record-export.ts";
import { tombstone } from "./tags.ts";

const { tasks, values, calls } = story;

/** Ids of all that is reached, by default from all executions. */
export async function allIds(backend: Backend, ids?: readonly string[]): Promise<string[]> {
  const all = [];
  for await (const layer of backend.reachable(ids)) all.push(...layer);
  return all;
}

/** Every record that is reached, by id. */
export async function exported(backend: Backend): Promise<RecordJson[]> {
  return backend.exportRecords((await allIds(backend)).sort());
}

/** The same list in another order that is the same each time. */
export function shuffled<T>(list: readonly T[], seed: number): T[] {
  return list
    .map((item, i) => ({ item, key: hashOf(`${seed} ${i}`) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ item }) => item);
}

/** Walking over records, exporting and importing them. */
export function checkSync({ describe, expect, check }: BackendChecks): void {
  describe("reachable records", () => {
    check("are found from executions, each once, layer by layer", async (backend) => {
      await backend.write(story.batch);
      const layers: (readonly string[])[] = [];
      for await (const layer of backend.reachable([idOf("first")])) layers.push(layer);
      expect(layers[0]).toEqual([idOf("first")]);
      const tagsOf = (id: string): string[] =>
        story.batch.tags.filter((tag) => tag.entityId === id).map((tag) => tag.tagHash);
      expect([...layers[1]!].sort()).toEqual([idOf("first root"), ...tagsOf(idOf("first"))].sort());
      const expected = [
        idOf("first"),
        ...["root", "read", "add", "again"].map((name) => idOf(`first ${name}`)),
        ...[calls.main, calls.read, calls.add].map(({ callHash }) => callHash),
        ...[tasks.main, tasks.read, tasks.add].map(({ hash }) => hash),
        ...(["one", "two", "three", "file", "copy", "content", "inner", "result"] as const).map(
          (name) => values[name].hash,
        ),
        ...[idOf("first"), idOf("first add"), tasks.add.hash, values.result.hash, calls.add.callHash].flatMap(
          tagsOf,
        ),
      ];
      expect(layers.flat().sort()).toEqual(expected.sort());
    });

    check("are those of all executions by default, and none from unknown ids", async (backend) => {
      await backend.write(story.batch);
      const ids = await allIds(backend);
      expect(new Set(ids).size).toBe(ids.length);
      for (const { id } of [...story.batch.executions, ...story.batch.jobs]) expect(ids).toContain(id);
      expect(await allIds(backend, [hashOf("unknown"), idOf("unknown")])).toEqual([]);
      expect(await allIds(backend, [])).toEqual([]);
      expect(await allIds(backend, [values.three.hash])).toEqual([values.three.hash]);
      expect((await allIds(backend, [values.content.hash])).sort()).toEqual(
        [values.content.hash, values.copy.hash, values.inner.hash].sort(),
      );
    });

    check("include upstream calls, contexts, and tags with their parents and edits", async (backend) => {
      const task = taskOf("main");
      const context = valueRecord({ tool: 1 });
      const upstream = callOf({ task, value: valueRecord(1) });
      const call = callOf({
        task,
        args: [{ position: 0, key: null, value: valueRecord(1), upstream: [upstream.callHash] }],
        value: valueRecord(2),
        contextHash: context.hash,
      });
      const first = tagOf("CallNode", call.callHash, "a", 1);
      const second = tagOf("CallNode", call.callHash, "a", 2, [first.tagHash]);
      const stone = tombstone([second.tagHash]);
      await backend.write(
        batchOf({
          tasks: [task],
          values: [context],
          callNodes: [upstream, call],
          tags: [first, second, stone],
        }),
      );
      const ids = await allIds(backend, [call.callHash]);
      expect(ids.sort()).toEqual(
        [
          call.callHash,
          upstream.callHash,
          task.hash,
          context.hash,
          valueRecord(1).hash,
          valueRecord(2).hash,
          first.tagHash,
          second.tagHash,
          stone.tagHash,
        ].sort(),
      );
      expect((await allIds(backend, [stone.tagHash])).sort()).toEqual(
        [stone.tagHash, second.tagHash, first.tagHash].sort(),
      );
    });
  });

  describe("exported records", () => {
    check("have the documented shape", async (backend) => {
      await backend.write(story.batch);
      const one = async (id: string): Promise<RecordJson> => (await backend.exportRecords([id]))[0]!;
      const { main, read, add } = calls;
      expect(await one(idOf("first"))).toEqual({
        _version: 1,
        _type: "Execution",
        id: idOf("first"),
        args: ["redun", "run", "first"],
        job_id: idOf("first root"),
      });
      expect(await one(idOf("first root"))).toEqual({
        _version: 1,
        _type: "Job",
        id: idOf("first root"),
        start_time: "1970-01-01 00:00:01.000000+00:00",
        end_time: "1970-01-01 00:00:01.300000+00:00",
        task_hash: tasks.main.hash,
        cached: false,
        status: "DONE",
        call_hash: main.callHash,
        parent_id: null,
        children: [idOf("first read"), idOf("first add"), idOf("first again")],
        execution_id: idOf("first"),
      });
      const call = await one(main.callHash);
      expect(call).toMatchObject({
        _version: 1,
        _type: "CallNode",
        call_hash: main.callHash,
        task_name: "app.main",
        task_hash: tasks.main.hash,
        args_hash: main.argsHash,
        value_hash: values.result.hash,
        timestamp: "1970-01-01 00:00:01.300000+00:00",
        children: [read.callHash, add.callHash, add.callHash],
      });
      expect(call.args).toMatchObject({
        0: { value_hash: values.content.hash, upstream: [read.callHash] },
        scale: { value_hash: values.one.hash, upstream: [] },
      });
      expect(await one(values.content.hash)).toMatchObject({
        _type: "Value",
        value_hash: values.content.hash,
        type: "Array",
        format: values.content.format,
        data: btoa(values.content.text),
        subvalues: [values.copy.hash, values.inner.hash].sort(),
        subtype: null,
      });
      expect((await one(values.file.hash)).subtype).toEqual({ _type: "File", path: "data/in.txt" });
      expect((await one(tasks.add.hash)).subtype).toMatchObject({
        _type: "Task",
        name: "add",
        namespace: "math",
        source: tasks.add.source,
      });
      const tag = story.batch.tags[3]!;
      expect(await one(tag.tagHash)).toEqual({
        _version: 1,
        _type: "Tag",
        tag_hash: tag.tagHash,
        entity_type: "Job",
        entity_id: idOf("first add"),
        key: "cost",
        value: 5,
        parents: [],
      });
    });

    check("are in the order asked, without the unknown", async (backend) => {
      await backend.write(story.batch);
      const ids = [values.one.hash, idOf("third"), hashOf("unknown"), calls.add.callHash, idOf("first add")];
      const records = await backend.exportRecords([...ids, "", "nonsense"]);
      expect(records.map((record) => record._type)).toEqual(["Value", "Execution", "CallNode", "Job"]);
      expect(await backend.exportRecords([])).toEqual([]);
    });

    check("carry times to the microsecond", async (backend) => {
      const task = taskOf("main");
      const call = callOf({ task, value: valueRecord(1), timestamp: 1_700_000_000_123.456 });
      await backend.write(batchOf({ tasks: [task], callNodes: [call] }));
      const [record] = await backend.exportRecords([call.callHash]);
      expect(record?.timestamp).toBe("2023-11-14 22:13:20.123456+00:00");
    });
  });

  describe("importing", () => {
    check("gives the same records in any order, one by one or all at once", async (source, another) => {
      await source.write(story.batch);
      const edited = tagOf("Job", idOf("first add"), "cost", 6, [story.batch.tags[3]!.tagHash]);
      await source.addTags([edited, tombstone([story.batch.tags[0]!.tagHash])]);
      const records = await exported(source);
      for (let seed = 0; seed < 3; seed++) {
        const order = shuffled(records, seed);
        for (const size of [1, 7, records.length]) {
          const target = await another();
          let count = 0;
          for (let i = 0; i < order.length; i += size) {
            count += await target.importRecords(order.slice(i, i + size));
          }
          expect(count).toBe(records.length);
          expect(await exported(target)).toEqual(records);
          expect(await target.importRecords(order)).toBe(0);
          expect(await exported(target)).toEqual(records);
          expect(await target.getTags([idOf("first add"), idOf("first")])).toEqual(
            await source.getTags([idOf("first add"), idOf("first")]),
          );
        }
      }
    });

    check("counts only what is new, a record twice in one go once", async (source, another) => {
      await source.write(story.batch);
      const records = await exported(source);
      const target = await another();
      expect(await target.importRecords([])).toBe(0);
      expect(await target.importRecords(records.slice(0, 10))).toBe(10);
      expect(await target.importRecords([...records, ...records])).toBe(records.length - 10);
    });

    check("leaves questions answered as in the first store", async (source, another) => {
      await source.write(story.batch);
      const target = await another();
      await target.importRecords(shuffled(await exported(source), 9));
      const ask = async (backend: Backend): Promise<unknown> => ({
        executions: await backend.getExecutions(["first", "second", "third"].map(idOf)),
        jobs: await backend.getJobs(story.batch.jobs.map(({ id }) => id)),
        calls: await backend.getCallNodes(Object.values(calls).map(({ callHash }) => callHash)),
        // Tasks that nothing ran are reached from no execution.
        tasks: await backend.getTasks([tasks.main, tasks.add, tasks.read].map(({ hash }) => hash)),
        values: await backend.getValues(Object.values(values).map(({ hash }) => hash)),
        failed: await backend.find({ type: "Job", jobStatus: ["FAILED"] }),
        files: (await backend.find({ type: "Value", filePaths: ["*"] })).map(({ id }) => id).sort(),
        named: (await backend.find({ type: "Job", taskNames: ["math.add"] })).map(({ id }) => id),
        parents: await backend.parentCalls(calls.add.callHash),
        tags: await backend.tagCounts(),
      });
      const before = (await ask(source)) as { executions: { updatedTime: unknown }[] };
      const after = (await ask(target)) as typeof before;
      // When an execution was last alive is not carried.
      for (const row of [...before.executions, ...after.executions]) row.updatedTime = null;
      expect(after).toEqual(before);
    });

    check("gives the second store the results, current as in the first", async (source, another) => {
      await source.write(story.batch);
      const target = await another();
      await target.importRecords(await exported(source));
      const { evalHash, taskHash, argsHash, subtreeTasks } = calls.main;
      const query = { evalHash: evalHash!, taskHash, argsHash, contextHash: undefined };
      const [hit] = await target.lookup([{ ...query, allowed: ["ultimate"] }], () => true);
      expect([hit?.callHash, hit?.subtreeTasks]).toEqual([calls.main.callHash, subtreeTasks]);
      const [stale] = await target.lookup(
        [{ ...query, allowed: ["ultimate"] }],
        (hash) => hash !== tasks.read.hash,
      );
      expect(stale).toBe(undefined);
    });

    check("never takes a call for a result whose tasks below are not known", async (source, another) => {
      await source.write(story.batch);
      const target = await another();
      const records = (await exported(source)).map(({ subtree_tasks: _, ...record }) => record as RecordJson);
      await target.importRecords(records);
      const { evalHash, taskHash, argsHash } = calls.add;
      const query = { evalHash: evalHash!, taskHash, argsHash, contextHash: undefined };
      expect(await target.lookup([{ ...query, allowed: ["ultimate"] }], () => true)).toEqual([undefined]);
      expect(await exported(target)).toEqual(records.sort((a, b) => (recordId(a) < recordId(b) ? -1 : 1)));
    });

    check(
      "completes a store that has a part, and the end of a job that was running",
      async (source, another) => {
        await source.write(story.batch);
        const running = await exported(source);
        const target = await another();
        await target.importRecords(running);
        expect((await target.getJobs([idOf("third root")]))[0]?.status).toBe("RUNNING");
        await source.write(
          batchOf({
            jobEnds: [{ id: idOf("third root"), endTime: 3500, cached: true, callHash: calls.main.callHash }],
          }),
        );
        const records = await exported(source);
        await target.importRecords(shuffled(records, 4));
        expect((await target.getJobs([idOf("third root")]))[0]?.status).toBe("CACHED");
        expect(await exported(target)).toEqual(records);
      },
    );

    check("goes on where both stores write", async (source, another) => {
      const target = await another();
      await source.write(story.batch);
      const [record] = await source.exportRecords([calls.main.callHash]);
      // The call comes first; the values, tasks and calls that it refers to are promised only.
      expect(await target.importRecords([record!])).toBe(1);
      const ids = [calls.main.callHash, calls.add.callHash, values.result.hash, tasks.main.hash];
      expect(await target.missing(ids)).toEqual(ids.slice(1));
      expect(await target.count({ type: "Value" })).toBe(0);
      expect(await target.count({ type: "Task" })).toBe(0);
      expect(await target.find({ type: "CallNode" })).toEqual([
        { type: "CallNode", id: calls.main.callHash },
      ]);
      await target.write(story.batch);
      expect(await exported(target)).toEqual(await exported(source));
    });

    const malformed: readonly (readonly [string, (record: RecordJson) => RecordJson])[] = [
      ["an unknown version", (record) => ({ ...record, _version: 2 })],
      ["an unknown type", (record) => ({ ...record, _type: "Other" })],
      ["a missing field", ({ task_hash: _, ...record }) => record as RecordJson],
      ["a hash that is none", (record) => ({ ...record, call_hash: "'; DROP TABLE value" })],
      ["a time that is none", (record) => ({ ...record, timestamp: "yesterday" })],
      ["a list that is none", (record) => ({ ...record, children: "all" })],
    ];
    for (const [what, spoil] of malformed) {
      check(`refuses ${what}, and then stores nothing`, async (source, another) => {
        await source.write(story.batch);
        const target = await another();
        const [record] = await source.exportRecords([calls.main.callHash]);
        const good = await source.exportRecords([values.one.hash]);
        await expect(target.importRecords([...good, spoil(record!)])).rejects.toMatchObject({
          code: "backend",
        });
        expect(await target.missing([values.one.hash])).toEqual([values.one.hash]);
      });
    }
  });

  describe("missing ids", () => {
    check("are those of no record of any kind", async (backend) => {
      await backend.write(story.batch);
      const known = [
        idOf("first"),
        idOf("first root"),
        calls.add.callHash,
        values.copy.hash,
        tasks.oldAdd.hash,
        story.batch.tags[0]!.tagHash,
      ];
      const unknown = [hashOf("unknown"), idOf("unknown"), "", "nonsense", hashOf("unknown").toUpperCase()];
      expect(await backend.missing([])).toEqual([]);
      expect(await backend.missing(known)).toEqual([]);
      expect(await backend.missing([unknown[0]!, ...known, ...unknown.slice(1)])).toEqual(unknown);
    });

    check("are those of jobs that have not ended as well, whose records come again", async (backend) => {
      await backend.write(story.batch);
      const running = idOf("third root");
      expect(await backend.missing([idOf("first root"), running, idOf("third")])).toEqual([running]);
      await backend.write(
        batchOf({ jobEnds: [{ id: running, endTime: 3500, cached: true, callHash: calls.main.callHash }] }),
      );
      expect(await backend.missing([running])).toEqual([]);
    });
  });
}
