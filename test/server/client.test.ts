import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createClient } from "../../src/server/client.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let server: Server;
let url: string;
/** What was asked for, by method and address. */
let asked: string[];
let answer: Answer;

async function listen(handler: Answer): Promise<{ server: Server; url: string }> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

beforeEach(async () => {
  asked = [];
  ({ server, url } = await listen((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    answer(request, response);
  }));
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const client = (): ReturnType<typeof createClient> => createClient(url, { token: "redun_secret" });
const json = (response: ServerResponse, body: unknown): void => {
  response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(body));
};
/** Sends the beginning of an answer, and breaks the connection. */
const breakOff = (response: ServerResponse, text: string): void => {
  response.writeHead(200, { "Content-Type": "application/json" });
  response.write(text, () => response.destroy());
};

describe("A client", () => {
  test("follows no redirection, so that nothing is sent to another server", async () => {
    const heard: string[] = [];
    const other = await listen((request, response) => {
      heard.push(String(request.url));
      json(response, { id: "not of this server" });
    });
    answer = (request, response) => {
      response.writeHead(307, { Location: `${other.url}${request.url}?secret=1` }).end();
    };
    try {
      const started = client()
        .repo("default")
        .start({ package: "0".repeat(40), task: "t", args: [] });
      await expect(started).rejects.toMatchObject({
        code: "redirected",
        message: `Cannot use the server ${url}: it sends requests on to ${other.url}/api/v1/repos/default/executions`,
        hint: `Use the address ${other.url}.`,
      });
      expect(heard).toEqual([]);
    } finally {
      other.server.close();
    }
  });

  test("asks again for an answer that broke off, and says so if all of them do", async () => {
    answer = (_, response) =>
      asked.length === 1 ? breakOff(response, '{"items":[') : json(response, { items: [] });
    expect(await client().repos()).toEqual([]);
    expect(asked).toHaveLength(2);
    answer = (_, response) => breakOff(response, '{"sta');
    await expect(client().health({ tries: 1 })).rejects.toMatchObject({ code: "unreachable" });
  });

  test("says so if an answer is JSON of another kind", async () => {
    const repo = client().repo("default");
    const questions = [
      () => client().repos(),
      () => repo.list(),
      () => repo.query("find", { type: "Execution" }),
      () => repo.missing(["a"]),
      () => repo.start({ package: "0".repeat(40), task: "t", args: [] }),
    ];
    for (const body of [null, "text", {}, { items: 1, result: null, missing: {}, id: 1 }]) {
      answer = (_, response) => json(response, body);
      for (const ask of questions)
        await expect(ask()).rejects.toThrow(/^Cannot understand the server .* with something else/);
    }
  });

  test("takes a list of ids for whole only if its end is told", async () => {
    const collect = async (): Promise<string[]> => {
      const ids: string[] = [];
      for await (const some of client().repo("default").reachable()) ids.push(...some);
      return ids;
    };
    answer = (_, response) => response.end('["a","b"]\n["c"]\n[]\n');
    expect(await collect()).toEqual(["a", "b", "c"]);
    const endings: Answer[] = [
      (_, response) => response.end('["a","b"]\n["c"]\n'),
      (_, response) => response.end('["a","b"]\n["c'),
      (_, response) => response.end(),
      (_, response) => breakOff(response, '["a","b"]\n'),
    ];
    for (const ending of endings) {
      answer = ending;
      await expect(collect()).rejects.toMatchObject({ code: "unreachable" });
    }
  });

  test("makes no path of a name", async () => {
    answer = (_, response) => json(response, {});
    const repo = client().repo("default");
    await repo.execution("../../../tokens?");
    expect(asked).toEqual(["GET /api/v1/repos/default/executions/..%2F..%2F..%2Ftokens%3F"]);
    for (const name of ["..", ".", ""]) {
      await expect(repo.cancel(name)).rejects.toMatchObject({ code: "not-found" });
      await expect((async () => client().repo(name).list())()).rejects.toMatchObject({ code: "not-found" });
    }
    expect(asked).toHaveLength(1);
  });

  test("follows an execution as long as there are signs of life", async () => {
    let connections = 0;
    answer = (request, response) => {
      if (!request.url!.includes("/events")) return json(response, { status: "RUNNING" });
      const isLast = ++connections === 8;
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      const end = { seq: 1, time: 0, type: "execution-end", outcome: { status: "DONE" } };
      response.write(isLast ? `data: ${JSON.stringify(end)}\n\n` : ": alive\n\n", () => response.destroy());
    };
    const types: string[] = [];
    for await (const { type } of client().repo("default").events("some")) types.push(type);
    expect([connections, types]).toEqual([8, ["execution-end"]]);
  });

  test("makes a token once, though it hears nothing of it", async () => {
    answer = (_, response) => response.destroy();
    await expect(client().createToken({ name: "ann", role: "viewer" })).rejects.toMatchObject({
      code: "unreachable",
    });
    expect(asked).toEqual(["POST /api/v1/tokens"]);
  });
});
