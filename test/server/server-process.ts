import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";

/** A server in a process of its own, which can be killed. */
export interface ServerProcess {
  readonly url: string;
  readonly pid: number;
  /** The first token, if the folder had none before. */
  readonly token: string | undefined;
  /** All that it has told so far. */
  log(): string;
  /** Ends it at once, as a crash does, or asks it to end. @returns when it has ended */
  kill(signal: NodeJS.Signals): Promise<void>;
}

const command: string = join(import.meta.dirname, "../../src/cli/main.ts");

/** Starts `redun server` in a folder. @param port - 0 takes a free one */
export async function startProcess(folder: string, port = 0): Promise<ServerProcess> {
  const child = spawn(process.execPath, [command, "server", "--port", String(port)], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  const ready = new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        text += String(chunk);
        const url = / at (http:\/\/\S+)/.exec(text)?.[1];
        if (url !== undefined && text.includes("Ctrl-C")) resolve(url);
      });
    }
    child.on("close", () => reject(new Error(`The server ended: ${text}`)));
  });
  const url = await ready;
  return {
    url,
    pid: child.pid!,
    token: /#token=(\S+)/.exec(text)?.[1],
    log: () => text,
    kill: (signal) => end(child, signal, ended),
  };
}

function end(child: ChildProcess, signal: NodeJS.Signals, ended: Promise<void>): Promise<void> {
  child.kill(signal);
  return ended;
}
