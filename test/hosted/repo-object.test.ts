import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import pkg from "package:basics";
import { expect, test, vi } from "vitest";
import { openDurableObject } from "../../src/backends/durable-object-driver.ts";
import { MemoryBackend } from "../../src/backends/memory-backend.ts";
import { filesOf } from "../../src/cloudflare/repository.ts";
import type { RepoObject } from "../../src/cloudflare.ts";
import type { HostedRun, HostedStatus } from "../../src/server/execution-types.ts";
import { HostState } from "../../src/server/host-state.ts";
import { UploadLedger } from "../../src/server/upload-ledger.ts";
import { Uploads } from "../../src/server/uploads.ts";
import type { ExecutionEvent } from "../../src/server.ts";
import { hashBytes } from "../../src/value/hash.ts";
import { encodeValue } from "../../src/value/value.ts";
import { endedCalls, runsOf } from "../server/job-counts.ts";
import { directory, env, hear, listen, newRepo, openSocket, type TestRepo } from "./instance.ts";

/** How many calls of a task have ended, whether they ran or came from the cache. */
const ended = (events: readonly ExecutionEvent[], task: string): number => endedCalls(events, task).size;

const numbers = (events: readonly ExecutionEvent[]): number[] => events.map(({ seq }) => seq);
const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

/** Keeps a run that the host has not begun, with events. */
function invent(repo: TestRepo, status: HostedStatus, count: number, line: string): Promise<string> {
  return runInDurableObject(repo.stub, (_, { storage }) => {
    const state = new HostState(openDurableObject(storage, "of a test"));
    const id = crypto.randomUUID();
    const run: HostedRun = {
      ...{ id, created: 1, status, package: "0".repeat(40), task: "basics.add", args: "[]", options: {} },
      ...{
        tags: [],
        context: undefined,
        commandLine: [],
        user: "test",
        current: id,
        interrupted: [],
        tries: 0,
      },
    };
    state.putRun(run);
    const event = { time: 0, type: "job-log", jobId: "", line } as const;
    state.addEvents(
      id,
      upTo(count).map((seq) => ({ seq, ...event })),
    );
    return id;
  });
}

/** Ends an object at once, as a crash or a new version of the code does. */
async function crash({ stub }: TestRepo): Promise<void> {
  await runInDurableObject(stub, (_, state) => state.abort("A test ends the object")).catch(() => {});
}

test("an object that ends in the middle of an execution goes on at its alarm", async () => {
  const repo = await newRepo();
  const id = await repo.start("basics.chain", [8, 40, "ended"]);
  const { events } = await listen(repo, id);
  await expect.poll(() => ended(events, "basics.link"), { interval: 10 }).toBeGreaterThan(1);
  await crash(repo);
  expect(await runDurableObjectAlarm(repo.stub)).toBe(true);
  const rest = await listen(repo, id, events.length);
  expect((await rest.closed).code).toBe(1000);
  const all = [...events, ...rest.events];
  expect(numbers(all)).toEqual(upTo(all.length));
  expect(all.filter(({ type }) => type === "execution-start")).toHaveLength(2);
  expect(ended(all, "basics.link")).toBe(8);
  expect([...runsOf(all, "basics.link").values()].filter((times) => times > 1)).toEqual([]);
  expect(all.at(-1)).toMatchObject({ type: "execution-end", outcome: { status: "DONE", value: "8" } });
});

test("sockets stay open while an object sleeps, and go on when it wakes", async () => {
  const repo = await newRepo();
  const id = await invent(repo, "RUNNING", 3, "before");
  const { events, closed } = await listen(repo, id);
  await expect.poll(() => events).toHaveLength(3);
  await evictDurableObject(repo.stub);
  // The new object begins the run, whose package it lacks.
  await repo.repo.list();
  expect((await closed).code).toBe(1000);
  expect(numbers(events)).toEqual(upTo(events.length));
  expect(events.at(-1)).toMatchObject({ type: "execution-end", outcome: { status: "FAILED" } });
});

