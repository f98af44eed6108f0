/** Runs the built command for tests in a browser. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserCommand } from "vitest/node";
import { SqliteBackend } from "../../src/backends/sqlite-backend.ts";
import { type Calls, callsOf } from "./calls.ts";

declare module "vitest/browser" {
  interface BrowserCommands {
    runWithCommand(files: Record<string, string>, words: string[]): Promise<Calls>;
  }
}

const redun: string = join(import.meta.dirname, "../../bin/redun.js");

/** What `redun run` records in a folder with these files. */
export const runWithCommand: BrowserCommand<[files: Record<string, string>, words: string[]]> = async (
  _,
  files,
  words,
): Promise<Calls> => {
  const folder = mkdtempSync(join(tmpdir(), "redun-browser-"));
  try {
    mkdirSync(join(folder, ".redun"));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    execFileSync(process.execPath, [redun, "run", ...words], { cwd: folder, stdio: "pipe" });
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
};
