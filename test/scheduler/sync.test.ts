import { beforeEach, describe, expect, test } from "vitest";
import type { Backend, RecordJson } from "../../src/backend/backend.ts";
import { MemoryBackend } from "../../src/backends/memory-backend.ts";
import { syncRecords } from "../../src/backends/sync.ts";
import {
  catchError,
  cond,
  File,
  getContext,
  noProv,
  plus,
  registerFileSystem,
  registerValue,
  type Scheduler,
  type Task,
  task,
} from "../../src/index.ts";
import { MemoryFileSystem } from "../../src/testing.ts";
import { newScheduler, note, ran, watchJobs } from "./setup.ts";

beforeEach(() => {
  ran();
});

const double = task("sync.double", (n: number) => {
  note(`double ${n}`);
  return 2 * n;
});
const sum = task("sync.sum", (list: number[]) => {
  note("sum");
  return list.reduce((a, b) => a + b, 0);
});
const all = task("sync.all", (n: number) => {
  note("all");
  return { total: sum(Array.from({ length: n }, (_, i) => double(i))), first: plus(double(0), 1) };
});
const fails = task("sync.fails", (n: number): number => {
  note("fails");
  throw Object.assign(new RangeError(`${n} is too much`), { code: n });
});
const above = task("sync.above", (n: number) => {
  note("above");
  return [double(n), fails(n)];
});

/** Brings records to another store in the worst order: those that refer to others first, some at a time. */
async function carry(from: Backend, size: number): Promise<MemoryBackend> {
  const records: RecordJson[] = [];
  for await (const ids of from.reachable()) records.push(...(await from.exportRecords(ids)));
  const to = new MemoryBackend();
  for (let i = 0; i < records.length; i += size) await to.importRecords(records.slice(i, i + size));
  return to;
}

/** What runs where the records of a run have come to: task bodies, and jobs that were not cached. */
async function rerun(
  backend: Backend,
  run: (scheduler: Scheduler) => Promise<unknown>,
): Promise<{ bodies: string[]; jobs: string[] }> {
  ran();
  const scheduler = newScheduler({ backend });
  const jobs = watchJobs(scheduler);
  await run(scheduler).catch(() => undefined);
  return { bodies: ran().sort(), jobs: jobs.filter((job) => job.endsWith(": run")) };
}

