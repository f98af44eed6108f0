import { beforeEach, describe, expect, test } from "vitest";
import { File } from "../../src/file/file.ts";
import { registerFileSystem } from "../../src/file/file-systems.ts";
import { MemoryFileSystem } from "../../src/file-systems/memory.ts";
import { catchError, hashStruct, hashValue, noProv, registerValue, seq, task } from "../../src/index.ts";
import {
  childrenOf,
  Gate,
  jobRows,
  jobsOf,
  newScheduler,
  note,
  ran,
  same,
  until,
  watchInfos,
  watchJobs,
} from "./setup.ts";

beforeEach(() => {
  ran();
});

/** A value that is valid for as long as the outside says so. */
class Lease {
  readonly id: string;
  constructor(id: string) {
    this.id = id;
  }
}
const expired = new Set<string>();
let checks = 0;
registerValue({
  name: "test.Lease",
  is: (value) => value instanceof Lease,
  encode: (lease: Lease) => lease.id,
  decode: (id: string) => new Lease(id),
  isValid: ({ id }: Lease) => {
    checks++;
    return !expired.has(id);
  },
});

describe("the key of a call", () => {
  test("CCH-001: the cache key is the hash of the task's hash and the arguments' hash", async () => {
    const scheduler = newScheduler();
    const infos = watchInfos(scheduler);
    const key = task("cache.key", (a: number, b: string) => `${a}${b}`);
    await scheduler.run(key(1, "x"));
    const argsHash = hashStruct(["TaskArguments", [hashValue(1), hashValue("x")], {}]);
    expect(infos[0]!.evalHash).toBe(hashStruct(["Eval", key.hash, argsHash]));
  });

  test("TSK-024: options given at a call don't change the cache key", async () => {
    const scheduler = newScheduler();
    const infos = watchInfos(scheduler);
    const seen = watchJobs(scheduler);
    const heavy = task("cache.heavy", (x: number) => x * 2);
    const light = heavy.options({ memory: 4, tags: { size: "small" } });
    expect(light.hash).not.toBe(heavy.hash);
    await scheduler.run(heavy(1));
    await scheduler.run(light(1));
    expect(infos[1]!.evalHash).toBe(infos[0]!.evalHash);
    expect(seen).toEqual(["cache.heavy: run", "cache.heavy: single"]);
  });

  test("TSK-061: an argument filled in by default is another key than the same one given", async () => {
    const scheduler = newScheduler();
    const infos = watchInfos(scheduler);
    const scale = task({ name: "cache.scale", defaults: [undefined, 2] }, (x: number, by?: number) => {
      note("scale");
      return x * by!;
    });
    expect(await scheduler.run(scale(3, 2))).toBe(6);
    expect(await scheduler.run(scale(3))).toBe(6);
    expect(ran()).toEqual(["scale", "scale"]);
    const given = hashStruct(["TaskArguments", [hashValue(3), hashValue(2)], {}]);
    const filled = hashStruct(["TaskArguments", [hashValue(3)], { "1": hashValue(2) }]);
    expect(infos[0]!.evalHash).toBe(hashStruct(["Eval", scale.hash, given]));
    expect(infos[1]!.evalHash).toBe(hashStruct(["Eval", scale.hash, filled]));
  });

  test("TSK-060: a changed default reruns the task although its text is the same", async () => {
    const scheduler = newScheduler();
    const define = (by: number) =>
      task({ name: "cache.scaled", defaults: [undefined, by] }, (x: number, factor?: number) => {
        note("scaled");
        return x * factor!;
      });
    expect(await scheduler.run(define(2)(3))).toBe(6);
    expect(await scheduler.run(define(2)(3))).toBe(6);
    expect(await scheduler.run(define(5)(3))).toBe(15);
    expect(ran()).toEqual(["scaled", "scaled"]);
  });

  test("CCH-030: a file argument counts by its hash, so only a changed file reruns its readers", async () => {
    registerFileSystem(new MemoryFileSystem());
    const file = new File("memory://in.txt");
    const read = task("cache.read", async (input: File) => {
      note("read");
      return await input.text();
    });
    const scheduler = newScheduler();
    await file.write("one");
    expect(await scheduler.run(read(new File(file.path)))).toBe("one");
    expect(await scheduler.run(read(new File(file.path)))).toBe("one");
    await file.write("two");
    expect(await scheduler.run(read(new File(file.path)))).toBe("two");
    expect(ran()).toEqual(["read", "read"]);
  });
});

