import { spawn } from "node:child_process";
import { appendFileSync, writeSync } from "node:fs";
import { isMainThread, threadId } from "node:worker_threads";
// Workers import this file as it is, so that the package's name would lead to the built package.
import { type Namespace, namespace, type Task } from "../../src/index.ts";

const test: Namespace = namespace("executors_test");
const version = "1";

/** Where and when a job ran. */
export interface Place {
  readonly pid: number;
  readonly thread: boolean;
  /** Differs by worker. */
  readonly worker: string;
  readonly started: number;
  readonly ended: number;
}

export const busy: Task<[ms: number], Place> = test.task({ name: "busy", version }, (ms: number) => {
  const started = Date.now();
  while (Date.now() < started + ms);
  return {
    pid: process.pid,
    thread: !isMainThread,
    worker: `${process.pid}/${threadId}`,
    started,
    ended: Date.now(),
  };
});
/** Adds a line to a file, after a while. */
export const note: Task<[path: string, line: string, ms: number], void> = test.task(
  { name: "note", version },
  (path: string, line: string, ms: number) => {
    const end = Date.now() + ms;
    while (Date.now() < end);
    appendFileSync(path, `${line}\n`);
  },
);
export const exit: Task<[code: number], never> = test.task(
  { name: "exit", version },
  (code: number): never => {
    console.log("about to end");
    process.exit(code);
  },
);
export const kill: Task<[], Promise<never>> = test.task({ name: "kill", version }, () => {
  process.kill(process.pid, "SIGKILL");
  return new Promise<never>(() => {});
});
export const exhaust: Task<[], never> = test.task({ name: "exhaust", version }, (): never => {
  const held: unknown[] = [];
  for (;;) held.push(new Array(100_000).fill(held.length));
});
export const stray: Task<[], Promise<never>> = test.task({ name: "stray", version }, () => {
  setTimeout(() => {
    throw new Error("stray error");
  }, 0);
  return new Promise<never>(() => {});
});
export const raw: Task<[], number> = test.task({ name: "raw", version }, () => {
  process.stderr.write("half a line");
  return writeSync(1, "past the capture\n");
});
/** Starts a process, tells its id, and never ends. */
export const leave: Task<[], Promise<never>> = test.task({ name: "leave", version }, () => {
  console.log(spawn("sleep", ["1000"], { stdio: "ignore" }).pid);
  return new Promise<never>(() => {});
});
/** Prints a line, then computes without end. */
export const spin: Task<[], never> = test.task({ name: "spin", version }, (): never => {
  console.log(process.pid);
  for (;;);
});
