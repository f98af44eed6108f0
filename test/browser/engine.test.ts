import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { commands } from "vitest/browser";
import hello from "../../examples/hello/workflow.ts?raw";
import recursion from "../../examples/recursion/workflow.ts?raw";
import type { Engine, EngineEvent, RunOutcome } from "../../src/browser/engine-api.ts";
import { decodeValue } from "../../src/index.ts";
import { callsOf } from "./calls.ts";
import {
  closeAll,
  jobsOf,
  open,
  type Rest,
  request,
  resultOf,
  runOn,
  source,
  storeOf,
  WORKFLOW,
} from "./engine-calls.ts";

describe("the engine in a tab", () => {
  const repo = `test-${crypto.randomUUID()}`;
  let engine: Engine;

  beforeAll(async () => {
    engine = await open(repo);
  });

  afterAll(closeAll);

  const run = (...rest: Rest): Promise<RunOutcome> => runOn(engine, ...rest);
  const jobs = (): Promise<Record<string, string[]>> => jobsOf(engine);

  test("keeps its repository in SQLite on OPFS, and says what it is", async () => {
    const info = await engine.info();
    expect(info).toMatchObject({ repo, store: "opfs", workers: 2, running: [] });
    expect(engine.isHere).toBe(true);
  });

  test("builds and runs a workflow, takes it from the cache, and reruns what an edit concerns", async () => {
    const built = await engine.build(source());
    expect(built.manifest.tasks.find(({ name }) => name === "main")).toMatchObject({
      doc: "Doubles two numbers and adds them.",
      parameters: [{ name: "a" }, { name: "b", default: "3" }],
    });
    expect(resultOf(await run("tab.main", [2]))).toBe(10);
    expect(Object.keys(await jobs())).toEqual(["DONE"]);
    expect(resultOf(await run("tab.main", [2]))).toBe(10);
    expect(Object.keys(await jobs())).toEqual(["CACHED"]);
    const edited = source(WORKFLOW, "export const scale = (n: number): number => n * 3;\n");
    expect(resultOf(await run("tab.main", [2], edited))).toBe(15);
    const { DONE = [], CACHED = [] } = await jobs();
    expect(DONE.map((call) => call.split("(")[0]).sort()).toEqual(["tab.add", "tab.double", "tab.double"]);
    expect(CACHED).toEqual(["tab.main(a=2)"]);
  });

  test("awaits expressions in an async function", async () => {
    expect(resultOf(await run("tab.later", [4]))).toBe(9);
  });

  test("records what the command line would have been told, and gives the store's records", async () => {
    await run("tab.main", [2, 5]);
    const [found] = await engine.query("find", { type: "Execution" });
    const [execution] = await engine.query("getExecutions", [found!.id]);
    expect(execution).toMatchObject({
      status: "DONE",
      args: ["redun", "run", "workflow.ts", "tab.main", "--a", "2", "--b", "5"],
    });
    expect((await engine.exportRecords()).length).toBeGreaterThan(5);
  });

  test.each([
    ["the workflow of these tests", "workflow.ts", source().files, "tab.main", [2]],
    ["the example hello", "workflow.ts", { "workflow.ts": hello }, "hello.main", []],
    ["the example recursion", "workflow.ts", { "workflow.ts": recursion }, "recursion.sort", [[3, 1, 2]]],
  ])("gives %s the same hashes as the command line", async (_title, entry, files, task, args) => {
    const outcome = await run(task, args, { entry, files: files as Record<string, string> });
    expect(outcome.status).toBe("DONE");
    const words = args.flatMap((arg) =>
      Array.isArray(arg) ? ["--xs", ...arg.map(String)] : ["--a", String(arg)],
    );
    const [{ id: execution } = { id: "" }] = await engine.query("find", { type: "Execution", limit: 1 });
    const here = await callsOf(storeOf(engine), execution);
    expect(here).toEqual(await commands.runWithCommand(files, [entry, task, ...words]));
    expect(here.length).toBeGreaterThan(2);
  });

  test("hands on what functions print, in workers and beside the scheduler, as their jobs' logs", async () => {
    const text = `import { task } from "redun";
export const plain = task("logs.plain", (n: number) => { console.log("plain", n); return n; });
export const later = task("logs.later", async (n: number) => {
  console.log("before");
  const m = await plain(n);
  console.warn("after %d", m);
  return m;
});
export const main = task("logs.main", () => [later(1), later(2)]);
`;
    const asked = await request(engine, "logs.main", [], { entry: "logs.ts", files: { "logs.ts": text } });
    await engine.start(asked);
    await engine.outcome(asked.executionId);
    const events = (await engine.eventsAfter(0)).filter(
      ({ executionId }) => executionId === asked.executionId,
    );
    const calls = new Map(
      events.flatMap((event) =>
        event.type === "job-start" ? [[event.job.id, event.job.call] as const] : [],
      ),
    );
    const lines = events.flatMap((event) =>
      event.type === "job-log" ? [`${calls.get(event.jobId)}: ${event.line}`] : [],
    );
    expect(lines.sort()).toEqual([
      "logs.later(n=1): after 1",
      "logs.later(n=1): before",
      "logs.later(n=2): after 2",
      "logs.later(n=2): before",
      "logs.plain(n=1): plain 1",
      "logs.plain(n=2): plain 2",
    ]);
  });

  test("says which worker ran a job, and when", async () => {
    const text = `import { task } from "redun";
export const busy = task("ran.busy", (n: number) => { const end = Date.now() + 40; while (Date.now() < end); return n; });
export const beside = task("ran.beside", async () => 1);
export const main = task("ran.main", () => [busy(1), busy(2), busy(3), busy(4), busy(5), busy(6), beside()]);
`;
    const asked = await request(engine, "ran.main", [], { entry: "ran.ts", files: { "ran.ts": text } });
    await engine.start(asked);
    await engine.outcome(asked.executionId);
    const events = (await engine.eventsAfter(0)).filter((event) => event.executionId === asked.executionId);
    const ends = events.flatMap((event) => (event.type === "job-end" ? [event] : []));
    const busy = ends.filter(({ job }) => job.task === "ran.busy");
    expect(new Set(busy.map(({ ran }) => ran?.worker))).toEqual(new Set([1, 2]));
    for (const worker of [1, 2]) {
      const runs = busy.flatMap(({ ran }) => (ran?.worker === worker ? [ran] : []));
      for (const [i, { started, ended }] of runs.sort((a, b) => a.started - b.started).entries()) {
        expect(ended - started).toBeGreaterThanOrEqual(39);
        expect(started).toBeGreaterThanOrEqual(runs[i - 1]?.ended ?? 0);
      }
    }
    expect(ends.find(({ job }) => job.task === "ran.beside")).not.toHaveProperty("ran");
    const atWork = events.flatMap((event) => (event.type === "at-work" ? Object.values(event.workers) : []));
    for (const worker of atWork) expect([1, 2]).toContain(worker);
  });

  test("keeps the last lines that jobs wrote", async () => {
    const text = `import { task } from "redun";
export const talk = task("kept.talk", (n: number) => { for (let i = 0; i < n; i++) console.log("line", i); return n; });
`;
    const run = async (n: number): Promise<string> => {
      const asked = await request(engine, "kept.talk", [n], { entry: "kept.ts", files: { "kept.ts": text } });
      await engine.start(asked);
      await engine.outcome(asked.executionId);
      return asked.executionId;
    };
    expect((await engine.log(await run(3))).map(({ line }) => line)).toEqual(["line 0", "line 1", "line 2"]);
    const long = await engine.log(await run(30_000));
    expect(long).toHaveLength(2000);
    expect(long.at(-1)).toEqual({ jobId: expect.any(String), line: "line 29999" });
    expect(await engine.log(crypto.randomUUID())).toEqual([]);
  });

  test("exports an execution to the command line, and imports it into another repository", async () => {
    const asked = await request(engine, "tab.main", [20, 1]);
    await engine.start(asked);
    await engine.outcome(asked.executionId);
    const records = await engine.exportRecords([asked.executionId]);
    const log = await commands.logWithCommand(records);
    expect(log).toContain("[ DONE ]");
    expect(log).toContain("run workflow.ts tab.main --a 20 --b 1");
    expect(log).toContain("tab.double(20)");
    expect(await engine.getPackage(asked.package)).toMatchObject({ hash: asked.package });
    const other = await open(`test-${crypto.randomUUID()}`);
    expect(await other.importRecords(records)).toBe(records.length);
    expect(await other.importRecords(records)).toBe(0);
    expect((await other.query("getExecutions", [asked.executionId]))[0]).toMatchObject({ status: "DONE" });
    const ids = await engine.reachable([asked.executionId]);
    expect(ids).toHaveLength(records.length);
    expect(await other.query("missing", ids)).toEqual([]);
    expect(await other.query("exportRecords", ids)).toHaveLength(records.length);
    await other.close();
  });

  test("takes the history of a store of Python's redun, and refuses what is none", async () => {
    const store = Uint8Array.from(atob(await commands.pythonStore()), (char) => char.charCodeAt(0));
    expect(await engine.importDatabase(new Blob([store]))).toBeGreaterThan(30);
    const jobs = await engine.query("find", { type: "Job", taskNames: ["py.double"] });
    expect(jobs).toHaveLength(6);
    const [job] = await engine.query("getJobs", [jobs[0]!.id]);
    const [call] = await engine.query("getCallNodes", [job!.callHash!]);
    const [value] = await engine.query("getValues", [call!.valueHash]);
    expect([value!.type, decodeValue(value!.text)]).toEqual(["builtins.int", expect.any(Number)]);
    await expect(
      engine.importDatabase(new Blob(["no database, but long enough to be one ".repeat(100)])),
    ).rejects.toThrow("it is not a SQLite database");
  });

  test("tells of an error with its traceback", async () => {
    const outcome = await run("tab.fail", ["too far"]);
    expect(outcome).toMatchObject({
      status: "FAILED",
      error: { name: "RangeError", message: "too far" },
      traceback: {
        frames: [{ task: "tab.fail", locals: { text: "'too far'" } }],
        stack: [expect.stringMatching(/workflow\.ts:10:9/)],
      },
    });
  });

  test("cancels a function that never ends, and goes on", async () => {
    const asked = await request(engine, "tab.spin", []);
    await engine.start(asked);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await engine.cancel(asked.executionId);
    expect(await engine.outcome(asked.executionId)).toMatchObject({ status: "CANCELLED" });
    expect(resultOf(await run("tab.main", [1]))).toBe(8);
  });

  test("refuses what doesn't build, with the place", async () => {
    await expect(engine.build(source("export const x = ;"))).rejects.toMatchObject({
      code: "package",
      fields: { line: 1, column: 18 },
    });
    await expect(
      engine.start({ executionId: crypto.randomUUID(), package: "0".repeat(40), task: "x", args: [] }),
    ).rejects.toMatchObject({ code: "package" });
  });

  test("asked twice for one execution, runs once", async () => {
    const asked = await request(engine, "tab.main", [7]);
    await Promise.all([engine.start(asked), engine.start(asked)]);
    await engine.outcome(asked.executionId);
    const starts = (await engine.eventsAfter(0)).filter(({ type }) => type === "execution-start");
    expect(starts.filter(({ executionId }) => executionId === asked.executionId)).toHaveLength(1);
  });

  test("sends events in order, without gaps", async () => {
    const seen: EngineEvent[] = [];
    const before = (await engine.eventsAfter(0)).length;
    engine.onEvents((events) => void seen.push(...events));
    await run("tab.main", [2]);
    await expect.poll(() => seen.at(-1)?.type).toBe("execution-end");
    expect(seen.map(({ seq }) => seq)).toEqual(seen.map((_, i) => before + i + 1));
    expect(seen[0]!.type).toBe("execution-start");
  });

  test("reads and writes files in all of its workers, and runs a task again whose file is gone", async () => {
    await engine.addFile("data/in.txt", new Blob(["one\ntwo\n"]));
    const text = `import { File, task } from "redun";
export const count = task("tab.count", (file: File) => file.text().then((text) => text.split("\\n").length - 1));
export const write = task({ name: "tab.write", executor: "worker" }, async (n: number) => {
  const file = new File("data/out.txt");
  await file.write(String(n));
  return file;
});
export const files = task("tab.files", () => write(count(new File("opfs://data/in.txt"))));
`;
    const workflow = { entry: "files.ts", files: { "files.ts": text } };
    expect((await run("tab.files", [], workflow)).status).toBe("DONE");
    expect(await (await engine.readFile("data/out.txt")).text()).toBe("2");
    await run("tab.files", [], workflow);
    expect(Object.keys(await jobs())).toEqual(["CACHED"]);
    await engine.removeFile("data/out.txt");
    expect((await run("tab.files", [], workflow)).status).toBe("DONE");
    expect((await jobs()).DONE).toEqual(["tab.write(n=2)"]);
    await engine.addFile("data/in.txt", new Blob(["one\n"]));
    await run("tab.files", [], workflow);
    expect(await (await engine.readFile("data/out.txt")).text()).toBe("1");
  });

  test("runs shell scripts on its files, and names a program that a tab lacks", async () => {
    await engine.addFile("words/in.txt", new Blob(["b\na\nb\n"]));
    const text = `import { File, script, task } from "redun";
const inputs = [new File("words/in.txt").stage("in.txt")];
export const unique = task("tab.unique", () =>
  script("sort in.txt | uniq | tr a-z A-Z > out.txt", {
    inputs,
    outputs: new File("words/out.txt").stage("out.txt"),
    tempdir: true,
  }),
);
export const compile = task("tab.compile", () => script("gcc in.txt", { inputs, tempdir: true }));
`;
    const workflow = { entry: "words.ts", files: { "words.ts": text } };
    expect((await run("tab.unique", [], workflow)).status).toBe("DONE");
    expect(await (await engine.readFile("words/out.txt")).text()).toBe("A\nB\n");
    expect(await run("tab.compile", [], workflow)).toMatchObject({
      status: "FAILED",
      error: { code: "script", message: expect.stringContaining("gcc: command not found") },
    });
  });

  test("keeps files", async () => {
    const path = await engine.addFile("kept/a.txt", new Blob(["hello"]));
    expect(path).toBe("opfs://kept/a.txt");
    expect(await (await engine.readFile(path, 1, 3)).text()).toBe("el");
    expect(await engine.listFiles("opfs://kept")).toEqual([{ path, size: 5, isFolder: false }]);
    await engine.removeFile(path);
    await expect(engine.readFile(path)).rejects.toMatchObject({ code: "file-not-found" });
  });
});
