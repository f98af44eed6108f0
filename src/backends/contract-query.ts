import type { Backend, RecordQuery } from "../backend/backend.ts";
import type { BackendChecks } from "./contract.ts";
import { batchOf, callOf, hashOf, idOf, taskOf, valueRecord } from "./contract-records.ts";
import { story } from "./contract-story.ts";

const { tasks, values, calls } = story;

const names = new Map<string, string>([
  ...["first", "second", "third"].map((name): [string, string] => [idOf(name), name]),
  ...story.batch.jobs.map(({ id }): [string, string] => [
    id,
    ["first", "second", "third"]
      .flatMap((of) => ["root", "read", "add", "again", "plain"].map((name) => `${of} ${name}`))
      .find((name) => idOf(name) === id)!,
  ]),
  ...Object.entries(calls).map(([name, call]): [string, string] => [call.callHash, name]),
  ...Object.entries(tasks).map(([name, task]): [string, string] => [task.hash, `task ${name}`]),
  ...Object.entries(values).map(([name, value]): [string, string] => [value.hash, `value ${name}`]),
]);

/** Questions about what is recorded. */
export function checkQueries({ describe, expect, check }: BackendChecks): void {
  const find = async (backend: Backend, query: RecordQuery): Promise<string[]> => {
    const found = await backend.find(query);
    for (const { type } of found) expect(type).toBe(query.type);
    expect(await backend.count({ ...query, limit: 1, offset: 1 })).toBe(
      (await backend.find({ ...query, limit: 1_000_000, offset: 0 })).length,
    );
    return found.map(({ id }) => names.get(id) ?? id);
  };
  const sorted = async (backend: Backend, query: RecordQuery): Promise<string[]> =>
    (await find(backend, query)).sort();

  const withStory = (title: string, body: (backend: Backend) => Promise<void>): void =>
    check(title, async (backend) => {
      await backend.write(story.batch);
      await body(backend);
    });

  describe("queries", () => {
    withStory("count what there is of each kind", async (backend) => {
      const counts = [];
      for (const type of ["Execution", "Job", "CallNode", "Task", "Value"] as const) {
        counts.push(await backend.count({ type }));
      }
      // Values are nine of the story's own, and one for each task.
      expect(counts).toEqual([3, 7, 5, 6, 9 + 6]);
    });

    withStory("give executions and jobs newest first, by pages", async (backend) => {
      expect(await find(backend, { type: "Execution" })).toEqual(["third", "second", "first"]);
      const all = [
        "third root",
        "second plain",
        "second root",
        "first again",
        "first add",
        "first read",
        "first root",
      ];
      expect(await find(backend, { type: "Job" })).toEqual(all);
      expect(await find(backend, { type: "Job", limit: 2 })).toEqual(all.slice(0, 2));
      expect(await find(backend, { type: "Job", limit: 3, offset: 2 })).toEqual(all.slice(2, 5));
      expect(await find(backend, { type: "Job", offset: 6 })).toEqual(all.slice(6));
      expect(await find(backend, { type: "Job", limit: 0 })).toEqual([]);
      const pages = [];
      for (let offset = 0; offset < 15; offset += 4) {
        pages.push(...(await find(backend, { type: "Value", limit: 4, offset })));
      }
      expect(new Set(pages).size).toBe(15);
    });

    withStory("give what comes after a record, of each kind", async (backend) => {
      for (const type of ["Execution", "Job", "CallNode", "Task", "Value"] as const) {
        const all = (await backend.find({ type })).map(({ id }) => id);
        const paged: string[] = [];
        for (let after: string | undefined; paged.length < all.length; after = paged.at(-1)) {
          const page = await backend.find({ type, limit: 2, ...(after === undefined ? {} : { after }) });
          paged.push(...page.map(({ id }) => id));
        }
        expect(paged).toEqual(all);
        expect(await backend.find({ type, after: all.at(-1)! })).toEqual([]);
        expect(await backend.find({ type, after: idOf("nothing") })).toEqual([]);
        expect(await backend.count({ type, after: all[0]! })).toBe(all.length);
      }
    });

    withStory("find by ids, and by what ids begin with", async (backend) => {
      const ids = [idOf("first"), calls.add.callHash, tasks.add.hash, "nonsense"];
      expect(await find(backend, { type: "Execution", ids })).toEqual(["first"]);
      expect(await find(backend, { type: "CallNode", ids })).toEqual(["add"]);
      expect(await sorted(backend, { type: "Value", ids })).toEqual(["task add"]);
      expect(await find(backend, { type: "Job", ids: [] })).toEqual([]);
      for (let length = 6; length <= 36; length++) {
        const idPrefix = idOf("first add").slice(0, length);
        expect(await find(backend, { type: "Job", idPrefix })).toEqual(["first add"]);
      }
      for (const length of [6, 7, 39, 40]) {
        const idPrefix = calls.main.callHash.slice(0, length);
        expect(await find(backend, { type: "CallNode", idPrefix })).toEqual(["main"]);
        expect(await find(backend, { type: "Execution", idPrefix })).toEqual([]);
      }
      for (const idPrefix of [
        "%",
        "_",
        "*",
        "'",
        "zzz",
        calls.main.callHash.toUpperCase(),
        `${calls.main.callHash}0`,
      ]) {
        expect(await find(backend, { type: "CallNode", idPrefix })).toEqual([]);
        expect(await find(backend, { type: "Job", idPrefix })).toEqual([]);
      }
      expect((await find(backend, { type: "Job", idPrefix: "" })).length).toBe(7);
      expect((await find(backend, { type: "CallNode", idPrefix: "" })).length).toBe(5);
    });

    withStory("find tasks by their exact names where an id would begin", async (backend) => {
      const task = (idPrefix: string): Promise<string[]> => sorted(backend, { type: "Task", idPrefix });
      expect(await task("add")).toEqual(["task add", "task oldAdd", "task plainAdd"]);
      expect(await task("math.add")).toEqual(["task add", "task oldAdd"]);
      expect(await task("app.io.read")).toEqual(["task read"]);
      expect(await task("mat")).toEqual([]);
      expect(await task(tasks.read.hash.slice(0, 8))).toEqual(["task read"]);
    });

    withStory("find by task names, in any namespace where there is no dot", async (backend) => {
      expect(await sorted(backend, { type: "Job", taskNames: ["add"] })).toEqual([
        "first add",
        "first again",
        "second plain",
      ]);
      expect(await sorted(backend, { type: "Job", taskNames: ["math.add"] })).toEqual([
        "first add",
        "first again",
      ]);
      expect(await sorted(backend, { type: "Job", taskNames: ["app.fail", "read"] })).toEqual([
        "first read",
        "second root",
      ]);
      expect(await sorted(backend, { type: "Task", taskNames: ["add"] })).toEqual([
        "task add",
        "task oldAdd",
        "task plainAdd",
      ]);
      expect(await sorted(backend, { type: "Task", taskNames: ["app.io.read"] })).toEqual(["task read"]);
      expect(await sorted(backend, { type: "CallNode", taskNames: ["math.add", "main"] })).toEqual([
        "add",
        "main",
      ]);
      for (const type of ["Execution", "Value"] as const)
        expect(await find(backend, { type, taskNames: ["add"] })).toEqual([]);
      expect(await find(backend, { type: "Job", taskNames: [] })).toEqual([]);
      expect(await find(backend, { type: "Job", taskNames: ["io.read", "app.main.x"] })).toEqual([]);
    });

    withStory("find by hashes of tasks", async (backend) => {
      const taskHashes = [tasks.add.hash, tasks.fail.hash.slice(0, 10)];
      expect(await sorted(backend, { type: "Job", taskHashes })).toEqual([
        "first add",
        "first again",
        "second root",
      ]);
      expect(await sorted(backend, { type: "Task", taskHashes })).toEqual(["task add", "task fail"]);
      expect(await sorted(backend, { type: "CallNode", taskHashes })).toEqual(["add", "fail"]);
      expect(await find(backend, { type: "Value", taskHashes })).toEqual([]);
    });

    withStory("find all that belongs to executions", async (backend) => {
      const first = { executionIds: [idOf("first")] };
      expect(await find(backend, { type: "Execution", ...first })).toEqual(["first"]);
      expect((await find(backend, { type: "Job", ...first })).length).toBe(4);
      expect(await sorted(backend, { type: "CallNode", ...first })).toEqual(["add", "main", "read"]);
      expect(await sorted(backend, { type: "Task", ...first })).toEqual([
        "task add",
        "task main",
        "task read",
      ]);
      expect(await sorted(backend, { type: "Value", ...first })).toEqual(
        ["one", "two", "three", "file", "content", "copy", "inner", "result"]
          .map((name) => `value ${name}`)
          .sort(),
      );
      const two = { executionIds: [idOf("second"), idOf("third"), idOf("unknown")] };
      expect(await sorted(backend, { type: "Execution", ...two })).toEqual(["second", "third"]);
      expect(await sorted(backend, { type: "CallNode", ...two })).toEqual(["fail", "plain"]);
    });

    withStory("find jobs by values that their arguments or results are or contain", async (backend) => {
      const args = (...argValues: string[]): Promise<string[]> => sorted(backend, { type: "Job", argValues });
      const results = (...resultValues: string[]): Promise<string[]> =>
        sorted(backend, { type: "Job", resultValues });
      expect(await args(values.one.hash)).toEqual(["first add", "first again", "first root", "second root"]);
      expect(await args(values.file.hash)).toEqual(["first read"]);
      expect(await args(values.copy.hash)).toEqual(["first root"]);
      expect(await results(values.three.hash)).toEqual(["first add", "first again"]);
      expect(await results(values.copy.hash)).toEqual(["first read", "first root"]);
      expect(await results(values.copy.hash, values.two.hash)).toEqual([
        "first read",
        "first root",
        "second plain",
      ]);
      expect(await results(hashOf("unknown"))).toEqual([]);
      expect(await find(backend, { type: "Value", resultValues: [values.three.hash] })).toEqual([]);
      expect(await find(backend, { type: "Execution", argValues: [values.one.hash] })).toEqual([]);
    });

    withStory("find values by type", async (backend) => {
      const types = (...valueTypes: string[]): Promise<string[]> =>
        sorted(backend, { type: "Value", valueTypes });
      expect(await types("redun.File")).toEqual(["value copy", "value file"]);
      expect(await types("number", "redun.ErrorValue")).toEqual([
        "value boom",
        "value one",
        "value three",
        "value two",
      ]);
      expect((await types("redun.Task")).length).toBe(6);
      expect(await types("File")).toEqual([]);
      expect(await find(backend, { type: "Job", valueTypes: ["number"] })).toEqual([]);
    });

    withStory("find files by patterns of their paths", async (backend) => {
      const paths = (...filePaths: string[]): Promise<string[]> =>
        sorted(backend, { type: "Value", filePaths });
      expect(await paths("data/in.txt")).toEqual(["value file"]);
      expect(await paths("data/*")).toEqual(["value copy", "value file"]);
      expect(await paths("*.txt")).toEqual(["value copy", "value file"]);
      expect(await paths("*/copy*")).toEqual(["value copy"]);
      expect(await paths("data/[out]/copy.txt")).toEqual(["value copy"]);
      expect(await paths("data/[out]/*", "data/in*")).toEqual(["value copy", "value file"]);
      // Some databases match no pattern of this length.
      const long = `data/${"*".repeat(60)}`;
      expect(await paths(`${long}.txt`, "other")).toEqual(["value copy", "value file"]);
      expect(await paths(`${long}/copy*`, "data/in.txt")).toEqual(["value copy", "value file"]);
      expect(await paths(`${long}.csv`, "x".repeat(60))).toEqual([]);
      for (const none of ["data", "data/i?.txt", "data/.*", "DATA/in.txt", "%", "data/[a-z]n.txt"])
        expect(await paths(none)).toEqual([]);
      expect(await find(backend, { type: "Job", filePaths: ["*"] })).toEqual([]);
    });

    withStory("find by tags, all of which must match", async (backend) => {
      const tags = (
        type: RecordQuery["type"],
        ...list: NonNullable<RecordQuery["tags"]>
      ): Promise<string[]> => sorted(backend, { type, tags: list });
      expect(await tags("Execution", { key: "project" })).toEqual(["first", "second"]);
      expect(await tags("Execution", { key: "project", value: "alpha" })).toEqual(["first"]);
      expect(await tags("Execution", { key: "project" }, { key: "user", value: "ada" })).toEqual(["first"]);
      expect(await tags("Execution", { key: "project", value: "beta" }, { key: "user" })).toEqual([]);
      expect(await tags("Job", { key: "cost", value: 5 })).toEqual(["first add"]);
      expect(await tags("Job", { key: "cost", value: "5" })).toEqual([]);
      expect(await tags("Task", { key: "reviewed", value: true })).toEqual(["task add"]);
      expect(await tags("Value", { key: "good", value: null })).toEqual(["value result"]);
      expect(await tags("CallNode", { key: "kept", value: ["yes"] })).toEqual(["add"]);
      expect(await tags("Job", { key: "project" })).toEqual([]);
    });

    withStory("find all that belongs to executions with tags", async (backend) => {
      const executionTags = [{ key: "project", value: "beta" }];
      expect(await find(backend, { type: "Execution", executionTags })).toEqual(["second"]);
      expect(await sorted(backend, { type: "Job", executionTags })).toEqual(["second plain", "second root"]);
      expect(await sorted(backend, { type: "CallNode", executionTags })).toEqual(["fail", "plain"]);
      expect(await sorted(backend, { type: "Task", executionTags })).toEqual(["task fail", "task plainAdd"]);
      expect(await sorted(backend, { type: "Value", executionTags })).toEqual([
        "value boom",
        "value one",
        "value two",
      ]);
      expect(
        await find(backend, {
          type: "Job",
          executionTags: [{ key: "project" }, { key: "user", value: "bob" }],
        }),
      ).toEqual([]);
    });

    withStory("find by parents and by calls", async (backend) => {
      expect(await sorted(backend, { type: "Job", parentIds: [idOf("first root")] })).toEqual([
        "first add",
        "first again",
        "first read",
      ]);
      expect(await find(backend, { type: "Execution", parentIds: [idOf("first root")] })).toEqual([]);
      const callHashes = [calls.add.callHash, calls.main.callHash];
      expect(await sorted(backend, { type: "Job", callHashes })).toEqual([
        "first add",
        "first again",
        "first root",
      ]);
      expect(await sorted(backend, { type: "CallNode", callHashes })).toEqual(["add", "main"]);
      expect(await sorted(backend, { type: "Value", callHashes })).toEqual(["value result", "value three"]);
      expect(await find(backend, { type: "Task", callHashes })).toEqual([]);
    });

    withStory("join all filters", async (backend) => {
      expect(
        await find(backend, {
          type: "Job",
          executionIds: [idOf("first")],
          taskNames: ["add"],
          jobStatus: ["CACHED", "DONE"],
          argValues: [values.one.hash],
          resultValues: [values.three.hash],
          tags: [{ key: "cost" }],
          executionTags: [{ key: "user" }],
          parentIds: [idOf("first root")],
        }),
      ).toEqual(["first add"]);
      expect(await find(backend, { type: "Job", taskNames: ["add"], jobStatus: ["FAILED"] })).toEqual([]);
    });

    withStory("take thousands of alternatives", async (backend) => {
      const many = Array.from({ length: 5000 }, (_, i) => hashOf(`other ${i}`));
      const ids = [...many, ...Object.values(calls).map(({ callHash }) => callHash)];
      expect((await find(backend, { type: "CallNode", ids })).length).toBe(5);
      expect(await find(backend, { type: "Job", argValues: [...many, values.file.hash] })).toEqual([
        "first read",
      ]);
    });

    check("find nothing in an empty store", async (backend) => {
      for (const type of ["Execution", "Job", "CallNode", "Task", "Value"] as const) {
        expect(await backend.find({ type, tags: [{ key: "a" }], idPrefix: "a" })).toEqual([]);
        expect(await backend.count({ type })).toBe(0);
      }
      expect(await backend.tagCounts()).toEqual([]);
    });
  });

  describe("the call graph", () => {
    withStory("tells the calls of a value, by itself or inside another", async (backend) => {
      const of = async (hash: string, role: "result" | "argument"): Promise<string[]> =>
        (await backend.callsOfValue(hash, role)).map((call) => names.get(call)!).sort();
      expect(await of(values.three.hash, "result")).toEqual(["add"]);
      expect(await of(values.copy.hash, "result")).toEqual(["main", "read"]);
      expect(await of(values.one.hash, "argument")).toEqual(["add", "fail", "main"]);
      expect(await of(values.copy.hash, "argument")).toEqual(["main"]);
      expect(await of(hashOf("unknown"), "argument")).toEqual([]);
      expect(await of(hashOf("unknown"), "result")).toEqual([]);
    });

    check("tells the nearest earlier call, to explain a miss", async (backend) => {
      const [v1, v2, v3] = ["1", "2", "3"].map((version) => taskOf("app.work", version));
      const other = taskOf("other.work");
      const [a, b, c] = [valueRecord("a"), valueRecord("b"), valueRecord("c")];
      const byV1 = callOf({ task: v1!, args: [a], value: a, timestamp: 2000 });
      const byV2 = callOf({ task: v2!, args: [a], value: b, timestamp: 1000 });
      const byOther = callOf({ task: other, args: [a], value: b, timestamp: 9000 });
      const onB = callOf({ task: v2!, args: [b], value: b, timestamp: 1500 });
      await backend.write(batchOf({ tasks: [v1!, v2!, other], callNodes: [byV2, byV1, byOther, onB] }));
      const nearest = async (version: string, args: string): Promise<string | undefined> =>
        (await backend.nearestCall({ taskName: "app.work", taskHash: version, argsHash: args }))?.callHash;
      // The same arguments under another version of the task: the latest of them.
      expect(await nearest(v3!.hash, byV1.argsHash)).toBe(byV1.callHash);
      expect(await nearest(v3!.hash, onB.argsHash)).toBe(onB.callHash);
      // Other arguments: the latest call of the very task.
      const onC = callOf({ task: v2!, args: [c], value: c });
      expect(await nearest(v2!.hash, onC.argsHash)).toBe(onB.callHash);
      expect(await nearest(v3!.hash, onC.argsHash)).toBe(undefined);
    });
  });
}