test("a request that an object can't answer because it ends may be sent again", async () => {
  const repo = await newRepo();
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  const begun = Promise.withResolvers<void>();
  let sentBytes = 0;
  const endless = new ReadableStream<Uint8Array>({
    async pull(controller) {
      controller.enqueue(new Uint8Array(100_000));
      sentBytes += 100_000;
      if (sentBytes < 10_000_000) return;
      // So much comes to the object only if it takes it.
      begun.resolve();
      await new Promise((resolve) => setTimeout(resolve, 5));
    },
  });
  const sent = repo.send(`/uploads/${"0".repeat(40)}/endless`, { method: "PUT", body: endless });
  await begun.promise;
  await crash(repo);
  const response = await sent;
  expect([response.status, response.headers.get("retry-after")]).toEqual([503, "1"]);
  expect(await response.json()).toMatchObject({ error: { code: "unavailable" } });
  expect((await repo.send("/executions")).status).toBe(200);
  log.mockRestore();
});

test("an object that can't open its store says so, wakes again, and is opened as soon as it can be", async () => {
  const repo = await newRepo();
  const setVersion = (version: number): Promise<void> =>
    runInDurableObject(repo.stub, (_, { storage }) => {
      storage.sql.exec("UPDATE redun_version SET version = ?", version);
    });
  const [before] = await runInDurableObject(repo.stub, (_, { storage }) =>
    storage.sql.exec<{ version: number }>("SELECT version FROM redun_version").toArray(),
  );
  const id = await repo.start("basics.chain", [3, 100, "closed"]);
  await setVersion(99);
  await crash(repo);
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  expect(await (await repo.send("/executions")).json()).toMatchObject({ error: { code: "internal" } });
  for (let i = 0; i < 2; i++) expect(await runDurableObjectAlarm(repo.stub)).toBe(true);
  expect(log.mock.calls.map(String).join("\n")).toContain("its version 99.0 is too new");
  log.mockRestore();
  await setVersion(before!.version);
  expect(await runDurableObjectAlarm(repo.stub)).toBe(true);
  expect((await (await listen(repo, id)).closed).code).toBe(1000);
  expect(await repo.repo.execution(id)).toMatchObject({ status: "DONE" });
});

test("an alarm is set while executions are at work, may come when there is nothing left, and then is the last", async () => {
  const repo = await newRepo();
  expect(await runDurableObjectAlarm(repo.stub)).toBe(false);
  const id = await repo.start("basics.chain", [3, 30, "alarm"]);
  for (let i = 0; i < 3; i++) expect(await runDurableObjectAlarm(repo.stub)).toBe(true);
  await (await listen(repo, id)).closed;
  await expect.poll(() => runDurableObjectAlarm(repo.stub)).toBe(false);
  expect(await repo.repo.execution(id)).toMatchObject({ status: "DONE", resumedAs: null });
});

test("executions come into the directory's index, later where it is away", async () => {
  const repo = await newRepo();
  const indexed = async (): Promise<unknown[]> =>
    (await directory.listExecutions({ repos: [repo.name], limit: 10 })).map(({ id, status }) => [id, status]);
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  await env.DB.prepare("ALTER TABLE execution RENAME TO execution_away").run();
  const ids: string[] = [];
  try {
    for (const n of [1, 2, 3]) {
      const id = await repo.start("basics.add", [n, n]);
      await (await listen(repo, id)).closed;
      ids.unshift(id);
    }
    await crash(repo);
    expect(await runDurableObjectAlarm(repo.stub)).toBe(true);
    const lines = log.mock.calls.map(([line]) => JSON.parse(String(line)) as unknown);
    expect(lines).toContainEqual({
      ...{ time: expect.any(Number), level: "error", repo: repo.name },
      ...{
        message: "Cannot note executions in the directory",
        error: expect.stringContaining("no such table"),
      },
    });
  } finally {
    log.mockRestore();
    await env.DB.prepare("ALTER TABLE execution_away RENAME TO execution").run();
  }
  expect(await indexed()).toEqual([]);
  expect(await runDurableObjectAlarm(repo.stub)).toBe(true);
  expect(await indexed()).toEqual(ids.map((id) => [id, "DONE"]));
});

test("who asks while the directory is away hears when to ask again", async () => {
  const repo = await newRepo();
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  await env.DB.prepare("ALTER TABLE token RENAME TO token_away").run();
  try {
    const answer = await repo.send("/executions");
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(await answer.json()).toMatchObject({ error: { code: "unavailable" } });
    expect(log.mock.calls.map(([line]) => String(line))).toContainEqual(
      expect.stringContaining("no such table"),
    );
  } finally {
    log.mockRestore();
    await env.DB.prepare("ALTER TABLE token_away RENAME TO token").run();
  }
  expect((await repo.send("/executions")).status).toBe(200);
});

