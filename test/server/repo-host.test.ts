import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { SqlDriver } from "../../src/backends/sql-driver.ts";
import { SqliteBackend } from "../../src/backends/sqlite-backend.ts";
import { openSqlite } from "../../src/backends/sqlite-driver.ts";
import { syncRecords } from "../../src/backends/sync.ts";
import { HostedProcessExecutor } from "../../src/executors/hosted-process-executor.ts";
import { localPackages } from "../../src/package/local-packages.ts";
import { buildPackage, type CodePackage } from "../../src/package.ts";
import type { ExecutionEvent, HostedRun } from "../../src/server/execution-types.ts";
import { HostState } from "../../src/server/host-state.ts";
import { RepoHost, type RepoHostParts } from "../../src/server/repo-host.ts";
import type { RunOrder } from "../../src/server/run-order.ts";
import { executionDetail } from "../../src/server/views.ts";

let basics: CodePackage;
let folder: string;
let db: SqlDriver;
let host: RepoHost;

beforeAll(async () => {
  basics = await buildPackage(join(import.meta.dirname, "workflows/basics.ts"), { npm: "inline" });
});
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "redun-host-"));
  db = await openSqlite(join(folder, "host.db"));
});
afterEach(async () => {
  await host.close();
  db.close();
  rmSync(folder, { recursive: true });
});

async function openHost(
  limits: Pick<RepoHostParts, "maxRunning" | "maxQueued" | "onFault">,
  prepare?: (state: HostState) => void,
): Promise<RepoHost> {
  const state = new HostState(db);
  const source = async (hash: string) => state.package(hash);
  const executor = new HostedProcessExecutor({ packagePath: localPackages({ source, dir: folder }) });
  host = new RepoHost({ backend: new SqliteBackend(join(folder, "redun.db")), state, executor, ...limits });
  host.addPackage(basics);
  prepare?.(state);
  await host.open();
  return host;
}

function order(task: string, args: unknown[], more: Partial<RunOrder> = {}): RunOrder {
  return {
    package: basics.hash,
    task: `basics.${task}`,
    args: JSON.stringify(args),
    options: {},
    tags: [],
    context: undefined,
    user: "somebody",
    ...more,
  };
}

async function ended(id: string): Promise<HostedRun> {
  for await (const _events of host.follow(id, 0, new AbortController().signal));
  return host.state.run(id)!;
}

const within = <T>(ms: number, work: Promise<T>): Promise<T> =>
  Promise.race([
    work,
    new Promise<never>((_, reject) => setTimeout(() => reject(new Error(`It takes more than ${ms} ms`)), ms)),
  ]);

/** A package whose code loads without end. */
async function hangingPackage(): Promise<CodePackage> {
  const path = join(folder, "hanging.ts");
  const code = `import { task } from "redun";
export const redunNamespace = "hanging";
export const never = task("hanging.never", () => 1);
await new Promise((resolve) => setTimeout(resolve, 60_000));`;
  writeFileSync(path, code);
  return buildPackage(path, { npm: "inline" });
}

test("two orders with one id at the same time begin one execution", async () => {
  await openHost({ maxRunning: 4 });
  const id = "01234567-89ab-7000-8000-0123456789ab";
  const outcomes = await Promise.allSettled([
    host.start(order("add", [1, 2], { id })),
    host.start(order("add", [3, 4], { id })),
  ]);
  expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  expect(outcomes.find(({ status }) => status === "rejected")).toMatchObject({
    reason: { status: 409, code: "execution-exists" },
  });
  expect(await ended(id)).toMatchObject({ status: "DONE" });
});

test("an execution that goes on after a restart can be cancelled while it waits for its turn", async () => {
  const run = (id: string, args: string): HostedRun => ({
    ...(order("slow", []) as Omit<HostedRun, "id">),
    id,
    args,
    created: 1,
    status: "RUNNING",
    commandLine: [],
    current: id,
    interrupted: [],
    tries: 0,
  });
  await openHost({ maxRunning: 1 }, (state) => {
    state.putRun(run("11111111-89ab-7000-8000-000000000001", '[1,600,"first"]'));
    state.putRun(run("11111111-89ab-7000-8000-000000000002", '[1,1,"second"]'));
  });
  const [first, second] = host.state.unfinished();
  expect(host.cancel(second!)).toBe(true);
  expect(await within(500, ended(second!))).toMatchObject({ status: "CANCELLED" });
  expect(await ended(first!)).toMatchObject({ status: "DONE" });
  expect(host.isBusy).toBe(false);
});

