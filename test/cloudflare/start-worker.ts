import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { wrangler, wranglerEnv } from "../../scripts/dev.ts";
import { makeToken } from "../../scripts/make-token.ts";

const root: string = join(import.meta.dirname, "../..");

/** A hosted instance under `wrangler dev`. */
export interface RunningWorker {
  readonly url: string;
  readonly adminToken: string;
  /** What it has printed. */
  readonly output: () => string;
  /** The group of its processes. */
  readonly group: () => number;
  /** Ends it, and workerd with it, as a crash would. What it keeps stays. */
  kill(): Promise<void>;
  /** Starts it again where it was, after {@link kill}. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** Options of {@link startWorker}. */
export interface WorkerProcessOptions {
  /** Variables of the instance. */
  readonly vars?: Readonly<Record<string, string>>;
  /** The web app. Default: a page that stands for it. */
  readonly assets?: string;
}

/** The configuration that is deployed, for a process that needs no build of the app and keeps what it has elsewhere. */
function writeConfig(folder: string, { vars = {}, assets }: WorkerProcessOptions): string {
  const page = join(folder, "web");
  mkdirSync(join(page, "assets"), { recursive: true });
  for (const name of ["index.html", "report.html", "assets/main-ABCDEF1234.js"])
    writeFileSync(join(page, name), `${name}\n`);
  const text = readFileSync(join(root, "wrangler.toml"), "utf8")
    .replace(/^main = .*$/m, `main = ${JSON.stringify(join(root, "workers/index.ts"))}`)
    .replace(/^\[build\]\n(?:.+\n)*/m, "")
    .replace(/^directory = .*$/m, `directory = ${JSON.stringify(assets ?? page)}`)
    .replace(
      /^\[vars\]$/m,
      ["[vars]", ...Object.entries(vars).map(([key, value]) => `${key} = ${JSON.stringify(value)}`)].join(
        "\n",
      ),
    );
  const path = join(folder, "wrangler.toml");
  writeFileSync(path, text);
  return path;
}

/** Starts a hosted instance on this machine, with nothing in it but the token of an administrator. */
export async function startWorker(options: WorkerProcessOptions = {}): Promise<RunningWorker> {
  const folder = mkdtempSync(join(tmpdir(), "redun-worker-"));
  const config = writeConfig(folder, options);
  const [state, temporary] = [join(folder, "state"), join(folder, "tmp")];
  mkdirSync(temporary);
  const order = { name: "admin", role: "admin", repos: null, expires: null } as const;
  const adminToken = await makeToken(order, { remote: false, persistTo: state, config });
  let child: ChildProcess;
  let output = "";
  const start = async (port: number): Promise<string> => {
    const [program, ...first] = wrangler;
    const where = ["--config", config, "--persist-to", state];
    const listen = ["--ip", "127.0.0.1", "--port", String(port), "--inspector-port", "0"];
    child = spawn(program, [...first, "dev", ...where, ...listen], {
      cwd: folder,
      // One that is killed leaves files there.
      env: { ...process.env, ...wranglerEnv, TMPDIR: temporary },
      // A group of its own, to end all of its processes at once.
      detached: true,
    });
    return await new Promise((resolve, reject) => {
      const hear = (chunk: Buffer): void => {
        output += String(chunk);
        const [, address] = /Ready on (http:\/\/\S+)/.exec(output) ?? [];
        if (address !== undefined) resolve(address);
        // It would wait for the sources to change.
        else if (output.includes("Build failed")) child.kill();
      };
      child.stdout!.on("data", hear);
      child.stderr!.on("data", hear);
      child.once("exit", () => reject(new Error(`The instance ended before it was ready:\n${output}`)));
    });
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once("exit", resolve));
    process.kill(-child.pid!, signal);
    await exited;
  };
  const url = await start(0);
  return {
    url,
    adminToken,
    output: () => output,
    group: () => child.pid!,
    kill: () => end("SIGKILL"),
    async restart() {
      output = "";
      await start(Number(new URL(url).port));
    },
    async close() {
      await end("SIGTERM");
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
