import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A fixture that runs in a process of its own. */
export class Child {
  readonly process: ChildProcess;
  /** What it has printed so far. */
  readonly lines: string[] = [];
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
  private readonly waiting = new Set<() => void>();

  constructor(fixture: string, ...args: readonly (string | number)[]) {
    const path = fileURLToPath(new URL(`./fixtures/${fixture}.ts`, import.meta.url));
    this.process = spawn(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", path, ...args.map(String)],
      {
        stdio: ["pipe", "pipe", "inherit"],
      },
    );
    createInterface({ input: this.process.stdout! }).on("line", (line) => {
      this.lines.push(line);
      for (const check of this.waiting) check();
    });
    this.ended = new Promise((resolve) => {
      this.process.on("close", (code, signal) => {
        resolve(code ?? signal!);
        for (const check of this.waiting) check();
      });
    });
    this.process.stdin!.on("error", () => {});
  }

  /** Resolves once it has printed a line that fits; rejects if it ends without. */
  until(fits: (line: string) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const found = this.lines.some(fits);
        if (!found && this.process.exitCode === null && this.process.signalCode === null) return;
        this.waiting.delete(check);
        if (found) resolve();
        else reject(new Error(`It ended after ${JSON.stringify(this.lines)}`));
      };
      this.waiting.add(check);
      check();
    });
  }

  say(line: string): void {
    this.process.stdin!.write(`${line}\n`);
  }
}
