import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { MemoryBackend } from "../../src/backends/memory-backend.ts";
import { openSqlite } from "../../src/backends/sqlite-driver.ts";
import { openConfig } from "../../src/cli/config-dir.ts";
import { type RunningServer, startServer } from "../../src/cli/server/start-server.ts";
import { Dir } from "../../src/file/dir.ts";
import { File } from "../../src/file/file.ts";
import { LocalFileSystem, registerLocalFileSystem } from "../../src/file-systems/local.ts";
import type { UploadedFile } from "../../src/server/api-types.ts";
import { createClient, type RepoClient } from "../../src/server/client.ts";
import { UploadLedger } from "../../src/server/upload-ledger.ts";
import { Uploads } from "../../src/server/uploads.ts";
import { hashBytes } from "../../src/value/hash.ts";
import { encodeValue } from "../../src/value/value.ts";

const folder: string = mkdtempSync(join(tmpdir(), "redun-uploads-"));
const dir: string = join(folder, ".redun");
let server: RunningServer;
let repo: RepoClient;

beforeAll(async () => {
  registerLocalFileSystem();
  const config = openConfig({ dir, source: "default" });
  server = await startServer({ dir, config, version: "test", port: 0, warn: () => {} });
  repo = createClient(server.url, { token: server.firstToken! }).repo("default");
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

const streamOf = (text: string): ReadableStream<Uint8Array> => new Blob([text]).stream();

/** Sends a request with a path as it is, which a client would have encoded. */
async function put(path: string, body: string, token = server.firstToken!): Promise<number> {
  const response = await fetch(`${server.url}/api/v1/repos/default/uploads/${path}`, {
    method: "PUT",
    body,
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/octet-stream" },
  });
  await response.body?.cancel();
  return response.status;
}

describe("Files that are sent to a repository", () => {
  test("are kept under the hash of their content, and are files that tasks can name", async () => {
    const hash = hashBytes("hello");
    expect(await repo.findUpload(hash, "a b.txt")).toBeUndefined();
    const sent = await repo.upload(hash, "a b.txt", streamOf("hello"));
    expect(sent).toEqual({
      path: join(dir, "uploads", hash, "a b.txt"),
      hash: await new File(sent.path).hash(),
      size: 5,
    });
    expect(readFileSync(sent.path, "utf8")).toBe("hello");
    expect(await repo.findUpload(hash, "a b.txt")).toEqual(sent);
    expect(await repo.upload(hash, "a b.txt", streamOf("hello"))).toEqual(sent);
    const empty = await repo.upload(hashBytes(""), "empty", streamOf(""));
    expect(empty.size).toBe(0);
  });

  test("are refused if their content is another than the hash says, and leave nothing", async () => {
    const hash = hashBytes("what was meant");
    await expect(repo.upload(hash, "x.txt", streamOf("what came"))).rejects.toMatchObject({
      code: "wrong-hash",
      status: 422,
    });
    expect(await repo.findUpload(hash, "x.txt")).toBeUndefined();
    expect(
      readdirSync(join(dir, "uploads")).includes(hash) && readdirSync(join(dir, "uploads", hash)),
    ).toEqual([]);
  });

  test("are refused if they are too large", async () => {
    const place = { files: new LocalFileSystem(), folder: join(folder, "small"), maxSize: 4 };
    const ledger = new UploadLedger(await openSqlite(":memory:"));
    const uploads = new Uploads(place, { ledger, backend: new MemoryBackend() });
    await expect(uploads.add(hashBytes("hello"), "x", streamOf("hello"))).rejects.toMatchObject({
      code: "too-large",
      status: 413,
    });
    expect(await uploads.find(hashBytes("hello"), "x")).toBeUndefined();
  });

  test("get no place outside of their folder", async () => {
    const hash = hashBytes("evil");
    for (const path of [
      `${hash}/..%2F..%2Fevil`,
      `${hash}/%2e%2e`,
      `${hash}/..`,
      `${hash}/a%5Cb`,
      `${hash}/a%00b`,
      `${hash}/${"x".repeat(201)}`,
      `${"0".repeat(39)}/x`,
      "..%2F..%2Fx/evil",
    ]) {
      expect([path, await put(path, "evil")]).toEqual([
        path,
        expect.toSatisfy((n: number) => n >= 400 && n < 500),
      ]);
    }
    const parts = [{ path: "../x", hash: hashBytes("hello"), name: "a b.txt" }];
    await expect(repo.uploadFolder("f", parts)).rejects.toMatchObject({ status: 400 });
    await expect(repo.uploadFolder("..", [])).rejects.toMatchObject({ status: 400 });
    expect(readdirSync(folder).sort()).toEqual(
      [".redun", "small"].filter((name) => readdirSync(folder).includes(name)),
    );
  });

  test("larger than other requests may be are taken as a stream", async () => {
    const part = new Uint8Array(1024 * 1024).fill(7);
    const count = 33;
    const blob = new Blob(Array.from({ length: count }, () => part));
    const hash = hashBytes(new Uint8Array(await blob.arrayBuffer()));
    const sent = await repo.upload(hash, "large", blob.stream());
    expect(sent.size).toBe(count * part.length);
  });

  test("make up folders, each at one place", async () => {
    const [a, b] = ["one", "two"].map((text) => hashBytes(text));
    await repo.upload(a!, "a.txt", streamOf("one"));
    await repo.upload(b!, "b.txt", streamOf("two"));
    const parts = [
      { path: "deep/b.txt", hash: b!, name: "b.txt" },
      { path: "a.txt", hash: a!, name: "a.txt" },
    ];
    const made = await repo.uploadFolder("data", parts);
    expect(made).toMatchObject({ hash: await new Dir(made.path).hash(), size: 6 });
    expect(await repo.uploadFolder("data", [...parts].reverse())).toEqual(made);
    const files = await new Dir(made.path).files();
    expect(files.map((file) => new Dir(made.path).relPath(file))).toEqual(["a.txt", "deep/b.txt"]);
    const unknown = [{ path: "c", hash: hashBytes("unknown"), name: "c" }];
    await expect(repo.uploadFolder("data", unknown)).rejects.toMatchObject({ status: 404 });
  });

  test("are taken from those who may run, not from those who may look", async () => {
    const client = createClient(server.url, { token: server.firstToken! });
    const { token } = await client.createToken({ name: "viewer", role: "viewer" });
    const hash = hashBytes("hello");
    expect(await put(`${hash}/other.txt`, "hello", token)).toBe(403);
    const viewer = createClient(server.url, { token }).repo("default");
    expect(await viewer.findUpload(hash, "other.txt")).toBeUndefined();
  });
});

describe("Files that were sent", () => {
  const DAY = 86_400_000;
  let now: number;
  let place: string;
  let ledger: UploadLedger;
  let backend: MemoryBackend;
  let uploads: Uploads;

  beforeEach(async () => {
    now = 1_000 * DAY;
    place = mkdtempSync(join(folder, "old-"));
    ledger = new UploadLedger(await openSqlite(":memory:"), () => now);
    backend = new MemoryBackend();
    const options = { files: new LocalFileSystem(), folder: place, maxUploads: 25 };
    uploads = new Uploads(options, { ledger, backend });
  });
  const send = (text: string): Promise<UploadedFile> => uploads.add(hashBytes(text), "f", streamOf(text));
  const record = async (hash: string, file?: string): Promise<void> => {
    const empty = {
      tasks: [],
      executions: [],
      jobs: [],
      evaluations: [],
      callNodes: [],
      jobEnds: [],
      tags: [],
    };
    const value = { ...encodeValue("x"), hash, ...(file === undefined ? {} : { file }) };
    await backend.write({ ...empty, values: [value] });
  };

  test("go when no record is about them and nobody has asked for them in a while", async () => {
    const [byHash, byPath, asked, vain] = [
      await send("a"),
      await send("bb"),
      await send("ccc"),
      await send("dddd"),
    ];
    const twin = await uploads.add(hashBytes("a"), "g", streamOf("a"));
    const part = { path: "sub/x", hash: hashBytes("a"), name: "f" };
    const used = await uploads.addFolder("used", [part]);
    const unused = await uploads.addFolder("unused", [{ ...part, path: "y" }]);
    expect(ledger.size).toBe(13);
    await record(byHash.hash);
    await record("1".repeat(40), byPath.path);
    await record("2".repeat(40), `${used.path}/sub/x`);
    now += 29 * DAY;
    await uploads.sweep();
    expect(ledger.size).toBe(13);
    await uploads.find(hashBytes("ccc"), "f");
    now += 2 * DAY;
    await uploads.sweep();
    const isThere = ({ path }: UploadedFile): boolean => existsSync(path);
    expect([byHash, byPath, asked, used].map(isThere)).toEqual([true, true, true, true]);
    expect([twin, vain, unused].map(isThere)).toEqual([false, false, false]);
    expect(existsSync(join(place, hashBytes("dddd")))).toBe(false);
    expect(ledger.size).toBe(7);
    expect(await uploads.find(hashBytes("dddd"), "f")).toBeUndefined();
    expect(await send("dddd")).toMatchObject({ path: vain.path, size: 4 });
    now += 31 * DAY;
    await uploads.sweep();
    expect([asked, vain].map(isThere)).toEqual([false, false]);
    expect(ledger.size).toBe(4);
  });

  test("take so much together and no more, also while they come, and leave nothing where there is no room", async () => {
    await send("x".repeat(15));
    const full = { status: 413, code: "uploads-full" };
    await expect(send("y".repeat(11))).rejects.toMatchObject(full);
    expect(existsSync(join(place, hashBytes("y".repeat(11)), "f"))).toBe(false);
    const both = await Promise.allSettled([send("1".repeat(8)), send("2".repeat(8))]);
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(await send("x".repeat(15))).toMatchObject({ size: 15 });
    const part = { path: "x", hash: hashBytes("x".repeat(15)), name: "f" };
    await expect(uploads.addFolder("folder", [part])).rejects.toMatchObject(full);
    expect(ledger.size).toBe(23);
    expect(await send("zz")).toMatchObject({ size: 2 });
  });
});
