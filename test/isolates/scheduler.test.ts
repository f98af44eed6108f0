import flow from "package:flow";
import lowered from "package:flow-lowered";
import { expect, test } from "vitest";
import { MemoryBackend } from "../../src/backends/memory-backend.ts";
import { MemoryFileSystem } from "../../src/file-systems/memory.ts";
import { serveFileSystem } from "../../src/file-systems/rpc.ts";
import { errorTraceback, formatTraceback } from "../../src/index.ts";
import { executorOf } from "./executors.ts";
import { schedulerOf } from "./setup.ts";

const executor = executorOf([flow]);

test("runs a workflow whose code is in an isolate", async () => {
  const { run } = await schedulerOf(flow, executor);
  expect(await run("flow.main")).toEqual([
    21,
    [10, "label"],
    [4, 5],
    [
      [1, 2],
      [2, 3],
    ],
    16,
    2,
  ]);
});

test("runs a package that was built for a tab", async () => {
  const { run } = await schedulerOf(lowered, executorOf([lowered]));
  expect(((await run("flow.main")) as unknown[])[4]).toBe(16);
  expect(await run("flow.catches")).toBe("RangeError: no luck");
});

test("takes from the cache what another isolate has run", async () => {
  const backend = new MemoryBackend();
  await (await schedulerOf(flow, executor, backend)).run("flow.main");
  const { scheduler, run } = await schedulerOf(flow, executorOf([flow]), backend);
  const started: string[] = [];
  scheduler.on("job-start", ({ job }) => void started.push(job.task));
  await run("flow.main");
  expect(started).toEqual([]);
});

test("describes tasks with the hashes of their manifest, also those that are named at run time", async () => {
  const guarded = await executorOf([flow], { guard: true }).describe(flow.hash);
  const plain = await executorOf([flow], { guard: false }).describe(flow.hash);
  expect(guarded).toEqual(plain);
  const dynamic = plain.tasks.find(({ fullname }) => fullname === "flow.first")!;
  expect(dynamic.source).toContain("for (const item of items) sum += item;");
  const fixed = plain.tasks.find(({ fullname }) => fullname === "flow.add")!;
  expect(fixed.location).toEqual({ file: "flow.ts", line: 6 });
  expect(fixed.hashParts[3]).toBe(
    flow.manifest.tasks.find(({ fullname }) => fullname === "flow.add")!.canonical,
  );
});

test("runs tasks that are named at run time", async () => {
  const { run } = await schedulerOf(flow, executor);
  expect(await run("flow.second", [[60, 70]])).toEqual([90, 100]);
});

test("runs more jobs that wait for others than run at a time", async () => {
  const { run } = await schedulerOf(flow, executor);
  expect(await run("flow.deep", [2100])).toBe(2100);
});

test("runs scripts, of tasks and of the workflow", async () => {
  const { run } = await schedulerOf(flow, executor);
  const text = (bytes: unknown) => new TextDecoder().decode(bytes as Uint8Array);
  expect(((await run("flow.scripts")) as unknown[]).map(text)).toEqual(["Hello, World!\n", "2\n"]);
});

test("fails with the error of the code, and the places of its source", async () => {
  const { run } = await schedulerOf(flow, executor);
  const error = (await run("flow.fails").catch((thrown: unknown) => thrown)) as Error;
  expect(error).toBeInstanceOf(RangeError);
  expect(error.message).toBe("no luck");
  const traceback = formatTraceback(errorTraceback(error)!);
  expect(traceback).toMatch(/file:\/\/\/flow\.ts:\d+:\d+/);
  const line = Number(/flow\.ts:(\d+)/.exec(error.stack!)![1]);
  const source = JSON.parse(flow.map!).sourcesContent[0] as string;
  expect(source.split("\n")[line - 1]).toContain("throw new RangeError");
  expect(traceback).not.toContain("redun:///");
});

test("lets code catch what an expression that it awaits fails with", async () => {
  const { run } = await schedulerOf(flow, executor);
  expect(await run("flow.catches")).toBe("RangeError: no luck");
});

test("keeps each job's own output, though they run at the same time", async () => {
  const { scheduler, run } = await schedulerOf(flow, executor);
  const lines = new Map<string, string[]>();
  scheduler.on("job-log", ({ job, line }) => {
    lines.set(job.id, [...(lines.get(job.id) ?? []), line]);
  });
  await run("flow.talks");
  expect([...lines.values()].sort()).toEqual([
    ["Ann begins", "Ann ends with 2"],
    ["Bob begins", "Bob ends with 2"],
  ]);
});

test("says what import.meta says of the source", async () => {
  const { run } = await schedulerOf(flow, executor);
  expect(await run("flow.where")).toBe("file:///flow.ts");
});

test("reads and writes the owner's files", async () => {
  const files = new MemoryFileSystem();
  const withFiles = executorOf([flow], { files: serveFileSystem(files, ["r2", "file"]) });
  const { run } = await schedulerOf(flow, withFiles);
  const text = async (path: string) => new TextDecoder().decode(await files.read(path));
  const [copy, content] = (await run("flow.files", ["r2://bucket/a"])) as [{ path: string }, string];
  expect([copy.path, content]).toEqual(["r2://bucket/a.copy", "content"]);
  expect(await text("r2://bucket/a.copy")).toBe("content");
  await run("flow.files", ["plain/b"]);
  expect(await text("plain/b.copy")).toBe("content");
});

test("refuses files where there is no place for them", async () => {
  const { run } = await schedulerOf(flow, executor);
  await expect(run("flow.files", ["plain/b"])).rejects.toMatchObject({ code: "executor" });
  expect(await run("flow.files", ["memory://b"])).toMatchObject([{ path: "memory://b.copy" }, "content"]);
});

test("runs ten thousand small jobs", async () => {
  const { run } = await schedulerOf(flow, executor);
  const values = (await run("flow.many", [10_000])) as number[];
  expect(values).toEqual(Array.from({ length: 10_000 }, (_, i) => i + 1));
});