describe("where the history of a run has come to", () => {
  test.each([1, 4, 1000])("nothing runs again, if it came %i records at a time", async (size) => {
    const scheduler = newScheduler();
    const result = await scheduler.run(all(5));
    const there = await carry(scheduler.backend, size);
    const again = newScheduler({ backend: there });
    ran();
    expect(await again.run(all(5))).toEqual(result);
    expect(ran()).toEqual([]);
    const counts = Object.values(Object.fromEntries(again.status()));
    expect(counts.every(({ DONE, FAILED }) => DONE === 0 && FAILED === 0)).toBe(true);
  });

  test("nothing runs again of builtins, options, contexts, files and async functions", async () => {
    registerFileSystem(new MemoryFileSystem());
    class Point {
      readonly x: number;
      constructor(x: number) {
        this.x = x;
      }
    }
    registerValue({
      name: "sync.Point",
      is: (value) => value instanceof Point,
      encode: (point: Point) => point.x,
      decode: (x: number) => new Point(x),
    });
    const write = task("sync.write", async (path: string) => {
      note("write");
      const file = new File(path);
      await file.write("content");
      return [file, new Set([1, 2]), new Map([["k", new Date(0)]])] as const;
    });
    const read = task("sync.read", async (file: File) => {
      note("read");
      return file.text();
    });
    const point = task("sync.point", (x: number, f: Task) => {
      note("point");
      return { point: new Point(x), f, partial: double.partial(3), bytes: new Uint8Array([x]) };
    });
    const who = task("sync.who", (name: unknown) => {
      note("who");
      return `${name}`;
    });
    const awaiting = task("sync.awaiting", async (n: number) => {
      note("awaiting");
      return (await double(n)) + 1;
    });
    const parts = task("sync.parts", () => {
      note("parts");
      return [
        cond(true, double(7), double(8)),
        read(write("memory://box/a.txt")[0]),
        point(1, double as Task),
        who.updateContext({ user: "ada" })(getContext("user")),
        awaiting(4),
        double.options({ limits: { cpu: 1 }, tags: [["a", 1]] })(9),
        { set: new Set([double(1)]), deep: [[double.partial(5)()]] },
      ];
    });
    const scheduler = newScheduler({ limits: { cpu: 2 } });
    await scheduler.run(parts());
    const there = await carry(scheduler.backend, 3);
    expect(await rerun(there, (other) => other.run(parts()))).toEqual({ bodies: [], jobs: [] });
  });

  test("what failed is tried again, and nothing else", async () => {
    const scheduler = newScheduler();
    await expect(scheduler.run(above(3))).rejects.toThrow("3 is too much");
    const there = await carry(scheduler.backend, 2);
    expect(await rerun(there, (other) => other.run(above(3)))).toEqual({
      bodies: ["fails"],
      jobs: ["sync.fails: run"],
    });
  });

  test("what was recovered from is tried once", async () => {
    const recover = task("sync.recover", (error: Error) => {
      note("recover");
      return error.message;
    });
    const main = task("sync.recovering", () => catchError(fails(1), RangeError, recover));
    const scheduler = newScheduler();
    const result = await scheduler.run(main());
    const there = await carry(scheduler.backend, 5);
    expect((await rerun(there, (other) => other.run(main()))).bodies).toEqual(["fails"]);
    const other = newScheduler({ backend: there });
    expect(await other.run(main())).toBe(result);
    expect(ran()).toEqual([]);
  });

  test("only what depends on a changed task runs", async () => {
    const define = (version: string) => {
      const changing = task({ name: "sync.changing", version }, (n: number) => {
        note(`changing ${n}`);
        return n + Number(version);
      });
      return task({ name: "sync.using", version: "1" }, (n: number) => {
        note("using");
        return [double(n), sum([changing(n), 1])];
      });
    };
    const scheduler = newScheduler();
    await scheduler.run(define("1")(2));
    const there = await carry(scheduler.backend, 10);
    const { bodies } = await rerun(there, (other) => other.run(define("2")(2)));
    expect(bodies).toEqual(["changing 2", "sum"]);
  });

  test("what was run without provenance or cache runs as it would at home", async () => {
    const uncached = task({ name: "sync.uncached", cache: false }, (n: number) => {
      note("uncached");
      return n;
    });
    const main = task("sync.mixed", () => {
      note("mixed");
      return [uncached(1), noProv(double(6)), double.options({ prov: false })(8)];
    });
    const scheduler = newScheduler();
    await scheduler.run(main());
    const there = await carry(scheduler.backend, 4);
    const home = await rerun(scheduler.backend, (other) => other.run(main()));
    expect(await rerun(there, (other) => other.run(main()))).toEqual(home);
    expect(home.bodies).toContain("uncached");
  });

  test("two stores that exchange what they have run nothing that either has run", async () => {
    const [ada, bob] = [newScheduler(), newScheduler()];
    await ada.run(all(4));
    await bob.run(all(6));
    await syncRecords(ada.backend, bob.backend);
    await syncRecords(bob.backend, ada.backend);
    for (const { backend } of [ada, bob]) {
      const { bodies } = await rerun(backend, (other) => other.run([all(4), all(6)]));
      expect(bodies).toEqual([]);
    }
    ran();
    await ada.run(all(7));
    expect(ran().sort()).toEqual(["all", "double 6", "sum"]);
  });
});

describe("values of errors", () => {
  class OwnError extends Error {
    override readonly name = "OwnError";
    readonly details = { deep: [1, new Date(5)] };
  }
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  const errors: readonly [string, () => unknown][] = [
    ["a plain error", () => new Error("plain")],
    ["an error with a cause", () => new TypeError("outer", { cause: new OwnError("inner") })],
    ["several errors", () => new AggregateError([new OwnError("a"), 1], "both")],
    ["an error of the platform", () => new DOMException("stop", "AbortError")],
    ["text", () => "just text"],
    ["nothing", () => undefined],
    ["data", () => ({ code: 7, at: new Date(1) })],
    [
      "an error with fields that have no encoding",
      () => Object.assign(new Error("x"), { f: () => 1, cyclic }),
    ],
    ["an error of another name", () => Object.assign(new Error("named"), { name: "Strange", code: "EX" })],
  ];
  test.each(errors)("can be checked where they come to: %s", async (_what, make) => {
    const thrower = task("sync.thrower", () => {
      throw make();
    });
    const scheduler = newScheduler();
    await scheduler.run(thrower()).catch(() => undefined);
    const there = await carry(scheduler.backend, 1);
    expect(await there.count({ type: "Job", jobStatus: ["FAILED"] })).toBe(1);
    expect(await there.find({ type: "Value", valueTypes: ["redun.ErrorValue"] })).toHaveLength(1);
  });
});
