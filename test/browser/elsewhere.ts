/** Runs workflows in all runtimes but the browser, for the test that compares them. */
import { type ExecFileException, execFile } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { BrowserCommand } from "vitest/node";
import { SqliteBackend } from "../../src/backends/sqlite-backend.ts";
import type { StoredPackage } from "../../src/package/types.ts";
import { buildPackage } from "../../src/package.ts";
import { createClient, type HostedOutcome, RemoteBackend, type RepoClient } from "../../src/server.ts";
import type { Json } from "../../src/value/json.ts";
import { type RunningWorker, startWorker } from "../cloudflare/start-worker.ts";
import { type Calls, callsOf } from "./calls.ts";

declare module "vitest/browser" {
  interface BrowserCommands {
    runElsewhere(cases: readonly WorkflowCase[]): Promise<readonly Elsewhere[]>;
  }
}

/** A call of a task. */
export interface WorkflowCase {
  /** Path of the workflow, from the root of the project. */
  readonly workflow: string;
  readonly task: string;
  /** Encodings of the arguments by name. */
  readonly args: Readonly<Record<string, Json>>;
  /** Texts by path. */
  readonly files?: Readonly<Record<string, string>>;
  /** Whether it fails. */
  readonly fails?: true;
  /** The program that a task of it needs, and that an instance and a tab don't have. */
  readonly needs?: { readonly program: string; readonly task: string };
}

/** What one case came to, by runtime. */
export interface Elsewhere {
  readonly node: Calls;
  readonly deno: Calls;
  readonly workerd: Calls;
  /** How it ended on the instance. */
  readonly outcome: HostedOutcome;
}

const root: string = join(import.meta.dirname, "../..");
const redun: string = join(root, "bin/redun.js");
const deno: string = join(root, "node_modules/.bin/deno");
const exec = promisify(execFile);

/** Runs a case with the command, in a folder and with a repository of its own. */
async function withCommand(command: readonly string[], one: WorkflowCase): Promise<Calls> {
  const folder = mkdtempSync(join(tmpdir(), "redun-elsewhere-"));
  try {
    copyFileSync(join(root, one.workflow), join(folder, "workflow.ts"));
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    mkdirSync(join(folder, ".redun"));
    for (const [path, text] of Object.entries(one.files ?? {})) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    writeFileSync(join(folder, "args.json"), JSON.stringify(one.args));
    const [program, ...words] = command;
    const run = exec(program!, [...words, redun, "run", "workflow.ts", one.task, "--input", "args.json"], {
      cwd: folder,
      env: { ...process.env, DENO_NO_UPDATE_CHECK: "1" },
    });
    await run.catch((error: ExecFileException) => {
      if (!one.fails || error.code !== 1) throw error;
    });
    const backend = new SqliteBackend(join(folder, ".redun/redun.db"));
    await backend.load();
    const calls = await callsOf(backend);
    await backend.close();
    return calls;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function onWorker(
  repo: RepoClient,
  pkg: StoredPackage,
  task: string,
  args: Readonly<Record<string, Json>>,
): Promise<{ id: string; outcome: HostedOutcome }> {
  await repo.putPackage(pkg);
  const id = await repo.start({ package: pkg.hash, task, args });
  for await (const event of repo.events(id))
    if (event.type === "execution-end") return { id, outcome: event.outcome };
  throw new Error(`${task} has no end in workerd`);
}

const SETUP = `import { File, task } from "redun";
export const put = task("setup.put", async (files: Record<string, string>) => {
  for (const [path, text] of Object.entries(files)) await new File(path).write(text);
});
`;

/** Writes the files of all cases on the instance. */
async function putFiles(repo: RepoClient, cases: readonly WorkflowCase[]): Promise<void> {
  const files = Object.assign({}, ...cases.map((one) => one.files)) as Record<string, string>;
  const pkg = await buildPackage("setup.ts", { files: { "setup.ts": SETUP }, npm: "inline" });
  const { outcome } = await onWorker(repo, pkg, "setup.put", { files });
  if (outcome.status !== "DONE") throw new Error(`Cannot write files in workerd: ${JSON.stringify(outcome)}`);
}

async function runCase(one: WorkflowCase, repo: RepoClient): Promise<Elsewhere> {
  const hosted = async (): Promise<Pick<Elsewhere, "workerd" | "outcome">> => {
    const pkg = await buildPackage(join(root, one.workflow), { npm: "inline" });
    const { id, outcome } = await onWorker(repo, pkg, one.task, one.args);
    return { workerd: await callsOf(new RemoteBackend(repo), id), outcome };
  };
  const [node, inDeno, there] = await Promise.all([
    withCommand([process.execPath], one),
    withCommand([deno, "run", "-A"], one),
    hosted(),
  ]);
  return { node, deno: inDeno, ...there };
}

export const runElsewhere: BrowserCommand<[cases: readonly WorkflowCase[]]> = async (_, cases) => {
  const worker: RunningWorker = await startWorker();
  try {
    const repo = createClient(worker.url, { token: worker.adminToken }).repo("default");
    await putFiles(repo, cases);
    const results: Elsewhere[] = [];
    for (const one of cases) results.push(await runCase(one, repo));
    return results;
  } finally {
    await worker.close();
  }
};
