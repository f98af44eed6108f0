import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildPackage, type CodePackage } from "../../src/package.ts";
import {
  type Client,
  createClient,
  type ExecutionEvent,
  RemoteBackend,
  type RepoClient,
} from "../../src/server.ts";
import { hashBytes } from "../../src/value/hash.ts";

/** A hosted instance that runs, with the token of an administrator and the repository `default`. */
export interface Instance {
  readonly url: string;
  readonly adminToken: string;
  close(): Promise<void>;
}

/** What each home is to be started with, by the names of a Worker's variables. */
export const SETTINGS: Readonly<Record<string, string>> = {
  REDUN_MAX_TOKEN_STREAMS: "20",
  REDUN_MAX_UPLOADS: "100000",
};
const MOST_STREAMS: number = Number(SETTINGS.REDUN_MAX_TOKEN_STREAMS);

const NO_HASH = "0123456789".repeat(4);
const NO_ID = "01234567-89ab-7000-8000-0123456789ab";

/** Each route of a repository with the least role that it takes, and a body that does no harm. */
const routes: readonly (readonly [
  method: string,
  path: string,
  role: "viewer" | "runner",
  body?: unknown,
])[] = [
  ["PUT", `/packages/${NO_HASH}`, "runner", {}],
  ["GET", `/packages/${NO_HASH}`, "viewer"],
  ["GET", `/packages/${NO_HASH}/tasks`, "viewer"],
  ["POST", "/executions", "runner", {}],
  ["GET", "/executions", "viewer"],
  ["GET", `/executions/${NO_ID}`, "viewer"],
  ["POST", `/executions/${NO_ID}/cancel`, "runner", {}],
  ["GET", `/executions/${NO_ID}/events`, "viewer"],
  ["GET", "/jobs", "viewer"],
  ["GET", `/jobs/${NO_ID}`, "viewer"],
  ["GET", "/call-nodes", "viewer"],
  ["GET", `/call-nodes/${NO_HASH}`, "viewer"],
  ["GET", "/tasks", "viewer"],
  ["GET", `/tasks/${NO_HASH}`, "viewer"],
  ["GET", "/values", "viewer"],
  ["GET", `/values/${NO_HASH}`, "viewer"],
  ["GET", `/values/${NO_HASH}/content`, "viewer"],
  ["GET", "/files", "viewer"],
  ["GET", `/files/${NO_HASH}/content`, "viewer"],
  ["GET", "/tags", "viewer"],
  ["POST", "/tags", "runner", {}],
  ["GET", `/dataflow/${NO_HASH}`, "viewer"],
  ["POST", "/sync/missing", "viewer", { ids: [] }],
  ["POST", "/sync/reachable", "viewer", {}],
  ["POST", "/sync/records", "runner", {}],
  ["GET", "/sync/records", "viewer"],
  ["POST", "/query/tagCounts", "viewer", { args: [] }],
];

