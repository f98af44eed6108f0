/**
 * Loads a hosted instance on this machine, over loopback alone: 50 executions of 200 jobs at once, with 100 listeners
 * of live events, and checks that nothing is lost or doubled and that memory stays bounded: first `redun server`, then
 * the Worker in workerd. Prints figures as a table or, with `--json`, as JSON.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { buildPackage } from "../src/package.ts";
import { createClient, type ExecutionEvent, type RepoClient } from "../src/server.ts";
import { startWorker } from "../test/cloudflare/start-worker.ts";
import { startProcess } from "../test/server/server-process.ts";

const EXECUTIONS = 50;
const JOBS = 200;
const LISTENERS = 100;
/** Bytes that the processes of the server may hold at most. */
export const MEMORY_LIMIT: number = 800_000_000;

const WORKFLOW = `
import { task } from "redun";
export const redunNamespace = "load";
export const leaf = task("load.leaf", (i: number, salt: number) => i + salt);
export const total = task("load.total", (xs: number[]) => xs.reduce((a, b) => a + b, 0));
export const main = task("load.main", (salt: number) =>
  total(Array.from({ length: ${JOBS - 2} }, (_, i) => leaf(i, salt))));
`;

/** An instance to load. */
export interface LoadedInstance {
  readonly url: string;
  readonly token: string;
  /** Bytes of memory in use, where they can be told. */
  readonly memory: () => number | undefined;
}

/** What a load came to. Times are in milliseconds. */
export interface LoadFigures {
  readonly executions: number;
  readonly jobs: number;
  readonly listeners: number;
  readonly events: number;
  readonly accepted: number;
  readonly total: number;
  readonly jobsPerSecond: number;
  /** From the start of an execution to its first event, and to its end. */
  readonly firstEvent: { readonly median: number; readonly worst: number };
  readonly end: { readonly median: number; readonly worst: number };
  /** Longest that a health request took meanwhile. */
  readonly slowestHealth: number;
  readonly peakMemory: number | undefined;
}

/** Loads an instance. @throws Error if an event is lost or doubled, or a result is wrong */
export async function load({ url, token, memory }: LoadedInstance): Promise<LoadFigures> {
  const client = createClient(url, { token });
  const repo = client.repo("default");
  await repo.putPackage(await loadPackage());
  const before = performance.now();
  const hash = (await loadPackage()).hash;
  const watch = watchServer(() => client.health(), memory);
  const runs = await Promise.all(
    Array.from({ length: EXECUTIONS }, async (_, salt) => {
      const start = performance.now();
      const id = await repo.start({ package: hash, task: "load.main", args: [salt] });
      return { id, salt, start };
    }),
  );
  const accepted = performance.now() - before;
  const followed = await Promise.all(
    Array.from({ length: LISTENERS }, (_, i) => follow(repo, runs[i % EXECUTIONS]!)),
  );
  const total = performance.now() - before;
  const { slowest, peak } = watch();
  const list = await repo.list({ limit: 1000 });
  if (list.items.filter(({ status }) => status === "DONE").length < EXECUTIONS)
    throw new Error("Executions are missing");
  return {
    executions: EXECUTIONS,
    jobs: EXECUTIONS * JOBS,
    listeners: LISTENERS,
    events: followed.reduce((sum, { events }) => sum + events, 0),
    accepted,
    total,
    jobsPerSecond: (EXECUTIONS * JOBS * 1000) / total,
    firstEvent: spread(followed.map(({ first }) => first)),
    end: spread(followed.map(({ end }) => end)),
    slowestHealth: slowest,
    peakMemory: peak,
  };
}

