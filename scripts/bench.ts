/**
 * Measures the engine, beside the bare cost of the same SQLite rows and the same hashes in the same run.
 *
 *   node scripts/bench.ts [--json FILE] [--runs N] [--full]
 *
 * Prints a table; `--json` also writes the figures, `--full` adds the million-job row. Where Python's redun is
 * installed (`python3 -c 'import redun'`, or PYTHON=...), the same workloads run there too.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { SqlBackend } from "../src/backends/sql-backend.ts";
import type { SqlDriver, SqlStatement, SqlValue } from "../src/backends/sql-driver.ts";
import { openSqlite } from "../src/backends/sqlite-driver.ts";
import { plus, Scheduler, setSha512, task } from "../src/index.ts";
import { hashBytes } from "../src/value/hash.ts";
import { measureObject } from "./bench-object.ts";
import { measureTab } from "./bench-tab.ts";

const { values: flags } = parseArgs({
  options: {
    json: { type: "string" },
    runs: { type: "string", default: "5" },
    full: { type: "boolean", default: false },
  },
});
const RUNS = Math.max(1, Number(flags.runs));
const folder = mkdtempSync(join(tmpdir(), "redun-bench-"));

/** One line of the result. */
interface Row {
  readonly work: string;
  readonly unit: string;
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly target: string;
  readonly bare?: number;
  readonly python?: number;
}
const rows: Row[] = [];

function summarize(samples: readonly number[]): { median: number; low: number; high: number } {
  const sorted = [...samples].sort((a, b) => a - b);
  return { median: sorted[Math.floor(sorted.length / 2)]!, low: sorted[0]!, high: sorted.at(-1)! };
}

function add(
  work: string,
  unit: string,
  samples: readonly number[],
  target: string,
  more: { bare?: number; python?: number } = {},
): void {
  rows.push({ work, unit, target, ...summarize(samples), ...more });
  const { median, low, high } = rows.at(-1)!;
  console.error(`${work}: ${median.toFixed(1)} ${unit} (${low.toFixed(1)} to ${high.toFixed(1)})`);
}

const inc = task("bench.inc", (n: number) => n + 1);
const total = task("bench.total", (items: readonly number[]) => items.reduce((sum, n) => sum + n, 0));
const fan = task("bench.fan", (n: number) => total(Array.from({ length: n }, (_, i) => inc(i))));
const fib = task("bench.fib", (n: number): unknown =>
  n < 2 ? n : plus(fib(n - 1) as never, fib(n - 2) as never),
);
const count = task("bench.count", (n: number): unknown => (n === 0 ? 0 : count(n - 1)));

/** A statement that ran, for replaying it. */
interface Step {
  readonly sql: string;
  readonly how: "all" | "get" | "run";
  readonly params: readonly SqlValue[];
}

/** A driver that notes what it is asked. */
function recording(driver: SqlDriver, steps: Step[]): SqlDriver {
  const statement = (sql: string): SqlStatement => {
    const inner = driver.prepare(sql);
    const note =
      (how: Step["how"]) =>
      (...params: SqlValue[]) => {
        steps.push({ sql, how, params });
        return inner[how](...params) as never;
      };
    return { all: note("all"), get: note("get"), run: note("run") };
  };
  return {
    exec: (sql) => driver.exec(sql),
    prepare: statement,
    transaction: (work) => {
      steps.push({ sql: "BEGIN", how: "run", params: [] });
      const result = driver.transaction(work);
      steps.push({ sql: "COMMIT", how: "run", params: [] });
      return result;
    },
    close: () => driver.close(),
  };
}

const remove = (path: string): void => {
  for (const end of ["", "-wal", "-shm"]) rmSync(path + end, { force: true });
};