describe("what is cached", () => {
  test("CCH-002: the cache holds the unevaluated return value, so a replay sees changed children", async () => {
    const scheduler = newScheduler();
    const child = task({ name: "cache.child", version: "1" }, (x: number) => x + 1);
    const main = task("cache.parent", (x: number) => {
      note("parent");
      return [child(x), "done"];
    });
    expect(await scheduler.run(main(1))).toEqual([2, "done"]);
    const seen = watchJobs(scheduler);
    task({ name: "cache.child", version: "2" }, (x: number) => x + 100);
    expect(await scheduler.run(main(1))).toEqual([101, "done"]);
    expect(ran()).toEqual(["parent"]);
    expect(seen).toEqual(["cache.parent: single", "cache.child: run"]);
  });

  test("CCH-003: changed code reruns its task and what follows; reverting it finds the old entry", async () => {
    const scheduler = newScheduler();
    const define = (version: string, by: number) =>
      task({ name: "cache.step", version }, (x: number) => {
        note(`step${version}`);
        return x + by;
      });
    define("1", 1);
    const step = define("1", 1);
    const other = task("cache.other", (x: number) => {
      note("other");
      return x * 2;
    });
    const after = task("cache.after", (x: number) => {
      note("after");
      return -x;
    });
    const main = task("cache.steps", () => [after(step(1)), other(1)]);
    expect(await scheduler.run(main())).toEqual([-2, 2]);
    expect(ran().sort()).toEqual(["after", "other", "step1"]);
    define("2", 10);
    expect(await scheduler.run(main())).toEqual([-11, 2]);
    expect(ran()).toEqual(["step2", "after"]);
    define("1", 1);
    expect(await scheduler.run(main())).toEqual([-2, 2]);
    expect(ran()).toEqual([]);
  });

  test("SCH-027: a run without the cache still writes, so that it seeds later runs", async () => {
    const scheduler = newScheduler();
    let count = 0;
    const counter = task("cache.counter", () => ++count);
    expect(await scheduler.run(counter(), { cache: false })).toBe(1);
    expect(await scheduler.run(counter())).toBe(1);
  });

  test("CCH-023: a call that runs again replaces its cache entry", async () => {
    const scheduler = newScheduler();
    let count = 0;
    const counter = task("cache.counter2", () => ++count);
    await scheduler.run(counter());
    expect(await scheduler.run(counter(), { cache: false })).toBe(2);
    expect(await scheduler.run(counter())).toBe(2);
  });

  test("CCH-028: with one new argument at the top, only what depends on it reruns", async () => {
    const scheduler = newScheduler();
    const leaf = task("cache.leaf", (x: number) => x);
    const main = task("cache.top", (_label: string) => [leaf(1), leaf(2)]);
    await scheduler.run(main("a"));
    const seen = watchJobs(scheduler);
    await scheduler.run(main("b"));
    expect(seen.sort()).toEqual(["cache.leaf: single", "cache.leaf: single", "cache.top: run"]);
  });

  test("CCH-024: a cached value that can't be decoded any more is a miss, not an error", async () => {
    class Gone {}
    const codec = { name: "test.Gone", is: (value: unknown) => value instanceof Gone, encode: () => 1 };
    registerValue({ ...codec, decode: () => new Gone() });
    const scheduler = newScheduler();
    const make = task("cache.gone", () => {
      note("make");
      return new Gone();
    });
    await scheduler.run(make());
    registerValue({
      ...codec,
      decode: () => {
        throw new Error("no such class");
      },
    });
    expect(await scheduler.run(make())).toBeInstanceOf(Gone);
    expect(ran()).toEqual(["make", "make"]);
  });

  test("CCH-026: the event of a single reduction has no call hash, those of other hits have one", async () => {
    const scheduler = newScheduler();
    const calls: [string, boolean][] = [];
    scheduler.on("job-cached", ({ kind, callHash }) => calls.push([kind, callHash !== undefined]));
    const one = task("cache.one", () => 1);
    await scheduler.run(one());
    await scheduler.run(one());
    await scheduler.run(one.options({ checkValid: "shallow" })());
    expect(calls).toEqual([
      ["single", false],
      ["ultimate", true],
    ]);
  });

  test("CCH-027: a cached job has times, a call hash and its children as jobs again", async () => {
    const scheduler = newScheduler();
    const leaf = task("cache.leaf3", () => 3);
    const main = task("cache.main3", () => [leaf()]);
    await scheduler.run(main(), { executionId: "first" });
    await scheduler.run(main(), { executionId: "second" });
    const [first] = await jobsOf(scheduler.backend, "cache.main3", "first");
    const [second, child] = await jobRows(scheduler.backend, "second");
    expect(first).toMatchObject({ status: "DONE", cached: false });
    expect(second).toMatchObject({
      status: "CACHED",
      cached: true,
      callHash: first!.callHash,
      startTime: expect.any(Number),
      endTime: expect.any(Number),
    });
    expect(child).toMatchObject({ taskName: "cache.leaf3", status: "CACHED", parentId: second!.id });
  });
});

