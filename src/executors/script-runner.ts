import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ExecutorError, ScriptError } from "../errors/errors.ts";
import type { ExecutorContext } from "../executor/executor.ts";

/** Milliseconds between asking a cancelled script to end and ending it. */
const GRACE = 2000;

/**
 * Runs a script by its shebang, in the working directory.
 *
 * @returns all of its stdout
 * @throws ScriptError with all of its stderr if its exit status is not 0
 */
export async function runScript(script: string, { signal, log }: ExecutorContext): Promise<Uint8Array> {
  signal.throwIfAborted();
  const folder = await mkdtemp(join(tmpdir(), "redun-script-"));
  try {
    const path = join(folder, "script");
    await writeFile(path, script, { mode: 0o700 });
    return await execute(path, signal, log);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function execute(path: string, signal: AbortSignal, log: (line: string) => void): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    // A process group of its own, so that cancelling reaches what the script has started.
    const child = spawn(path, [], { stdio: ["ignore", "pipe", "pipe"], detached: true });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let partial = "";
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => {
      err.push(chunk);
      const lines = (partial + chunk.toString()).split("\n");
      partial = lines.pop()!;
      for (const line of lines) log(line);
    });
    const kill = (how: NodeJS.Signals): void => {
      try {
        process.kill(-child.pid!, how);
      } catch {
        // It has ended meanwhile.
      }
    };
    let killer: ReturnType<typeof setTimeout> | undefined;
    const abort = (): void => {
      kill("SIGTERM");
      killer = setTimeout(() => kill("SIGKILL"), GRACE);
    };
    signal.addEventListener("abort", abort, { once: true });
    const end = (): void => {
      clearTimeout(killer);
      signal.removeEventListener("abort", abort);
    };
    child.on("error", (error: NodeJS.ErrnoException) => {
      end();
      reject(
        new ExecutorError(`Cannot start the script: ${error.message}`, {
          cause: error,
          hint: error.code === "ENOENT" ? "Is the interpreter of its first line installed?" : undefined,
        }),
      );
    });
    child.on("close", (code, killedBy) => {
      end();
      if (partial !== "") log(partial);
      if (signal.aborted) reject(signal.reason as Error);
      else if (code === 0) resolve(new Uint8Array(Buffer.concat(out)));
      else {
        const text = decode(Buffer.concat(err));
        const what = killedBy === null ? `exit status ${code}` : `signal ${killedBy}`;
        reject(
          new ScriptError(
            text.trim() === "" ? `The script ended with ${what} and no message` : text,
            killedBy ?? code ?? 1,
          ),
        );
      }
    });
  });
}

/** Text as UTF-8, or byte for byte where it is not. */
function decode(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return bytes.toString("latin1");
  }
}
