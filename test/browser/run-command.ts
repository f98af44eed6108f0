/** Runs the built command for tests in a browser. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserCommand } from "vitest/node";
import type { RecordJson } from "../../src/backend/backend.ts";
import { SqliteBackend } from "../../src/backends/sqlite-backend.ts";
import { openSqlite } from "../../src/backends/sqlite-driver.ts";
import { type Calls, callsOf } from "./calls.ts";

declare module "vitest/browser" {
  interface BrowserCommands {
    runWithCommand(files: Record<string, string>, words: string[]): Promise<Calls>;
    logWithCommand(records: readonly RecordJson[]): Promise<string>;
    pythonStore(): Promise<string>;
    serveText(text: string, headers: Record<string, string>): Promise<string>;
  }
}

/** Serves a text at an address of its own origin, until the tests end. It knows ranges of bytes. @returns the address */
export const serveText: BrowserCommand<[text: string, headers: Record<string, string>]> = async (
  _,
  text,
  headers,
): Promise<string> => {
  const bytes = Buffer.from(text);
  const server = createServer((request, response) => {
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
    const from = Number(range?.[1] ?? 0);
    const to = Number(range?.[2] || bytes.length - 1);
    response.writeHead(range === null ? 200 : 206, {
      "Cross-Origin-Resource-Policy": "cross-origin",
      "Access-Control-Allow-Headers": "*",
      ...(range === null ? {} : { "Content-Range": `bytes ${from}-${to}/${bytes.length}` }),
      ...headers,
    });
    response.end(bytes.subarray(from, to + 1));
  });
  server.unref();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/data.txt`;
};

/** What `redun log` shows after `redun import` of records. */
export const logWithCommand: BrowserCommand<[records: readonly RecordJson[]]> = async (_, records) => {
  const folder = mkdtempSync(join(tmpdir(), "redun-browser-"));
  try {
    const redunIn = (...words: string[]): string =>
      execFileSync(process.execPath, [redun, ...words], { cwd: folder, encoding: "utf8", stdio: "pipe" });
    redunIn("init");
    writeFileSync(join(folder, "tab.jsonl"), records.map((record) => `${JSON.stringify(record)}\n`).join(""));
    redunIn("import", "-f", "tab.jsonl");
    return redunIn("log") + redunIn("log", "-");
  } finally {
    rmSync(folder, { recursive: true });
  }
};

/** The file of a store that Python's redun made, in write-ahead mode, as base64. */
export const pythonStore: BrowserCommand<[]> = async () => {
  const folder = mkdtempSync(join(tmpdir(), "redun-browser-"));
  try {
    const path = join(folder, "redun.db");
    const db = await openSqlite(path);
    db.exec(readFileSync(join(import.meta.dirname, "../backends/fixtures/python-redun.sql"), "utf8"));
    db.close();
    return readFileSync(path, "base64");
  } finally {
    rmSync(folder, { recursive: true });
  }
};

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
    const calls = await callsOf(backend);
    await backend.close();
    return calls;
  } finally {
    rmSync(folder, { recursive: true });
  }
};