test("a socket answers ping, ignores what else is said, and refuses long messages", async () => {
  const repo = await newRepo();
  const id = await repo.start("basics.chain", [20, 50, "said"]);
  const { socket, texts, closed } = await listen(repo, id);
  socket.send("ping");
  await expect.poll(() => texts).toEqual(["pong"]);
  socket.send('{"seen":1}');
  socket.send("x".repeat(1001));
  expect(await closed).toMatchObject({ code: 1009 });
  await repo.repo.cancel(id);
});

test("a socket that was sent very much has to connect again, and gets the rest", async () => {
  const repo = await newRepo();
  const id = await invent(repo, "DONE", 20_000, "x".repeat(1000));
  const events: ExecutionEvent[] = [];
  const codes: number[] = [];
  while (codes.at(-1) !== 1000) {
    const listener = await listen(repo, id, events.length);
    const { code, reason } = await listener.closed;
    events.push(...listener.events);
    codes.push(code);
    if (code === 1013) expect(reason).toBe(`Connect again with ?after=${events.length}`);
  }
  expect(codes).toEqual([1013, 1000]);
  expect(numbers(events)).toEqual(upTo(20_000));
});

test("many slow sockets are closed before they hold too much together", async () => {
  const repo = await newRepo();
  const id = await invent(repo, "RUNNING", 12_000, "x".repeat(1000));
  const codes: number[] = [];
  for (let i = 0; i < 6; i++) {
    const { closed } = await listen(repo, id);
    void closed.then(({ code }) => codes.push(code));
  }
  await expect.poll(() => codes).toEqual([1013, 1013, 1013]);
});

test("so are those of executions that have ended, whose readers do not read", async () => {
  const repo = await newRepo();
  const id = await invent(repo, "DONE", 12_000, "x".repeat(1000));
  const sockets = await Promise.all(Array.from({ length: 8 }, () => openSocket(repo, id)));
  const codes = sockets.map((socket) => hear(socket).closed.then(({ code }) => code));
  expect((await Promise.all(codes)).sort()).toEqual([1000, 1000, 1000, 1013, 1013, 1013, 1013, 1013]);
});

test("objects of several repositories share an isolate, and none sees the files of another", async () => {
  const repos = await Promise.all([newRepo(), newRepo()]);
  const results = repos.map(async (repo, i) => {
    const path = "r2://notes/same.txt";
    const written = await repo.start("basics.written", [path]);
    await (await listen(repo, written)).closed;
    const bare = await repo.start("basics.written", [`bare-${i}.txt`]);
    await (await listen(repo, bare)).closed;
    return await repo.repo.execution(written);
  });
  for (const detail of await Promise.all(results)) expect(detail).toMatchObject({ status: "DONE" });
  for (const [i, { name }] of repos.entries()) {
    const { objects } = await env.BUCKET.list({ prefix: `repos/${name}/` });
    expect(objects.map(({ key }) => key).sort()).toEqual([
      `repos/${name}/files/bare-${i}.txt`,
      `repos/${name}/files/notes/same.txt`,
    ]);
  }
  const [first, second] = repos as [TestRepo, TestRepo];
  const stolen = await second.start("basics.echo", [{ $: ["File", `../../${first.name}/files/bare-0.txt`] }]);
  await (await listen(second, stolen)).closed;
  expect(await second.repo.execution(stolen)).not.toMatchObject({ status: "DONE" });
});

test("files that clients send are kept below the repository's prefix, in parts where they are large", async () => {
  const repo = await newRepo();
  const bytes = new Uint8Array(9_000_000).map((_, i) => i % 251);
  const hash = hashBytes(bytes);
  const put = (to: string, body: BodyInit): Promise<Response> =>
    repo.send(`/uploads/${to}/data.bin`, { method: "PUT", body });
  const response = await put(hash, new Blob([bytes]).stream());
  expect(response.status).toBe(201);
  const path = `r2://uploads/${hash}/data.bin`;
  expect(await response.json()).toMatchObject({ path, size: bytes.length });
  expect((await put("0".repeat(40), "other")).status).toBe(422);
  const { objects } = await env.BUCKET.list({ prefix: `repos/${repo.name}/` });
  expect(objects.map(({ key, size }) => [key, size])).toEqual([
    [`repos/${repo.name}/files/uploads/${hash}/data.bin`, bytes.length],
  ]);
});