async function loadPackage(): ReturnType<typeof buildPackage> {
  const folder = mkdtempSync(join(tmpdir(), "redun-load-"));
  try {
    const path = join(folder, "load.ts");
    writeFileSync(path, WORKFLOW);
    return await buildPackage(path, { npm: "inline" });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Follows one execution from its beginning, and checks that its events are whole and its result is right. */
async function follow(
  repo: RepoClient,
  { id, salt, start }: { readonly id: string; readonly salt: number; readonly start: number },
): Promise<{ events: number; first: number; end: number }> {
  let seen = 0;
  let first = 0;
  let last: ExecutionEvent | undefined;
  const jobs = new Set<string>();
  for await (const event of repo.events(id)) {
    if (event.seq !== ++seen) throw new Error(`Event ${event.seq} of ${id} came after ${seen - 1}`);
    if (seen === 1) first = performance.now() - start;
    if (event.type === "job-end") {
      if (jobs.has(event.job.id)) throw new Error(`The job ${event.job.id} of ${id} ended twice`);
      jobs.add(event.job.id);
    }
    last = event;
  }
  const expected = ((JOBS - 2) * (JOBS - 3)) / 2 + salt * (JOBS - 2);
  const value =
    last?.type === "execution-end" && last.outcome.status === "DONE" ? last.outcome.value : undefined;
  if (value !== String(expected))
    throw new Error(`The execution ${id} came to ${value} instead of ${expected}`);
  if (jobs.size !== JOBS) throw new Error(`The execution ${id} told of ${jobs.size} jobs instead of ${JOBS}`);
  return { events: seen, first, end: performance.now() - start };
}

function watchServer(
  health: () => Promise<unknown>,
  memory: () => number | undefined,
): () => { slowest: number; peak: number | undefined } {
  let slowest = 0;
  let peak: number | undefined;
  let over = false;
  const look = async (): Promise<void> => {
    while (!over) {
      const start = performance.now();
      await health();
      slowest = Math.max(slowest, performance.now() - start);
      const bytes = memory();
      if (bytes !== undefined) peak = Math.max(peak ?? 0, bytes);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  void look().catch(() => {});
  return () => {
    over = true;
    return { slowest, peak };
  };
}

function spread(values: readonly number[]): { median: number; worst: number } {
  const sorted = [...values].sort((a, b) => a - b);
  return { median: sorted[Math.floor(sorted.length / 2)]!, worst: sorted.at(-1)! };
}

/** Bytes of memory that a process has for itself, as Linux counts them. */
function memoryOf(pid: number): number | undefined {
  try {
    const [, kilobytes] = /^RssAnon:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return kilobytes === undefined ? undefined : 1024 * Number(kilobytes);
  } catch {
    return undefined;
  }
}

/** Bytes of memory that the workerds of a group of processes have for themselves. */
function memoryOfWorkerd(group: number): number | undefined {
  const sizes = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => isWorkerdOf(group, pid))
    .map((pid) => memoryOf(Number(pid)) ?? 0);
  return sizes.length === 0 ? undefined : sizes.reduce((a, b) => a + b);
}

function isWorkerdOf(group: number, pid: string): boolean {
  try {
    const [, fields] = /^\d+ \(workerd\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
    return fields?.split(" ")[2] === String(group);
  } catch {
    // It has ended meanwhile.
    return false;
  }
}

/** Starts the Worker in workerd and loads it. */
export async function loadWorker(): Promise<LoadFigures> {
  const worker = await startWorker();
  try {
    const memory = (): number | undefined => memoryOfWorkerd(worker.group());
    return await load({ url: worker.url, token: worker.adminToken, memory });
  } finally {
    await worker.close();
  }
}

/** Starts `redun server` in a folder of its own and loads it. */
export async function loadNode(): Promise<LoadFigures> {
  const folder = mkdtempSync(join(tmpdir(), "redun-load-"));
  const server = await startProcess(folder);
  try {
    return await load({ url: server.url, token: server.token!, memory: () => memoryOf(server.pid) });
  } finally {
    await server.kill("SIGTERM");
    rmSync(folder, { recursive: true });
  }
}

function print(home: string, figures: LoadFigures): void {
  const ms = (time: number): string => `${time.toFixed(0)} ms`;
  const { firstEvent, end, peakMemory } = figures;
  console.log(
    [
      home,
      `executions at once   ${figures.executions} of ${figures.jobs / figures.executions} jobs`,
      `listeners            ${figures.listeners}, ${figures.events} events, none lost or doubled`,
      `all accepted         ${ms(figures.accepted)}`,
      `all done             ${ms(figures.total)}, ${figures.jobsPerSecond.toFixed(0)} jobs/s`,
      `first event          median ${ms(firstEvent.median)}, worst ${ms(firstEvent.worst)}`,
      `end                  median ${ms(end.median)}, worst ${ms(end.worst)}`,
      `slowest health       ${ms(figures.slowestHealth)}`,
      `peak memory          ${peakMemory === undefined ? "unknown" : `${(peakMemory / 1e6).toFixed(0)} MB`}`,
    ].join("\n  "),
  );
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const all = { "redun server": await loadNode(), "Worker in workerd": await loadWorker() };
  if (process.argv.includes("--json")) console.log(JSON.stringify(all));
  else for (const [home, figures] of Object.entries(all)) print(home, figures);
  for (const [home, { peakMemory = 0 }] of Object.entries(all)) {
    if (peakMemory <= MEMORY_LIMIT) continue;
    console.error(`${home} held more than ${MEMORY_LIMIT / 1e6} MB`);
    process.exitCode = 1;
  }
}
