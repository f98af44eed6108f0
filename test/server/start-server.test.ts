import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import { openSqlite } from "../../src/backends/sqlite-driver.ts";
import { requestText } from "../../src/cli/commands/server.ts";
import { openConfig } from "../../src/cli/config-dir.ts";
import { type RunningServer, startServer } from "../../src/cli/server/start-server.ts";
import { buildPackage, type CodePackage } from "../../src/package.ts";
import { createClient, type RequestLog } from "../../src/server.ts";
import { hashBytes } from "../../src/value/hash.ts";

const NO_ID = "01234567-89ab-7000-8000-0123456789ab";

let basics: CodePackage;
let folder: string;
let server: RunningServer;
let token: string;
let lines: RequestLog[];
let warnings: string[];
let isClosed: boolean;

beforeAll(async () => {
  basics = await buildPackage(join(import.meta.dirname, "workflows/basics.ts"), { npm: "inline" });
});
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "redun-server-"));
  lines = [];
  warnings = [];
  isClosed = false;
  server = await start();
  token = server.firstToken!;
});
afterEach(async () => {
  if (!isClosed) await server.close();
  rmSync(folder, { recursive: true });
});

function start(
  options: {
    readonly name?: string;
    readonly host?: string;
    readonly port?: number;
    readonly publicUrl?: string;
    /** Values of `[server]`. */
    readonly settings?: Readonly<Record<string, string>>;
  } = {},
): Promise<RunningServer> {
  const { name = ".redun", settings = {}, port = 0, ...more } = options;
  const dir = join(folder, name);
  const config = openConfig({ dir, source: "default" }).with({ server: { ...settings } });
  const log = (line: RequestLog): void => void lines.push(line);
  const warn = (text: string): void => void warnings.push(text);
  return startServer({ dir, config, version: "test", port, log, warn, ...more });
}

/** What a server answers to bytes, until it ends the connection or a time, in milliseconds, has passed. */
function sendRaw(text: string, ms = 1000): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
    let answer = "";
    const end = (): void => {
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(end, ms);
    socket.on("data", (chunk) => {
      answer += String(chunk);
    });
    socket.on("close", () => {
      clearTimeout(timer);
      end();
    });
    socket.on("error", reject);
    socket.write(text);
  });
}

test("tells what to do where it can't listen, and leaves the folder to the next", async () => {
  const taken = Number(new URL(server.url).port);
  await expect(start({ name: "other", port: taken })).rejects.toMatchObject({
    code: "client",
    message: `Cannot listen on 127.0.0.1, port ${taken}: the port is in use`,
    hint: expect.stringContaining("--port"),
  });
  await expect(start({ name: "other", host: "192.0.2.1" })).rejects.toMatchObject({
    message: "Cannot listen on 192.0.2.1, port 0: this machine does not have the address",
    hint: expect.stringContaining("--host"),
  });
  const other = await start({ name: "other" });
  expect(other.firstToken).toBeDefined();
  await other.close();
});

test("no request writes a line of its own into the log", async () => {
  for (const name of ["a\nb", "\u001b[2J", "\u2028"]) {
    const forged = createClient(server.url, { token }).createToken({ name, role: "viewer" });
    await expect(forged).rejects.toMatchObject({ status: 400, code: "invalid-token-name" });
  }
  await fetch(`${server.url}/api/v1/repos%0aforged%1b%5b2J%e2%80%a8?token=secret`, {
    headers: { Authorization: `Bearer ${token}` },
  });
  const line = lines.at(-1)!;
  expect(line).toMatchObject({ status: 404, path: "/api/v1/repos%0aforged%1b%5b2J%e2%80%a8" });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
  expect(requestText(line)).not.toMatch(/[\x00-\x1f\x7f\u2028]/);
  expect(JSON.stringify(lines)).not.toContain("secret");
});