/** Checks a hosted instance from outside, as its clients see it. */
export function describeApi(name: string, start: () => Promise<Instance>): void {
  describe(`the API of ${name}`, () => {
    let instance: Instance;
    let client: Client;
    let repo: RepoClient;
    let pkg: CodePackage;

    beforeAll(async () => {
      instance = await start();
      client = createClient(instance.url, { token: instance.adminToken });
      repo = client.repo("default");
      pkg = await buildPackage(join(import.meta.dirname, "workflows/basics.ts"), { npm: "inline" });
      await repo.putPackage(pkg);
    }, 60_000);
    afterAll(() => instance?.close());

    const send = (path: string, token: string | undefined, init: RequestInit = {}): Promise<Response> =>
      fetch(`${instance.url}/api/v1${path}`, {
        ...init,
        headers: {
          ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
          ...(init.body === undefined ? {} : { "Content-Type": "application/json" }),
          ...init.headers,
        },
      });
    const tokenOf = async (
      role: "viewer" | "runner" | "admin",
      repos: string[] | null = null,
      expires?: number,
    ) =>
      (
        await client.createToken({
          name: `a ${role}`,
          role,
          repos,
          ...(expires === undefined ? {} : { expires }),
        })
      ).token;
    const run = async (task: string, args: unknown, more = {}) =>
      repo.start({ package: pkg.hash, task: `basics.${task}`, args: args as never, ...more });
    const eventsOf = async (id: string, after = 0): Promise<ExecutionEvent[]> => {
      const events: ExecutionEvent[] = [];
      for await (const event of repo.events(id, { after })) events.push(event);
      return events;
    };
    const resultOf = async (id: string) => {
      await eventsOf(id);
      const { status, result, error } = await repo.execution(id);
      return { status, value: result?.value, error };
    };

    describe("what it says of itself", () => {
      test("is open: its health, and a description of every route", async () => {
        expect(await client.health()).toMatchObject({ status: "ok", api: 1 });
        const document = (await (await send("/openapi.json", undefined)).json()) as {
          paths: Record<string, object>;
        };
        const described = Object.entries(document.paths).flatMap(([path, methods]) =>
          Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
        );
        const known = routes.map(([method, path]) => {
          const general = path
            .replace(`dataflow/${NO_HASH}`, "dataflow/{valueHash}")
            .replace(`packages/${NO_HASH}`, "packages/{hash}")
            .replace("query/tagCounts", "query/{method}")
            .replace(NO_HASH, "{id}")
            .replace(NO_ID, "{id}");
          return `${method} /api/v1/repos/{repo}${general}`;
        });
        expect(described).toEqual(expect.arrayContaining(known));
        expect(described).toEqual(
          expect.arrayContaining([
            ...["GET /api/v1/health", "POST /api/v1/repos", "DELETE /api/v1/repos/{repo}"],
            "DELETE /api/v1/tokens/{id}",
          ]),
        );
      });

      test("what is not there is told as any error", async () => {
        for (const path of [
          "/nothing",
          "/repos/default/nothing",
          "/repos/default/executions/nothing/at/all",
        ]) {
          const response = await send(path, instance.adminToken, { method: "POST", body: "{}" });
          expect([path, response.status, await response.json()]).toMatchObject([
            path,
            404,
            { error: { code: "not-found", message: `There is no POST /api/v1${path}` } },
          ]);
        }
      });

      test("no answer may be cached, framed or sniffed", async () => {
        const { headers } = await send("/repos", instance.adminToken);
        expect(headers.get("cache-control")).toBe("no-store");
        expect(headers.get("x-content-type-options")).toBe("nosniff");
        expect(headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
        expect(headers.get("access-control-allow-origin")).toBeNull();
      });
    });

    describe("who may do what", () => {
      test("every route takes a token, which is none of an unknown, malformed, revoked or expired one", async () => {
        const expired = await tokenOf("admin", null, 1);
        const { token: revoked, info } = await client.createToken({ name: "revoked", role: "admin" });
        await client.revokeToken(info.id);
        for (const [method, path, , body] of routes) {
          const init = { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
          expect([path, (await send(`/repos/default${path}`, undefined, init)).status]).toEqual([path, 401]);
        }
        const forged = `${instance.adminToken.slice(0, -1)}${instance.adminToken.endsWith("0") ? "1" : "0"}`;
        for (const token of [
          expired,
          revoked,
          forged,
          "redun_",
          "x".repeat(10_000),
          `${instance.adminToken}0`,
        ]) {
          const response = await send("/repos/default/executions", token);
          expect(response.status).toBe(401);
          expect(await response.json()).toMatchObject({ error: { code: "unauthorized" } });
        }
      });

      test("a role may what it is for, and no more", async () => {
        const tokens = { viewer: await tokenOf("viewer"), runner: await tokenOf("runner") };
        for (const [method, path, role, body] of routes) {
          const init = { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
          const as = async (who: "viewer" | "runner"): Promise<number> => {
            const response = await send(`/repos/default${path}`, tokens[who], init);
            await response.body?.cancel();
            return response.status;
          };
          expect([path, await as("viewer")]).toEqual([
            path,
            role === "viewer" ? expect.not.toBeOneOf([401, 403, 500]) : 403,
          ]);
          expect([path, await as("runner")]).toEqual([path, expect.not.toBeOneOf([401, 403, 500])]);
        }
        for (const [method, path, body] of [
          ["POST", "/repos", { name: "other" }],
          ["DELETE", "/repos/other", undefined],
          ["GET", "/tokens"],
          ["POST", "/tokens", { name: "x", role: "viewer" }],
          ["DELETE", "/tokens/0123456789abcdef"],
        ] as const) {
          const init = { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
          expect([path, (await send(path, tokens.runner, init)).status]).toEqual([path, 403]);
        }
      });

      test("a token for other repositories sees none of this one", async () => {
        await client.createRepo("theirs");
        const theirs = await tokenOf("admin", ["theirs"]);
        for (const [method, path, , body] of routes) {
          const init = { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
          const response = await send(`/repos/default${path}`, theirs, init);
          expect([path, response.status]).toEqual([path, 404]);
          expect(await response.json()).toMatchObject({ error: { code: "unknown-repo" } });
        }
        const other = createClient(instance.url, { token: theirs });
        expect(await other.repos()).toEqual([expect.objectContaining({ name: "theirs" })]);
        expect((await other.executions()).items).toEqual([]);
        expect((await other.tokens()).every(({ repos }) => repos?.join() === "theirs")).toBe(true);
        await expect(other.createToken({ name: "more", role: "viewer" })).rejects.toMatchObject({
          status: 403,
        });
        await expect(other.createRepo("mine")).rejects.toMatchObject({ status: 404 });
        // What is of one repository is not in another.
        const id = await run("add", [1, 2]);
        await eventsOf(id);
        for (const path of [`executions/${id}`, `packages/${pkg.hash}`])
          expect((await send(`/repos/theirs/${path}`, theirs)).status).toBe(404);
      });

      test("many wrong tokens in a row are answered with a wait, and right ones still let in", async () => {
        let status = 0;
        let waiting: Response | undefined;
        for (let i = 0; i < 40 && status !== 429; i++) {
          waiting = await send("/repos", `redun_${"0".repeat(16)}_${"0".repeat(64)}`);
          ({ status } = waiting);
        }
        expect(status).toBe(429);
        expect(Number(waiting!.headers.get("retry-after"))).toBeGreaterThan(0);
        expect((await send("/repos", instance.adminToken)).status).toBe(200);
      });

      test("tokens are listed without their secrets, with their last use", async () => {
        const token = await tokenOf("viewer");
        await send("/repos", token);
        const text = await (await send("/tokens", instance.adminToken)).text();
        expect(text).not.toContain(token.split("_")[2]!);
        const [, id] = token.split("_");
        const info = (await client.tokens()).find((one) => one.id === id);
        expect(info).toMatchObject({ role: "viewer", repos: null, lastUsed: expect.any(Number) });
      });
    });

    describe("sessions of a browser", () => {
      const signIn = (headers: Record<string, string> = {}): Promise<Response> =>
        send("/session", undefined, {
          method: "POST",
          body: JSON.stringify({ token: instance.adminToken }),
          headers,
        });

      test("are a cookie that no script reads and no other site sends", async () => {
        const response = await signIn();
        expect(response.status).toBe(200);
        const cookie = response.headers.get("set-cookie")!;
        // Another instance of the same host has another one.
        const name = ["redun_session", new URL(instance.url).port].filter(Boolean).join("_");
        expect(cookie).toMatch(new RegExp(`^${name}=session_[0-9a-f_]+; `));
        expect(cookie).toMatch(/HttpOnly/);
        expect(cookie).toMatch(/SameSite=Strict/);
        const { key } = (await response.json()) as { key: string };
        const own = { Cookie: cookie.split(";")[0]!, "X-Redun-Session": key };
        expect(await (await send("/me", undefined, { headers: own })).json()).toMatchObject({
          role: "admin",
        });
        const post = (headers: Record<string, string>): Promise<Response> =>
          send("/repos", undefined, {
            method: "POST",
            body: JSON.stringify({ name: "a b" }),
            headers: { ...own, ...headers },
          });
        expect((await post({ Origin: "https://evil.example" })).status).toBe(403);
        expect((await post({ Origin: "null" })).status).toBe(403);
        expect((await post({ "Sec-Fetch-Site": "cross-site" })).status).toBe(403);
        expect((await post({ Origin: instance.url, "Content-Type": "text/plain" })).status).toBe(403);
        expect((await post({ Origin: instance.url })).status).toBe(400);
        await send("/session", undefined, { method: "DELETE", headers: { ...own, Origin: instance.url } });
        expect((await send("/me", undefined, { headers: own })).status).toBeOneOf([401, 429]);
      });

      test("count with their key only, which code of workflows on the same origin lacks", async () => {
        const cookie = async (): Promise<string> =>
          (await signIn()).headers.get("set-cookie")!.split(";")[0]!;
        const status = async (headers: Record<string, string>): Promise<number> =>
          (await send("/me", undefined, { headers })).status;
        const { key } = (await (await signIn()).json()) as { key: string };
        expect(await status({ Cookie: await cookie() })).toBe(401);
        for (const wrong of [key, "", "0".repeat(64)])
          expect(await status({ Cookie: await cookie(), "X-Redun-Session": wrong })).toBeOneOf([401, 429]);
        expect(await status({ "X-Redun-Session": key })).toBe(401);
      });

      test("begin with a right token only", async () => {
        const response = await send("/session", undefined, {
          method: "POST",
          body: JSON.stringify({ token: "x" }),
        });
        expect(response.status).toBeOneOf([401, 429]);
        expect(response.headers.get("set-cookie")).toBeNull();
        expect((await signIn({ Origin: "https://evil.example" })).status).toBe(403);
      });
    });

    describe("executions", () => {
      test("run, and tell their result, their jobs and their events in order", async () => {
        const id = await run("fan", [20, "told"], { tags: { team: "x" }, commandLine: ["redun", "run"] });
        const events = await eventsOf(id);
        expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
        expect(events[0]).toMatchObject({ type: "execution-start", executionId: id, args: ["redun", "run"] });
        expect(events.at(-1)).toMatchObject({
          type: "execution-end",
          outcome: { status: "DONE", value: "190" },
        });
        const ends = events.filter((event) => event.type === "job-end");
        expect(ends).toHaveLength(22);
        const detail = await repo.execution(id);
        expect(detail).toMatchObject({
          status: "DONE",
          task: "basics.fan",
          jobCount: 22,
          user: expect.any(String),
        });
        expect(detail.result).toMatchObject({ value: 190, preview: "190", type: "number" });
        expect(detail.tags).toContainEqual({ key: "team", value: "x" });
        expect(detail.tags).toContainEqual({ key: "user", value: detail.user });
        expect(detail.jobs.filter(({ parentId }) => parentId === null)).toHaveLength(1);
        expect((await repo.list({ task: "basics.fan" })).items[0]).toMatchObject({ id, status: "DONE" });
        expect((await repo.list({ tag: 'team="x"' })).items.map((item) => item.id)).toContain(id);
        expect((await client.executions()).items).toContainEqual(
          expect.objectContaining({ id, status: "DONE" }),
        );
      });

      test("are tagged with the token's name, unless whoever starts them names a user", async () => {
        const id = await run("add", [2, 2], { tags: { user: "somebody" } });
        await eventsOf(id);
        const { tags, user } = await repo.execution(id);
        expect(tags.filter(({ key }) => key === "user")).toEqual([{ key: "user", value: "somebody" }]);
        expect(user).not.toBe("somebody");
      });

      test("await, run scripts, take arguments by name with defaults, and files", async () => {
        expect(await resultOf(await run("awaiting", { n: 1 }))).toMatchObject({ value: 30 });
        expect(await resultOf(await run("fan", { width: 3 }))).toMatchObject({ value: 3 });
        expect(await resultOf(await run("hello", []))).toMatchObject({ error: null, status: "DONE" });
        await expect(run("add", { c: 1 })).rejects.toMatchObject({ status: 400, code: "unknown-argument" });
      });

      test("run plain functions as tasks", async () => {
        expect(await resultOf(await run("applied", [1]))).toMatchObject({ value: 6 });
      });

      test("run scheduler tasks of the workflow", async () => {
        const id = await run("scheduled", [1], { context: { unit: "mm" } });
        expect(await resultOf(id)).toMatchObject({ value: { unit: "mm", value: 2 } });
        const tasks = (await repo.execution(id)).jobs.map((job) => job.task).sort();
        expect(tasks).toEqual(["basics.add", "basics.fails", "basics.scheduled"]);
        const events = await eventsOf(id);
        expect(events).toContainEqual(
          expect.objectContaining({ type: "job-log", line: "passed over: no luck" }),
        );
        expect(await resultOf(await run("unscheduled", []))).toMatchObject({
          status: "FAILED",
          error: { name: "RangeError", message: "all of them fail" },
        });
        const waits = await run("waiting", [60_000]);
        for await (const event of repo.events(waits)) if (event.type === "job-log") break;
        expect(await repo.cancel(waits)).toBe(true);
        expect(await resultOf(waits)).toMatchObject({ status: "CANCELLED" });
      });

      test("fail with the error, its traceback and the lines of the source", async () => {
        const { status, error } = await resultOf(await run("fails", ["luck"]));
        expect(status).toBe("FAILED");
        expect(error).toMatchObject({ name: "RangeError", message: "no luck" });
        expect(JSON.stringify(error?.traceback)).toContain("basics.ts");
        expect(JSON.stringify(error?.traceback)).toContain("about to fail");
        expect(await resultOf(await run("nothing", []))).toMatchObject({
          status: "FAILED",
          error: { message: expect.stringContaining("basics.nothing") },
        });
      });

      test("take results of earlier ones from the cache, of whoever ran them", async () => {
        await eventsOf(await run("fan", [5, "shared"]));
        const events = await eventsOf(await run("fan", [5, "shared"]));
        const ends = events.filter((event) => event.type === "job-end");
        expect(ends.map(({ status }) => status)).toEqual(Array(7).fill("CACHED"));
        const again = await eventsOf(await run("fan", [5, "shared"], { options: { cache: false } }));
        expect(again.filter((event) => event.type === "job-start").length).toBeGreaterThan(0);
      });

      test("begin once for one idempotency key, also at the same time", async () => {
        const body = JSON.stringify({ package: pkg.hash, task: "basics.add", args: [3, 4] });
        const start = (): Promise<Response> =>
          send("/repos/default/executions", instance.adminToken, {
            method: "POST",
            body,
            headers: { "Idempotency-Key": "once" },
          });
        const answers = await Promise.all([start(), start(), start()]);
        expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
        const ids = await Promise.all(
          answers.map(async (answer) => ((await answer.json()) as { id: string }).id),
        );
        expect(new Set(ids).size).toBe(1);
        // Another client's key is another.
        const runner = await tokenOf("runner");
        const other = await send("/repos/default/executions", runner, {
          method: "POST",
          body,
          headers: { "Idempotency-Key": "once" },
        });
        expect(((await other.json()) as { id: string }).id).not.toBe(ids[0]);
      });

      test("are cancelled, and nothing of them goes on", async () => {
        const id = await run("slow", [4, 60_000, "cancelled"]);
        const events = repo.events(id);
        for await (const event of events) if (event.type === "job-start") break;
        expect(await repo.cancel(id)).toBe(true);
        expect((await eventsOf(id)).at(-1)).toMatchObject({ outcome: { status: "CANCELLED" } });
        expect(await repo.execution(id)).toMatchObject({ status: "CANCELLED" });
        expect(await repo.cancel(id)).toBe(false);
        expect((await repo.list({ status: "CANCELLED" })).items.map((item) => item.id)).toContain(id);
      });

      test("share the units of limits", async () => {
        const names = ["a", "b", "c", "d"];
        const ids = await Promise.all(names.map((one) => run("alone", [one], { options: { cache: false } })));
        const spans: number[][] = [];
        for (const id of ids) spans.push((await resultOf(id)).value as number[]);
        spans.sort((a, b) => a[0]! - b[0]!);
        for (let i = 1; i < spans.length; i++) expect(spans[i]![0]).toBeGreaterThanOrEqual(spans[i - 1]![1]!);
        const waiting = await Promise.all([run("outer", ["e"]), run("outer", ["f"])]);
        for (const id of waiting) expect(await resultOf(id)).toMatchObject({ value: 2 });
      });

      test("are listed by pages that miss and double none, though others begin meanwhile", async () => {
        const ids: string[] = [];
        for (let i = 0; i < 5; i++) {
          const id = await run("add", [i, 1], { tags: { paged: true } });
          await eventsOf(id);
          ids.unshift(id);
        }
        for (const filter of [{ tag: "paged=true" }, { task: "basics.add", tag: "paged" }]) {
          const found: string[] = [];
          let cursor: string | null | undefined;
          do {
            const page = await repo.list({ ...filter, limit: 2, ...(cursor ? { cursor } : {}) });
            found.push(...page.items.map(({ id }) => id));
            ({ cursor } = page);
            await eventsOf(await run("add", [found.length, 2], { tags: { paged: true } }));
          } while (cursor !== null);
          expect(found.slice(-5)).toEqual(ids);
          expect(new Set(found).size).toBe(found.length);
        }
        for (const cursor of ["1", "x", `${NO_ID}'`]) {
          const { status } = await send(
            `/repos/default/executions?cursor=${encodeURIComponent(cursor)}`,
            instance.adminToken,
          );
          expect(status).toBe(400);
        }
      });

      test("tell a client that comes back only what it has not seen", async () => {
        const id = await run("slow", [3, 150, "cursor"]);
        const all = await eventsOf(id);
        const late = await eventsOf(id, 4);
        expect(late).toEqual(all.slice(4));
        const header = await send(`/repos/default/executions/${id}/events`, instance.adminToken, {
          headers: { Accept: "text/event-stream", "Last-Event-ID": String(all.length - 1) },
        });
        const text = await header.text();
        expect(text.match(/^id: (\d+)$/gm)).toEqual([`id: ${all.length}`]);
      });

      test("tell events over a WebSocket as well", async () => {
        const id = await run("slow", [3, 50, "socket"]);
        const { WebSocket } = await import("ws");
        const address = `${instance.url.replace("http", "ws")}/api/v1/repos/default/executions/${id}/events?after=1`;
        const socket = new WebSocket(address, {
          headers: { Authorization: `Bearer ${instance.adminToken}` },
          // What is in between may keep the connection when the socket is closed; the types don't know of this yet.
          ...{ closeTimeout: 500 },
        });
        const events: ExecutionEvent[] = [];
        const code = await new Promise((resolve, reject) => {
          socket.on("message", (data) => events.push(JSON.parse(String(data)) as ExecutionEvent));
          socket.on("close", resolve);
          socket.on("error", reject);
        });
        expect(code).toBe(1000);
        expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 2));
        expect(events.at(-1)).toMatchObject({ type: "execution-end" });
        const refused = new WebSocket(address);
        expect(await new Promise((resolve) => refused.on("error", resolve))).toMatchObject({
          message: expect.stringContaining("401"),
        });
      });
    });

    describe("streams of events", () => {
      /** Opens streams of both kinds for a token. */
      const opener = (id: string, token: string) => {
        const path = `/repos/default/executions/${id}/events`;
        return {
          sse: () => send(path, token, { headers: { Accept: "text/event-stream" } }),
          socket: async () => {
            const { WebSocket } = await import("ws");
            return new WebSocket(`${instance.url.replace("http", "ws")}/api/v1${path}`, {
              headers: { Authorization: `Bearer ${token}` },
              ...{ closeTimeout: 500 },
            });
          },
        };
      };

      test("end when their token is taken back, and others go on", async () => {
        const id = await run("slow", [1, 60_000, "taken back"]);
        const { token, info } = await client.createToken({ name: "leaver", role: "viewer" });
        const streams = opener(id, token);
        const [response, socket] = [await streams.sse(), await streams.socket()];
        const closed = new Promise((resolve) => socket.on("close", resolve));
        await new Promise((resolve) => socket.on("message", resolve));
        socket.send("ping");
        const other = await opener(id, await tokenOf("viewer")).sse();
        const reader = other.body!.getReader();
        let hasEnded = false;
        void (async () => {
          while (!(await reader.read()).done);
          hasEnded = true;
        })().catch(() => {});
        await client.revokeToken(info.id);
        expect(await response.text()).not.toContain("execution-end");
        expect(await closed).toBe(1008);
        expect(hasEnded).toBe(false);
        await reader.cancel();
        await repo.cancel(id);
      }, 60_000);

      test("are so many for one token and no more", async () => {
        const id = await run("slow", [1, 60_000, "many"]);
        const streams = opener(id, await tokenOf("viewer"));
        const sockets = await Promise.all(Array.from({ length: MOST_STREAMS / 2 }, () => streams.socket()));
        await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.on("message", resolve))));
        const open = await Promise.all(Array.from({ length: MOST_STREAMS / 2 }, () => streams.sse()));
        expect(open.map(({ status }) => status)).toEqual(open.map(() => 200));
        const refused = await streams.sse();
        expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "10"]);
        expect(await refused.json()).toMatchObject({ error: { code: "too-many-streams" } });
        const socket = await streams.socket();
        expect(await new Promise((resolve) => socket.on("error", resolve))).toMatchObject({
          message: expect.stringContaining("429"),
        });
        const other = await opener(id, await tokenOf("viewer")).sse();
        expect(other.status).toBe(200);
        await other.body!.cancel();
        for (const response of open) await response.body!.cancel();
        await expect
          .poll(
            async () => {
              const again = await streams.sse();
              await again.body!.cancel();
              return again.status;
            },
            { timeout: 20_000 },
          )
          .toBe(200);
        await repo.cancel(id);
        for (const one of sockets) one.terminate();
      }, 60_000);
    });

    test("files that are sent take so much and no more", async () => {
      await client.createRepo("full");
      const full = client.repo("full");
      const [first, second] = ["a", "b"].map((letter) => letter.repeat(60_000)) as [string, string];
      const upload = (text: string) => full.upload(hashBytes(text), "f", new Blob([text]));
      await upload(first);
      const refused = { status: 413, code: "uploads-full" };
      await expect(upload(second)).rejects.toMatchObject(refused);
      expect(await full.findUpload(hashBytes(second), "f")).toBeUndefined();
      const part = { path: "x", hash: hashBytes(first), name: "f" };
      await expect(full.uploadFolder("folder", [part])).rejects.toMatchObject(refused);
      expect(await upload(first)).toMatchObject({ size: 60_000 });
      expect(await upload("small")).toMatchObject({ size: 5 });
      await client.removeRepo("full");
    });

    describe("repositories", () => {
      test("are removed with all that they have, unless something is at work in them", async () => {
        await client.createRepo("gone");
        const gone = client.repo("gone");
        await gone.putPackage(pkg);
        const start = (task: string, args: readonly unknown[]): Promise<string> =>
          gone.start({ package: pkg.hash, task: `basics.${task}`, args: args as never });
        const added = await start("add", [30, 12]);
        await Array.fromAsync(gone.events(added));
        const { result } = await gone.execution(added);
        await gone.upload(hashBytes("sent"), "sent.txt", new Blob(["sent"]));
        const only = await tokenOf("admin", ["gone"]);
        const both = createClient(instance.url, { token: await tokenOf("admin", ["gone", "default"]) });
        const slow = await start("slow", [1, 60_000]);
        const told: ExecutionEvent[] = [];
        const listening = (async () => {
          for await (const event of gone.events(slow)) told.push(event);
        })();
        await expect.poll(() => told.some(({ type }) => type === "job-start")).toBe(true);

        await expect(client.removeRepo("gone")).rejects.toMatchObject({
          status: 409,
          code: "executions-running",
        });
        expect((await gone.execution(slow)).status).toBe("RUNNING");
        await client.removeRepo("gone", { force: true });
        await listening.catch(() => {});
        expect(told.at(-1)).toMatchObject({ type: "execution-end", outcome: { status: "CANCELLED" } });
        await expect(gone.list()).rejects.toMatchObject({ status: 404, code: "unknown-repo" });
        expect((await client.repos()).map((one) => one.name)).not.toContain("gone");
        expect((await client.executions({ limit: 1000 })).items.map((one) => one.repo)).not.toContain("gone");
        expect((await send("/me", only)).status).toBeOneOf([401, 429]);
        expect((await both.me()).repos).toEqual(["default"]);

        await client.removeRepo("gone");
        await client.createRepo("gone");
        expect(await gone.list()).toMatchObject({ items: [] });
        expect(await gone.hasPackage(pkg.hash)).toBe(false);
        expect(await gone.findUpload(hashBytes("sent"), "sent.txt")).toBeUndefined();
        expect(await gone.missing([result!.hash, added])).toHaveLength(2);
        await expect(both.repo("gone").list()).rejects.toMatchObject({ status: 404 });
        await client.removeRepo("gone");
      });

      test("are removed by their administrators only, and the default one stays", async () => {
        await client.createRepo("kept");
        const remove = async (token: string, name: string): Promise<number> =>
          (await send(`/repos/${name}`, token, { method: "DELETE" })).status;
        expect(await remove(await tokenOf("runner"), "kept")).toBe(403);
        expect(await remove(await tokenOf("admin", ["theirs"]), "kept")).toBe(404);
        expect(await remove(instance.adminToken, "default")).toBe(409);
        expect(await remove(instance.adminToken, "..%2fkept")).toBe(404);
        expect(await remove(instance.adminToken, "kept?force=yes")).toBe(400);
        expect(await remove(instance.adminToken, "kept/")).toBe(404);
        expect(await remove(await tokenOf("admin", ["kept"]), "kept")).toBe(204);
      });
    });

    describe("provenance", () => {
      test("is read by ids and the beginnings of them", async () => {
        const id = await run("fan", [4, "provenance"]);
        await eventsOf(id);
        const detail = await repo.execution(id);
        const get = async (path: string): Promise<Record<string, never>> =>
          (await (await send(`/repos/default${path}`, instance.adminToken)).json()) as Record<string, never>;
        const root = detail.jobs.find((job) => job.id === detail.rootJobId)!;
        expect(await get(`/jobs/${root.id}`)).toMatchObject({ task: "basics.fan", callHash: root.callHash });
        expect(await get(`/jobs?execution=${id}&task=basics.leaf&limit=3`)).toMatchObject({
          items: [{ task: "basics.leaf" }, { task: "basics.leaf" }, { task: "basics.leaf" }],
          cursor: expect.any(String),
        });
        expect(await get(`/call-nodes/${root.callHash!.slice(0, 12)}`)).toMatchObject({
          callHash: root.callHash,
        });
        expect(await get(`/tasks/${root.taskHash}`)).toMatchObject({ name: "fan", namespace: "basics" });
        expect(await get(`/values/${detail.result!.hash}`)).toMatchObject({ value: 6 });
        const content = await send(
          `/repos/default/values/${detail.result!.hash}/content`,
          instance.adminToken,
        );
        expect(await content.text()).toBe("6");
        expect(content.headers.get("content-disposition")).toBe("attachment");
        const flow = (await get(`/dataflow/${detail.result!.hash}`)) as { nodes?: unknown[] };
        expect(flow).toMatchObject({ complete: true });
        expect(JSON.stringify(flow.nodes)).toContain("basics.fan");
        const cut = await get(`/dataflow/${detail.result!.hash}?limit=2`);
        expect(cut).toMatchObject({ complete: false });
        expect(cut.nodes).toContainEqual(expect.objectContaining({ sources: null }));
        expect((await send(`/repos/default/values/${NO_HASH}`, instance.adminToken)).status).toBe(404);
        expect((await send("/repos/default/jobs/0", instance.adminToken)).status).toBeOneOf([404, 409]);
      });

      test("has the files that executions made, as long as they have not changed", async () => {
        const folder = mkdtempSync(join(tmpdir(), "redun-files-"));
        try {
          const path = join(folder, "out/written.txt");
          const id = await run("written", [path]);
          await eventsOf(id);
          const { result } = await repo.execution(id);
          const get = (hash: string, headers = {}): Promise<Response> =>
            send(`/repos/default/files/${hash}/content`, instance.adminToken, { headers });
          const whole = await get(result!.hash);
          expect([whole.status, await whole.text()]).toEqual([200, "written"]);
          expect(whole.headers.get("content-disposition")).toBe("attachment; filename*=UTF-8''written.txt");
          const part = await get(result!.hash, { Range: "bytes=1-3" });
          expect([part.status, await part.text()]).toEqual([206, "rit"]);
          expect(part.headers.get("content-range")).toBe("bytes 1-3/7");
          expect(await (await repo.fileContent(result!.hash, 2)).text()).toBe("wr");
          expect((await get(NO_HASH)).status).toBe(404);
          // What is no file, and what an address says without its being recorded.
          const sum = await run("add", [1, 1]);
          await eventsOf(sum);
          expect((await get((await repo.execution(sum)).result!.hash)).status).toBe(404);
          expect((await get("..%2f..%2fetc%2fpasswd")).status).toBe(400);
          const again = await run("written", [path, "other"], { options: { cache: false } });
          await eventsOf(again);
          expect((await get(result!.hash)).status).toBe(409);
          const hash = "f".repeat(40);
          await eventsOf(await run("echo", [{ $: ["redun.File", { path: "memory://x", hash }] }]));
          expect((await get(hash)).status).toBe(422);
        } finally {
          rmSync(folder, { recursive: true });
        }
      });

      test("has large values, which lists only name and answers come some at a time of", async () => {
        const texts = Array.from({ length: 4 }, (_, i) => String(i).repeat(900_000));
        const ids = await Promise.all(texts.map((text) => run("repeated", [text[0]!, text.length])));
        const hashes: string[] = [];
        for (const id of ids) {
          await eventsOf(id);
          const { result } = await repo.execution(id);
          expect(result).toMatchObject({ size: 900_002, value: expect.any(String) });
          hashes.push(result!.hash);
        }
        const list = await send("/repos/default/values?type=string&limit=1000", instance.adminToken);
        expect((await list.text()).length).toBeLessThan(1_000_000);
        const many = Array.from({ length: 40 }, (_, i) => hashes[i % 4]!);
        const some = (await repo.query("getValues", many)) as unknown[];
        expect(some.length).toBeGreaterThan(4);
        expect(some.length).toBeLessThan(40);
        const all = await new RemoteBackend(repo).getValues([...many, NO_HASH]);
        expect(all.map((row) => row?.text.length)).toEqual([...many.map(() => 900_002), undefined]);
      });

      test("is tagged, and moves between instances with its hashes checked", async () => {
        const id = await run("add", [20, 22]);
        await eventsOf(id);
        const store = new RemoteBackend(repo);
        const ids: string[] = [];
        for await (const layer of store.reachable([id])) ids.push(...layer);
        const records = await store.exportRecords(ids);
        expect(records.length).toBe(ids.length);
        await client.createRepo("copy");
        const copy = new RemoteBackend(client.repo("copy"));
        expect((await copy.missing(ids)).sort()).toEqual([...ids].sort());
        expect(await copy.importRecords(records)).toBe(records.length);
        expect(await copy.missing(ids)).toEqual([]);
        expect(await copy.importRecords(records)).toBe(0);
        const [moved] = await copy.getExecutions([id]);
        expect(moved).toMatchObject({ status: "DONE", args: (await store.getExecutions([id]))[0]?.args });
        const value = records.find(({ _type }) => _type === "Value")!;
        await expect(copy.importRecords([{ ...value, value_hash: NO_HASH }])).rejects.toMatchObject({
          status: 422,
        });
        expect(await copy.missing([NO_HASH])).toEqual([NO_HASH]);
      });
    });

    describe("hostile input", () => {
      const post = (path: string, body: string, headers: Record<string, string> = {}): Promise<Response> =>
        send(path, instance.adminToken, { method: "POST", body, headers });

      test("addresses of files never lead the server into its own networks", async () => {
        const asked: string[] = [];
        const inner = createServer((request, response) => {
          asked.push(request.url!);
          response.end("secret");
        });
        await new Promise<void>((resolve) => inner.listen(0, "127.0.0.1", resolve));
        const { port } = inner.address() as AddressInfo;
        try {
          for (const host of ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0x7f000001"]) {
            const path = `http://${host}:${port}/${host}`;
            const file = { $: ["redun.File", { path, hash: hashBytes(path) }] };
            await eventsOf(await run("echo", [file]));
            // Whether a result from the cache still holds, the server itself looks at.
            const events = await eventsOf(await run("echo", [file]));
            expect(events).toContainEqual(expect.objectContaining({ type: "job-miss", reason: "invalid" }));
          }
          expect(asked).toEqual([]);
        } finally {
          inner.close();
        }
      });

      test("malformed and oversized bodies are refused, and harm nothing", async () => {
        const path = "/repos/default/executions";
        for (const body of ["", "{", "[]", "null", '"x"', '{"package":1}', '{"__proto__":{"a":1}}'])
          expect([body, (await post(path, body)).status]).toEqual([body, 400]);
        expect((await post(path, "x".repeat(40_000_000))).status).toBe(413);
        const records = await post("/repos/default/sync/records", '{"_version":1,"_type":"Value"}\nno json');
        expect(records.status).toBe(400);
        expect((await post("/repos/default/sync/records", '{"_version":9}')).status).toBe(422);
        expect((await post("/repos/default/query/write", '{"args":[]}')).status).toBe(400);
        expect((await post("/repos/default/query/constructor", '{"args":[]}')).status).toBe(400);
        for (const args of ["[]", "[null]", "[1]", '["x"]', "[{}]", '[{"type":"Nothing"}]', "[[1]]"]) {
          for (const method of ["find", "getValues", "nearestCall", "getTags", "callsOfValue"]) {
            const { status } = await post(`/repos/default/query/${method}`, `{"args":${args}}`);
            expect([method, args, status]).toEqual([method, args, expect.not.toBeOneOf([500])]);
          }
        }
        expect((await client.health()).status).toBe("ok");
      });

      test("names that are paths, SQL or HTML are names, and nothing else", async () => {
        for (const name of [
          "..",
          "../x",
          "a/b",
          "A",
          "a b",
          "'; DROP TABLE repo; --",
          "<b>",
          "",
          "x".repeat(64),
          "_x",
        ]) {
          expect([name, (await post("/repos", JSON.stringify({ name }))).status]).toEqual([name, 400]);
          // Two dots lead elsewhere before they are sent.
          if (name === "..") continue;
          const path = `/repos/${encodeURIComponent(name)}/executions`;
          expect([name, (await send(path, instance.adminToken)).status]).toEqual([name, 404]);
        }
        const odd = `'; DROP TABLE token; -- <script>alert(1)</script> ${"\u202e"}`;
        const id = await run("echo", [odd], { tags: { [odd]: odd }, commandLine: [odd] });
        expect(await resultOf(id)).toMatchObject({ value: odd });
        expect((await repo.execution(id)).tags).toContainEqual({ key: odd, value: odd });
        expect((await repo.list({ task: odd })).items).toEqual([]);
        const found = await send(
          `/repos/default/files?path=${encodeURIComponent("' OR 1=1 --")}`,
          instance.adminToken,
        );
        expect(await found.json()).toMatchObject({ items: [] });
      });

      test("values with keys of prototypes, great depth and unknown types stay values", async () => {
        const args = JSON.parse(
          '[{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":2}}}]',
        ) as unknown;
        const { value } = await resultOf(await run("echo", args));
        expect(JSON.stringify(value)).toBe(
          '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":2}}}',
        );
        expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
        const deep = `${"[".repeat(5_000)}${"]".repeat(5_000)}`;
        const body = `{"package":"${pkg.hash}","task":"basics.echo","args":[${deep}]}`;
        expect((await post("/repos/default/executions", body)).status).toBeOneOf([202, 400]);
        for (const arg of ['{"$":[]}', '{"$":["redun.Nothing",1]}', '{"$":["Date","no"]}', '{"$x":1}']) {
          const { status } = await post(
            "/repos/default/executions",
            `{"package":"${pkg.hash}","task":"basics.echo","args":[${arg}]}`,
          );
          expect([arg, status]).toEqual([arg, 400]);
        }
      });

      test("a package that is not what its hash says is refused", async () => {
        const forged = { ...pkg, code: `${pkg.code}\n//` };
        await expect(repo.putPackage(forged)).rejects.toMatchObject({ status: 422, code: "package" });
        const put = (hash: string, body: unknown): Promise<Response> =>
          send(`/repos/default/packages/${hash}`, instance.adminToken, {
            method: "PUT",
            body: JSON.stringify(body),
          });
        expect((await put(NO_HASH, pkg)).status).toBe(400);
        expect((await put("..%2f..%2fx", pkg)).status).toBe(400);
        expect(await repo.hasPackage(NO_HASH)).toBe(false);
        expect(await repo.hasPackage(pkg.hash)).toBe(true);
        expect((await repo.getPackage(pkg.hash)).code).toBe(pkg.code);
        await expect(repo.start({ package: NO_HASH, task: "basics.add" })).rejects.toMatchObject({
          status: 404,
          code: "unknown-package",
        });
      });
    });
  });
}
