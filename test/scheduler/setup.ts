import type { Backend, JobRow } from "../../src/backend/backend.ts";
import { MemoryBackend } from "../../src/backends/memory-backend.ts";
import { type JobInfo, Scheduler, type SchedulerOptions, type Task, task } from "../../src/index.ts";

/** Which task bodies ran, in order. It is kept outside the tasks, so that they stay pure. */
const bodies: string[] = [];

/** Notes that a task's body runs. */
export function note(body: string): void {
  bodies.push(body);
}

/** The bodies that ran since this was last called, in order. */
export function ran(): string[] {
  return bodies.splice(0);
}

/** Gives its argument back. Called on an argument, it makes of an otherwise equal call a different expression. */
// biome-ignore lint/suspicious/noExplicitAny: stands in for an argument of any type
export const same: Task<[value: any], any> = task({ name: "test.same", version: "1" }, (value: any) => value);

/** A scheduler on a new store in memory. */
export function newScheduler(options: Partial<SchedulerOptions> = {}): Scheduler {
  return new Scheduler({ backend: new MemoryBackend(), ...options });
}

/** How the jobs of all later runs get their results: `task: run`, or `task: single` and the like if cached. */
export function watchJobs(scheduler: Scheduler): string[] {
  const seen: string[] = [];
  scheduler.on("job-start", ({ job }) => seen.push(`${job.task}: run`));
  scheduler.on("job-cached", ({ job, kind }) => seen.push(`${job.task}: ${kind}`));
  return seen;
}

/** Every job that starts or is cached in later runs, in order. */
export function watchInfos(scheduler: Scheduler): JobInfo[] {
  const infos: JobInfo[] = [];
  // Copied, since a job's call is known only while the job lives.
  scheduler.on("job-start", ({ job }) => infos.push({ ...job }));
  scheduler.on("job-cached", ({ job }) => infos.push({ ...job }));
  return infos;
}

/** The recorded jobs of an execution, or of all, in the order in which they were made. */
export async function jobRows(backend: Backend, executionId?: string): Promise<JobRow[]> {
  const query = executionId === undefined ? {} : { executionIds: [executionId] };
  const found = await backend.find({ type: "Job", ...query });
  const rows = await backend.getJobs(found.map(({ id }) => id));
  return rows.map((row) => row!).sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** The recorded jobs of one task. */
export async function jobsOf(backend: Backend, task: string, executionId?: string): Promise<JobRow[]> {
  return (await jobRows(backend, executionId)).filter((row) => row.taskName === task);
}

/** `parent > child` for each recorded job, sorted; the root's parent is `-`. */
export async function edges(backend: Backend, executionId?: string): Promise<string[]> {
  const rows = await jobRows(backend, executionId);
  const names = new Map(rows.map((row) => [row.id, row.taskName]));
  return rows.map((row) => `${names.get(row.parentId ?? "") ?? "-"} > ${row.taskName}`).sort();
}

/** Task names of a call's children, in the order in which they were called. */
export async function childrenOf(backend: Backend, callHash: string): Promise<string[]> {
  const [node] = await backend.getCallNodes([callHash]);
  const children = await backend.getCallNodes(node!.children);
  return children.map((child) => child!.taskName);
}

/** Names of the tasks upstream of the first argument of a task's only call, in alphabetical order. */
export async function upstreamOf(scheduler: Scheduler, name: string): Promise<string[]> {
  const [job] = await jobsOf(scheduler.backend, name);
  const [call] = await scheduler.backend.getCallNodes([job!.callHash!]);
  const calls = await scheduler.backend.getCallNodes(call!.args[0]!.upstream);
  return calls.map((upstream) => upstream!.taskName).sort();
}

/** A promise to settle from outside. */
export class Gate<T = void> {
  readonly #deferred = Promise.withResolvers<T>();

  get opened(): Promise<T> {
    return this.#deferred.promise;
  }

  open(value: T): void {
    this.#deferred.resolve(value);
  }

  fail(error: unknown): void {
    this.#deferred.reject(error);
  }
}

/** Lets one macrotask pass. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** Lets macrotasks pass until a condition holds. */
export async function until(condition: () => boolean): Promise<void> {
  for (let turns = 0; turns < 10_000; turns++) {
    if (condition()) return;
    await turn();
  }
  throw new Error("The condition never held");
}
