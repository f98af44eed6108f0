import { beforeEach, describe, expect, test } from "vitest";
import {
  catchError,
  cond,
  decodeValue,
  type Expression,
  isExpression,
  map,
  plus,
  seq,
  type Task,
  task,
} from "../../src/index.ts";
import {
  childrenOf,
  edges,
  Gate,
  jobsOf,
  newScheduler,
  note,
  ran,
  same,
  turn,
  until,
  watchInfos,
  watchJobs,
} from "./setup.ts";

beforeEach(() => {
  ran();
});

const add = task("eager.add", (a: number, b: number) => a + b);
const NO_JOB = {
  name: "NoCurrentJobError",
  code: "no-current-job",
  hint: expect.stringContaining("scheduler.run"),
};
const rejection = async (promise: PromiseLike<unknown>): Promise<unknown> => {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return "no error";
};

describe("an async task", () => {
  test("TSK-090: is called from sync tasks, and calls them", async () => {
    const scheduler = newScheduler();
    const inner = task("eager.inner", async (x: number) => (await add(x, 1)) * 10);
    const outer = task("eager.outer", (x: number) => plus(inner(x), 1));
    const main = task("eager.main", async (x: number) => [await outer(x), outer(x + 1)]);
    expect(await scheduler.run(main(1))).toEqual([21, 31]);
  });

  test("EXP-031: may await every kind of expression, and again what it has awaited", async () => {
    const scheduler = newScheduler();
    const list = task("eager.list", () => [1, 2]);
    const main = task("eager.kinds", async () => {
      const call = list();
      return [
        await call,
        await call[1],
        await plus(add(1, 2), 1),
        await cond(true, add(2, 2), 0),
        await seq([add(1, 1), same(2)]),
        await map(same, call),
        await call,
        await Promise.all([add(5, 5), add(6, 6)]),
      ];
    });
    expect(await scheduler.run(main())).toEqual([[1, 2], 2, 4, 4, [2, 2], [1, 2], [1, 2], [10, 12]]);
    expect(await jobsOf(scheduler.backend, "eager.list")).toHaveLength(1);
  });

  test("TSK-095: what it awaits are child jobs and calls, exactly like what it returns", async () => {
    const scheduler = newScheduler();
    const body = (x: number) => [add(x, 1), add(same(x), 2)] as const;
    const returns = task("eager.returns", (x: number) => body(x));
    const awaits = task("eager.awaits", async (x: number) => {
      const [a, b] = body(x);
      return [await a, await b];
    });
    expect(await scheduler.run(returns(1), { executionId: "returns" })).toEqual([2, 3]);
    expect(await scheduler.run(awaits(1), { executionId: "awaits", cache: false })).toEqual([2, 3]);
    const rename = (list: string[]) => list.map((edge) => edge.replace("returns", "awaits")).sort();
    expect(await edges(scheduler.backend, "awaits")).toEqual(
      rename(await edges(scheduler.backend, "returns")),
    );
    const callOf = async (name: string) => (await jobsOf(scheduler.backend, name))[0]!.callHash!;
    expect((await childrenOf(scheduler.backend, await callOf("eager.awaits"))).sort()).toEqual(
      (await childrenOf(scheduler.backend, await callOf("eager.returns"))).sort(),
    );
  });

  test("TSK-094: fails with what it throws; a failed child surfaces at the await and may be caught", async () => {
    const scheduler = newScheduler();
    const fails = task("eager.fails", (label: string) => {
      throw new TypeError(`broken ${label}`);
    });
    const catches = task("eager.catches", async () => {
      try {
        await fails("inside");
      } catch (error) {
        return [(error as Error).name, (error as Error).message];
      }
      return [];
    });
    const throws = task("eager.throws", async () => {
      await add(1, 2);
      await fails("through");
    });
    expect(await scheduler.run(catches())).toEqual(["TypeError", "broken inside"]);
    await expect(scheduler.run(throws())).rejects.toThrow("broken through");
    const message = task("eager.message", (error: Error) => error.message);
    expect(await scheduler.run(catchError(throws(), TypeError, message))).toBe("broken through");
  });

  test("gets values, not expressions, and may go on with them", async () => {
    const scheduler = newScheduler();
    const collatz: Task<[number, number], unknown> = task(
      "eager.collatz",
      async (n: number, steps: number) => {
        let x = n;
        let count = steps;
        while (x !== 1) {
          x = await (x % 2 === 0 ? halve(x) : triple(x));
          count++;
        }
        return count;
      },
    );
    const halve = task("eager.halve", (x: number) => x / 2);
    const triple = task("eager.triple", (x: number) => x * 3 + 1);
    expect(await scheduler.run(collatz(27, 0))).toBe(111);
  });

  test("may await in helpers that are no tasks", async () => {
    const scheduler = newScheduler();
    const helper = async (x: number): Promise<number> => {
      await turn();
      return x === 0 ? 0 : (await add(x, 0)) + (await helper(x - 1));
    };
    const main = task("eager.helped", async () => await helper(4));
    expect(await scheduler.run(main())).toBe(10);
    expect(new Set(await edges(scheduler.backend))).toEqual(
      new Set(["- > eager.helped", "eager.helped > eager.add"]),
    );
  });
});