test("a body is read for those only who may send one", async () => {
  const head = (authorization: string): string =>
    `POST /api/v1/repos HTTP/1.1\r\nHost: 127.0.0.1\r\n${authorization}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n`;
  expect(await sendRaw(head(""))).toMatch(/^HTTP\/1\.1 401 /);
  expect(await sendRaw(head(`Authorization: Bearer ${token}\r\n`), 300)).toBe("");
  const signIn = await fetch(`${server.url}/api/v1/session`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ token: "x".repeat(100_000) }),
  });
  expect(signIn.status).toBe(413);
});

test("a browser signs in behind a proxy that adds TLS, and other sites don't", async () => {
  const signIn = (headers: Record<string, string>): Promise<Response> =>
    fetch(`${server.url}/api/v1/session`, {
      method: "POST",
      body: JSON.stringify({ token }),
      headers: { "Content-Type": "application/json", ...headers },
    });
  const own = `https://${new URL(server.url).host}`;
  const there = await signIn({ Origin: own, "Sec-Fetch-Site": "same-origin" });
  expect(there.status).toBe(200);
  expect(there.headers.get("set-cookie")).toMatch(/; Secure/);
  for (const site of ["cross-site", "same-site", "none", ""])
    expect((await signIn({ Origin: server.url, "Sec-Fetch-Site": site })).status).toBe(403);
  expect((await signIn({ Origin: own })).status).toBe(403);
  expect((await signIn({ Origin: server.url })).status).toBe(200);
});

test("a repository that could not be opened is tried again", async () => {
  const client = createClient(server.url, { token });
  await client.createRepo("other");
  const place = join(folder, ".redun/repos");
  writeFileSync(place, "not a folder");
  await expect(client.repo("other").execution(NO_ID)).rejects.toMatchObject({
    status: 500,
    message: "Cannot answer: the server failed",
  });
  expect(warnings.join()).toContain(place);
  rmSync(place);
  await expect(client.repo("other").execution(NO_ID)).rejects.toMatchObject({ status: 404 });
});

test("a server that starts again tells how executions ended that a crash kept from its index", async () => {
  const client = createClient(server.url, { token });
  const repo = client.repo("default");
  await repo.putPackage(basics);
  const id = await repo.start({ package: basics.hash, task: "basics.add", args: [1, 2] });
  await Array.fromAsync(repo.events(id));
  await server.close();
  const db = await openSqlite(join(folder, ".redun/server.db"));
  db.exec("UPDATE execution SET status = 'RUNNING', ended = NULL");
  db.close();
  server = await start();
  const { items } = await createClient(server.url, { token }).executions();
  expect(items).toEqual([expect.objectContaining({ id, status: "DONE", ended: expect.any(Number) })]);
});

test("a server ends though somebody listens over a WebSocket", async () => {
  const repo = createClient(server.url, { token }).repo("default");
  await repo.putPackage(basics);
  const id = await repo.start({ package: basics.hash, task: "basics.slow", args: [1, 60_000] });
  const address = `${server.url.replace("http", "ws")}/api/v1/repos/default/executions/${id}/events`;
  const socket = new WebSocket(address, { headers: { Authorization: `Bearer ${token}` } });
  await new Promise((resolve) => socket.on("message", resolve));
  const closed = new Promise((resolve) => socket.on("close", resolve));
  isClosed = true;
  await server.close();
  await closed;
  expect(warnings).toEqual([]);
}, 10_000);

test("a listener that sends nonsense or too much is cut off, and harms nobody", async () => {
  const repo = createClient(server.url, { token }).repo("default");
  await repo.putPackage(basics);
  const id = await repo.start({ package: basics.hash, task: "basics.slow", args: [1, 60_000] });
  const address = `${server.url.replace("http", "ws")}/api/v1/repos/default/executions/${id}/events`;
  const socket = new WebSocket(address, { headers: { Authorization: `Bearer ${token}` } });
  socket.on("error", () => {});
  await new Promise((resolve) => socket.on("open", resolve));
  socket.send("x".repeat(100_000));
  expect(await new Promise((resolve) => socket.on("close", resolve))).toBe(1009);
  expect((await repo.execution(id)).status).toBe("RUNNING");
});

