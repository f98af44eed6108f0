import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryBackend } from "../../src/backends/memory-backend.ts";
import {
  HostedProcessExecutor,
  type HostedProcessExecutorOptions,
} from "../../src/executors/hosted-process-executor.ts";
import { type RedunError, Scheduler, type Task } from "../../src/index.ts";
import { buildPackage, type CodePackage } from "../../src/package/index.ts";
import { localPackages } from "../../src/package/local-packages.ts";
import { describedRegistry } from "../../src/task/description.ts";
import { keepForeignValues } from "../../src/value/foreign.ts";

/** Packages in a store, and an executor that has them from there, as a hosted instance does. */
export class Hosted {
  readonly executor: HostedProcessExecutor;
  readonly backend: MemoryBackend = new MemoryBackend();
  readonly store: Map<string, CodePackage> = new Map();
  /** Where local copies are. */
  readonly dir: string = mkdtempSync(join(tmpdir(), "redun-hosted-"));

  constructor(options: Partial<HostedProcessExecutorOptions> = {}) {
    keepForeignValues();
    const source = async (hash: string) => this.store.get(hash);
    this.executor = new HostedProcessExecutor({
      packagePath: localPackages({ source, dir: this.dir }),
      maxWorkers: 2,
      ...options,
    });
  }

  /** Builds a package of one module and stores it. @param lowerAsync - whether as a tab does */
  async add(main: string, lowerAsync = false): Promise<string> {
    return this.addPackage(
      await buildPackage("main.ts", { files: { "main.ts": main }, npm: "inline", lowerAsync }),
    );
  }

  addPackage(pkg: CodePackage): string {
    this.store.set(pkg.hash, pkg);
    return pkg.hash;
  }

  /** A scheduler that knows the package by its description only. */
  async scheduler(hash: string): Promise<{ scheduler: Scheduler; task: (name: string) => Task }> {
    const description = await this.executor.describe(hash);
    const registry = describedRegistry(description, hash);
    const scheduler = new Scheduler({ backend: this.backend, registry, executors: [this.executor] });
    return { scheduler, task: (name) => registry.get(name)! };
  }

  /** Calls a task of a package in an execution. */
  async run(hash: string, name: string, ...args: unknown[]): Promise<unknown> {
    const { scheduler, task } = await this.scheduler(hash);
    return scheduler.run(task(name)(...args));
  }

  async close(): Promise<void> {
    await this.executor.close();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** The error that something fails with. */
export function rejection(running: Promise<unknown>): Promise<RedunError> {
  return running.then(
    (value) => Promise.reject(new Error(`It did not fail but gave ${String(value)}`)),
    (error) => error,
  );
}
