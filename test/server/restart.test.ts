import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { buildPackage } from "../../src/package.ts";
import { createClient, type ExecutionEvent } from "../../src/server.ts";
import { endedCalls, runsOf } from "./job-counts.ts";
import { type ServerProcess, startProcess } from "./server-process.ts";

let folder: string;
let server: ServerProcess | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "redun-restart-"));
});
afterEach(async () => {
  await server?.kill("SIGKILL");
  server = undefined;
  rmSync(folder, { recursive: true });
});

for (const signal of ["SIGKILL", "SIGTERM"] as const) {
  test(`an execution goes on after ${signal}, runs nothing again that was told, and no event is missed or told twice`, async () => {
    server = await startProcess(folder);
    const token = server.token!;
    const pkg = await buildPackage(join(import.meta.dirname, "workflows/basics.ts"), { npm: "inline" });
    let repo = createClient(server.url, { token }).repo("default");
    await repo.putPackage(pkg);
    const id = await repo.start({ package: pkg.hash, task: "basics.chain", args: [12, 100, signal] });
    const queued = await repo.start({ package: pkg.hash, task: "basics.add", args: [1, 1] });
    const events: ExecutionEvent[] = [];
    for await (const event of repo.events(id)) {
      events.push(event);
      if (runsOf(events, "basics.link").size === 4) break;
    }
    await server.kill(signal);
    const port = Number(new URL(server.url).port);
    server = await startProcess(folder, port);
    expect(server.token).toBeUndefined();
    expect(server.log()).toContain("redun server token --name");
    repo = createClient(server.url, { token }).repo("default");
    for await (const event of repo.events(id, { after: events.length })) events.push(event);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
    expect(events.at(-1)).toMatchObject({ type: "execution-end", outcome: { status: "DONE", value: "12" } });
    const starts = events.filter((event) => event.type === "execution-start");
    expect(starts).toHaveLength(2);
    expect(starts[1]).toMatchObject({ resumes: id });
    const runs = runsOf(events, "basics.link");
    expect(endedCalls(events, "basics.link").size).toBe(12);
    expect([...runs.values()]).toEqual(Array(runs.size).fill(1));
    const resumed = await repo.execution(id);
    expect(resumed).toMatchObject({ status: "DONE", resumedAs: starts[1]!.executionId });
    const told = resumed.tags.filter(({ key }) => key === "redun.status");
    expect(told).toEqual([{ key: "redun.status", value: "interrupted" }]);
    const others = await Array.fromAsync(repo.events(queued));
    expect(others.map(({ seq }) => seq)).toEqual(others.map((_, i) => i + 1));
    expect(await repo.execution(queued)).toMatchObject({ status: "DONE", result: { value: 2 } });
  });
}

test("an execution that takes nothing from earlier ones goes on with what it has done itself", async () => {
  server = await startProcess(folder);
  const token = server.token!;
  const pkg = await buildPackage(join(import.meta.dirname, "workflows/basics.ts"), { npm: "inline" });
  let repo = createClient(server.url, { token }).repo("default");
  await repo.putPackage(pkg);
  const order = { package: pkg.hash, task: "basics.chain", args: [6, 100, "fresh"] };
  await Array.fromAsync(repo.events(await repo.start(order)));
  const id = await repo.start({ ...order, options: { cache: false } });
  const events: ExecutionEvent[] = [];
  for await (const event of repo.events(id)) {
    events.push(event);
    if (runsOf(events, "basics.link").size === 3) break;
  }
  await server.kill("SIGKILL");
  server = await startProcess(folder, Number(new URL(server.url).port));
  repo = createClient(server.url, { token }).repo("default");
  for await (const event of repo.events(id, { after: events.length })) events.push(event);
  expect(events.at(-1)).toMatchObject({ type: "execution-end", outcome: { status: "DONE", value: "6" } });
  expect(events.filter((event) => event.type === "execution-start")).toHaveLength(2);
  expect(endedCalls(events, "basics.link").size).toBe(6);
  const runs = runsOf(events, "basics.link");
  expect(runs.size).toBeGreaterThan(3);
  expect(new Set(runs.values())).toEqual(new Set([1]));
});

test("what a server keeps of tokens and packages is not for other users", async () => {
  server = await startProcess(folder);
  for (const name of ["server.db", "host.db"])
    expect([name, statSync(join(folder, ".redun", name)).mode & 0o077]).toEqual([name, 0]);
});

test("a folder has one server at a time", async () => {
  server = await startProcess(folder);
  await expect(startProcess(folder)).rejects.toThrow(/another server has .*host\.db open/);
});
