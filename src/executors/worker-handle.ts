import { fork } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { FromWorker, ToWorker } from "./worker-messages.ts";

/** A worker as its pool sees it, whether it is a process or a thread. */
export interface WorkerHandle {
  send(message: ToWorker): void;
  onMessage(listener: (message: FromWorker) => void): void;
  /** Called once when the worker has ended and all its messages have come. */
  onExit(listener: (reason: string) => void): void;
  /** Text that the worker's native code wrote past its own capture. */
  onOutput(listener: (text: string) => void): void;
  /** Ends it at once. */
  kill(): void;
  /** Whether this process is to stay alive for it. */
  hold(on: boolean): void;
}

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

/** Starts a child process. */
export function startProcess(): WorkerHandle {
  const child = fork(workerModule(), [], {
    serialization: "advanced",
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    execArgv: process.execArgv.filter((arg) => !arg.startsWith("--inspect") && !arg.startsWith("--cpu-prof")),
  });
  return {
    send: (message) => void child.send(message, () => {}),
    onMessage: (listener) => void child.on("message", (message) => listener(message as FromWorker)),
    onExit: (listener) => {
      let ended = false;
      const end = (reason: string): void => {
        if (!ended) listener(reason);
        ended = true;
      };
      // `close` comes after the last message and the last output.
      child.on("close", (code, signal) => end(signal === null ? `exit status ${code}` : `signal ${signal}`));
      child.on("error", (error) => end(error.message));
    },
    onOutput: (listener) => {
      for (const stream of [child.stdout, child.stderr])
        stream?.on("data", (chunk: Buffer) => listener(chunk.toString()));
    },
    kill: () => void child.kill("SIGKILL"),
    hold(on) {
      const things = [child, child.channel, child.stdout, child.stderr] as ({
        ref?(): void;
        unref?(): void;
      } | null)[];
      for (const thing of things) on ? thing?.ref?.() : thing?.unref?.();
    },
  };
}

/** Starts a worker thread. */
export function startThread(): WorkerHandle {
  const worker = new Worker(workerModule(), { stdout: true, stderr: true });
  return {
    send: (message) => worker.postMessage(message),
    onMessage: (listener) => void worker.on("message", (message: FromWorker) => listener(message)),
    onExit: (listener) => {
      let failure: string | undefined;
      worker.on("error", (error) => {
        failure = error instanceof Error ? error.message : String(error);
      });
      worker.on("exit", (code) => listener(failure ?? `exit status ${code}`));
    },
    onOutput: (listener) => {
      for (const stream of [worker.stdout, worker.stderr])
        stream.on("data", (chunk: Buffer) => listener(chunk.toString()));
    },
    kill: () => void worker.terminate(),
    hold: (on) => (on ? worker.ref() : worker.unref()),
  };
}