describe("the parent of an awaited job", () => {
  test("is the job that awaits, however many are in flight and however their awaits interleave", async () => {
    const scheduler = newScheduler();
    const infos = watchInfos(scheduler);
    const leaf = task({ name: "eager.leaf", cacheScope: "NONE" }, async (owner: string, _i: number) => {
      if (owner.length % 2 === 0) await turn();
      return owner;
    });
    const branch = task({ name: "eager.branch", cacheScope: "NONE" }, async (owner: string) => {
      const first = await leaf(owner, 0);
      await turn();
      const [second, third] = await Promise.all([leaf(owner, 1), leaf(owner, 2)]);
      await Promise.resolve();
      return [first, second, third, await leaf(owner, 3)].every((name) => name === owner);
    });
    const tree = task({ name: "eager.tree", cacheScope: "NONE" }, async (owner: string) => {
      const own = leaf(owner, 9);
      const below: boolean[] = [];
      for (let i = 0; i < 3; i++) {
        below.push(await branch(`${owner}/${i}`));
        await turn();
      }
      return (await own) === owner && below.every(Boolean);
    });
    const owners = Array.from({ length: 40 }, (_, i) => `${i}`.repeat((i % 3) + 1));
    expect(await scheduler.run(owners.map((owner) => tree(owner)))).toEqual(owners.map(() => true));
    const calls = new Map(infos.map((info) => [info.id, info.call]));
    const ownerOf = (call: string) => /owner='([^']*)'/.exec(call)?.[1];
    let checked = 0;
    for (const info of infos) {
      if (info.task !== "eager.leaf" && info.task !== "eager.branch") continue;
      const mine = ownerOf(info.call)!;
      const parent = ownerOf(calls.get(info.parentId!)!);
      expect(parent).toBe(info.task === "eager.leaf" ? mine : mine.replace(/\/\d$/, ""));
      checked++;
    }
    expect(checked).toBe(40 * (1 + 3 + 3 * 4));
  });

  test("is right when two runs of two schedulers are in flight", async () => {
    const schedulers = [newScheduler(), newScheduler()];
    const main = task("eager.two", async (label: number) => {
      const a = await add(label, 1);
      await turn();
      return await add(a, label);
    });
    expect(await Promise.all(schedulers.map((scheduler, i) => scheduler.run(main(i))))).toEqual([1, 3]);
    for (const { backend } of schedulers) {
      expect(await edges(backend)).toEqual([
        "- > eager.two",
        "eager.two > eager.add",
        "eager.two > eager.add",
      ]);
    }
  });

  test("EXP-030: awaiting where no job is running is refused, and says how to run one", async () => {
    expect(await rejection(add(1, 2))).toMatchObject(NO_JOB);
    const scheduler = newScheduler();
    await scheduler.run(add(1, 2));
    expect(await rejection(add(1, 2))).toMatchObject(NO_JOB);
    expect(await rejection(add(1, 2).then((value) => value))).toMatchObject(NO_JOB);
  });

  test("awaiting while a run is at work, but outside its jobs, is refused as well", async () => {
    const scheduler = newScheduler();
    const gate = new Gate();
    const main = task("eager.busy", async () => {
      note("busy");
      await gate.opened;
      return await add(1, 2);
    });
    const run = scheduler.run(main());
    await until(() => ran().length > 0);
    expect(await rejection(add(1, 2))).toMatchObject(NO_JOB);
    gate.open();
    expect(await run).toBe(3);
  });

  test("what is still awaited when all has ended gets no answer, and no error either", async () => {
    const blocked = task("eager.blocked", async () => await new Gate().opened);
    let told = 0;
    const main = task("eager.forgets", async () => {
      const tell = (): void => void told++;
      void blocked().then(tell, tell);
      return await add(1, 2);
    });
    expect(await newScheduler().run(main())).toBe(3);
    await turn();
    expect(told).toBe(0);
  });

  test("awaiting after the job has ended is refused", async () => {
    const scheduler = newScheduler();
    const gate = new Gate();
    let late: Promise<unknown> | undefined;
    const main = task("eager.leaves", async () => {
      late = (async () => {
        await gate.opened;
        return await rejection(add(1, 2));
      })();
      return 1;
    });
    expect(await scheduler.run(main())).toBe(1);
    gate.open();
    expect(await late).toMatchObject(NO_JOB);
    expect(await jobsOf(scheduler.backend, "eager.add")).toEqual([]);
  });

  test("a job that awaits itself alike is found out", async () => {
    const scheduler = newScheduler();
    const loop: Task<[number], unknown> = task(
      "eager.loop",
      async (n: number): Promise<unknown> => await loop(same(n)),
    );
    await expect(scheduler.run(loop(1))).rejects.toThrow("depends on itself");
    const ping: Task<[number], unknown> = task("eager.ping", (n: number): unknown => pong(n));
    const pong: Task<[number], unknown> = task(
      "eager.pong",
      async (n: number): Promise<unknown> => await ping(n),
    );
    await expect(scheduler.run(ping(1))).rejects.toThrow("depends on itself");
  });
});

