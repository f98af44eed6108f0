import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { prepareCommand } from "../builtins/script-command.ts";
import { ExecutorError, ScriptError } from "../errors/errors.ts";
import type { ExecutorContext, ScriptRunner } from "../executor/executor.ts";
import { guardGroup } from "./guard.ts";
import { Lines } from "./lines.ts";

/** What a script is run with. */
export interface ScriptContext extends ExecutorContext {
  /** Default: the working directory of this process. */
  readonly cwd?: string;
  /** Default: the environment of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Milliseconds between asking a cancelled script to end and ending it. */
const GRACE = 2000;
/** Another process that is just being made may hold the script open for writing for a moment. */
const BUSY_TRIES = 10;

/**
 * Runs a script by its shebang; one without goes to bash, which stops at the first failing command. It gets a process
 * group of its own, which ends with its signal and with this process.
 *
 * @returns all of its stdout
 * @throws ScriptError with all of its stderr if its exit status is not 0
 * @throws ExecutorError if it can't be started
 */
export async function runScript(script: string, context: ScriptContext): Promise<Uint8Array> {
  context.signal.throwIfAborted();
  const folder = await mkdtemp(join(tmpdir(), "redun-script-"));
  if (folders.size === 0) process.once("exit", removeFolders);
  folders.add(folder);
  try {
    const path = join(folder, "script");
    await writeFile(path, prepareCommand(script), { mode: 0o700 });
    for (let tries = 1; ; tries++) {
      try {
        return await execute(path, context);
      } catch (error) {
        if (tries === BUSY_TRIES || codeOf(error) !== "ETXTBSY") throw error;
        await new Promise((resolve) => setTimeout(resolve, tries));
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
    folders.delete(folder);
    if (folders.size === 0) process.off("exit", removeFolders);
  }
}

/** Runs scripts in an environment of their own. @param env - the whole of it; default: that of this process */
export function scriptRunner(env: Readonly<Record<string, string>> | undefined): ScriptRunner {
  // The context may be an object whose members are its class's.
  return (script, { signal, log }) =>
    runScript(script, { signal, log, ...(env === undefined ? {} : { env }) });
}

/** How many scripts of {@link runOwnedScript} run. */
let owned = 0;

/** Runs a script in a worker, whose owner ends it by a signal, script and all: what the script left is removed then. */
export async function runOwnedScript(script: string, context: ScriptContext): Promise<Uint8Array> {
  if (owned++ === 0) process.on("SIGTERM", exitNow);
  try {
    return await runScript(script, context);
  } finally {
    if (--owned === 0) process.off("SIGTERM", exitNow);
  }
}

const exitNow = (): never => process.exit();

/** Folders of the scripts that run. */
const folders = new Set<string>();

/** For a process that ends while scripts run. */
function removeFolders(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}

const codeOf = (error: unknown): unknown => (error as { cause?: { code?: unknown } }).cause?.code;

async function execute(path: string, context: ScriptContext): Promise<Uint8Array> {
  const { signal } = context;
  signal.throwIfAborted();
  const child = start(path, context);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout!.on("data", (chunk: Buffer) => out.push(chunk));
  const lines = new Lines((line) => context.log(line));
  child.stderr!.on("data", (chunk: Buffer) => {
    err.push(chunk);
    lines.add(chunk);
  });
  let killer: ReturnType<typeof setTimeout> | undefined;
  const abort = (): void => {
    killGroup(child, "SIGTERM");
    killer = setTimeout(() => killGroup(child, "SIGKILL"), GRACE);
  };
  signal.addEventListener("abort", abort, { once: true });
  const release = child.pid === undefined ? undefined : guardGroup(child.pid);
  try {
    const [code, killedBy] = await ended(child);
    lines.end();
    signal.throwIfAborted();
    if (code === 0) return new Uint8Array(Buffer.concat(out));
    throw scriptError(err, code, killedBy);
  } finally {
    clearTimeout(killer);
    signal.removeEventListener("abort", abort);
    release?.();
  }
}

function start(path: string, { cwd, env }: ScriptContext): ChildProcess {
  try {
    return spawn(path, [], {
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
      ...(cwd === undefined ? {} : { cwd }),
      ...(env === undefined ? {} : { env: env as NodeJS.ProcessEnv }),
    });
  } catch (error) {
    throw startError(error as NodeJS.ErrnoException);
  }
}

/** The exit status and the signal of a process, once all its output has come. */
function ended(child: ChildProcess): Promise<[number | null, NodeJS.Signals | null]> {
  return new Promise((resolve, reject) => {
    child.on("error", (error: NodeJS.ErrnoException) => reject(startError(error)));
    child.on("close", (code, signal) => resolve([code, signal]));
  });
}

function startError(error: NodeJS.ErrnoException): ExecutorError {
  const hints: Readonly<Record<string, string>> = {
    ENOENT: "Are the working directory and the interpreter of the script's first line there?",
    EACCES: "May files in the temporary folder be executed? TMPDIR names another one.",
  };
  return new ExecutorError(`Cannot start the script: ${error.message}`, {
    cause: error,
    hint: hints[error.code ?? ""],
  });
}

function scriptError(
  err: readonly Buffer[],
  code: number | null,
  killedBy: NodeJS.Signals | null,
): ScriptError {
  const text = decode(Buffer.concat(err));
  const what = killedBy === null ? `exit status ${code}` : `signal ${killedBy}`;
  return new ScriptError(
    text.trim() === "" ? `The script ended with ${what} and no message` : text,
    killedBy ?? code ?? 1,
  );
}

/** Signals a whole process group, as far as it still is there. */
function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

/** Text as UTF-8, or byte for byte where it is not. */
function decode(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return bytes.toString("latin1");
  }
}
