import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { staticFiles } from "../../scripts/serve-web.ts";

let folder: string;
let server: Server;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "redun-static-"));
  mkdirSync(join(folder, "app/assets"), { recursive: true });
  writeFileSync(join(folder, "secret.txt"), "secret");
  writeFileSync(join(folder, "app/index.html"), "<p>index</p>");
  writeFileSync(join(folder, "app/assets/main-ABCDEFGH.js"), "x".repeat(5000));
  server = createServer(staticFiles(join(folder, "app")));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});

afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

const address = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

/** Status of a path that is sent as it is; `fetch` would tidy it up. */
const statusOf = (path: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    request(`${address()}/`, { path }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on("error", reject)
      .end();
  });

test("the page is sent with its policy, and asked for anew each time", async () => {
  const { headers, status } = await fetch(`${address()}/`);
  expect(status).toBe(200);
  expect(headers.get("content-security-policy")).toContain("default-src 'self'; script-src 'self'");
  expect(headers.get("content-security-policy")).not.toContain("unsafe-inline");
  expect(headers.get("cross-origin-opener-policy")).toBe("same-origin");
  expect(headers.get("cross-origin-embedder-policy")).toBe("require-corp");
  expect(headers.get("cache-control")).toBe("no-cache");
});

test("a file with a hash in its name is compressed, and kept for good", async () => {
  const response = await fetch(`${address()}/assets/main-ABCDEFGH.js`);
  expect(response.headers.get("content-encoding")).toBe("gzip");
  expect(response.headers.get("cache-control")).toContain("immutable");
  expect(await response.text()).toHaveLength(5000);
});

test("nothing outside the folder is sent", async () => {
  for (const path of [
    "/../secret.txt",
    "/..%2fsecret.txt",
    "/assets/..%2f..%2fsecret.txt",
    "/%00",
    "/assets",
    "/%",
  ])
    expect([path, await statusOf(path)]).toEqual([path, 404]);
});

test("only reading is allowed", async () => {
  expect((await fetch(`${address()}/`, { method: "POST" })).status).toBe(405);
});
