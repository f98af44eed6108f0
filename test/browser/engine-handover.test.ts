import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Engine, WorkflowSource } from "../../src/browser/engine-api.ts";
import { closeAll, jobsOf, open, request, resultOf, runOn, urls } from "./engine-calls.ts";

describe("engines of one repository", () => {
  let repo: string;
  let engine: Engine;

  beforeEach(async () => {
    repo = `test-${crypto.randomUUID()}`;
    engine = await open(repo);
  });

  afterEach(closeAll);

  test("serves a second page, which takes over when the first lets go", async () => {
    const second = await open(repo);
    expect(second.isHere).toBe(false);
    const asked = await request(second, "tab.main", [2]);
    await second.start(asked);
    expect(resultOf((await second.outcome(asked.executionId))!)).toBe(10);
    const failing = await request(second, "tab.fail", ["no"]);
    await second.start(failing);
    await second.outcome(failing.executionId);
    const moved = new Promise<void>((resolve) => second.onMoved(resolve));
    await engine.close();
    await moved;
    expect(second.isHere).toBe(true);
    expect(await second.query("count", { type: "Execution" })).toBe(2);
    expect(resultOf((await second.outcome(asked.executionId))!)).toBe(10);
    expect(await second.outcome(failing.executionId)).toMatchObject({
      status: "FAILED",
      error: { name: "RangeError", message: "no" },
      traceback: { error: "RangeError: no" },
    });
    expect(await second.outcome(crypto.randomUUID())).toBeUndefined();
    engine = second;
    expect(resultOf(await runOn(engine, "tab.main", [2]))).toBe(10);
    expect(Object.keys(await jobsOf(engine))).toEqual(["CACHED"]);
  });

  const single = (text: string): WorkflowSource => ({
    entry: "main.ts",
    files: { "main.ts": `import { task } from "redun";\n${text}` },
  });
  const SLOW = `const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
export const slow = task("tab.slow", async (n: number) => { await wait(1500); return n; });`;

  test("hands what is at work to the next page when it is closed", async () => {
    const second = await open(repo);
    const asked = await request(engine, "tab.slow", [1], single(SLOW));
    await engine.start(asked);
    const outcome = second.outcome(asked.executionId);
    const hasStarted = async (): Promise<boolean> =>
      (await engine.eventsAfter(0)).some(({ type }) => type === "job-start");
    await expect.poll(hasStarted, { timeout: 5000 }).toBe(true);
    await engine.close();
    expect(resultOf((await outcome)!)).toBe(1);
    expect(await second.query("count", { type: "Execution" })).toBe(2);
    await second.close();
    const third = await open(repo);
    expect(resultOf((await third.outcome(asked.executionId))!)).toBe(1);
    expect((await third.info()).running).toEqual([]);
  });

  test("is begun again when the code of a workflow ends it, and gives that execution up in the end", async () => {
    const deadly = single(
      `export const die = task("tab.die", async () => { self.close(); await new Promise(() => {}); });`,
    );
    const asked = await request(engine, "tab.die", [], deadly);
    const behind = await request(engine, "tab.main", [5]);
    let moves = 0;
    engine.onMoved(() => void moves++);
    await Promise.all([engine.start(asked), engine.start(behind)]);
    await expect.poll(() => moves, { timeout: 40_000 }).toBe(3);
    expect(resultOf((await engine.outcome(behind.executionId))!)).toBe(16);
    expect((await engine.info()).running).toEqual([]);
    expect(resultOf(await runOn(engine, "tab.main", [1]))).toBe(8);
  });

  test("is replaced when it does not answer, and goes on with the others", async () => {
    await engine.close();
    engine = await open(repo, { patience: 1200 });
    const endless = single(`export const spin = task("tab.endless", async () => { for (;;); });`);
    const asked = await request(engine, "tab.endless", [], endless);
    let moves = 0;
    engine.onMoved(() => void moves++);
    await engine.start(asked);
    await expect.poll(() => moves, { timeout: 30_000 }).toBe(3);
    expect(resultOf(await runOn(engine, "tab.main", [1]))).toBe(8);
  });

  test("keeps events small, and gives a large result to those who ask", async () => {
    const large = single(
      `export const large = task("tab.large", (n: number) => { console.log("y".repeat(n)); return "x".repeat(n); });`,
    );
    const asked = await request(engine, "tab.large", [1_000_000], large);
    await engine.start(asked);
    expect(resultOf((await engine.outcome(asked.executionId))!)).toHaveLength(1_000_000);
    const events = await engine.eventsAfter(0);
    expect(events.at(-1)).toMatchObject({ type: "execution-end", status: "DONE" });
    for (const event of events) expect(JSON.stringify(event).length).toBeLessThan(5000);
    await runOn(engine, "tab.main", [1]);
    expect((await engine.eventsAfter(0)).at(-1)).toMatchObject({ outcome: { status: "DONE", value: "8" } });
  });

  test("goes on after a module that throws what is no error", async () => {
    const odd = single(`export const odd = task("tab.odd", () => 1);\nthrow Object.create(null);`);
    expect(await runOn(engine, "tab.odd", [], odd)).toMatchObject({ status: "FAILED" });
    expect(resultOf(await runOn(engine, "tab.main", [1]))).toBe(8);
  });

  test("never begins what was cancelled while it waited, and tells so later", async () => {
    const first = await request(engine, "tab.slow", [1], single(SLOW));
    const waiting = await request(engine, "tab.slow", [2], single(SLOW));
    const cancelled = await request(engine, "tab.slow", [3], single(SLOW));
    await engine.start(first);
    await engine.start(waiting);
    await engine.cancel(waiting.executionId);
    await engine.outcome(first.executionId);
    expect(await engine.outcome(waiting.executionId)).toMatchObject({ status: "CANCELLED" });
    await engine.start(cancelled);
    await new Promise((resolve) => setTimeout(resolve, 500));
    await engine.cancel(cancelled.executionId);
    await engine.outcome(cancelled.executionId);
    await engine.close();
    engine = await open(repo);
    expect((await engine.info()).running).toEqual([]);
    expect(await engine.outcome(cancelled.executionId)).toMatchObject({ status: "CANCELLED" });
    expect(await engine.query("find", { type: "Execution", ids: [waiting.executionId] })).toEqual([]);
  });

  test("goes on with an execution whose tab was closed, from the cache", async () => {
    await engine.close();
    const frame = document.createElement("iframe");
    const options = encodeURIComponent(JSON.stringify({ repo, urls }));
    frame.src = `/test/browser/engine-frame.html#${options}`;
    document.body.append(frame);
    const there = await expect
      .poll(() => (frame.contentWindow as { engine?: Promise<Engine> } | null)?.engine, { timeout: 20_000 })
      .toBeDefined()
      .then(() => (frame.contentWindow as unknown as { engine: Promise<Engine> }).engine);
    engine = await open(repo);
    expect([there.isHere, engine.isHere]).toEqual([true, false]);

    const workflow = `import { task } from "redun";
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const quick = task("tab.quick", async (n: number) => n);
const slow = task("tab.slow", async (n: number) => { await wait(3000); return n; });
const sum = task("tab.sum", (a: number, b: number) => a + b);
export const main = task("tab.resumed", () => sum(quick(1), sum(slow(2), quick(3))));
`;
    const asked = await request(engine, "tab.resumed", [], {
      entry: "main.ts",
      files: { "main.ts": workflow },
    });
    await engine.start(asked);
    const done = engine.outcome(asked.executionId);
    await expect
      .poll(async () => (await engine.eventsAfter(0)).filter(({ type }) => type === "job-end").length, {
        timeout: 20_000,
      })
      .toBe(2);
    // What has ended is stored soon.
    await expect.poll(() => engine.query("count", { type: "CallNode" }), { timeout: 20_000 }).toBe(2);
    frame.remove();
    expect(resultOf((await done)!)).toBe(6);
    expect(engine.isHere).toBe(true);
    const { DONE = [], CACHED = [] } = await jobsOf(engine);
    expect(CACHED.sort()).toContain("tab.quick(n=1)");
    expect(DONE).toContain("tab.slow(n=2)");
    expect(await engine.query("count", { type: "Execution" })).toBe(2);
    expect(await engine.query("getTags", [asked.executionId])).toMatchObject([
      { key: "redun.status", value: "interrupted" },
    ]);
  });
});
