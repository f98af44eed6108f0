import { type ChildProcess, fork } from "node:child_process";
import { existsSync } from "node:fs";
import { setTimeout } from "node:timers";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { guardGroup } from "./guard.ts";
import { processTickets } from "./pipe-tickets.ts";
import { sharedTickets } from "./tickets.ts";
import type { WorkerHandle, WorkerKind, WorkerListener } from "./worker-handle.ts";
import type { FromWorker } from "./worker-messages.ts";

/** How workers are started. */
export interface WorkerSettings {
  /** Options of the runtime, such as `--max-old-space-size=4096`, besides those that this process was given. */
  readonly execArgv?: readonly string[];
}

/** Milliseconds between asking a process to end and ending it. */
const GRACE = 2000;
/** Milliseconds after a process's end in which its last output may come; what it started may hold its streams open. */
const LAST_WORDS = 300;
/** Options of this process that make no sense for its workers. */
const OWN = /^--(inspect|cpu-prof|heap-prof|watch|test|eval|print|interactive|input-type|check)\b|^-[cepi]$/;

/** The module that a worker runs: beside this one as it was written, or in the built package. */
function workerModule(): string {
  const places = ["../process-worker.js", "./process-worker.js", "../process-worker.ts"];
  const found = places
    .map((place) => fileURLToPath(new URL(place, import.meta.url)))
    .find((path) => existsSync(path));
  if (found === undefined)
    throw new Error("Cannot find the worker module of redun: the installation is incomplete");
  return found;
}

/** Child processes as workers. */
export function processKind(settings: WorkerSettings): WorkerKind {
  return {
    name: "worker process",
    hint: "Does the task end the process, or use more memory than there is?",
    start: (listener) => startProcess(listener, settings),
    makeTickets: processTickets,
  };
}

/** Threads of this process as workers. */
export function threadKind(settings: WorkerSettings): WorkerKind {
  return {
    name: "worker thread",
    hint: "Does the task end the process, or use more memory than there is?",
    start: (listener) => startThread(listener, settings),
    makeTickets: sharedTickets,
  };
}

function startProcess(listener: WorkerListener, settings: WorkerSettings): WorkerHandle {
  const child = fork(workerModule(), [], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    // A group of its own ends with all that a job has started in it.
    detached: true,
    execArgv: [...process.execArgv.filter((arg) => !OWN.test(arg)), ...(settings.execArgv ?? [])],
  });
  const release = child.pid === undefined ? undefined : guardGroup(child.pid);
  let over = false;
  const end = (reason: string): void => {
    if (over) return;
    over = true;
    release?.();
    listener.ended(reason);
  };
  const how = (code: number | null, signal: string | null): string =>
    signal === null ? `exit code ${code}` : `signal ${signal}`;
  child.on("message", (message) => listener.message(message as FromWorker));
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Uint8Array) => listener.output(chunk));
  // `close` comes after the last message and the last output.
  child.on("close", (code, signal) => end(how(code, signal)));
  child.on("exit", (code, signal) => setTimeout(() => end(how(code, signal)), LAST_WORDS));
  child.on("error", (error) => {
    if (child.pid === undefined) end(error.message);
  });
  return {
    send: (message) => void child.send(message, () => {}),
    kill() {
      signalGroup(child, "SIGTERM");
      setTimeout(() => over || signalGroup(child, "SIGKILL"), GRACE).unref();
    },
    hold(on) {
      const things = [child, child.channel, child.stdout, child.stderr] as ({
        ref?(): void;
        unref?(): void;
      } | null)[];
      for (const thing of things) on ? thing?.ref?.() : thing?.unref?.();
    },
  };
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    process.kill(-child.pid!, signal);
  } catch {
    // Where there are no groups, or it has ended meanwhile.
    child.kill(signal);
  }
}

function startThread(listener: WorkerListener, settings: WorkerSettings): WorkerHandle {
  const worker = new Worker(workerModule(), {
    stdout: true,
    stderr: true,
    ...(settings.execArgv === undefined ? {} : { execArgv: [...settings.execArgv] }),
  });
  let failure: string | undefined;
  worker.on("message", (message: FromWorker) => listener.message(message));
  worker.on("error", (error) => {
    failure = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  });
  worker.on("exit", (code) => listener.ended(failure ?? `exit code ${code}`));
  for (const stream of [worker.stdout, worker.stderr])
    stream.on("data", (chunk: Uint8Array) => listener.output(chunk));
  return {
    send: (message) => worker.postMessage(message),
    kill: () => void worker.terminate(),
    hold: (on) => (on ? worker.ref() : worker.unref()),
  };
}