describe("equal calls of one execution", () => {
  test("CCH-008: equal calls reached by different expressions collapse to one that runs and one cached", async () => {
    const scheduler = newScheduler();
    const add = task("cache.add", (a: number, b: number) => {
      note("add");
      return a + b;
    });
    const main = task("cache.sums", () => [add(1, same(2)), add(1, 2)]);
    expect(await scheduler.run(main())).toEqual([3, 3]);
    expect(ran()).toEqual(["add"]);
    const jobs = await jobsOf(scheduler.backend, "cache.add");
    expect(jobs.map((job) => job.cached).sort()).toEqual([false, true]);
  });

  test("CCH-007: a call equal to one at work takes its place in the call graph and ends as cached", async () => {
    const scheduler = newScheduler();
    const seen = watchJobs(scheduler);
    const gate = new Gate<number>();
    const slow = task("cache.slow", async (_x: number) => {
      note("slow");
      return await gate.opened;
    });
    const main = task("cache.twins", () => [slow(1), slow(same(1))]);
    const result = scheduler.run(main());
    await until(() => seen.includes("cache.slow: pending"));
    gate.open(7);
    expect(await result).toEqual([7, 7]);
    expect(ran()).toEqual(["slow"]);
    const [first, second] = await jobsOf(scheduler.backend, "cache.slow");
    expect(first).toMatchObject({ status: "DONE", cached: false });
    expect(second).toMatchObject({ status: "CACHED", cached: true, callHash: first!.callHash });
    const [parent] = await jobsOf(scheduler.backend, "cache.twins");
    const children = await childrenOf(scheduler.backend, parent!.callHash!);
    expect(children.filter((name) => name === "cache.slow")).toHaveLength(2);
  });

  test("CCH-009: a call equal to one that failed, at work or ended, fails at once without running", async () => {
    const scheduler = newScheduler();
    const gate = new Gate();
    const fail = task("cache.fail", async (_x: number) => {
      note("fail");
      await gate.opened;
      throw new Error("broken");
    });
    const recover = task("cache.recover", (error: Error) => error.message);
    const main = task("cache.failures", () =>
      seq([
        [catchError(fail(1), Error, recover), catchError(fail(same(1)), Error, recover)],
        catchError(fail(same(same(1))), Error, recover),
      ]),
    );
    const seen = watchJobs(scheduler);
    const result = scheduler.run(main());
    await until(() => seen.includes("cache.fail: pending"));
    gate.open();
    expect(await result).toEqual([["broken", "broken"], "broken"]);
    expect(ran()).toEqual(["fail"]);
    expect(seen.filter((text) => text.startsWith("cache.fail:")).sort()).toEqual([
      "cache.fail: cse",
      "cache.fail: pending",
      "cache.fail: run",
    ]);
  });

  test("CCH-010: an error of an earlier execution is never replayed", async () => {
    const scheduler = newScheduler();
    let broken = true;
    const flaky = task("cache.flaky", () => {
      note("flaky");
      if (broken) throw new Error("broken");
      return "fine";
    });
    const main = task("cache.flakyMain", () => flaky());
    await expect(scheduler.run(main())).rejects.toThrow("broken");
    await expect(scheduler.run(main())).rejects.toThrow("broken");
    await expect(scheduler.run(main.options({ checkValid: "shallow" })())).rejects.toThrow("broken");
    broken = false;
    expect(await scheduler.run(main())).toBe("fine");
    expect(ran()).toEqual(["flaky", "flaky", "flaky", "flaky"]);
  });

  test("CCH-005: scope NONE runs even beside an equal call at work; CSE and BACKEND don't", async () => {
    const scheduler = newScheduler();
    const gate = new Gate();
    const work = task("cache.work", async (scope: string) => {
      note(scope);
      await gate.opened;
    });
    const twice = (cacheScope: "NONE" | "CSE" | "BACKEND") => [
      work.options({ cacheScope })(cacheScope),
      work.options({ cacheScope })(same(cacheScope)),
    ];
    const main = task({ name: "cache.scopes", cacheScope: "NONE" }, () => [
      twice("NONE"),
      twice("CSE"),
      twice("BACKEND"),
    ]);
    const run = async () => {
      const result = scheduler.run(main());
      gate.open();
      await result;
      return ran().sort();
    };
    expect(await run()).toEqual(["BACKEND", "CSE", "NONE", "NONE"]);
    expect(await run()).toEqual(["CSE", "NONE", "NONE"]);
  });

  test("CCH-006: scope belongs to the call that looks, whatever the scope of the one that has the result", async () => {
    const scheduler = newScheduler();
    const work = task("cache.scoped", (x: number) => {
      note("scoped");
      return x;
    });
    const none = work.options({ cacheScope: "NONE" });
    const cse = work.options({ cacheScope: "CSE" });
    const main = task("cache.lookers", () => seq([none(1), cse(same(1)), none(same(same(1)))]));
    const seen = watchJobs(scheduler);
    await scheduler.run(main());
    expect(seen.filter((text) => text.startsWith("cache.scoped"))).toEqual([
      "cache.scoped: run",
      "cache.scoped: cse",
      "cache.scoped: run",
    ]);
    // What scope NONE wrote is there for a call of scope BACKEND.
    ran();
    expect(await scheduler.run(work(1))).toBe(1);
    expect(ran()).toEqual([]);
  });

  test("CCH-004: a result is sought at work, in the execution, as a whole call, and as a reduction", async () => {
    const scheduler = newScheduler();
    const work = task({ name: "cache.sought", checkValid: "shallow" }, (x: number) => same(x));
    const seen = watchJobs(scheduler);
    const kinds = () => seen.splice(0).filter((text) => text.startsWith("cache.sought"));
    const main = task({ name: "cache.seeker", cacheScope: "CSE" }, () =>
      seq([[work(1), work(same(1))], work(same(same(1)))]),
    );
    await scheduler.run(main());
    expect(kinds().sort()).toEqual(["cache.sought: cse", "cache.sought: pending", "cache.sought: run"]);
    await scheduler.run(main());
    expect(kinds()).toContain("cache.sought: ultimate");
    await scheduler.run(work.options({ checkValid: "full" })(1));
    expect(kinds()).toEqual(["cache.sought: single"]);
    await scheduler.run(work.options({ cacheScope: "CSE" })(1));
    expect(kinds()).toEqual(["cache.sought: run"]);
  });

  test("SCH-025: a run without the cache reads nothing of earlier ones but shares within itself", async () => {
    const scheduler = newScheduler();
    const work = task("cache.shared", (x: number) => {
      note("shared");
      return x;
    });
    const main = task("cache.sharer", () => [work(1), work(same(1))]);
    await scheduler.run(main());
    await scheduler.run(main(), { cache: false });
    expect(ran()).toEqual(["shared", "shared"]);
  });

  test("SCH-026: a run without the cache leaves scope NONE as it is", async () => {
    const scheduler = newScheduler();
    const work = task({ name: "cache.unshared", cacheScope: "NONE" }, (x: number) => {
      note("unshared");
      return x;
    });
    const main = task("cache.unsharer", () => [work(1), work(same(1))]);
    await scheduler.run(main(), { cache: false });
    expect(ran()).toEqual(["unshared", "unshared"]);
  });

  test("a run that goes on with an interrupted one takes what that one did, and nothing of earlier ones", async () => {
    const scheduler = newScheduler();
    let fails = false;
    const step = task("cache.resumed.step", (x: number) => {
      note(`step ${x}`);
      return x;
    });
    const always = task({ name: "cache.resumed.always", cache: false }, () => {
      note("always");
      return 1;
    });
    const none = task({ name: "cache.resumed.none", cacheScope: "NONE" }, () => {
      note("none");
      return 1;
    });
    const last = task("cache.resumed.last", (_before: unknown) => {
      if (fails) throw new Error("interrupted");
      return 7;
    });
    const main = task("cache.resumed.main", () => last([step(1), step(2), always(), none()]));
    await scheduler.run(main());
    ran();
    fails = true;
    const executionId = "01234567-89ab-7000-8000-0123456789ab";
    await expect(scheduler.run(main(), { cache: false, executionId })).rejects.toThrow("interrupted");
    expect(ran().sort()).toEqual(["always", "none", "step 1", "step 2"]);
    fails = false;
    const resumes = ["11234567-89ab-7000-8000-0123456789ab", executionId];
    expect(await scheduler.run(main(), { cache: false, resumes })).toBe(7);
    expect(ran()).toEqual(["none"]);
    expect(await scheduler.run(main(), { resumes })).toBe(7);
    expect(ran()).toEqual(["none"]);
    expect(await scheduler.run(main(), { cache: false })).toBe(7);
    expect(ran().sort()).toEqual(["always", "none", "step 1", "step 2"]);
  });

  test("a large result is shared between equal calls as well", async () => {
    const scheduler = newScheduler();
    const big = task("cache.big", (x: number) => {
      note("big");
      return Array.from({ length: 1000 }, (_, i) => i * x);
    });
    const size = task("cache.size", (list: number[], _tag: string) => list.length);
    const main = task("cache.bigs", () => seq([size(big(1), "a"), size(big(same(1)), "b")]));
    expect(await scheduler.run(main())).toEqual([1000, 1000]);
    expect(ran()).toEqual(["big"]);
  });

  test("CCH-029: without provenance there is no sharing between equal calls", async () => {
    const scheduler = newScheduler();
    const work = task("cache.silent", (x: number) => {
      note("silent");
      return x;
    });
    const main = task("cache.silentMain", () => [
      work.options({ prov: false })(1),
      work.options({ prov: false })(same(1)),
    ]);
    await scheduler.run(main());
    expect(ran()).toEqual(["silent", "silent"]);
    await scheduler.run(main());
    expect(ran()).toEqual(["silent", "silent"]);
  });
});