test("executions that wait take little memory, however long their arguments are, also after a restart", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const used = (): number => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  await openHost({ maxRunning: 1 });
  await host.start(order("slow", [1, 20_000, "first"]));
  const before = used();
  for (let i = 0; i < 50; i++) await host.start(order("echo", [`${i}`.padEnd(900_000, "x")]));
  expect(used() - before).toBeLessThan(10_000_000);
  const [state, { backend }] = [host.state, host];
  await host.close();
  expect(state.unfinished()).toHaveLength(51);
  await openHost({ maxRunning: 1 });
  expect(host.state.unfinished()).toHaveLength(51);
  expect(host.backend).not.toBe(backend);
  expect(used() - before).toBeLessThan(10_000_000);
});

test("a home that can't be opened has begun nothing", async () => {
  await openHost({ maxRunning: 4 });
  const id = await host.start(order("add", [1, 2]));
  const { outcome: _outcome, ...run } = await ended(id);
  await host.close();
  const store = await openSqlite(join(folder, "redun.db"));
  store.exec("CREATE TRIGGER refuse BEFORE INSERT ON r_tag BEGIN SELECT RAISE(ABORT, 'no more tags'); END");
  store.close();
  const waiting = "01234567-89ab-7000-8000-0123456789ab";
  const opened = openHost({ maxRunning: 4 }, (state) => {
    state.putRun({ ...run, id: waiting, current: waiting, created: 1, status: "QUEUED" });
    state.putRun({ ...run, status: "RUNNING" });
  });
  await expect(opened).rejects.toThrow("no more tags");
  expect(host.isBusy).toBe(false);
  expect(host.state.run(waiting)).toMatchObject({ status: "QUEUED" });
});

test("an execution that ends its home before anything of it is stored is given up as well", async () => {
  const run = (id: string, tries: number): HostedRun => ({
    ...(order("add", [1, 2]) as Omit<HostedRun, "id">),
    ...{ id, created: 1, status: "RUNNING", commandLine: [], current: id, interrupted: [], tries },
    atWork: true,
  });
  const [first, last] = ["11111111-89ab-7000-8000-000000000001", "11111111-89ab-7000-8000-000000000002"];
  await openHost({ maxRunning: 4 }, (state) => {
    state.putRun(run(first!, 0));
    state.putRun(run(last!, 3));
  });
  expect(host.state.run(first!)).toMatchObject({ current: first, tries: 1 });
  expect(await ended(first!)).toMatchObject({ status: "DONE" });
  expect(host.state.run(last!)).toMatchObject({
    status: "FAILED",
    outcome: { error: { message: "The execution was given up: the server ended 3 times while it ran" } },
  });
});

test("an execution is cancelled while its package loads, and a home ends that waits for one", async () => {
  await openHost({ maxRunning: 4 });
  const pkg = await hangingPackage();
  host.addPackage(pkg);
  const start = () => host.start(order("", [], { package: pkg.hash, task: "hanging.never" }));
  const [id] = [await start(), await start()];
  expect(host.cancel(id)).toBe(true);
  expect(await within(500, ended(id))).toMatchObject({ status: "CANCELLED" });
  await within(3000, host.close());
}, 20_000);

