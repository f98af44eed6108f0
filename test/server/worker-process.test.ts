import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { buildPackage, type CodePackage } from "../../src/package.ts";
import { securityHeaders } from "../../src/server/web-headers.ts";
import { type Client, createClient, type ExecutionEvent, type RepoClient } from "../../src/server.ts";
import { type RunningWorker, startWorker } from "../cloudflare/start-worker.ts";
import { Example } from "../examples/example.ts";
import { endedCalls, runsOf } from "./job-counts.ts";

let worker: RunningWorker;
let client: Client;
let repo: RepoClient;
let pkg: CodePackage;

beforeAll(async () => {
  worker = await startWorker();
  client = createClient(worker.url, { token: worker.adminToken });
  repo = client.repo("default");
  pkg = await buildPackage(join(import.meta.dirname, "workflows/basics.ts"), { npm: "inline" });
  await repo.putPackage(pkg);
}, 60_000);
afterAll(() => worker?.close());

/** Events of a run over a socket, until it is closed or enough of them have come. */
function listen(
  id: string,
  after: number,
  isEnough: (events: readonly ExecutionEvent[]) => boolean = () => false,
): Promise<{ readonly events: ExecutionEvent[]; readonly code: number }> {
  const address = `${worker.url.replace("http", "ws")}/api/v1/repos/default/executions/${id}/events?after=${after}`;
  const socket = new WebSocket(address, { headers: { Authorization: `Bearer ${worker.adminToken}` } });
  const events: ExecutionEvent[] = [];
  return new Promise((resolve, reject) => {
    // Under wrangler a connection on which nothing was ever said stays open for a while after it is closed.
    socket.on("open", () => socket.send("hello"));
    socket.on("message", (data) => {
      events.push(JSON.parse(String(data)) as ExecutionEvent);
      if (isEnough(events)) resolve({ events, code: 0 });
    });
    socket.on("close", (code) => resolve({ events, code }));
    socket.on("error", reject);
  });
}

test("the web app comes with the headers that it needs, and what is not there is not", async () => {
  const get = (path: string, init?: RequestInit): Promise<Response> => fetch(`${worker.url}${path}`, init);
  const page = await get("/");
  expect([page.status, await page.text()]).toEqual([200, "index.html\n"]);
  for (const [name, value] of Object.entries(securityHeaders)) expect(page.headers.get(name)).toBe(value);
  expect(page.headers.get("cache-control")).toBe("no-cache");
  const frame = await get("/report.html");
  expect([frame.status, await frame.text()]).toEqual([200, "report.html\n"]);
  expect(frame.headers.get("content-security-policy")).toBeNull();
  const script = await get("/assets/main-ABCDEF1234.js");
  expect(script.headers.get("content-type")).toMatch("text/javascript");
  expect(script.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
  const again = await get("/", { headers: { "If-None-Match": page.headers.get("etag")! } });
  expect(again.status).toBe(304);
  expect((await get("/", { method: "HEAD" })).status).toBe(200);
  for (const path of ["/nothing.html", "/..%2f..%2fwrangler.toml", "/assets/"])
    expect((await get(path)).status, path).toBe(404);
});

test("requests are logged as JSON, without secrets", async () => {
  const response = await fetch(`${worker.url}/api/v1/me?token=${worker.adminToken}`, {
    headers: { Authorization: `Bearer ${worker.adminToken}` },
  });
  expect(response.status).toBe(200);
  await expect.poll(() => worker.output()).toContain('"path":"/api/v1/me","status":200');
  expect(worker.output()).not.toContain(worker.adminToken.split("_")[2]);
});

test("the command sends the files of a call along, once", async () => {
  const example = new Example("folder");
  example.env = { REDUN_TOKEN: worker.adminToken };
  const command = `run workflow.ts main --folder weather --server ${worker.url} --upload`;
  const first = await example.redun(command);
  expect(first).toMatchObject({ code: 0, stdout: expect.stringContaining("year: '2014'") });
  expect(first.stderr).toContain("Sent 3 files");
  const again = await example.redun(command);
  expect(again).toMatchObject({ code: 0, stdout: first.stdout });
  expect(again.stderr).toContain("The server has the files already");
});

test("a request whose body nobody reads is no fault", async () => {
  const response = await fetch(`${worker.url}/api/v1/repos/default/nothing`, {
    method: "POST",
    headers: { Authorization: `Bearer ${worker.adminToken}` },
    body: "x".repeat(100_000),
  });
  expect(response.status).toBe(404);
  await expect.poll(() => worker.output()).toContain('"path":"/api/v1/repos/default/nothing","status":404');
  expect(await repo.cancel("01234567-89ab-7000-8000-0123456789ab").catch(({ status }) => status)).toBe(404);
  await expect.poll(() => worker.output()).toContain('/cancel","status":404');
  expect(worker.output()).not.toContain("Uncaught");
});

test("executions go on after a crash, run nothing again that was told, and no event is missed or told twice", async () => {
  const start = (links: number, salt: string, options = {}): Promise<string> =>
    repo.start({ package: pkg.hash, task: "basics.chain", args: [links, 100, salt], options });
  const [id, other, cancelled] = await Promise.all([
    start(12, "watched"),
    start(8, "not watched", { cache: false }),
    start(50, "cancelled"),
  ]);
  const { events } = await listen(id, 0, (so) => runsOf(so, "basics.link").size === 4);
  expect(await repo.cancel(cancelled)).toBe(true);
  await worker.kill();
  await worker.restart();
  // Nobody asks for the repository: an alarm wakes its object, which tells the index of all executions.
  const indexed = async (status: string): Promise<string[]> =>
    (await client.executions({ status })).items.map((item) => item.id);
  await expect
    .poll(() => indexed("DONE"), { timeout: 30_000, interval: 200 })
    .toEqual(expect.arrayContaining([id, other]));
  expect(await indexed("CANCELLED")).toEqual([cancelled]);
  const rest = await listen(id, events.length);
  expect(rest.code).toBe(1000);
  events.push(...rest.events);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
  expect(events.at(-1)).toMatchObject({ type: "execution-end", outcome: { status: "DONE", value: "12" } });
  const starts = events.filter((event) => event.type === "execution-start");
  expect(starts).toHaveLength(2);
  expect(starts[1]).toMatchObject({ resumes: id });
  const runs = runsOf(events, "basics.link");
  expect(endedCalls(events, "basics.link").size).toBe(12);
  expect([...runs.values()]).toEqual(Array(runs.size).fill(1));
  expect(await repo.execution(id)).toMatchObject({ status: "DONE", resumedAs: starts[1]!.executionId });
  const streamed: ExecutionEvent[] = [];
  for await (const event of repo.events(id)) streamed.push(event);
  expect(streamed).toEqual(events);
  // One that takes nothing from earlier executions takes what it has done itself.
  const fresh = await Array.fromAsync(repo.events(other));
  expect(endedCalls(fresh, "basics.link").size).toBe(8);
  expect(new Set(runsOf(fresh, "basics.link").values())).toEqual(new Set([1]));
  expect(await repo.execution(cancelled)).toMatchObject({ status: "CANCELLED" });
  expect((await listen(cancelled, 0)).events.at(-1)).toMatchObject({
    type: "execution-end",
    outcome: { status: "CANCELLED" },
  });
}, 60_000);