/** Milliseconds that the same statements and the same hashes take by themselves. */
async function bareCost(steps: readonly Step[], hashed: readonly (string | Uint8Array)[]): Promise<number> {
  const path = join(folder, "bare.db");
  const backend = new SqlBackend(path, () => openSqlite(path));
  await backend.load();
  await backend.close();
  const driver = await openSqlite(path);
  const start = performance.now();
  for (const { sql, how, params } of steps) {
    if (sql === "BEGIN") driver.exec("BEGIN IMMEDIATE");
    else if (sql === "COMMIT") driver.exec("COMMIT");
    else driver.prepare(sql)[how](...params);
  }
  for (const data of hashed) hashBytes(data);
  const time = performance.now() - start;
  driver.close();
  remove(path);
  return time;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function withStore<T>(work: (scheduler: Scheduler) => Promise<T>): Promise<T> {
  const path = join(folder, "store.db");
  const scheduler = new Scheduler({
    backend: new SqlBackend(path, () => openSqlite(path)),
    config: { ignoreWarnings: ["namespace"] },
  });
  await scheduler.load();
  try {
    return await work(scheduler);
  } finally {
    await scheduler.close();
    remove(path);
  }
}

/** Runs a fan-out while noting its statements and hashes, and measures those alone. */
async function measureBare(n: number, runs: number): Promise<number> {
  const path = join(folder, "recorded.db");
  const steps: Step[] = [];
  const hashed: (string | Uint8Array)[] = [];
  const scheduler = new Scheduler({
    backend: new SqlBackend(path, async () => recording(await openSqlite(path), steps)),
  });
  await scheduler.load();
  steps.length = 0;
  const sha512 = setSha512((data) => {
    hashed.push(data);
    return createHash("sha512").update(data).digest("hex");
  });
  await scheduler.run(fan(n));
  await scheduler.close();
  remove(path);
  setSha512(sha512);
  const samples: number[] = [];
  for (let i = 0; i < runs; i++) samples.push(((await bareCost(steps, hashed)) / n) * 1000);
  return summarize(samples).median;
}

async function fanOut(n: number, runs: number): Promise<{ cold: number[]; cached: number[] }> {
  const cold: number[] = [];
  const cached: number[] = [];
  for (let i = 0; i < runs; i++) {
    await withStore(async (scheduler) => {
      cold.push(((await timed(() => scheduler.run(fan(n)))) / n) * 1000);
      cached.push(((await timed(() => scheduler.run(fan(n)))) / n) * 1000);
    });
  }
  return { cold, cached };
}

async function sizeOfFan(n: number): Promise<number> {
  const path = join(folder, "size.db");
  const scheduler = new Scheduler({ backend: new SqlBackend(path, () => openSqlite(path)) });
  await scheduler.run(fan(n));
  await scheduler.close();
  const { size } = statSync(path);
  remove(path);
  return size / n;
}

/** Bytes of heap that a job at work holds, once its record is written: in asynchronous functions, or waiting for a job below. */
async function memoryOfLiveJobs(n: number, kind: "function" | "job"): Promise<number> {
  const gate = Promise.withResolvers<void>();
  const waiting = task("bench.waiting", async (_n: number) => gate.promise);
  const all = task("bench.all", (size: number) => Array.from({ length: size }, (_, i) => waiting(i)));
  const deep = task("bench.deep", (size: number): unknown => (size === 0 ? waiting(0) : deep(size - 1)));
  return withStore(async (scheduler) => {
    globalThis.gc?.();
    const before = process.memoryUsage().heapUsed;
    const run = scheduler.run(kind === "function" ? all(n) : deep(n));
    while (scheduler.running().length <= n) await setTimeout(50);
    await setTimeout(500);
    globalThis.gc?.();
    const used = process.memoryUsage().heapUsed - before;
    gate.resolve();
    await run;
    return used / n;
  });
}

function python(n: number): { cold: number; cached: number } | undefined {
  const command = process.env["PYTHON"] ?? "python3";
  if (spawnSync(command, ["-c", "import redun"]).status !== 0) return undefined;
  const script = new URL("bench_redun.py", import.meta.url).pathname;
  const { stdout, status, stderr } = spawnSync(command, [script, String(n)], { encoding: "utf8" });
  if (status !== 0) throw new Error(`Python redun failed: ${stderr}`);
  return JSON.parse(stdout.trim().split("\n").at(-1)!) as { cold: number; cached: number };
}

async function measure(): Promise<void> {
  const N = 10_000;
  await fanOut(1000, 1);
  const bare = await measureBare(N, RUNS);
  const there = python(1000);
  const { cold, cached } = await fanOut(N, RUNS);
  add(`fan-out of ${N}, cold, SQLite`, "µs/job", cold, "60, and 2.5 × bare", {
    bare,
    ...(there && { python: there.cold }),
  });
  add("the same again, all cached", "µs/job", cached, "20", there && { python: there.cached });
  for (const n of flags.full ? [1000, 10_000, 100_000, 1_000_000] : [1000, 10_000, 100_000]) {
    const samples = (await fanOut(n, n > 10_000 ? 1 : 3)).cold;
    const floor = n <= 100_000 ? { bare: await measureBare(n, n > 10_000 ? 1 : 3) } : {};
    add(`fan-out of ${n}, cold`, "µs/job", samples, "flat within 1.5 ×", floor);
  }
  for (const [name, work, jobs] of [
    [
      "chain of 100,000 nested calls",
      () => Array.from({ length: 100_000 }).reduce((value: unknown) => inc(value as never), 0),
      100_000,
    ],
    ["recursion 100,000 deep", () => count(100_000), 100_000],
    ["fib(1000)", () => fib(1000), 1999],
  ] as const) {
    const samples: number[] = [];
    for (let i = 0; i < Math.min(RUNS, 3); i++) {
      await withStore(
        async (scheduler) => void samples.push(((await timed(() => scheduler.run(work()))) / jobs) * 1000),
      );
    }
    add(name, "µs/job", samples, "same cost a job");
  }
  add("database of a small job", "bytes", [await sizeOfFan(N)], "1000");
  if (globalThis.gc !== undefined) {
    const functions = await memoryOfLiveJobs(100_000, "function");
    add("memory of a job in an asynchronous function", "bytes", [functions], "1500");
    const jobs = await memoryOfLiveJobs(100_000, "job");
    add("memory of a job that waits for another", "bytes", [jobs], "1500");
  }

  for (const [store, target] of [
    ["opfs", "150"],
    ["indexeddb", "500"],
  ] as const) {
    const times = await measureTab(N, store);
    if (times === undefined) continue;
    const place = store === "opfs" ? "SQLite on OPFS" : "IndexedDB";
    add(`fan-out of ${N} in a tab, ${place}, cold`, "µs/job", [(times.cold / N) * 1000], target);
    add("the same again, all cached", "µs/job", [(times.cached / N) * 1000], "");
    add("longest task of the page's thread meanwhile", "ms", [times.longTask], "100");
  }

  const times = await measureObject(N, RUNS);
  const each = (part: "cold" | "cached"): number[] => times.map((time) => (time[part] / N) * 1000);
  add(`fan-out of ${N} in a Durable Object, cold`, "µs/job", each("cold"), "150");
  add("the same again, all cached", "µs/job", each("cached"), "");

  const cli = new URL("../bin/redun.js", import.meta.url).pathname;
  if (existsSync(new URL("../dist/cli.js", import.meta.url))) {
    const script = join(folder, "hello.ts");
    // A store of a folder above would be used instead.
    mkdirSync(join(folder, ".redun"));
    writeFileSync(
      script,
      'import { task } from "redun";\nexport const main = task("hello.main", () => "Hello, World!");\n',
    );
    const start = (): number => {
      const begun = performance.now();
      const { status, stderr } = spawnSync(process.execPath, [cli, "run", script, "main"], {
        cwd: folder,
        encoding: "utf8",
      });
      if (status !== 0) throw new Error(`redun run failed: ${stderr}`);
      return performance.now() - begun;
    };
    add("redun run of hello world, first time", "ms", [start()], "250");
    add("redun run of hello world, again", "ms", Array.from({ length: RUNS }, start), "250");
  }
}

try {
  await measure();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const table = new Table({
  head: ["work", "unit", "median", "low to high", "target", "bare", "Python redun"],
  style: { head: [], border: [] },
});
for (const { work, unit, median, low, high, target, bare: floor, python: other } of rows) {
  table.push([
    work,
    unit,
    median.toFixed(1),
    `${low.toFixed(1)} to ${high.toFixed(1)}`,
    target,
    floor === undefined ? "" : `${floor.toFixed(1)} (${(median / floor).toFixed(1)} ×)`,
    other === undefined ? "" : `${other.toFixed(0)} (${(other / median).toFixed(0)} ×)`,
  ]);
}
console.log(table.toString());
const machine = `${cpus().length} × ${cpus()[0]?.model ?? "unknown"}, Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}`;
console.log(machine);
if (flags.json !== undefined) writeFileSync(flags.json, `${JSON.stringify({ machine, rows }, null, 2)}\n`);
