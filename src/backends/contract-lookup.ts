import type { Backend, CacheHit, CacheQuery } from "../backend/backend.ts";
import type { CallNodeRecord, RecordBatch } from "../backend/records.ts";
import type { BackendChecks } from "./contract.ts";
import {
  batchOf,
  callOf,
  errorOf,
  evaluationOf,
  hashOf,
  idOf,
  taskOf,
  valueRecord,
} from "./contract-records.ts";

const anyTask = (): boolean => true;

function queryOf(call: CallNodeRecord, allowed: CacheQuery["allowed"], contextHash?: string): CacheQuery {
  const { evalHash, taskHash, argsHash } = call;
  return { evalHash: evalHash!, taskHash, argsHash, allowed, contextHash };
}

async function ask(
  backend: Backend,
  call: CallNodeRecord,
  allowed: CacheQuery["allowed"],
  { isCurrent = anyTask, contextHash }: { isCurrent?: (hash: string) => boolean; contextHash?: string } = {},
): Promise<CacheHit | undefined> {
  const hits = await backend.lookup([queryOf(call, allowed, contextHash)], isCurrent);
  return hits[0];
}

/** Looking up earlier results. */
export function checkLookup({ describe, expect, check, checkLasting }: BackendChecks): void {
  const add = taskOf("math.add");
  const main = taskOf("main");
  const [one, two, three] = [valueRecord(1), valueRecord(2), valueRecord(3)];

  describe("looking up", () => {
    check("an empty store gives misses, one a question", async (backend) => {
      const call = callOf({ task: add, args: [one], value: two });
      expect(await backend.lookup([], anyTask)).toEqual([]);
      const queries = [
        queryOf(call, ["single"]),
        queryOf(call, ["ultimate"]),
        queryOf(call, []),
        queryOf(call, ["single", "ultimate"]),
      ];
      expect(await backend.lookup(queries, anyTask)).toEqual([undefined, undefined, undefined, undefined]);
    });

    check("a single reduction is found by its key, with its encoding as it was", async (backend) => {
      const value = valueRecord({ text: "naïve 文件 \u0000 \ud83d\ude00", n: -0 });
      const call = callOf({ task: add, args: [one, two], value });
      await backend.write(batchOf({ tasks: [add], evaluations: [evaluationOf(call)] }));
      const { hash, type, format, text } = value;
      expect(await ask(backend, call, ["single"])).toMatchObject({
        kind: "single",
        value: { hash, type, format, text },
      });
      expect(await ask(backend, call, ["ultimate"])).toBe(undefined);
      expect(await ask(backend, call, [])).toBe(undefined);
      const other = callOf({ task: add, args: [two, one], value });
      expect(await ask(backend, other, ["single"])).toBe(undefined);
    });

    check("an evaluation is replaced by the next one of its key", async (backend) => {
      const call = callOf({ task: add, args: [one], value: one });
      await backend.write(batchOf({ tasks: [add], evaluations: [evaluationOf(call, one)] }));
      await backend.write(batchOf({ evaluations: [evaluationOf(call, two)] }));
      expect((await ask(backend, call, ["single"]))?.value.text).toBe(two.text);
      await backend.write(batchOf({ evaluations: [evaluationOf(call, three), evaluationOf(call, one)] }));
      expect((await ask(backend, call, ["single"]))?.value.text).toBe(one.text);
    });

    check("an ultimate result comes with its call and the tasks below it", async (backend) => {
      const child = callOf({ task: add, args: [one, two], value: three });
      const call = callOf({ task: main, args: [one], value: three, children: [child] });
      await backend.write(batchOf({ tasks: [add, main], callNodes: [child, call] }));
      const { hash, type, format, text } = three;
      expect(await ask(backend, call, ["ultimate"])).toMatchObject({
        kind: "ultimate",
        value: { hash, type, format, text },
        callHash: call.callHash,
        subtreeTasks: [add.hash, main.hash].sort(),
      });
      expect(await ask(backend, call, ["single"])).toBe(undefined);
    });

    check("an ultimate result counts only while all tasks below it are current", async (backend) => {
      const child = callOf({ task: add, args: [one, two], value: three });
      const call = callOf({ task: main, args: [one], value: three, children: [child] });
      await backend.write(batchOf({ tasks: [add, main], callNodes: [child, call] }));
      const only = (hash: string) => (other: string) => other === hash;
      expect(await ask(backend, call, ["ultimate"], { isCurrent: () => false })).toBe(undefined);
      expect(await ask(backend, call, ["ultimate"], { isCurrent: only(main.hash) })).toBe(undefined);
      expect(await ask(backend, call, ["ultimate"], { isCurrent: only(add.hash) })).toBe(undefined);
      expect((await ask(backend, child, ["ultimate"], { isCurrent: only(add.hash) }))?.callHash).toBe(
        child.callHash,
      );
      expect((await ask(backend, call, ["ultimate"]))?.callHash).toBe(call.callHash);
      // The answer may change from one question to the next.
      expect(await ask(backend, call, ["ultimate"], { isCurrent: only(main.hash) })).toBe(undefined);
    });

    check("of several current results the newest wins, whatever order they came in", async (backend) => {
      const [old, new_] = [taskOf("math.add", "old"), taskOf("math.add", "new")];
      const make = (value: typeof one, timestamp: number, below: string): CallNodeRecord =>
        callOf({ task: main, args: [one], value, timestamp, subtreeTasks: [main.hash, below].sort() });
      const calls = [make(two, 3000, new_.hash), make(one, 1000, old.hash), make(three, 2000, old.hash)];
      await backend.write(batchOf({ tasks: [main, old, new_], callNodes: calls }));
      expect((await ask(backend, calls[0]!, ["ultimate"]))?.value.text).toBe(two.text);
      const isCurrent = (hash: string): boolean => hash !== new_.hash;
      expect((await ask(backend, calls[0]!, ["ultimate"], { isCurrent }))?.value.text).toBe(three.text);
      await backend.write(batchOf({ callNodes: [make(valueRecord(4), 4000, new_.hash)] }));
      expect((await ask(backend, calls[0]!, ["ultimate"]))?.value.text).toBe(valueRecord(4).text);
    });

    check("an ultimate result must have the same context, or as none", async (backend) => {
      const [here, there] = [hashOf("context here"), hashOf("context there")];
      const plain = callOf({ task: main, args: [one], value: one });
      const inContext = callOf({
        task: main,
        args: [one],
        value: two,
        timestamp: 2000,
        contextHash: here,
        subtreeTasks: [main.hash],
      });
      await backend.write(batchOf({ tasks: [main], callNodes: [inContext] }));
      expect(await ask(backend, plain, ["ultimate"])).toBe(undefined);
      expect((await ask(backend, plain, ["ultimate"], { contextHash: here }))?.value.text).toBe(two.text);
      expect(await ask(backend, plain, ["ultimate"], { contextHash: there })).toBe(undefined);
      await backend.write(batchOf({ callNodes: [plain] }));
      expect((await ask(backend, plain, ["ultimate"]))?.value.text).toBe(one.text);
      expect((await ask(backend, plain, ["ultimate"], { contextHash: here }))?.value.text).toBe(two.text);
    });

    check("an ultimate result may have to be of a job of some executions", async (backend) => {
      const [first, second] = [idOf("first"), idOf("second")];
      const make = (value: typeof one, timestamp: number): CallNodeRecord =>
        callOf({ task: main, args: [one], value, timestamp });
      const calls = [make(one, 1000), make(two, 2000)] as const;
      const run = (id: string, { callHash }: CallNodeRecord): Partial<RecordBatch> => ({
        executions: [{ id, args: [], jobId: idOf(`${id} root`), startTime: 1 }],
        jobs: [
          {
            ...{ id: idOf(`${id} root`), executionId: id, parentId: null, taskHash: main.hash, startTime: 1 },
            ...{ endTime: 2, cached: false, callHash },
          },
        ],
      });
      await backend.write(batchOf({ tasks: [main], callNodes: calls, ...run(first, calls[0]) }));
      await backend.write(batchOf(run(second, calls[1])));
      const textsOf = async (...lists: readonly (readonly string[] | undefined)[]): Promise<unknown[]> => {
        const queries = lists.map((executions) => ({ ...queryOf(calls[0], ["ultimate"]), executions }));
        return (await backend.lookup(queries, anyTask)).map((hit) => hit?.value.text);
      };
      expect(await textsOf([first], [second], undefined, [], [idOf("third")])).toEqual([
        ...["1", "2", "2"],
        ...[undefined, undefined],
      ]);
      expect(await textsOf([first, second], [idOf("third"), first])).toEqual(["2", "1"]);
    });

    check("an error is never an answer, and does not hide an older result", async (backend) => {
      const failed = callOf({ task: main, args: [one], value: errorOf("boom"), timestamp: 5000 });
      await backend.write(batchOf({ tasks: [main], callNodes: [failed] }));
      expect(await ask(backend, failed, ["single", "ultimate"])).toBe(undefined);
      const good = callOf({ task: main, args: [one], value: two, timestamp: 1000 });
      await backend.write(batchOf({ callNodes: [good] }));
      expect((await ask(backend, failed, ["ultimate"]))?.callHash).toBe(good.callHash);
    });

    check("what is allowed is tried in its order", async (backend) => {
      const call = callOf({ task: main, args: [one], value: one });
      await backend.write(
        batchOf({ tasks: [main], evaluations: [evaluationOf(call, two)], callNodes: [call] }),
      );
      expect((await ask(backend, call, ["single", "ultimate"]))?.kind).toBe("single");
      expect((await ask(backend, call, ["ultimate", "single"]))?.kind).toBe("ultimate");
      const isCurrent = (): boolean => false;
      expect((await ask(backend, call, ["ultimate", "single"], { isCurrent }))?.kind).toBe("single");
    });

    check("many questions are answered in their order, the same one twice too", async (backend) => {
      const calls = Array.from({ length: 3000 }, (_, i) =>
        callOf({ task: add, args: [valueRecord(i)], value: valueRecord(i + 1) }),
      );
      await backend.write(
        batchOf({
          tasks: [add],
          evaluations: calls.filter((_, i) => i % 3 === 0).map((call) => evaluationOf(call)),
          callNodes: calls.filter((_, i) => i % 3 === 1),
        }),
      );
      const both = ["single", "ultimate"] as const;
      const queries = [...calls, ...calls.toReversed()].map((call) => queryOf(call, both));
      const hits = await backend.lookup(queries, anyTask);
      expect(hits.length).toBe(queries.length);
      const seen = hits.map((hit) => hit && [hit.kind, hit.value.text]);
      const expected = calls.map((call, i) =>
        i % 3 === 2 ? undefined : [i % 3 === 0 ? "single" : "ultimate", call.value.text],
      );
      expect(seen).toEqual([...expected, ...expected.toReversed()]);
    });

    checkLasting("results are found by the next process", async (backend, reopen) => {
      const call = callOf({ task: main, args: [one], value: one });
      await backend.write(
        batchOf({ tasks: [main], evaluations: [evaluationOf(call, two)], callNodes: [call] }),
      );
      const next = await reopen();
      expect((await ask(next, call, ["single"]))?.value.text).toBe(two.text);
      const hit = await ask(next, call, ["ultimate"]);
      expect([hit?.value.text, hit?.callHash, hit?.subtreeTasks]).toEqual([
        one.text,
        call.callHash,
        [main.hash],
      ]);
    });
  });
}
