import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, vi } from "vitest";

const MAIN = fileURLToPath(new URL("../../bin/redun.js", import.meta.url));

// A busy machine starts processes slowly.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

/** A hook that a running test adds is never called, so there is one for all folders. */
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunSettings {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Called with stderr so far whenever there is more of it. */
  readonly onStderr?: (text: string, kill: (signal: NodeJS.Signals) => void) => void;
}

/** A folder of its own to run the real command in, removed at the end of the test file. */
export class Workspace {
  readonly dir: string = mkdtempSync(join(tmpdir(), "redun-cli-"));
  /** What every command finds in its environment besides. */
  env: Readonly<Record<string, string>> = {};

  constructor(files: Readonly<Record<string, string>> = {}) {
    // Without one of its own, it would share the repository of a folder above.
    mkdirSync(this.path(".redun"));
    for (const [name, text] of Object.entries(files)) this.write(name, text);
    folders.push(this.dir);
  }

  path(name: string): string {
    return join(this.dir, name);
  }

  write(name: string, text: string): void {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), text);
  }

  read(name: string): string {
    return readFileSync(this.path(name), "utf8");
  }

  /** Runs the command; `args` is split at spaces where it is text. */
  redun(args: string | readonly string[], settings: RunSettings = {}, cwd: string = this.dir): Promise<Ran> {
    const words = typeof args === "string" ? args.split(" ") : args;
    const env = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(REDUN_|FORCE_COLOR$)/.test(name)),
    );
    const child = spawn(process.execPath, [MAIN, ...words], {
      cwd,
      env: {
        ...env,
        GIT_CEILING_DIRECTORIES: tmpdir(),
        XDG_CONFIG_HOME: this.path("config"),
        ...this.env,
        ...settings.env,
      },
    });
    // A command that wants no input may have ended before it gets any.
    child.stdin.on("error", () => {});
    child.stdin.end(settings.input ?? "");
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (data: Buffer) => {
      stdout += data.toString();
    });
    child.stderr.on("data", (data: Buffer) => {
      stderr += data.toString();
      settings.onStderr?.(stderr, (signal) => child.kill(signal));
    });
    return new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) => resolve({ code, stdout, stderr }));
    });
  }

  /** Runs the command, which must succeed, and gives its stdout. */
  async ok(args: string | readonly string[], settings: RunSettings = {}): Promise<string> {
    const { code, stdout, stderr } = await this.redun(args, settings);
    if (code !== 0) throw new Error(`redun ${args} ended with ${code}:\n${stdout}${stderr}`);
    return stdout;
  }
}

/** Text with what differs between runs replaced: ids, hashes, times and durations. */
export function steady(text: string): string {
  return text
    .replace(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, "UUID")
    .replace(/\b[0-9a-f]{40}\b/g, "HASH40")
    .replace(/\b[0-9a-f]{8}\b/g, "HASH")
    .replace(/\d{4}[-/]\d\d[-/]\d\d \d\d:\d\d:\d\d/g, "TIME")
    .replace(/\d+:\d\d:\d\d\.\d\d/g, "DURATION");
}

/** A small workflow that most tests use. */
export const HELLO = `import { task } from "redun";

/** Finds a planet. */
export const planet = task("hello.planet", () => "World");

export const greeter = task("hello.greeter", (greet: string, thing: string) => \`\${greet}, \${thing}!\`);

/**
 * Greets a planet.
 *
 * @param greet - the word of greeting
 */
export const main = task("hello.main", (greet: string = "Hello") => greeter(greet, planet()));

export const fail = task("hello.fail", (x: number) => {
  throw new TypeError("boom " + x);
});
export const parent = task("hello.parent", (x: number) => fail(x));
`;
