import { afterEach, beforeEach, expect, test } from "vitest";
import type { SqlDriver } from "../../src/backends/sql-driver.ts";
import { openSqlite } from "../../src/backends/sqlite-driver.ts";
import { packageHash } from "../../src/package/manifest.ts";
import type { StoredPackage } from "../../src/package/types.ts";
import type { ExecutionEvent, HostedRun } from "../../src/server/execution-types.ts";
import { HostState } from "../../src/server/host-state.ts";

let db: SqlDriver;
let state: HostState;

beforeEach(async () => {
  db = await openSqlite(":memory:");
  state = new HostState(db);
});
afterEach(() => db.close());

function packageOf(code: string, map?: string): StoredPackage {
  const manifest = { format: 1, entry: "a.ts", tasks: [] } as unknown as StoredPackage["manifest"];
  return { hash: packageHash(code, manifest), code, manifest, ...(map === undefined ? {} : { map }) };
}

function runOf(id: string, more: Partial<HostedRun> = {}): HostedRun {
  return {
    id,
    created: 1,
    status: "QUEUED",
    package: "0".repeat(40),
    task: "a.b",
    args: "[]",
    options: {},
    tags: [],
    context: undefined,
    commandLine: [],
    user: "somebody",
    current: id,
    interrupted: [],
    tries: 0,
    ...more,
  };
}

test("a large package comes back as it was, wherever its text is cut", () => {
  for (const before of ["", "x"]) {
    const pkg = packageOf(before + "\u{1f600}".repeat(700_000));
    state.addPackage(pkg);
    expect(state.package(pkg.hash)?.code === pkg.code).toBe(true);
  }
});

test("a package that is sent again stays as it was, also if it has another source map", () => {
  const pkg = packageOf("code", "m".repeat(1_500_000));
  state.addPackage(pkg);
  state.addPackage(packageOf("code"));
  state.addPackage(packageOf("code", "forged"));
  expect(state.package(pkg.hash)).toEqual(pkg);
});

test("a run is added once for its id", () => {
  expect(state.addRun(runOf("one"), undefined)).toBe("one");
  expect(state.addRun(runOf("one", { user: "other" }), undefined)).toBeUndefined();
  expect(state.run("one")?.user).toBe("somebody");
  expect(state.addRun(runOf("two"), "key")).toBe("two");
  expect(state.addRun(runOf("three"), "key")).toBe("two");
});

test("of events there are kept only so many, those of executions at work in any case", () => {
  const event = (seq: number): ExecutionEvent =>
    ({ seq, time: 1, type: "job-log", jobId: "x", line: "x".repeat(900) }) as ExecutionEvent;
  const events = Array.from({ length: 100 }, (_, i) => event(i + 1));
  const small = new HostState(db, { eventsKept: 250_000 });
  for (const [i, id] of ["a", "b", "c", "d"].entries()) {
    small.putRun(runOf(id, { status: id === "a" ? "RUNNING" : "DONE", created: i }));
    small.addEvents(id, events);
  }
  small.pruneEvents();
  expect(["a", "b", "c", "d"].map((id) => small.lastEvent(id))).toEqual([100, 0, 0, 100]);
});

test("an event that no row can hold leaves its place to a word of it", () => {
  state.putRun(runOf("run"));
  const job = { id: "1", parentId: null, task: "x".repeat(2_000_000), call: "" };
  const log = (seq: number): ExecutionEvent => ({ seq, time: 1, type: "job-log", jobId: "1", line: "a" });
  state.addEvents("run", [log(1), { seq: 2, time: 1, type: "job-cached", job }, log(3)]);
  expect(state.events("run", 0)).toEqual([
    log(1),
    {
      ...{ seq: 2, time: 1, type: "warning", code: "long-event" },
      message: "An event of the type job-cached was too long to be kept.",
    },
    log(3),
  ]);
});
