import { beforeEach, describe, expect, test } from "vitest";
import {
  applyTags,
  catchError,
  cond,
  decodeValue,
  hashStruct,
  hashValue,
  noProv,
  plus,
  type Scheduler,
  seq,
  task,
} from "../../src/index.ts";
import { childrenOf, edges, jobRows, jobsOf, newScheduler, note, ran, same } from "./setup.ts";

beforeEach(() => {
  ran();
});

const add = task("prov.add", (a: number, b: number) => a + b);
const use = task("prov.use", (value: unknown, _label: string) => {
  note("use");
  return value;
});

/** The call of a task's only job in the newest execution. */
async function callOf(scheduler: Scheduler, name: string, executionId?: string) {
  const rows = await jobsOf(scheduler.backend, name, executionId);
  const [call] = await scheduler.backend.getCallNodes([rows.at(-1)!.callHash!]);
  return call!;
}

/** Names of the tasks whose calls are upstream of an argument. */
async function upstreamOf(scheduler: Scheduler, name: string, argument = 0, executionId?: string) {
  const { args } = await callOf(scheduler, name, executionId);
  const calls = await scheduler.backend.getCallNodes(args[argument]!.upstream);
  return calls.map((call) => call!.taskName).sort();
}

describe("the call graph", () => {
  test("HSH-016: a call's hash is over task, arguments, result and the sorted hashes of its children, with repeats", async () => {
    const scheduler = newScheduler();
    const twice = task("prov.twice", () => [add(2, 1), add(same(2), 1), add(1, 1)]);
    await scheduler.run(twice());
    const call = await callOf(scheduler, "prov.twice");
    expect(call.children).toHaveLength(4);
    expect(new Set(call.children).size).toBe(3);
    expect(call.callHash).toBe(
      hashStruct(["CallNode", twice.hash, call.argsHash, hashValue([3, 3, 2]), [...call.children].sort()]),
    );
  });

  test("DBB-021: arguments are recorded evaluated and by position, defaults among them", async () => {
    const scheduler = newScheduler();
    const given = task({ name: "prov.given", defaults: [0, add(2, 2), 9] }, (...all: number[]) => all.length);
    await scheduler.run(given(add(1, 2)));
    const { args } = await callOf(scheduler, "prov.given");
    expect(args.map(({ position }) => position)).toEqual([0, 1, 2]);
    expect(args.map(({ valueHash }) => valueHash)).toEqual([3, 4, 9].map(hashValue));
    // DBB-023: a default has no upstream besides its value.
    expect(args.map(({ upstream }) => upstream.length)).toEqual([1, 0, 0]);
  });

  const flows: [string, () => unknown, string[]][] = [
    ["the call itself", () => add(1, 2), ["prov.add"]],
    ["an operation", () => plus(plus(add(1, 2), 1), same(2)), ["prov.add", "test.same"]],
    ["an item", () => (same([1, 2]) as unknown as number[])[0], ["test.same"]],
    ["a container", () => ({ list: [add(1, 2), new Map([["k", same(1)]])] }), ["prov.add", "test.same"]],
    ["equal calls, once", () => [add(1, 2), add(1, 2), { again: add(1, 2) }], ["prov.add"]],
    [
      "a chosen branch and what it was chosen by",
      () => cond(same(true), add(1, 2), add(3, 4)),
      ["prov.add", "test.same"],
    ],
    ["a sequence", () => seq([add(1, 2), same(3)]), ["prov.add", "test.same"]],
    ["a tagged value", () => applyTags(add(1, 2), { size: same("s") }), ["prov.add"]],
    ["a plain value", () => 5, []],
  ];

  test.each(flows)("DBB-022: an argument's upstreams go through %s", async (_what, make, upstream) => {
    const scheduler = newScheduler();
    const main = task("prov.flow", () => use(make(), "flow"));
    await scheduler.run(main());
    expect(await upstreamOf(scheduler, "prov.use")).toEqual(upstream);
  });

  test.each(flows)(
    "DBB-022: and so they do when the expression comes from the cache: %s",
    async (_what, make, upstream) => {
      const scheduler = newScheduler();
      const main = task({ name: "prov.flow", version: "1" }, () => use(make(), "flow"));
      await scheduler.run(main(), { executionId: "one" });
      task({ name: "prov.use", version: "2" }, (value: unknown, _label: string) => [value]);
      ran();
      await scheduler.run(main(), { executionId: "two" });
      expect(ran()).toEqual([]);
      expect(await upstreamOf(scheduler, "prov.use", 0, "two")).toEqual(upstream);
      task("prov.use", use.fn);
    },
  );

  test("the call graph and the records are the same whether computed or cached", async () => {
    const scheduler = newScheduler();
    const main = task("prov.main", () => [use(add(1, 2), "a"), use(add(1, 2), "b")]);
    await scheduler.run(main(), { executionId: "one" });
    await scheduler.run(main(), { executionId: "two" });
    expect(await edges(scheduler.backend, "two")).toEqual(await edges(scheduler.backend, "one"));
    expect((await callOf(scheduler, "prov.main", "two")).callHash).toBe(
      (await callOf(scheduler, "prov.main", "one")).callHash,
    );
  });
});