describe("validity", () => {
  const lease = task({ name: "cache.lease", version: "1" }, (id: string) => {
    note(`lease ${id}`);
    return new Lease(id);
  });
  const nameOf = task("cache.nameOf", (given: Lease) => given.id);

  test("CCH-011: a result of this execution is taken without a check, one of the store is checked", async () => {
    const scheduler = newScheduler();
    const main = task({ name: "cache.leases", cacheScope: "CSE" }, () => seq([lease("a"), lease(same("a"))]));
    checks = 0;
    await scheduler.run(main());
    expect(ran()).toEqual(["lease a"]);
    expect(checks).toBe(0);
    await scheduler.run(main());
    expect(ran()).toEqual([]);
    expect(checks).toBe(1);
  });

  test("CCH-012: a stored result that is no longer valid is a miss, and an event says so", async () => {
    const scheduler = newScheduler();
    const misses: string[] = [];
    scheduler.on("job-miss", ({ job, reason, message }) => misses.push(`${job.task} ${reason} ${message}`));
    await scheduler.run(lease("b"));
    expired.add("b");
    await scheduler.run(lease("b"));
    expect(ran()).toEqual(["lease b", "lease b"]);
    expect(misses).toEqual([expect.stringMatching(/^cache\.lease invalid .*no longer valid.*test\.Lease/)]);
  });

  test("CCH-013: a nested result is valid only if every part of it is", async () => {
    const scheduler = newScheduler();
    const pair = task("cache.pair", () => {
      note("pair");
      return { list: [new Lease("c"), new Map([["key", new Lease("d")]])] };
    });
    await scheduler.run(pair());
    await scheduler.run(pair());
    expect(ran()).toEqual(["pair"]);
    expired.add("d");
    await scheduler.run(pair());
    expect(ran()).toEqual(["pair"]);
  });

  test("CCH-014: a full check revisits all jobs of a cached call, a shallow one only its value", async () => {
    const scheduler = newScheduler();
    const main = task("cache.checked", () => nameOf(lease("e")));
    await scheduler.run(main());
    const seen = watchJobs(scheduler);
    await scheduler.run(main());
    expect(seen.splice(0)).toEqual(["cache.checked: single", "cache.lease: single", "cache.nameOf: single"]);
    await scheduler.run(main.options({ checkValid: "shallow" })());
    expect(seen).toEqual(["cache.checked: ultimate"]);
  });

  test("CCH-018: a shallow check does not notice that a value in between has become invalid", async () => {
    const scheduler = newScheduler();
    const main = task("cache.between", () => nameOf(lease("f")));
    await scheduler.run(main());
    expired.add("f");
    ran();
    await scheduler.run(main.options({ checkValid: "shallow" })());
    expect(ran()).toEqual([]);
    await scheduler.run(main());
    expect(ran()).toEqual(["lease f"]);
  });

  test("CCH-019: a full run seeds shallow ones, and both record the same call", async () => {
    const scheduler = newScheduler();
    const main = task("cache.seeded", () => nameOf(lease("g")));
    await scheduler.run(main(), { executionId: "full" });
    await scheduler.run(main.options({ checkValid: "shallow" })(), { executionId: "shallow" });
    const [full] = await jobsOf(scheduler.backend, "cache.seeded", "full");
    const shallow = await jobRows(scheduler.backend, "shallow");
    expect(shallow).toHaveLength(1);
    expect(shallow[0]).toMatchObject({ callHash: full!.callHash, status: "CACHED" });
  });
});

