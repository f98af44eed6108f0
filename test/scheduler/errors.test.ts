import { beforeEach, describe, expect, test } from "vitest";
import {
  catchError,
  decodeValue,
  ErrorValue,
  type Executor,
  encodeValue,
  errorTraceback,
  formatTraceback,
  hashStruct,
  hashValue,
  identity,
  type Task,
  task,
} from "../../src/index.ts";
import { childrenOf, Gate, jobRows, jobsOf, newScheduler, ran, same } from "./setup.ts";

beforeEach(() => {
  ran();
});

class AcmeError extends Error {
  readonly detail: unknown;
  constructor(message: string, detail?: unknown) {
    super(message);
    this.name = "AcmeError";
    this.detail = detail;
  }
}

const fails = task("err.fails", (label: string) => {
  throw new AcmeError(`broken ${label}`, { label });
});
const failure = async (run: Promise<unknown>): Promise<Error> => {
  try {
    await run;
  } catch (error) {
    return error as Error;
  }
  throw new Error("It did not fail");
};

describe("a failing task", () => {
  test("ERR-001: its error reaches every job that depends on it, and is what the run rejects with", async () => {
    const scheduler = newScheduler();
    const error = new AcmeError("broken");
    const source = task("err.source", () => {
      throw error;
    });
    const user = task("err.user", (_x: unknown) => 1);
    const main = task("err.main", () => [user([source()])]);
    expect(await failure(scheduler.run(main()))).toBe(error);
    expect(scheduler.status().get("err.source")).toMatchObject({ FAILED: 1 });
    expect(scheduler.status().get("err.user")).toMatchObject({ FAILED: 1 });
    expect(scheduler.status().get("err.main")).toMatchObject({ FAILED: 1 });
  });

  test.each([
    ["a string", "just text"],
    ["nothing", undefined],
    ["null", null],
    ["a number", 5],
    ["a frozen object", Object.freeze({ code: 1 })],
  ])("the run rejects with the very thing that was thrown: %s", async (_what, thrown) => {
    const scheduler = newScheduler();
    const throws = task({ name: "err.throws", cacheScope: "NONE" }, () => {
      throw thrown;
    });
    await expect(scheduler.run(throws()).catch((error) => ["caught", error])).resolves.toEqual([
      "caught",
      thrown,
    ]);
    expect((await jobRows(scheduler.backend))[0]).toMatchObject({ status: "FAILED" });
  });

  test("ERR-002: it and all above it are recorded as calls with an error value, failed and ended", async () => {
    const scheduler = newScheduler();
    const mid = task("err.mid", () => fails("deep"));
    const main = task("err.top", () => mid());
    await failure(scheduler.run(main()));
    const jobs = await jobRows(scheduler.backend);
    expect(jobs.map((job) => job.taskName)).toEqual(["err.top", "err.mid", "err.fails"]);
    for (const job of jobs) {
      expect(job).toMatchObject({ status: "FAILED", endTime: expect.any(Number) });
      const [call] = await scheduler.backend.getCallNodes([job.callHash!]);
      const [value] = await scheduler.backend.getValues([call!.valueHash]);
      expect(value!.type).toBe("redun.ErrorValue");
      const { error } = decodeValue(value!.text) as ErrorValue;
      expect(error).toMatchObject({ name: "AcmeError", message: "broken deep", detail: { label: "deep" } });
    }
    expect(await childrenOf(scheduler.backend, jobs[0]!.callHash!)).toEqual(["err.mid"]);
  });

  test("ERR-003: siblings that ended are recorded as usual", async () => {
    const scheduler = newScheduler();
    const main = task("err.siblings", () => [same(1), fails("sibling")]);
    await failure(scheduler.run(main()));
    expect((await jobsOf(scheduler.backend, "test.same"))[0]).toMatchObject({ status: "DONE" });
  });

  test("ERR-004: an error that can't be stored is recorded as one that tells of it, and thrown as it is", async () => {
    const scheduler = newScheduler();
    const error = new AcmeError("odd", () => "a function");
    const odd = task("err.odd", () => {
      throw error;
    });
    expect(await failure(scheduler.run(odd()))).toBe(error);
    const [job] = await jobRows(scheduler.backend);
    const [call] = await scheduler.backend.getCallNodes([job!.callHash!]);
    const [value] = await scheduler.backend.getValues([call!.valueHash]);
    const stored = (decodeValue(value!.text) as ErrorValue).error as Error;
    expect(`${stored.name}: ${stored.message}`).toContain("AcmeError: odd");
  });

  test("ERR-013: a child that failed before there was a call leaves no trace in its parent's call", async () => {
    const scheduler = newScheduler();
    const user = task("err.never", (_x: unknown) => 1);
    const main = task("err.noCall", () => user(fails("argument")));
    await failure(scheduler.run(main()));
    const [job] = await jobsOf(scheduler.backend, "err.noCall");
    expect(await childrenOf(scheduler.backend, job!.callHash!)).toEqual(["err.fails"]);
  });

  test("an async task that rejects fails like one that throws", async () => {
    const scheduler = newScheduler();
    const rejects = task("err.rejects", async () => {
      await Promise.resolve();
      throw new AcmeError("later");
    });
    await expect(scheduler.run(rejects())).rejects.toThrow("later");
    expect((await jobRows(scheduler.backend))[0]).toMatchObject({ status: "FAILED" });
  });

  test("an operation that fails, such as an index out of range, fails the job it is under", async () => {
    const scheduler = newScheduler();
    const list = task("err.list", () => [1, 2]);
    const main = task("err.index", () => list()[5]);
    await expect(scheduler.run(main())).rejects.toThrow(RangeError);
    expect((await jobsOf(scheduler.backend, "err.index"))[0]).toMatchObject({ status: "FAILED" });
    expect((await jobsOf(scheduler.backend, "err.list"))[0]).toMatchObject({ status: "DONE" });
  });
});