describe("the cache of an async task", () => {
  const leaf = (version: string) =>
    task({ name: "eager.c.leaf", version }, (x: number) => {
      note(`leaf ${version}`);
      return `${x}/${version}`;
    });

  test("TSK-092: holds the whole call, not the return value, in which what it awaited doesn't show", async () => {
    const scheduler = newScheduler();
    const child = leaf("1");
    const main = task("eager.c.main", async (x: number) => {
      note("main");
      return [await child(x)];
    });
    expect(await scheduler.run(main(1))).toEqual(["1/1"]);
    expect(ran()).toEqual(["main", "leaf 1"]);
    const seen = watchJobs(scheduler);
    expect(await scheduler.run(main(1))).toEqual(["1/1"]);
    expect(ran()).toEqual([]);
    expect(seen).toEqual(["eager.c.main: ultimate"]);
  });

  test("TSK-093: reacts to changed code of what was awaited, at any depth", async () => {
    const scheduler = newScheduler();
    leaf("1");
    const mid = task("eager.c.mid", (x: number) => leafByName(x));
    const leafByName = leaf("1");
    const main = task("eager.c.deep", async (x: number) => {
      note("main");
      return await mid(x);
    });
    expect(await scheduler.run(main(1))).toBe("1/1");
    ran();
    leaf("2");
    expect(await scheduler.run(main(1))).toBe("1/2");
    expect(ran()).toEqual(["main", "leaf 2"]);
    leaf("1");
    expect(await scheduler.run(main(1))).toBe("1/1");
    expect(ran()).toEqual([]);
  });

  test("TSK-098: of a task that awaits no expression is that of any other task", async () => {
    const scheduler = newScheduler();
    const child = leaf("1");
    const main = task("eager.c.plain", async (x: number) => {
      await turn();
      return { value: child(x) };
    });
    expect(await scheduler.run(main(2))).toEqual({ value: "2/1" });
    const seen = watchJobs(scheduler);
    expect(await scheduler.run(main(2))).toEqual({ value: "2/1" });
    expect(seen).toEqual(["eager.c.plain: single", "eager.c.leaf: single"]);
  });

  test("is shared between equal calls of one execution", async () => {
    const scheduler = newScheduler();
    const child = leaf("1");
    const main = task("eager.c.shared", async (x: number) => {
      note("main");
      return await child(x);
    });
    expect(await scheduler.run([main(3), main(same(3)), seq([main(3), main(same(same(3)))])])).toEqual([
      "3/1",
      "3/1",
      ["3/1", "3/1"],
    ]);
    expect(ran()).toEqual(["main", "leaf 1"]);
  });

  test("records expressions that are returned beside awaited ones", async () => {
    const scheduler = newScheduler();
    const main = task("eager.c.mixed", async (x: number) => {
      const awaited = await add(x, 1);
      const returned: Expression<number> = add(awaited, 1);
      expect(isExpression(returned)).toBe(true);
      return { awaited, returned };
    });
    expect(await scheduler.run(main(1))).toEqual({ awaited: 2, returned: 3 });
    expect(await scheduler.run(main(1))).toEqual({ awaited: 2, returned: 3 });
    const [job] = await jobsOf(scheduler.backend, "eager.c.mixed");
    const [call] = await scheduler.backend.getCallNodes([job!.callHash!]);
    const [value] = await scheduler.backend.getValues([call!.valueHash]);
    expect(decodeValue(value!.text)).toEqual({ awaited: 2, returned: 3 });
    expect(call!.children).toHaveLength(2);
  });
});
