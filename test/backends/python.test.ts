import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { MemoryBackend } from "../../src/backends/memory-backend.ts";
import { readPickle } from "../../src/backends/python-pickle.ts";
import { pythonRecords } from "../../src/backends/python-records.ts";
import type { SqlDriver } from "../../src/backends/sql-driver.ts";
import { openSqlite } from "../../src/backends/sqlite-driver.ts";
import { decodeValue } from "../../src/index.ts";
import { pythonError } from "../../src/scheduler/python-error.ts";
import { ErrorValue } from "../../src/scheduler/traceback.ts";
import { Workspace } from "../cli/harness.ts";
import { tempFolder } from "./files.ts";

/** A store that redun 0.44.1 for Python made: two executions of main, the second cached, and one that failed. */
async function pythonStore(path = ":memory:"): Promise<SqlDriver> {
  const db = await openSqlite(path);
  db.exec(readFileSync(join(import.meta.dirname, "fixtures/python-redun.sql"), "utf8"));
  return db;
}

const bytes = (latin1: string): Uint8Array => Uint8Array.from(latin1, (char) => char.charCodeAt(0));

async function imported(): Promise<MemoryBackend> {
  const backend = new MemoryBackend();
  await backend.load();
  for (const records of pythonRecords(await pythonStore(), pythonError)) await backend.importRecords(records);
  return backend;
}

test("the history of a Python store is read with its executions, jobs, calls, values and tags", async () => {
  const backend = await imported();
  const executions = await backend.getExecutions(
    (await backend.find({ type: "Execution" })).map(({ id }) => id),
  );
  expect(executions.map((row) => [row!.args.slice(1, 4), row!.status])).toEqual([
    [["run", "wf.py", "main"], "DONE"],
    [["run", "wf.py", "fail"], "FAILED"],
    [["run", "wf.py", "main"], "DONE"],
  ]);
  const jobs = await backend.getJobs((await backend.find({ type: "Job" })).map(({ id }) => id));
  expect(jobs.filter((job) => job!.taskName === "py.double")).toHaveLength(6);
  expect(jobs.filter((job) => job!.cached)).toHaveLength(6);
  const [call] = await backend.getCallNodes(
    jobs.filter((job) => job!.taskName === "py.total").map((job) => job!.callHash!),
  );
  expect(call!.args.map(({ position, key }) => position ?? key)).toEqual([0, "scale"]);
  const [result, list] = await backend.getValues([call!.valueHash, call!.args[0]!.valueHash]);
  expect(decodeValue(result!.text)).toEqual({ sum: 6, scale: 1.5, names: ["a", "b"], none: null });
  expect([result!.type, decodeValue(list!.text)]).toEqual(["builtins.dict", [0, 2, 4]]);
  expect(call!.args[0]!.upstream).toHaveLength(3);
  const tags = await backend.getTags([executions[2]!.id]);
  expect(tags.map(({ key, value }) => [key, value])).toContainEqual(["env", "test"]);
  const files = await backend.find({ type: "Value", filePaths: ["out.txt"] });
  expect(files).toHaveLength(1);
});

test("an error of Python's is shown as one", async () => {
  const backend = await imported();
  const [job] = await backend.getJobs(
    (await backend.find({ type: "Job", jobStatus: ["FAILED"] })).map(({ id }) => id),
  );
  const [call] = await backend.getCallNodes([job!.callHash!]);
  const [value] = await backend.getValues([call!.valueHash]);
  const error = decodeValue(value!.text) as ErrorValue;
  expect(error).toBeInstanceOf(ErrorValue);
  expect(error.traceback.error).toBe("ValueError: too odd");
});

test("pickles are read as data", () => {
  expect(readPickle(bytes("\x80\x03K\x02."))).toBe(2);
  expect(readPickle(bytes("\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00\x8c\x02hi\x94."))).toBe("hi");
  expect(readPickle(bytes("\x80\x03\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x80\x00."))).toBe(2n ** 63n);
  expect(readPickle(bytes("\x80\x03J\xff\xff\xff\xff."))).toBe(-1);
  expect(readPickle(bytes("\x80\x03](K\x01\x88N\x86e."))).toEqual([1, [true, null]]);
});

test("a pickle that would run something gives what it would run, as data", () => {
  const system = "cos\nsystem\nX\x09\x00\x00\x00rm -rf ~/\x85R.";
  expect(readPickle(bytes(system))).toEqual({ python: "os.system", args: ["rm -rf ~/"] });
});

test.each([
  ["cut short", "\x80\x03X\x09\x00\x00\x00abc"],
  ["of an unknown instruction", "\x80\x03\xff."],
  ["without a mark", "\x80\x03t."],
  ["that appends to what is no list", "K\x01K\x02a."],
  ["that recalls what it never put by", "h\x05."],
  ["without an end", "K\x01"],
])("a pickle %s is refused", (_what, text) => {
  expect(() => readPickle(bytes(text))).toThrow("Cannot read a pickle");
});

test("another database is refused", async () => {
  const db = await openSqlite(":memory:");
  expect(() => [...pythonRecords(db, pythonError)]).toThrow("not a store of Python's redun");
});

test("redun import takes a Python store, and leaves it as it is", async () => {
  const path = join(tempFolder(), "redun.db");
  (await pythonStore(path)).close();
  const before = readFileSync(path);
  const space = new Workspace({});
  await space.ok("init");
  await space.ok(["import", "-f", path]);
  const log = await space.ok("log");
  expect(log).toContain("[FAILED]");
  expect(log).toContain("run wf.py main --n 3 -t env=test");
  expect(await space.ok("log --job --task-name total")).toContain("py.total([ 0, 2, 4 ], scale=1.5)");
  expect(readFileSync(path).equals(before)).toBe(true);
});
