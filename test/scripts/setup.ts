import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { MemoryBackend } from "../../src/backends/memory-backend.ts";
import { runScript } from "../../src/executors/script-runner.ts";
import { registerLocalFileSystem } from "../../src/file-systems/local.ts";
import { InProcessExecutor, Scheduler } from "../../src/index.ts";

registerLocalFileSystem();

/** A folder for the files of one test, and a scheduler that runs scripts. */
export class Workshop {
  readonly folder: string = mkdtempSync(join(tmpdir(), "redun-test-"));
  readonly backend: MemoryBackend = new MemoryBackend();
  readonly scheduler: Scheduler = this.newScheduler();

  constructor() {
    onTestFinished(() => rmSync(this.folder, { recursive: true, force: true }));
  }

  /** Another scheduler on the same store. */
  newScheduler(): Scheduler {
    return new Scheduler({ backend: this.backend, executors: [new InProcessExecutor({ runScript })] });
  }

  /** Makes a folder of its own the one for temporary files until the test ends. */
  useTemporaryFolder(): string {
    const before = process.env.TMPDIR;
    onTestFinished(() => {
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
    });
    const folder = this.path("tmp");
    mkdirSync(folder);
    process.env.TMPDIR = folder;
    return folder;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, text: string): void {
    writeFileSync(this.path(name), text);
  }

  read(name: string): string {
    return readFileSync(this.path(name), "utf8");
  }

  has(name: string): boolean {
    return existsSync(this.path(name));
  }

  /** A shell command that leaves a mark each time it runs. */
  get mark(): string {
    return `echo ran >> '${this.path("marks")}'`;
  }

  /** How often {@link mark} ran since this was last read. */
  get ran(): number {
    if (!this.has("marks")) return 0;
    const count = this.read("marks").split("\n").length - 1;
    rmSync(this.path("marks"));
    return count;
  }
}

export const textOf = (bytes: unknown): string => new TextDecoder().decode(bytes as Uint8Array);