describe("a traceback", () => {
  test("ERR-006: has a frame for each job from the root to the one that failed, then the user's own, then the error", async () => {
    const scheduler = newScheduler();
    const inner = task("err.tb.inner", (zeta: number, alpha: string) => {
      throw new AcmeError(`broken ${zeta} ${alpha}`);
    });
    const outer = task("err.tb.outer", (count: number) => inner(count + 1, "text"));
    const error = await failure(scheduler.run(outer(1)));
    const jobs = await jobRows(scheduler.backend);
    const traceback = errorTraceback(error)!;
    expect(traceback.frames.map((frame) => [frame.task, frame.jobId])).toEqual(
      jobs.map((job) => [job.taskName, job.id]),
    );
    expect(Object.entries(traceback.frames[1]!.locals)).toEqual([
      ["alpha", "'text'"],
      ["zeta", "2"],
    ]);
    expect(traceback.error).toBe("AcmeError: broken 2 text");
    const text = formatTraceback(traceback);
    expect(text).toContain(`Job ${jobs[0]!.id.slice(-8)}`);
    expect(text).toMatch(
      /in err\.tb\.outer\n[\s\S]*count = 1\n[\s\S]*in err\.tb\.inner\n[\s\S]*alpha = 'text'\n *zeta {2}= 2\n/,
    );
    expect(text.trimEnd().endsWith("AcmeError: broken 2 text")).toBe(true);
  });

  test("ERR-007: leaves out the engine's own stack frames", async () => {
    const scheduler = newScheduler();
    const error = await failure(scheduler.run(fails("frames")));
    const { stack } = errorTraceback(error)!;
    expect(stack.filter((line) => /src\/(scheduler|executor|expression|task)\//.test(line))).toEqual([]);
    expect(stack.some((line) => line.includes("errors.test"))).toBe(true);
  });

  test("ERR-008: can be stored with its error, and comes back the same", async () => {
    const scheduler = newScheduler();
    const error = await failure(scheduler.run(fails("stored")));
    const value = new ErrorValue(error, errorTraceback(error)!);
    const { text } = encodeValue(value);
    const copy = decodeValue(text) as ErrorValue;
    expect(encodeValue(copy).text).toBe(text);
    expect(copy.traceback).toEqual(value.traceback);
    expect(text).toContain("redun.Traceback");
  });

  test("ERR-005: an error value has a type name, and its hash covers error and traceback", async () => {
    const scheduler = newScheduler();
    const error = await failure(scheduler.run(fails("hashed")));
    const traceback = errorTraceback(error)!;
    const encoded = encodeValue(new ErrorValue(error, traceback));
    expect(encoded.type).toBe("redun.ErrorValue");
    const stored = decodeValue(encoded.text) as ErrorValue;
    expect(hashValue(stored)).toBe(encoded.hash);
    expect(hashValue(new ErrorValue(error, { ...traceback, log: ["other"] }))).not.toBe(encoded.hash);
    expect(hashValue(new ErrorValue(new Error("other"), traceback))).not.toBe(encoded.hash);
    expect(encoded.hash).not.toBe(hashStruct(["redun.ErrorValue", hashValue(error)]));
  });

  test("ERR-009: shows long arguments cut", async () => {
    const scheduler = newScheduler();
    const long = task("err.long", (text: string, _list: number[]) => {
      throw new Error(`broken ${text.length}`);
    });
    const error = await failure(scheduler.run(long("x".repeat(10_000), new Array(10_000).fill(1))));
    for (const shown of Object.values(errorTraceback(error)!.frames[0]!.locals)) {
      expect(shown.length).toBeLessThanOrEqual(200);
    }
  });

  test("ERR-010: ends with the last lines of the job's log", async () => {
    const remote: Executor = {
      name: "remote",
      run: async () => ({
        ok: false,
        error: {
          value: undefined,
          record: {
            name: "AcmeError",
            message: "far away",
            stack: "AcmeError: far away\n    at work (job.js:1:2)",
          },
        },
        log: ["first line", "last line"],
      }),
    };
    const scheduler = newScheduler({ executors: { remote } });
    const far = task({ name: "err.far", executor: "remote" }, () => 1);
    const error = await failure(scheduler.run(far()));
    expect(error).toMatchObject({ name: "AcmeError", message: "far away" });
    const text = formatTraceback(errorTraceback(error)!);
    expect(text).toContain("at work (job.js:1:2)");
    expect(text).toMatch(/AcmeError: far away\n\nLatest logs:\n {2}first line\n {2}last line$/);
  });

  test("ERR-011: is that of the first job that failed, wherever the error goes on to", async () => {
    const scheduler = newScheduler();
    const gate = new Gate();
    const late = task("err.late", async () => {
      await gate.opened;
      throw new AcmeError("late");
    });
    const main = task("err.two", () => [late(), fails("early")]);
    const error = await failure(scheduler.run(main()));
    gate.open();
    expect(errorTraceback(error)!.frames.map((frame) => frame.task)).toEqual(["err.two", "err.fails"]);
  });

  test("ERR-012: is there for a recovery task that gets the error", async () => {
    const scheduler = newScheduler();
    let seen: string[] = [];
    const recover = task("err.recover", (error: Error) => {
      seen = errorTraceback(error)!.frames.map((frame) => frame.task);
      return error.message;
    });
    const main = task("err.recovers", () => catchError(fails("caught"), Error, recover));
    expect(await scheduler.run(main())).toBe("broken caught");
    expect(seen).toEqual(["err.recovers", "err.fails"]);
  });

  test("names the cause of an error", async () => {
    const scheduler = newScheduler();
    const chained = task("err.chained", () => {
      throw new Error("outer", { cause: new TypeError("inner") });
    });
    const error = await failure(scheduler.run(chained()));
    expect(errorTraceback(error)!.error).toBe("Error: outer\n  caused by TypeError: inner");
  });

  test("of a very deep call path keeps both ends", async () => {
    const scheduler = newScheduler();
    const down: Task<[number], unknown> = task("err.down", (n: number): unknown => {
      if (n === 0) throw new Error("bottom");
      return down(n - 1);
    });
    const error = await failure(scheduler.run(down(500)));
    const { frames } = errorTraceback(error)!;
    expect(frames).toHaveLength(100);
    expect(frames[0]!.locals).toEqual({ n: "500" });
    expect(frames.at(-1)!.locals).toEqual({ n: "0" });
  });
});

describe("a value that can't be encoded", () => {
  const give = (value: unknown) => task({ name: "err.give", cacheScope: "NONE" }, () => value)();

  test.each<[string, unknown, string]>([
    ["a function", { items: [0, 1, 2, { callback: () => 1 }] }, "result.items[3].callback"],
    ["a symbol", [Symbol("s")], "result[0]"],
    ["a class without a codec", { "odd key": new (class Thing {})() }, 'result["odd key"]'],
    ["a promise inside", { later: Promise.resolve(1) }, "result.later"],
    ["a weak map", new WeakMap(), "result"],
  ])("fails its job, naming the place of %s", async (_what, value, path) => {
    const scheduler = newScheduler();
    const error = await failure(scheduler.run(give(value)));
    expect(error).toMatchObject({ code: "unsupported-value", fields: { path } });
    expect(error.message).toContain(path);
    expect((await jobRows(scheduler.backend))[0]).toMatchObject({ status: "FAILED" });
  });

  test("fails its job where the value refers back to itself", async () => {
    const scheduler = newScheduler();
    const node: { name: string; children: unknown[] } = { name: "a", children: [] };
    node.children.push({ parent: node });
    const error = await failure(scheduler.run(give(node)));
    expect(error).toMatchObject({ code: "unsupported-value", fields: { path: "result.children[0].parent" } });
    expect(error.message).toContain("cycle");
  });

  test("fails its job where a cycle holds an expression", async () => {
    const scheduler = newScheduler();
    const ring: unknown[] = [same(1)];
    ring.push(ring);
    expect(await failure(scheduler.run(give(ring)))).toMatchObject({ code: "unsupported-value" });
  });

  test("as an argument it fails the call, which whoever awaits it may catch", async () => {
    const scheduler = newScheduler();
    const take = task("err.take", (_value: unknown) => 1);
    const error = await failure(scheduler.run(take({ f: () => 1 })));
    expect(error).toMatchObject({ code: "unsupported-value", fields: { path: "args[0].f" } });
    const main = task("err.takeMain", async () => {
      try {
        return await take({ f: () => 1 });
      } catch (reason) {
        return (reason as Error).message;
      }
    });
    expect(await scheduler.run(main())).toContain("args[0].f");
    const cyclic: Record<string, unknown> = {};
    cyclic.self = cyclic;
    expect(await failure(scheduler.run(identity(cyclic)))).toMatchObject({ code: "unsupported-value" });
  });
});

describe("a recursion", () => {
  const down: Task<[n: number, end: number], number> = task(
    "err.endless",
    (n: number, end: number) => (n === end ? n : down(n + 1, end)) as number,
  );

  const recovers = task("err.recovers_from_endless", () => "recovered");

  test("without an end fails where jobs are too deep, and not before", async () => {
    const scheduler = newScheduler({ config: { maxDepth: 100 } });
    expect(await scheduler.run(down(0, 100))).toBe(100);
    expect(await failure(scheduler.run(down(1, -1)))).toMatchObject({
      code: "scheduler",
      message: "Cannot run err.endless: it is inside of more than 100 other jobs",
      hint: expect.stringContaining("recursion without an end"),
    });
    expect(await scheduler.run(catchError(down(2, -1), Error, recovers))).toBe("recovered");
  });
});
