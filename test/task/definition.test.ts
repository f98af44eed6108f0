import { beforeEach, describe, expect, test } from "vitest";
import {
  decodeValue,
  encodeValue,
  hashStruct,
  hashValue,
  isPartialTask,
  isTask,
  namespace,
  type Task,
  task,
  taskRegistry,
} from "../../src/index.ts";
import { parameterNames } from "../../src/task/parameters.ts";
import { TaskRegistry } from "../../src/task/registry.ts";
import { codecOf } from "../../src/value/registry.ts";
import { newScheduler, note, ran, same } from "../scheduler/setup.ts";

beforeEach(() => {
  ran();
});

describe("names", () => {
  test("TSK-001: a task is named by what it is given, or after its function", () => {
    const named = task(function compute(x: number) {
      return x;
    });
    expect(named).toMatchObject({});
    expect([named.name, named.namespace, named.fullname]).toEqual(["compute", "", "compute"]);
    const given = task("acme.genomics.align", () => 1);
    expect([given.name, given.namespace, given.fullname]).toEqual([
      "align",
      "acme.genomics",
      "acme.genomics.align",
    ]);
    const both = task({ name: "align", namespace: "acme" }, () => 1);
    expect(both.fullname).toBe("acme.align");
  });

  test("TSK-002: the namespace given to a task beats that of its factory; an empty one is a namespace too", () => {
    const acme = namespace("acme");
    expect(acme.task("a", () => 1).fullname).toBe("acme.a");
    expect(acme.task({ name: "a", namespace: "other" }, () => 1).fullname).toBe("other.a");
    expect(acme.task({ name: "a", namespace: "" }, () => 1).fullname).toBe("a");
    expect(
      acme.task(function after() {
        return 1;
      }).fullname,
    ).toBe("acme.after");
    expect(namespace().task("b", () => 1).fullname).toBe("b");
  });

  test.each(["", "1a", "a-b", "a b", ".a", "a.", "a..b", "ä", "a.1b", "a\n"])(
    "TSK-004: refuses the name %j",
    (name) => {
      expect(() => task(name, () => 1)).toThrow(expect.objectContaining({ code: "invalid-task-name" }));
      if (name !== "")
        expect(() => namespace(name)).toThrow(expect.objectContaining({ code: "invalid-task-name" }));
    },
  );

  test("TSK-004: refuses a function without a name, and a name without a function", () => {
    expect(() => task(() => 1)).toThrow(expect.objectContaining({ code: "invalid-task-name" }));
    expect(() => task("nothing", undefined as never)).toThrow(
      expect.objectContaining({ code: "task-option" }),
    );
  });

  test("TSK-009, TSK-010: a task is callable, and has the function itself for a call without a scheduler", () => {
    const add = task("def.add", (a: number, b: number) => a + b);
    expect(isTask(add)).toBe(true);
    expect(isTask((a: number) => a)).toBe(false);
    expect(isTask(add(1, 2))).toBe(false);
    expect(add.fn(1, 2)).toBe(3);
    expect(add.source).toContain("a + b");
  });
});

describe("the registry", () => {
  test("TSK-006: a later definition of a name takes the place of the earlier", () => {
    task("def.replaced", () => 1);
    const second = task("def.replaced", () => 2);
    expect(taskRegistry.get("def.replaced")).toBe(second);
  });

  test("TSK-007: a hash stays current while any registered task has it", () => {
    const registry = new TaskRegistry<Task>();
    const make = (name: string, version: string) => task({ name, version }, () => 1);
    const [one, other] = [make("def.one", "1"), make("def.other", "1")];
    registry.add(one);
    registry.add(other);
    expect([...registry.hashes()].sort()).toEqual([one.hash, other.hash].sort());
    registry.add(make("def.one", "2"));
    expect(registry.hashes().has(one.hash)).toBe(false);
    expect(registry.hashes().has(other.hash)).toBe(true);
    registry.add(make("def.one", "1"));
    expect(registry.hashes().has(one.hash)).toBe(true);
    registry.remove("def.one");
    expect(registry.hashes().has(one.hash)).toBe(false);
  });

  test("TSK-008: finds a task by name or by hash, and wants one of them", () => {
    const found = task("def.found", () => 1);
    expect(taskRegistry.find({ fullname: "def.found" })).toBe(found);
    expect(taskRegistry.find({ hash: found.hash })).toBe(found);
    expect(taskRegistry.find({ hash: "0".repeat(40) })).toBe(undefined);
    expect(() => taskRegistry.find({})).toThrow(expect.objectContaining({ code: "registry" }));
  });

  test("a scheduler may have a registry of its own", async () => {
    const registry = new TaskRegistry<Task>();
    const own = task("def.own", () => 1);
    const scheduler = newScheduler({ registry });
    await expect(scheduler.run(own())).rejects.toMatchObject({ code: "unknown-task" });
    registry.add(own);
    expect(await scheduler.run(own())).toBe(1);
  });
});