test("files and folders have names that a file system can have", async () => {
  const repo = createClient(server.url, { token }).repo("default");
  const hash = hashBytes("a");
  const file = new Blob(["a"]);
  expect(await repo.upload(hash, "日".repeat(66), file)).toMatchObject({ size: 1 });
  for (const name of ["日".repeat(67), "a/b", "a\0"])
    await expect(repo.upload(hash, name, file)).rejects.toMatchObject({ status: 400 });
  await repo.upload(hash, "a", file);
  const part = (path: string) => ({ path, hash, name: "a" });
  for (const paths of [["x", "x"], ["x", "x/y"], ["x/y/z", "x/y"], ["../x"], ["x//y"], ["/x"]]) {
    const sent = repo.uploadFolder("folder", paths.map(part));
    await expect(sent, paths.join()).rejects.toMatchObject({ status: 400 });
  }
  expect(await repo.uploadFolder("folder", ["x/y", "x/z", "xx"].map(part))).toMatchObject({ size: 3 });
});

test("malformed requests are refused", async () => {
  const first = async (text: string): Promise<string> => (await sendRaw(text, 500)).split("\r\n", 1)[0]!;
  expect(await first("GET /api/v1/health HTTP/1.1\r\nHost: a b\r\n\r\n")).toMatch(/ 400 /);
  expect(await first("GET /api/v1/health HTTP/1.1\r\nHost: evil.example\r\n\r\n")).toMatch(/ 403 /);
  expect(await first("GET http://evil.example/api/v1/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")).toMatch(
    / 403 /,
  );
  expect(await first("GET /api/v1/%ff%c0%00 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")).toMatch(/ 40[14] /);
  expect(await first("GET /%00/..%2f..%2fetc/passwd HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")).toMatch(/ 404 /);
});

test("[server] of redun.ini sets limits, by the names of a Worker's variables", async () => {
  await server.close();
  server = await start({ settings: { max_running: "1", max_queued: "2", max_body: "100000" } });
  const repo = createClient(server.url, { token }).repo("default");
  await repo.putPackage(basics);
  const begin = (task: string, args: readonly unknown[]): Promise<string> =>
    repo.start({ package: basics.hash, task: `basics.${task}`, args: args as never });
  const first = await begin("slow", [1, 500]);
  const second = await begin("add", [1, 2]);
  const third = await fetch(`${server.url}/api/v1/repos/default/executions`, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify({ package: basics.hash, task: "basics.add", args: [3, 4] }),
  });
  expect([third.status, third.headers.get("retry-after")]).toEqual([429, "10"]);
  expect((await repo.execution(second)).status).toBe("QUEUED");
  await Promise.all([first, second].map((id) => Array.fromAsync(repo.events(id))));
  await expect(begin("echo", ["x".repeat(100_000)])).rejects.toMatchObject({ status: 413 });
});

test("[server] of redun.ini is refused with what is wrong in it", async () => {
  for (const [settings, message] of [
    [{ max_running: "0" }, 'Cannot read max_running in [server] of redun.ini: "0" is malformed'],
    [{ cors_origins: "*" }, 'Cannot read cors_origins in [server] of redun.ini: "*" is malformed'],
    [{ max_runing: "1" }, "Cannot read the configuration: [server] has no key max_runing"],
  ] as const)
    await expect(start({ name: "other", settings })).rejects.toMatchObject({ message });
});