test("an execution knows who asked for it, whatever they are called and whatever else they may use", async () => {
  const repo = await newRepo();
  const name = "Łukasz 🙂 %41";
  const others = Array.from({ length: 999 }, (_, i) => `another-repository-${i}`);
  const { token } = await directory.createToken({ name, role: "runner", repos: [...others, repo.name] });
  const response = await repo.send("/executions", {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify({ package: pkg.hash, task: "basics.add", args: [1, 2] }),
  });
  const { id } = (await response.json()) as { id: string };
  expect(await repo.repo.execution(id)).toMatchObject({ user: name });
});

test("a repository in the place of one that was removed wakes as that did", async () => {
  const repo = await newRepo();
  await Array.fromAsync(repo.repo.events(await repo.start("basics.add", [1, 2])));
  expect((await repo.send("", { method: "DELETE" })).status).toBe(204);
  await directory.createRepo(repo.name);
  await repo.repo.putPackage(pkg);
  const id = await repo.start("basics.slow", [1, 1000, "again"]);
  expect(await runInDurableObject(repo.stub, (_, { storage }) => storage.getAlarm())).not.toBeNull();
  await Array.fromAsync(repo.repo.events(id));
});

test("a repository that is removed leaves nothing, and its object stays empty until there is one again", async () => {
  const repo = await newRepo();
  const id = await repo.start("basics.repeated", ["x", 1_500_000]);
  await Array.fromAsync(repo.repo.events(id));
  await repo.repo.upload(hashBytes("sent"), "sent.txt", new Blob(["sent"]));
  const keys = async (): Promise<string[]> =>
    (await env.BUCKET.list({ prefix: `repos/${repo.name}/` })).objects.map(({ key }) => key);
  expect((await keys()).length).toBe(2);
  const remove = (): Promise<Response> => repo.send("", { method: "DELETE" });
  expect((await remove()).status).toBe(204);
  expect(await keys()).toEqual([]);
  const tables = (): Promise<unknown[]> =>
    runInDurableObject(repo.stub, (_, { storage }) =>
      storage.sql.exec("SELECT name FROM sqlite_master").toArray(),
    );
  expect(await tables()).toEqual([]);
  // As a Worker does that has not heard of it, and an alarm that comes late.
  const late = await repo.stub.fetch(`http://localhost/api/v1/repos/${repo.name}/executions`);
  expect([late.status, await late.json()]).toMatchObject([404, { error: { code: "unknown-repo" } }]);
  await runInDurableObject(repo.stub, (object) => (object as unknown as RepoObject).alarm());
  expect(await tables()).toEqual([]);
  expect(await runInDurableObject(repo.stub, (_, { storage }) => storage.getAlarm())).toBeNull();
  await directory.createRepo(repo.name);
  expect(await repo.repo.list()).toMatchObject({ items: [] });
  // A removal that broke off, after the directory had forgotten the repository, goes on.
  await directory.removeRepo(repo.name);
  expect((await remove()).status).toBe(204);
  expect(await tables()).toEqual([]);
});

test("files that were sent in vain go from the bucket, and others stay", async () => {
  const repo = await newRepo();
  await repo.repo.list();
  const names = async (): Promise<string[]> =>
    (await env.BUCKET.list({ prefix: `repos/${repo.name}/files/uploads/` })).objects.map(({ key }) =>
      key.slice(key.indexOf("uploads/") + 49),
    );
  await runInDurableObject(repo.stub, async (_, { storage }) => {
    let now = 1;
    const ledger = new UploadLedger(openDurableObject(storage, "of a test"), () => now);
    const backend = new MemoryBackend();
    const place = { files: filesOf(env, repo.name), folder: "r2://uploads" };
    const uploads = new Uploads(place, { ledger, backend });
    const hash = hashBytes("a");
    const send = (name: string) => uploads.add(hash, name, new Blob(["a"]).stream());
    const [, used] = [await send("vain"), await send("used")];
    await uploads.addFolder("folder", [{ path: "x/y", hash, name: "vain" }]);
    expect(await names()).toHaveLength(3);
    const none = {
      tasks: [],
      executions: [],
      jobs: [],
      evaluations: [],
      callNodes: [],
      jobEnds: [],
      tags: [],
    };
    await backend.write({ ...none, values: [{ ...encodeValue("x"), hash: used.hash }] });
    now += 31 * 86_400_000;
    await uploads.sweep();
    expect(ledger.size).toBe(1);
  });
  expect(await names()).toEqual(["used"]);
});