describe("the hash of a task", () => {
  const define = (options: object, fn: (x: number) => unknown = (x) => x) =>
    task({ name: "def.hashed", ...options }, fn);

  test("TSK-020: is over name and text, or over name and version", () => {
    const plain = define({});
    expect(plain.hash).toBe(hashStruct(["Task", "def.hashed", "source", plain.source]));
    expect(define({}, (x) => x + 1).hash).not.toBe(plain.hash);
    const first = define({ version: "1" });
    expect(first.hash).toBe(hashStruct(["Task", "def.hashed", "version", "1"]));
    expect(define({ version: "1" }, (x) => x + 1).hash).toBe(first.hash);
    expect(define({ version: "2" }).hash).not.toBe(first.hash);
    expect(() => define({ version: 1 })).toThrow("version must be a string");
  });

  test("TSK-014: is over a given source in place of the function's text", () => {
    const given = define({ source: "x => x" });
    expect(given.source).toBe("x => x");
    expect(given.hash).toBe(hashStruct(["Task", "def.hashed", "source", "x => x"]));
  });

  test("TSK-021: changes with the name and the namespace, the version being equal", () => {
    const hashes = ["a.x", "a.y", "b.x", "x"].map((name) => task({ name, version: "1" }, () => 1).hash);
    expect(new Set(hashes).size).toBe(4);
  });

  test("TSK-022: takes in other values, in any order, and functions by their text", () => {
    const plain = define({});
    const helper = (x: number) => x * 2;
    const both = define({ hashIncludes: [helper, "data"] });
    expect(both.hash).not.toBe(plain.hash);
    expect(define({ hashIncludes: ["data", helper] }).hash).toBe(both.hash);
    expect(define({ hashIncludes: ["data", (x: number) => x * 2] }).hash).toBe(both.hash);
    expect(define({ hashIncludes: ["data", (x: number) => x * 3] }).hash).not.toBe(both.hash);
    expect(define({ hashIncludes: [plain] }).hash).not.toBe(plain.hash);
  });

  test("TSK-023: does not change with options of the definition, but with those given later", () => {
    const plain = define({});
    expect(define({ memory: 4, executor: "x", cache: false, tags: { a: 1 } }).hash).toBe(plain.hash);
    expect(plain.options({ memory: 4 }).hash).not.toBe(plain.hash);
    expect(plain.options({ memory: 4 }).hash).toBe(plain.options({ memory: 4 }).hash);
    expect(plain.options({}).hash).toBe(plain.hash);
  });

  test("TSK-025: of a derived task keeps the included values", () => {
    const one = define({ hashIncludes: ["one"] }).options({ memory: 1 });
    const two = define({ hashIncludes: ["two"] }).options({ memory: 1 });
    expect(one.hash).not.toBe(two.hash);
  });
});

describe("a task as a value", () => {
  const stored = (version: string, options: object = {}) =>
    task({ name: "def.stored", version, ...options }, (x: number) => {
      note(`stored ${version}`);
      return x;
    });

  test("TSK-027: is stored by name, hash and the options given since, without its code", () => {
    const value = stored("1", { memory: 9 }).options({ vcpus: 2 });
    const { text, hash, type } = encodeValue(value);
    expect(hash).toBe(value.hash);
    expect(type).toBe("redun.Task");
    expect(text).toContain("def.stored");
    expect(text).toContain("vcpus");
    expect(text).not.toContain("note");
    expect(text).not.toContain("memory");
  });

  test("TSK-028, TSK-029: comes back attached to the task of its name, valid while that has the same hash", () => {
    const { text } = encodeValue(stored("1").options({ vcpus: 2 }));
    const copy = () => decodeValue(text) as Task;
    const now = stored("1", { memory: 5 });
    expect(copy().fn).toBe(now.fn);
    expect(copy().definition.options).toEqual({ memory: 5 });
    expect(copy().overrides).toEqual({ vcpus: 2 });
    expect(valid(copy())).toBe(true);
    stored("2");
    expect(valid(copy())).toBe(false);
    stored("1");
    expect(valid(copy())).toBe(true);
  });

  test("TSK-030: whose definition is gone is not valid, and says so when it is called", async () => {
    const { text } = encodeValue(stored("1"));
    taskRegistry.remove("def.stored");
    const copy = decodeValue(text) as Task;
    expect(valid(copy)).toBe(false);
    expect(() => copy.fn(1)).toThrow(expect.objectContaining({ code: "unknown-task" }));
    await expect(newScheduler().run(copy(1))).rejects.toMatchObject({ code: "unknown-task" });
  });

  test("TSK-031: is passed and returned, and the cache reacts to its code and that of its children", async () => {
    const scheduler = newScheduler();
    const leaf = (by: number) => task({ name: "def.leaf", version: `${by}` }, (x: number) => x + by);
    task("def.mid", (x: number) => leafNow(x));
    const leafNow = leaf(1);
    const apply = task("def.apply", (callee: Task<[number], number>, x: number) => {
      note("apply");
      return callee(x);
    });
    const choose = task("def.choose", () => taskRegistry.get("def.mid"));
    const main = task("def.higher", () => apply(choose() as never, 1));
    expect(await scheduler.run(main())).toBe(2);
    expect(await scheduler.run(main())).toBe(2);
    expect(ran()).toEqual(["apply"]);
    leaf(10);
    expect(await scheduler.run(main())).toBe(11);
    expect(ran()).toEqual([]);
    task("def.mid", (x: number) => -x);
    expect(await scheduler.run(main())).toBe(-1);
    expect(ran()).toEqual(["apply"]);
  });
});

