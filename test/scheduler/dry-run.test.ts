import { beforeEach, describe, expect, test } from "vitest";
import { applyTags, catchError, cond, type Scheduler, schedulerTask, seq, task } from "../../src/index.ts";
import { jobsOf, newScheduler, note, ran, same } from "./setup.ts";

beforeEach(() => {
  ran();
});

const define = (version: string) =>
  task({ name: "dry.step", version }, (x: number) => {
    note(`step ${version} ${x}`);
    return x + 1;
  });
const after = task("dry.after", (x: number) => {
  note(`after ${x}`);
  return x * 2;
});

const reasons = (scheduler: Scheduler): string[] => {
  const list: string[] = [];
  scheduler.on("job-miss", ({ job, reason, message }) => list.push(`${job.task} ${reason}: ${message}`));
  return list;
};
const DRY = { name: "DryRunError", code: "dry-run" };

describe("a dry run", () => {
  test("SCH-021: gives the result if everything is cached, else rejects, and runs nothing", async () => {
    const scheduler = newScheduler();
    const step = define("1");
    const main = task("dry.main", (x: number) => after(step(x)));
    await expect(scheduler.run(main(1), { dryRun: true })).rejects.toMatchObject(DRY);
    expect(ran()).toEqual([]);
    expect(await scheduler.run(main(1))).toBe(4);
    ran();
    expect(await scheduler.run(main(1), { dryRun: true })).toBe(4);
    define("2");
    await expect(scheduler.run(main(1), { dryRun: true })).rejects.toMatchObject(DRY);
    await expect(scheduler.run([main(1), main(2)], { dryRun: true })).rejects.toMatchObject(DRY);
    expect(ran()).toEqual([]);
  });

  test("SCH-021: goes on as far as the cache reaches", async () => {
    const scheduler = newScheduler();
    const step = define("1");
    const main = task("dry.reach", () => [
      after(step(1)),
      after(step(10)),
      seq([step(1), step(20), step(30)]),
    ]);
    await scheduler.run([main(), after(step(1))]);
    await scheduler.run(main(), { cache: false });
    const list = reasons(scheduler);
    define("2");
    await expect(scheduler.run(main(), { dryRun: true })).rejects.toMatchObject(DRY);
    expect(list.map((text) => text.split(" ")[0])).toEqual(["dry.step", "dry.step"]);
  });

  test("SCH-023, SCH-024: says why each job would run, compared with the nearest earlier call", async () => {
    const scheduler = newScheduler();
    const list = reasons(scheduler);
    const short = (hash: string) => hash.slice(0, 8);
    const old = define("1");
    await expect(scheduler.run(old(1), { dryRun: true })).rejects.toMatchObject(DRY);
    expect(list.splice(0)).toEqual([expect.stringMatching(/^dry\.step dry-run: new task .* new arguments/)]);
    await scheduler.run(old(1));
    await expect(scheduler.run(old(2), { dryRun: true })).rejects.toMatchObject(DRY);
    expect(list.splice(0)).toEqual([
      expect.stringMatching(
        /^dry\.step dry-run: existing task with new arguments: arguments \w{8} became \w{8}$/,
      ),
    ]);
    const changed = define("2");
    await expect(scheduler.run(changed(1), { dryRun: true })).rejects.toMatchObject(DRY);
    expect(list.splice(0)).toEqual([
      `dry.step dry-run: new task with previous arguments: task ${short(old.hash)} became ${short(changed.hash)}`,
    ]);
    scheduler.backend.nearestCall = () => Promise.reject(new Error("gone"));
    await expect(scheduler.run(changed(1), { dryRun: true })).rejects.toMatchObject(DRY);
    expect(list).toEqual(["dry.step dry-run: the reason cannot be determined"]);
  });

  test("SCH-022: takes no units of limits", async () => {
    const scheduler = newScheduler();
    const limited = task({ name: "dry.limited", limits: ["r"] }, (x: number) => x);
    const list = reasons(scheduler);
    await expect(scheduler.run([limited(1), limited(2), limited(3)], { dryRun: true })).rejects.toMatchObject(
      DRY,
    );
    expect(list).toHaveLength(3);
    expect(await scheduler.run([limited(1), limited(2)])).toEqual([1, 2]);
  });

  test("ends at control flow whose outcome is not known", async () => {
    const scheduler = newScheduler();
    const step = define("1");
    const message = task("dry.message", (error: Error) => error.message);
    const wait = schedulerTask("dry.wait", async (ops, expression: unknown) => ops.evaluate(expression));
    const expressions = [
      cond(step(1), 1, 2),
      catchError(step(1), Error, message),
      applyTags(step(1), { a: 1 }),
      wait(step(1)),
      wait([step(1), wait(step(2))]),
      step(1),
    ];
    for (const expression of expressions) {
      await expect(scheduler.run(expression, { dryRun: true })).rejects.toMatchObject(DRY);
      await expect(scheduler.run([expression, step(9)], { dryRun: true })).rejects.toMatchObject(DRY);
    }
    expect(ran()).toEqual([]);
  });

  test("lets scheduler tasks finish what is cached", async () => {
    const scheduler = newScheduler();
    const step = define("1");
    const slowly = schedulerTask("dry.slowly", async (ops, ...expressions: unknown[]) => {
      const values: unknown[] = [];
      for (const expression of expressions) values.push(await ops.evaluate(expression));
      return values;
    });
    await scheduler.run([step(1), step(2), step(3)]);
    ran();
    expect(await scheduler.run(slowly(step(1), step(2), step(3)), { dryRun: true })).toEqual([2, 3, 4]);
    const list = reasons(scheduler);
    const mixed = [step(7), slowly(step(1), step(2), step(8))];
    await expect(scheduler.run(mixed, { dryRun: true })).rejects.toMatchObject(DRY);
    expect(list).toHaveLength(2);
    expect(ran()).toEqual([]);
  });

  test("with scope CSE or without the cache finds nothing of earlier runs", async () => {
    const scheduler = newScheduler();
    await scheduler.run(same(1));
    await expect(scheduler.run(same(1), { dryRun: true, cache: false })).rejects.toMatchObject(DRY);
    expect(await scheduler.run(same(1), { dryRun: true })).toBe(1);
  });

  test("says of the execution that it was a dry run", async () => {
    const scheduler = newScheduler();
    const statuses: string[] = [];
    scheduler.on("execution-end", ({ status }) => statuses.push(status));
    await scheduler.run(same(1), { dryRun: true }).catch(() => {});
    await scheduler.run(same(1));
    await scheduler.run(same(1), { dryRun: true });
    expect(statuses).toEqual(["DRYRUN", "DONE", "DONE"]);
    expect(await jobsOf(scheduler.backend, "test.same")).toHaveLength(2);
  });
});