describe("statuses", () => {
  test("DBB-019, DBB-020: are derived; a failure beats being cached, and an execution that is cached is done", async () => {
    const scheduler = newScheduler();
    const fails = task("prov.fails", () => {
      throw new Error("broken");
    });
    const message = task("prov.message", (error: Error) => error.message);
    const main = task("prov.statuses", () =>
      seq([catchError(fails(), Error, message), catchError(fails.options({ memory: 1 })(), Error, message)]),
    );
    await scheduler.run(main(), { executionId: "one" });
    const failed = await jobsOf(scheduler.backend, "prov.fails", "one");
    expect(failed.map(({ status, cached }) => [status, cached])).toEqual([
      ["FAILED", false],
      ["FAILED", true],
    ]);
    const found = async (status: "CACHED" | "DONE" | "FAILED" | "RUNNING") => {
      const query = { type: "Job", jobStatus: [status], executionIds: ["one"] } as const;
      const rows = await scheduler.backend.getJobs((await scheduler.backend.find(query)).map(({ id }) => id));
      return rows.map((row) => row!.taskName).sort();
    };
    expect(await found("FAILED")).toEqual(["prov.fails", "prov.fails"]);
    expect(await found("CACHED")).toEqual(["prov.fails"]);
    expect(await found("DONE")).toEqual(["prov.message", "prov.statuses"]);
    expect(await found("RUNNING")).toEqual([]);
    await scheduler.run(add(1, 2));
    await scheduler.run(add(1, 2), { executionId: "two" });
    const [root] = await jobRows(scheduler.backend, "two");
    expect(root!.status).toBe("CACHED");
    expect((await scheduler.backend.getExecutions(["two"]))[0]!.status).toBe("DONE");
    await expect(scheduler.run(fails(), { executionId: "three" })).rejects.toThrow("broken");
    expect((await scheduler.backend.getExecutions(["three"]))[0]!.status).toBe("FAILED");
  });
});

describe("without provenance", () => {
  const leaf = task("prov.leaf", (x: number) => {
    note(`leaf ${x}`);
    return x * 2;
  });
  const silent = task({ name: "prov.silent", prov: false }, (x: number) => [leaf(x), leaf(x + 1)]);

  test("FUN-007: a job and all below leave no record, while results flow and the calls above lack them", async () => {
    const scheduler = newScheduler();
    const main = task("prov.outer", () => [add(silent(1)[0]!, 1), leaf(10)]);
    expect(await scheduler.run(main())).toEqual([3, 20]);
    expect(await edges(scheduler.backend)).toEqual([
      "- > prov.outer",
      "prov.outer > prov.add",
      "prov.outer > prov.leaf",
    ]);
    const [root] = await jobRows(scheduler.backend);
    expect(await childrenOf(scheduler.backend, root!.callHash!)).toEqual(["prov.add", "prov.leaf"]);
    expect((await scheduler.backend.getTasks([silent.hash]))[0]).toBe(undefined);
    expect((await callOf(scheduler, "prov.add")).args[0]!.upstream).toEqual([]);
    expect((await scheduler.backend.getValues([hashValue(4)]))[0]).toBe(undefined);
  });

  test("FUN-008: it can't be switched on again below", async () => {
    const scheduler = newScheduler();
    const on = task("prov.on", () => [
      leaf.options({ prov: true })(1),
      leaf.exportOptions({ prov: true })(2),
    ]);
    const main = task("prov.off", () => on.options({ prov: false })());
    expect(await scheduler.run(main())).toEqual([2, 4]);
    expect(await edges(scheduler.backend)).toEqual(["- > prov.off"]);
  });

  test("FUN-007: every job runs again, since nothing is known of it", async () => {
    const scheduler = newScheduler();
    const main = task("prov.again", () => silent(1));
    await scheduler.run(main());
    await scheduler.run(main());
    expect(ran()).toEqual(["leaf 1", "leaf 2", "leaf 1", "leaf 2"]);
  });

  test("FUN-010: an execution whose root job is not recorded leaves nothing at all", async () => {
    const scheduler = newScheduler();
    const tagged = task({ name: "prov.tagged", prov: false }, () =>
      applyTags(leaf(1), { a: 1 }, { b: 2 }, { c: 3 }),
    );
    expect(await scheduler.run(tagged(), { executionId: "gone", tags: { d: 4 } })).toBe(2);
    expect(await scheduler.run(leaf(3), { executionId: "gone too", prov: false })).toBe(6);
    for (const type of ["Execution", "Job", "CallNode", "Value", "Task"] as const) {
      expect([type, await scheduler.backend.count({ type })]).toEqual([type, 0]);
    }
    expect(await scheduler.backend.tagCounts()).toEqual([]);
  });

  test("FUN-006: noProv leaves one job for a subworkflow, and skips it whole next time", async () => {
    const scheduler = newScheduler();
    const deep = task("prov.deep", () => [leaf(1), add(leaf(2), 1)]);
    const main = task("prov.summary", () => noProv(deep()));
    expect(await scheduler.run(main())).toEqual([2, 5]);
    expect(await edges(scheduler.backend)).toEqual(["- > prov.summary", "prov.summary > redun.no_prov"]);
    ran();
    const seen: string[] = [];
    scheduler.on("job-cached", ({ job, kind }) => seen.push(`${job.task}: ${kind}`));
    expect(await scheduler.run(main())).toEqual([2, 5]);
    expect(ran()).toEqual([]);
    expect(seen).toEqual(["prov.summary: single", "redun.no_prov: ultimate"]);
  });
});