const valid = (value: Task): unknown => {
  const { isValid } = codecOf(value)!;
  return isValid!(value);
};

describe("partial tasks", () => {
  const join = task("def.join", (...parts: unknown[]) => {
    note("join");
    return parts.map(String).join("-");
  });

  test("TSK-070, TSK-071: hold the first arguments, chain, and take options for the task below", async () => {
    const scheduler = newScheduler();
    const partial = join.partial("a").partial("b", 3);
    expect(isPartialTask(partial)).toBe(true);
    expect(isTask(partial)).toBe(false);
    expect(partial.fullname).toBe("def.join");
    expect(partial.args).toEqual(["a", "b", 3]);
    expect(await scheduler.run(partial("c"))).toBe("a-b-3-c");
    const light = partial.options({ memory: 1 });
    expect(light.task.overrides).toEqual({ memory: 1 });
    expect(light.args).toEqual(partial.args);
    expect(await scheduler.run(light("c"))).toBe("a-b-3-c");
    expect(ran()).toEqual(["join"]);
  });

  test("TSK-072: hash over the task and the arguments, of which expressions count as such", () => {
    expect(join.partial(1).hash).toBe(
      hashStruct(["PartialTask", join.hash, hashStruct(["TaskArguments", [hashValue(1)], {}])]),
    );
    expect(join.partial(same(1)).hash).not.toBe(join.partial(1).hash);
    expect(join.partial(same(1)).hash).toBe(join.partial(same(1)).hash);
  });

  test("TSK-073: don't evaluate their arguments before they are called", async () => {
    const scheduler = newScheduler();
    const noisy = task("def.noisy", () => {
      note("noisy");
      return 1;
    });
    const hold = task("def.hold", (callee: unknown) => isPartialTask(callee));
    expect(await scheduler.run(hold(join.partial(noisy())))).toBe(true);
    expect(ran()).toEqual([]);
    const call = task("def.call", (callee: Task) => callee("x"));
    expect(await scheduler.run(call(join.partial(noisy()) as never))).toBe("1-x");
    expect(ran()).toEqual(["noisy", "join"]);
  });

  test("TSK-074: have the same hash where their task is not defined", () => {
    const stored = encodeValue([join.options({ memory: 2 }), join.partial("a")]);
    const expected = [hashValue(join.options({ memory: 2 })), hashValue(join.partial("a"))];
    taskRegistry.remove("def.join");
    try {
      expect((decodeValue(stored.text) as unknown[]).map(hashValue)).toEqual(expected);
    } finally {
      taskRegistry.add(join);
    }
  });

  test("TSK-074, TSK-075: are stored and come back, valid while their task is", async () => {
    const scheduler = newScheduler();
    const { text, type } = encodeValue(join.partial("a", same("b")));
    expect(type).toBe("redun.PartialTask");
    const copy = decodeValue(text) as Task;
    expect(isPartialTask(copy)).toBe(true);
    expect(copy.source).toBe(join.source);
    expect(await scheduler.run(copy("c"))).toBe("a-b-c");
    const make = task("def.make", () => {
      note("make");
      return base.partial("x");
    });
    let base = task({ name: "def.base", version: "1" }, (...parts: string[]) => parts);
    await scheduler.run(make());
    await scheduler.run(make());
    expect(ran().filter((body) => body === "make")).toEqual(["make"]);
    base = task({ name: "def.base", version: "2" }, (...parts: string[]) => parts);
    await scheduler.run(make());
    expect(ran()).toEqual(["make"]);
  });
});

describe("parameters", () => {
  test.each<[string, string[]]>([
    ["(a, b) => a", ["a", "b"]],
    ["a => a", ["a"]],
    ["async x => x", ["x"]],
    ["() => 1", []],
    ["function f(a, { b, c }, [d], ...rest) {}", ["a", "arg1", "arg2", "rest"]],
    ["async function f(a = g(1, '),'), b = [1, 2], /* c, */ d) {}", ["a", "b", "d"]],
    ["f(a = `)`, b) {}", ["a", "b"]],
    ["(_0, ..._1) => __async(null, [_0, ..._1], function* (x, y = 2, ...z) {})", ["x", "y", "z"]],
    ["(x, y) => __async(null, null, function* () {})", ["x", "y"]],
  ])("are read from %s", (source, names) => {
    expect(parameterNames(source)).toEqual(names);
  });
});
