import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { File } from "../../src/file/file.ts";
import { registerFileSystem } from "../../src/file/file-systems.ts";
import { describeFileSystem } from "../../src/file-systems/contract.ts";
import { HttpFileSystem } from "../../src/file-systems/http.ts";
import { MemoryFileSystem } from "../../src/file-systems/memory.ts";

type Handler = (request: IncomingMessage, response: ServerResponse, content: Uint8Array | undefined) => void;

/** A server that understands ranges, as most do. */
const ranged: Handler = (request, response, content) => {
  if (content === undefined) return void response.writeHead(404).end();
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
  if (range === null) {
    response.writeHead(200, { "content-length": content.length });
    return void response.end(request.method === "HEAD" ? undefined : content);
  }
  const start = Number(range[1]);
  if (start >= content.length) {
    return void response.writeHead(416, { "content-range": `bytes */${content.length}` }).end();
  }
  const end = Math.min(range[2] === "" ? Infinity : Number(range[2]), content.length - 1);
  response.writeHead(206, { "content-range": `bytes ${start}-${end}/${content.length}` });
  response.end(content.subarray(start, end + 1));
};

/** A server that can neither HEAD nor ranges, and tells no length. */
const plain: Handler = (request, response, content) => {
  if (request.method === "HEAD") return void response.writeHead(405).end();
  if (content === undefined) return void response.writeHead(404).end();
  response.writeHead(200, { "transfer-encoding": "chunked" });
  response.end(content);
};

/** A server that can ranges but not HEAD. */
const headless: Handler = (request, response, content) =>
  request.method === "HEAD" ? void response.writeHead(403).end() : ranged(request, response, content);

async function serve(handler: Handler): Promise<{
  server: Server;
  root: string;
  files: Map<string, Uint8Array>;
  close: () => Promise<void>;
}> {
  const files = new Map<string, Uint8Array>();
  const server = createServer((request, response) =>
    handler(request, response, files.get(decodeURI(request.url ?? ""))),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { server, root, files, close };
}

for (const [name, handler] of Object.entries({ ranged, plain, headless })) {
  describeFileSystem(
    `http (${name} server)`,
    async () => {
      const { root, files, close } = await serve(handler);
      return {
        fileSystem: new HttpFileSystem(),
        root,
        put: async (path, bytes) => void files.set(decodeURI(new URL(path).pathname), bytes),
        close,
      };
    },
    {
      describe,
      test,
      expect,
      skip: {
        write: "HTTP is read-only",
        list: "HTTP has no listings",
        change: "the hash is by size alone",
        directories: "HTTP has no folders",
      },
    },
  );
}

describe("files over HTTP", () => {
  test("an error status fails with the status, and does not look like a missing file", async () => {
    let status = 500;
    const { root, close } = await serve((_request, response) => void response.writeHead(status).end("no"));
    registerFileSystem(new HttpFileSystem());
    try {
      const file = new File(`${root}/a`);
      await expect(file.text()).rejects.toMatchObject({
        code: "file",
        message: `Cannot read ${root}/a: the server answered 500 Internal Server Error`,
        fields: { status: 500, path: `${root}/a` },
      });
      await expect(file.hash()).rejects.toMatchObject({ fields: { status: 500 } });
      status = 403;
      await expect(file.exists()).rejects.toMatchObject({ code: "file-permission", fields: { status: 403 } });
      status = 410;
      expect(await file.exists()).toBe(false);
      await expect(file.text()).rejects.toMatchObject({ code: "file-not-found", fields: { status: 410 } });
    } finally {
      await close();
    }
  });

  test("a server that does not answer is an error that names the address", async () => {
    const { root, close } = await serve(ranged);
    await close();
    registerFileSystem(new HttpFileSystem());
    await expect(new File(`${root}/a`).text()).rejects.toMatchObject({
      code: "file",
      message: expect.stringContaining(`Cannot read ${root}/a: no answer`),
    });
  });

  test("nothing can be written, and the writer of a stream learns of it", async () => {
    registerFileSystem(new HttpFileSystem());
    const file = new File("https://example.invalid/a");
    const expected = { code: "file-permission", message: expect.stringContaining("read-only") };
    await expect(file.write("x")).rejects.toMatchObject(expected);
    await expect(file.remove()).rejects.toMatchObject(expected);
    const writer = file.writable().getWriter();
    writer.closed.catch(() => {});
    await expect(writer.write("x").then(() => writer.close())).rejects.toMatchObject(expected);
  });

  test("a file is copied from the Web to elsewhere", async () => {
    const { root, files, close } = await serve(ranged);
    registerFileSystem(new HttpFileSystem());
    registerFileSystem(new MemoryFileSystem());
    try {
      files.set("/a.txt", new TextEncoder().encode("hello"));
      const copy = await new File(`${root}/a.txt`).copyTo("memory://copy/a.txt");
      expect(await copy.text()).toBe("hello");
    } finally {
      await close();
    }
  });

  test("given headers go along with every request", async () => {
    const { root, close } = await serve((request, response) => {
      response.writeHead(request.headers.authorization === "Bearer t" ? 200 : 401).end("ok");
    });
    try {
      const fileSystem = new HttpFileSystem({ headers: { authorization: "Bearer t" } });
      expect(new TextDecoder().decode(await fileSystem.read(`${root}/a`))).toBe("ok");
    } finally {
      await close();
    }
  });
});