test("files of hosts that the operator allows are read, and no others of the server's networks", async () => {
  const asked: unknown[] = [];
  const inner = createServer(({ headers }, response) => {
    asked.push(headers.host);
    response.end("inner");
  });
  await new Promise<void>((resolve) => inner.listen(0, "127.0.0.1", resolve));
  const { port } = inner.address() as AddressInfo;
  await server.close();
  server = await start({ settings: { private_hosts: "127.0.0.1" } });
  const repo = createClient(server.url, { token }).repo("default");
  await repo.putPackage(basics);
  try {
    for (const host of ["127.0.0.1", "localhost"]) {
      const path = `http://${host}:${port}/`;
      const file = { $: ["redun.File", { path, hash: hashBytes(path) }] };
      const order = { package: basics.hash, task: "basics.echo", args: [file] as never };
      // The second time the server looks whether the result of the first still holds.
      for (let i = 0; i < 2; i++) await Array.fromAsync(repo.events(await repo.start(order)));
    }
    expect(new Set(asked)).toEqual(new Set([`127.0.0.1:${port}`]));
  } finally {
    inner.close();
  }
});

test("a server is found at its public address, and its pages are known by that", async () => {
  await server.close();
  server = await start({ publicUrl: "https://redun.example.org/" });
  expect(server.publicUrl).toBe("https://redun.example.org");
  const { port } = new URL(server.url);
  const signIn = (headers: readonly string[]): Promise<string> => {
    const body = JSON.stringify({ token });
    const lines = ["Content-Type: application/json", `Content-Length: ${body.length}`, ...headers];
    return sendRaw(`POST /api/v1/session HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n${body}`, 500);
  };
  const secure = /^HTTP\/1\.1 200 .*set-cookie: [^\r]*; Secure/is;
  const [own, site] = ["Host: redun.example.org", "Origin: https://redun.example.org"];
  expect(await signIn([own])).toMatch(secure);
  expect(await signIn([own, site])).toMatch(secure);
  // A proxy may name the server as it finds it.
  expect(await signIn([`Host: 127.0.0.1:${port}`, site])).toMatch(secure);
  expect(await signIn([own, "Origin: https://evil.example"])).toMatch(/ 403 /);
  expect(await signIn([own, "Origin: http://redun.example.org"])).toMatch(/ 403 /);
  expect(await signIn([own, site, "Sec-Fetch-Site: cross-site"])).toMatch(/ 403 /);
  expect(await signIn(["Host: other.example.org", site])).toMatch(/ 403 /);
  // On the machine itself there is no TLS.
  const here = await signIn([`Host: 127.0.0.1:${port}`]);
  expect(here).toMatch(/^HTTP\/1\.1 200 /);
  expect(here).not.toMatch(secure);
});

test("a public address is that of a whole site", async () => {
  for (const publicUrl of [
    "redun.example.org",
    "https://example.org/redun",
    "ftp://example.org",
    "https://a@b.c",
  ])
    await expect(start({ name: "other", publicUrl })).rejects.toMatchObject({
      message: expect.stringContaining("--public-url must be like"),
    });
});

test("a repository that is made while one of its name is removed is new and works", async () => {
  const client = createClient(server.url, { token });
  const again = client.repo("again");
  await client.createRepo("again");
  await again.putPackage(basics);
  const order = { package: basics.hash, task: "basics.slow", args: [1, 60_000] };
  const id = await again.start(order);
  const removals = [1, 2].map(() => client.removeRepo("again", { force: true }));
  const late = Array.from({ length: 20 }, () =>
    again.execution(id).then(
      (execution) => execution.id,
      (error: { status: number }) => error.status,
    ),
  );
  const create = (): Promise<boolean> =>
    client.createRepo("again").then(
      () => true,
      () => false,
    );
  await expect.poll(create, { interval: 1 }).toBe(true);
  expect(await again.list()).toMatchObject({ items: [] });
  await again.putPackage(basics);
  const next = await again.start({ ...order, args: [1, 1] });
  await Array.fromAsync(again.events(next));
  expect(await again.execution(next)).toMatchObject({ status: "DONE" });
  await Promise.all(removals);
  for (const answer of await Promise.all(late)) expect(answer).toBeOneOf([404, id]);
  expect((await again.list()).items.map((item) => item.id)).toEqual([next]);
  expect(warnings).toEqual([]);
});