test("executions that fail or are cancelled before they have a job are part of the history", async () => {
  await openHost({ maxRunning: 1 });
  const broken = join(folder, "broken.ts");
  writeFileSync(
    broken,
    `import { task } from "redun";
export const never = task("broken.never", () => 1);
throw new Error("does not load");`,
  );
  const pkg = await buildPackage(broken, { npm: "inline" });
  host.addPackage(pkg);
  const tags = [["team", "x"]] as const;
  const failed = await host.start(order("", [], { package: pkg.hash, task: "broken.never", tags }));
  const cancelled = await host.start(order("add", [1, 1], { tags }));
  expect(host.cancel(cancelled)).toBe(true);
  expect(await ended(cancelled)).toMatchObject({ status: "CANCELLED" });
  expect(await ended(failed)).toMatchObject({
    outcome: { status: "FAILED", error: { message: expect.stringContaining("does not load") } },
  });
  const query = { type: "Execution", tags: [{ key: "team", value: "x" }] } as const;
  const found = (await host.backend.find(query)).map(({ id }) => id);
  expect(found.sort()).toEqual([failed, cancelled].sort());
  const detail = await executionDetail(host, failed);
  expect(detail).toMatchObject({ status: "FAILED", jobs: [], rootJobId: null, task: "broken.never" });
  const target = new SqliteBackend(join(folder, "copy.db"));
  await target.load();
  await syncRecords(host.backend, target);
  const [first] = await target.find({ type: "Execution", limit: 1 });
  const [second] = await target.find({ type: "Execution", limit: 1, after: first!.id });
  expect([first!.id, second!.id].sort()).toEqual([failed, cancelled].sort());
  expect((await target.getExecutions([failed]))[0]).toMatchObject({ status: "FAILED" });
  expect(await target.getTags([cancelled])).toContainEqual(
    expect.objectContaining({ key: "redun.status", value: "cancelled" }),
  );
  await target.close();
});

test("more executions than may wait are refused, until there is room", async () => {
  await openHost({ maxRunning: 1, maxQueued: 2 });
  const first = await host.start(order("slow", [1, 200, "first"]));
  await host.start(order("add", [1, 2], { key: "once" }));
  await expect(host.start(order("add", [3, 4]))).rejects.toMatchObject({ status: 429, retryAfter: 10 });
  // Asking again for one that was accepted takes no room.
  expect(await host.start(order("add", [1, 2], { key: "once" }))).toEqual(expect.any(String));
  await ended(first);
  expect(await ended(await host.start(order("add", [3, 4])))).toMatchObject({ status: "DONE" });
});

test("what is asked for has a size, and errors are cut", async () => {
  await openHost({ maxRunning: 4 });
  await expect(host.start(order("echo", ["é".repeat(500_000)]))).rejects.toMatchObject({
    status: 413,
    code: "too-large",
  });
  const id = await host.start(order("fails", ["x".repeat(400_000)]));
  const { outcome } = await ended(id);
  expect(outcome).toMatchObject({
    status: "FAILED",
    error: { name: "RangeError", message: expect.stringMatching(/^no x+…$/) },
  });
  expect(JSON.stringify(outcome).length).toBeLessThan(300_000);
});

test("an execution whose turn comes while the database takes nothing begins when it does again", async () => {
  const faults: unknown[] = [];
  await openHost({ maxRunning: 1, onFault: (error) => faults.push(error) });
  db.exec("CREATE TRIGGER refuse BEFORE UPDATE ON host_run BEGIN SELECT RAISE(ABORT, 'no space'); END");
  const id = await host.start(order("add", [1, 2]));
  await expect.poll(() => faults.map(String)).toEqual([expect.stringContaining("no space")]);
  expect(host.isBusy).toBe(true);
  db.exec("DROP TRIGGER refuse");
  expect(await ended(id)).toMatchObject({ status: "DONE" });
}, 20_000);

test("events that a full database does not take are stored when there is space again, each once", async () => {
  const faults: unknown[] = [];
  await openHost({ maxRunning: 2, onFault: (error) => faults.push(error) });
  const id = await host.start(order("chain", [6, 150, "full"]));
  const events: ExecutionEvent[] = [];
  const follow = async (): Promise<void> => {
    for await (const some of host.follow(id, 0, new AbortController().signal)) events.push(...some);
  };
  const followed = follow();
  await expect.poll(() => events.length).toBeGreaterThan(3);
  db.exec("CREATE TABLE filler (data BLOB)");
  const pages = Number(db.prepare("PRAGMA page_count").get()!.page_count);
  db.exec(`PRAGMA max_page_count = ${pages}`);
  // What is free in the pages that there are is used up.
  let size = 100_000;
  while (size > 1) {
    try {
      db.exec(`INSERT INTO filler VALUES (zeroblob(${size}))`);
    } catch {
      size = Math.floor(size / 2);
    }
  }
  await expect.poll(() => faults.length, { timeout: 5000 }).toBeGreaterThan(0);
  expect(String(faults[0])).toMatch(/full|space/);
  db.exec("PRAGMA max_page_count = 1073741823");
  await followed;
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
  expect(events.at(-1)).toMatchObject({ type: "execution-end", outcome: { status: "DONE", value: "6" } });
}, 20_000);