describe("shallow hits and code", () => {
  const define = (name: string, version: string, fn: (x: number) => unknown) =>
    task({ name, version }, (x: number) => {
      note(`${name} ${version}`);
      return fn(x) as number;
    });

  test("CCH-015: a shallow hit needs every task used below it to be as it was", async () => {
    const scheduler = newScheduler();
    const leaf = (version: string) => define("cache.s1.leaf", version, (x) => `${x}/${version}`);
    const mid = define("cache.s1.mid", "1", (x) => leaf("1")(x));
    const main = define("cache.s1.main", "1", (x) => mid(x)).options({ checkValid: "shallow" });
    leaf("1");
    const seen = watchJobs(scheduler);
    expect(await scheduler.run(main(1))).toBe("1/1");
    expect(await scheduler.run(main(1))).toBe("1/1");
    expect(seen.splice(0).at(-1)).toBe("cache.s1.main: ultimate");
    leaf("2");
    expect(await scheduler.run(main(1))).toBe("1/2");
    expect(seen.splice(0)).toEqual(["cache.s1.main: single", "cache.s1.mid: single", "cache.s1.leaf: run"]);
    leaf("1");
    expect(await scheduler.run(main(1))).toBe("1/1");
    expect(seen.splice(0)).toEqual(["cache.s1.main: ultimate"]);
  });

  test("CCH-017: without a whole call to take, a shallow check falls back to the reduction", async () => {
    const scheduler = newScheduler();
    let broken = true;
    const leaf = define("cache.s2.leaf", "1", (x) => {
      if (broken) throw new Error("broken");
      return x;
    });
    const main = define("cache.s2.main", "1", (x) => leaf(x)).options({ checkValid: "shallow" });
    await expect(scheduler.run(main(1))).rejects.toThrow("broken");
    broken = false;
    ran();
    const seen = watchJobs(scheduler);
    expect(await scheduler.run(main(1))).toBe(1);
    expect(seen[0]).toBe("cache.s2.main: single");
    expect(ran()).toEqual(["cache.s2.leaf 1"]);
  });

  test("CCH-016: of several recorded calls the newest one that is current wins", async () => {
    const scheduler = newScheduler();
    let count = 0;
    const counter = task("cache.s3.counter", () => ++count);
    await scheduler.run(counter());
    await scheduler.run(counter(), { cache: false });
    expect(await scheduler.run(counter.options({ checkValid: "shallow" })())).toBe(2);
  });

  test("CCH-020: after a shallow hit its tasks still count for the calls above it", async () => {
    const scheduler = newScheduler();
    const leaf = (version: string) => define("cache.s4.leaf", version, (x) => `${x}/${version}`);
    leaf("1");
    const mid = task({ name: "cache.s4.mid", version: "1", checkValid: "shallow" }, (x: number) => {
      return leafNow(x) as unknown as string;
    });
    const leafNow = task({ name: "cache.s4.leaf", version: "1" }, (x: number) => `${x}/1`);
    const main = (version: string) =>
      task({ name: "cache.s4.main", version, checkValid: "shallow" }, (x: number) => mid(x));
    await scheduler.run(main("1")(1));
    const seen = watchJobs(scheduler);
    await scheduler.run(main("2")(1));
    expect(seen.splice(0)).toEqual(["cache.s4.main: run", "cache.s4.mid: ultimate"]);
    leaf("2");
    expect(await scheduler.run(main("2")(1))).toBe("1/2");
    expect(seen).toEqual(["cache.s4.main: single", "cache.s4.mid: single", "cache.s4.leaf: run"]);
  });

  test("FUN-009: calls that are not recorded still make shallow hits above react to their code", async () => {
    const scheduler = newScheduler();
    const leaf = (version: string) =>
      task({ name: "cache.s5.leaf", version }, (x: number) => {
        note(`leaf ${version}`);
        return `${x}/${version}`;
      });
    const first = leaf("1");
    const main = task({ name: "cache.s5.main", version: "1" }, (x: number) => noProv(first(x)));
    const shallow = main.options({ checkValid: "shallow" });
    expect(await scheduler.run(shallow(1))).toBe("1/1");
    expect(await scheduler.run(shallow(1))).toBe("1/1");
    expect(ran()).toEqual(["leaf 1"]);
    leaf("2");
    expect(await scheduler.run(shallow(1))).toBe("1/2");
    expect(ran()).toEqual(["leaf 2"]);
  });
});
