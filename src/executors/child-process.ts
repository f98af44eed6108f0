import { type ChildProcess, fork } from "node:child_process";
import { existsSync } from "node:fs";
import { setTimeout } from "node:timers";
import { fileURLToPath } from "node:url";
import { guardGroup } from "./guard.ts";

/** How processes that run jobs are started. */
export interface ProcessSettings {
  /** Options of the runtime, such as `--max-old-space-size=4096`, besides those that this process was given. */
  readonly execArgv?: readonly string[] | undefined;
  /** The whole environment. Default: that of this process. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** What is heard of a child process. */
export interface ChildListener<Message> {
  message(message: Message): void;
  /** What was written past the process's own capture, such as by native code or when it crashes. */
  output(chunk: Uint8Array): void;
  /** Comes once and last: it has ended, and how. */
  ended(reason: string): void;
}

/** A child process that talks. */
export interface Child<Message> {
  send(message: Message): void;
  /** Ends it, with all that it has started. */
  kill(): void;
  /** Whether this process is to stay alive for it. */
  hold(on: boolean): void;
}

/** Milliseconds between asking a process to end and ending it. */
const GRACE = 2000;
/** Milliseconds after a process's end in which its last output may come; what it started may hold its streams open. */
const LAST_WORDS = 300;
/** Options of this process that make no sense for its children, or that read secrets for it. */
const OWN =
  /^--(inspect|cpu-prof|heap-prof|watch|test|eval|print|interactive|input-type|check|env-file)\b|^-[cepi]$/;

/**
 * Starts a module of the engine's in a process, which ends with this one and doesn't keep it alive.
 *
 * @param name - of the module in `src`, such as `process-worker`
 * @param check - says whether what it sends is a message; code of users may send anything, and is ended for it
 */
export function startChild<To, From>(
  name: string,
  settings: ProcessSettings,
  check: (message: unknown) => message is From,
  listener: ChildListener<From>,
): Child<To> {
  const child = fork(engineModule(name), [], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    // A group of its own ends with all that a job has started in it.
    detached: true,
    execArgv: [...process.execArgv.filter((arg) => !OWN.test(arg)), ...(settings.execArgv ?? [])],
    ...(settings.env === undefined ? {} : { env: settings.env as NodeJS.ProcessEnv }),
  });
  const release = child.pid === undefined ? undefined : guardGroup(child.pid);
  let over = false;
  let broken: string | undefined;
  const end = (reason: string): void => {
    if (over) return;
    over = true;
    release?.();
    listener.ended(broken ?? reason);
  };
  const kill = (): void => {
    signalGroup(child, "SIGTERM");
    setTimeout(() => over || signalGroup(child, "SIGKILL"), GRACE).unref();
  };
  const how = (code: number | null, signal: string | null): string =>
    signal === null ? `exit code ${code}` : `signal ${signal}`;
  child.on("message", (message: unknown) => {
    if (broken !== undefined) return;
    if (check(message)) {
      listener.message(message);
      return;
    }
    broken = "a message that is none of the engine's";
    kill();
  });
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Uint8Array) => listener.output(chunk));
  // `close` comes after the last message and the last output.
  child.on("close", (code, signal) => end(how(code, signal)));
  child.on("exit", (code, signal) => setTimeout(() => end(how(code, signal)), LAST_WORDS));
  child.on("error", (error) => {
    if (child.pid === undefined) end(error.message);
  });
  return {
    send: (message) => void child.send(message as object, () => {}),
    kill,
    hold(on) {
      const things = [child, child.channel, child.stdout, child.stderr] as ({
        ref?(): void;
        unref?(): void;
      } | null)[];
      for (const thing of things) on ? thing?.ref?.() : thing?.unref?.();
    },
  };
}

/** The path of a module that a worker runs: beside this one as it was written, or in the built package. */
export function engineModule(name: string): string {
  const places = [`../${name}.js`, `./${name}.js`, `../${name}.ts`];
  const found = places
    .map((place) => fileURLToPath(new URL(place, import.meta.url)))
    .find((path) => existsSync(path));
  if (found === undefined)
    throw new Error(`Cannot find the module ${name} of redun: the installation is incomplete`);
  return found;
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    process.kill(-child.pid!, signal);
  } catch {
    // Where there are no groups, or it has ended meanwhile.
    child.kill(signal);
  }
}