describe("tags", () => {
  const tagsOf = async (scheduler: Scheduler, id: string) =>
    (await scheduler.backend.getTags([id])).map(({ key, value }) => `${key}=${JSON.stringify(value)}`).sort();

  test("TAG-014: tags of a definition go on the task and its jobs, tags of a call only on the job", async () => {
    const scheduler = newScheduler();
    const tagged = task({ name: "prov.sized", tags: { size: "big" } }, (x: number) => x);
    const main = task("prov.sizes", () => [tagged(1), tagged.options({ tags: [["size", "small"]] })(2)]);
    await scheduler.run(main());
    const [big, small] = await jobsOf(scheduler.backend, "prov.sized");
    expect(await tagsOf(scheduler, tagged.hash)).toEqual(['size="big"']);
    expect(await tagsOf(scheduler, big!.id)).toEqual(['size="big"']);
    expect(await tagsOf(scheduler, small!.id)).toEqual(['size="small"']);
  });

  test("tags of a definition that are expressions go on its jobs alone", async () => {
    const scheduler = newScheduler();
    const tags = { size: same("lazy") } as never;
    const tagged = task({ name: "prov.lazyTags", tags }, (x: number) => x);
    await scheduler.run(tagged(1));
    const [job] = await jobsOf(scheduler.backend, "prov.lazyTags");
    expect(await tagsOf(scheduler, job!.id)).toEqual(['size="lazy"']);
    expect(await tagsOf(scheduler, tagged.hash)).toEqual([]);
  });

  test("STK-023, TAG-016: applyTags tags a value, the calling job and the execution", async () => {
    const scheduler = newScheduler();
    const main = task("prov.tags", () =>
      applyTags(
        same([1, 2]),
        { kind: same("list") },
        [
          ["step", 1],
          ["step", 2],
        ],
        same({ user: "x" }),
      ),
    );
    expect(await scheduler.run(main(), { executionId: "tagged" })).toEqual([1, 2]);
    const [job] = await jobsOf(scheduler.backend, "prov.tags");
    expect(await tagsOf(scheduler, hashValue([1, 2]))).toEqual(['kind="list"']);
    expect(await tagsOf(scheduler, job!.id)).toEqual(["step=1", "step=2"]);
    expect(await tagsOf(scheduler, "tagged")).toEqual(['user="x"']);
    const [value] = await scheduler.backend.getValues([hashValue([1, 2])]);
    expect(decodeValue(value!.text)).toEqual([1, 2]);
  });

  test("TAG-016: the tags of a failed job are recorded as well", async () => {
    const scheduler = newScheduler();
    const fails = task({ name: "prov.tagFails", tags: { kind: "doomed" } }, () => {
      throw new Error("broken");
    });
    await expect(scheduler.run(fails())).rejects.toThrow("broken");
    const [job] = await jobRows(scheduler.backend);
    expect(await tagsOf(scheduler, job!.id)).toEqual(['kind="doomed"']);
  });

  test("TAG-012, TAG-013: a deleted tag comes back only as a fresh one", async () => {
    const scheduler = newScheduler();
    await scheduler.run(add(1, 2), { executionId: "e", tags: { user: "x" } });
    const { backend } = scheduler;
    const [tag] = await backend.getTags(["e"]);
    const tombstone = {
      tagHash: hashStruct(["Tag", "", "", "null", [tag!.tagHash]]),
      entityType: "Null",
      entityId: "",
      key: "",
      value: null,
      parents: [tag!.tagHash],
    } as const;
    await backend.addTags([tombstone]);
    expect(await backend.getTags(["e"])).toEqual([]);
    const { isCurrent: _, ...again } = tag!;
    await backend.addTags([again]);
    expect(await backend.getTags(["e"])).toEqual([]);
    await backend.addTags([again], { fresh: true });
    expect(await tagsOf(scheduler, "e")).toEqual(['user="x"']);
    // The same run once more does not bring a deleted tag back.
    await backend.addTags([{ ...tombstone, ...deletionOf((await backend.getTags(["e"]))[0]!.tagHash) }]);
    expect(await backend.getTags(["e"])).toEqual([]);
  });
});

const deletionOf = (tagHash: string) => ({
  tagHash: hashStruct(["Tag", "", "", "null", [tagHash]]),
  parents: [tagHash],
});
