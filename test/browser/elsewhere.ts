/** Runs example workflows in all runtimes but the browser, for the test that compares them. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserCommand } from "vitest/node";
import { SqliteBackend } from "../../src/backends/sqlite-backend.ts";
import { buildPackage } from "../../src/package.ts";
import { createClient, RemoteBackend, type RepoClient } from "../../src/server.ts";
import type { Json } from "../../src/value/json.ts";
import { type RunningWorker, startWorker } from "../cloudflare/start-worker.ts";
import { type Calls, callsOf } from "./calls.ts";

declare module "vitest/browser" {
  interface BrowserCommands {
    runElsewhere(cases: readonly ExampleCase[]): Promise<Record<string, Elsewhere>>;
  }
}

/** A task of an example, with plain arguments by name. */
export interface ExampleCase {
  /** Folder of `examples`. */
  readonly example: string;
  readonly task: string;
  readonly args: Readonly<Record<string, Json>>;
  /** Whether arguments are files of the example's folder, which go to an instance with the call. */
  readonly upload?: true;
}

/** What one case came to, by runtime. */
export interface Elsewhere {
  readonly node: Calls;
  readonly deno: Calls;
  readonly workerd: Calls;
}

const root: string = join(import.meta.dirname, "../..");
const redun: string = join(root, "bin/redun.js");
const deno: string = join(root, "node_modules/.bin/deno");

/** The words of a command line for arguments. */
function wordsOf(args: ExampleCase["args"]): string[] {
  return Object.entries(args).flatMap(([name, value]) => {
    if (Array.isArray(value)) return [`--${name}`, ...value.map(String)];
    return [`--${name}`, typeof value === "string" ? value : JSON.stringify(value)];
  });
}

/** An example in a folder of its own, with a repository of its own. */
function copyOf(example: string): string {
  const folder = mkdtempSync(join(tmpdir(), "redun-elsewhere-"));
  cpSync(join(root, "examples", example), folder, { recursive: true });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  mkdirSync(join(folder, ".redun"));
  return folder;
}

async function withCommand(command: readonly string[], { example, task, args }: ExampleCase): Promise<Calls> {
  const folder = copyOf(example);
  try {
    const [program, ...words] = command;
    execFileSync(program!, [...words, redun, "run", "workflow.ts", task, ...wordsOf(args)], {
      cwd: folder,
      stdio: "pipe",
      env: { ...process.env, DENO_NO_UPDATE_CHECK: "1" },
    });
    const backend = new SqliteBackend(join(folder, ".redun/redun.db"));
    await backend.load();
    const calls = await callsOf({
      find: (query) => backend.find(query),
      getCallNodes: (hashes) => backend.getCallNodes(hashes),
    });
    await backend.close();
    return calls;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function onWorker(
  worker: RunningWorker,
  repo: RepoClient,
  { example, task, args, upload }: ExampleCase,
): Promise<Calls> {
  const store = new RemoteBackend(repo);
  if (upload) {
    const words = [redun, "run", "workflow.ts", task, ...wordsOf(args), "--server", worker.url, "--upload"];
    const folder = copyOf(example);
    try {
      const env = { ...process.env, REDUN_TOKEN: worker.adminToken };
      execFileSync(process.execPath, words, { cwd: folder, stdio: "pipe", env });
    } finally {
      rmSync(folder, { recursive: true });
    }
    const [found] = await store.find({ type: "Execution", limit: 1 });
    return callsIn(store, found!.id);
  }
  const pkg = await buildPackage(join(root, "examples", example, "workflow.ts"), { npm: "inline" });
  await repo.putPackage(pkg);
  const id = await repo.start({ package: pkg.hash, task, args });
  for await (const event of repo.events(id)) {
    if (event.type === "execution-end" && event.outcome.status !== "DONE")
      throw new Error(`${example} ended so in workerd: ${JSON.stringify(event.outcome)}`);
  }
  return callsIn(store, id);
}

function callsIn(store: RemoteBackend, id: string): Promise<Calls> {
  return callsOf({
    find: () => store.find({ type: "CallNode", executionIds: [id] }),
    getCallNodes: (hashes) => store.getCallNodes(hashes),
  });
}

export const runElsewhere: BrowserCommand<[cases: readonly ExampleCase[]]> = async (_, cases) => {
  const worker = await startWorker();
  try {
    const repo = createClient(worker.url, { token: worker.adminToken }).repo("default");
    const results: Record<string, Elsewhere> = {};
    for (const one of cases) {
      results[one.task] = {
        node: await withCommand([process.execPath], one),
        deno: await withCommand([deno, "run", "-A"], one),
        workerd: await onWorker(worker, repo, one),
      };
    }
    return results;
  } finally {
    await worker.close();
  }
};
