import { describe, expect, onTestFinished, test } from "vitest";
import { EngineState, type StoredPackage, type StoredRun } from "../../src/browser/engine-state.ts";

function open(): EngineState {
  const state = new EngineState(`test-${crypto.randomUUID()}`);
  onTestFinished(() => state.close());
  return state;
}

const pkg = (hash: string): StoredPackage =>
  ({ hash, code: "", manifest: { tasks: [] } }) as unknown as StoredPackage;

const run = (id: string, hash: string): StoredRun => ({
  id,
  current: id,
  interrupted: [],
  tries: 0,
  request: { executionId: id, package: hash, task: "t", args: [] },
  args: [],
  time: 1,
});

describe("what an engine remembers", () => {
  test("of packages: the latest fifty, those asked for again, and those that an execution waits for", async () => {
    const state = open();
    for (const hash of ["old", "wanted", "again"]) await state.addPackage(pkg(hash));
    await state.addRun(run("run", "wanted"));
    await new Promise((resolve) => setTimeout(resolve, 2));
    for (let i = 0; i < 49; i++) await state.addPackage(pkg(`new ${i}`));
    await state.keepPackage("again");
    await new Promise((resolve) => setTimeout(resolve, 2));
    await state.addPackage(pkg("last"));
    const isKept = async (hash: string): Promise<boolean> => (await state.package(hash)) !== undefined;
    expect(await isKept("old")).toBe(false);
    expect(await isKept("wanted")).toBe(true);
    expect(await isKept("again")).toBe(true);
    expect(await isKept("last")).toBe(true);
    await state.removeRun("run");
    await state.addPackage(pkg("another"));
    expect(await isKept("wanted")).toBe(false);
  });

  test("of logs: those of the latest hundred executions", async () => {
    const state = open();
    for (let i = 0; i < 102; i++) {
      await state.keepLog(`run ${i}`, [{ jobId: "job", line: `line ${i}` }]);
      if (i === 1) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(await state.log("run 0")).toEqual([]);
    expect(await state.log("run 101")).toEqual([{ jobId: "job", line: "line 101" }]);
    await state.keepLog("run 101", []);
    expect(await state.log("run 101")).toEqual([]);
  });
});
