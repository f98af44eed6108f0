import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { isPublicAddress, publicFetch } from "../../src/cli/server/public-fetch.ts";

let server: Server;
let port: number;
let asked: string[];
let answer: RequestListener;

beforeEach(async () => {
  asked = [];
  answer = (_request, response) => void response.end("hello");
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.headers.host} ${request.url}`);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ({ port } = server.address() as AddressInfo);
});
afterEach(() => {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(resolve));
});

test("an address is public unless it leads to a machine, into its networks, or nowhere", () => {
  for (const address of [
    ...["0.0.0.0", "10.1.2.3", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.1.2.3", "169.254.169.254"],
    ...["172.16.0.1", "172.31.255.255", "192.168.1.1", "198.18.0.1", "224.0.0.1", "255.255.255.255"],
    ...["::", "::1", "::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "::7f00:1", "64:ff9b::7f00:1", "2002:7f00:1::"],
    ...["fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "ff02::1", "localhost", ""],
  ])
    expect([address, isPublicAddress(address)]).toEqual([address, false]);
  for (const address of ["1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
    expect([address, isPublicAddress(address)]).toEqual([address, true]);
});

describe("A server's own requests", () => {
  const refused = /has no public address, and the operator has not allowed it|is not of the Web/;

  test("don't go where no public address is, however that is written", async () => {
    const get = publicFetch();
    for (const host of [
      ...["127.0.0.1", "localhost", "0x7f.1", "2130706433", "017700000001", "[::1]", "[::ffff:127.0.0.1]"],
      ...["0.0.0.0", "169.254.169.254", "10.0.0.1", "[fd00:ec2::254]", "LOCALHOST", "127.0.0.1."],
    ]) {
      const error = await get(`http://${host}:${port}/`, {}).catch((error: unknown) => error);
      expect([host, String(error)]).toEqual([host, expect.stringMatching(refused)]);
    }
    await expect(get("file:///etc/passwd", {})).rejects.toThrow(refused);
    expect(asked).toEqual([]);
  });

  test("don't go to a name that means such an address, alone or among others, at any time", async () => {
    const answers = [["127.0.0.1"], ["1.1.1.1", "10.0.0.1"], ["::1"]];
    for (const addresses of answers) {
      const resolve = async (): Promise<{ address: string; family: number }[]> =>
        addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
      await expect(publicFetch({ resolve })(`http://rebound.test:${port}/`, {})).rejects.toThrow(refused);
    }
    expect(asked).toEqual([]);
  });

  test("go to hosts that the operator allows, whose names are looked up once a connection", async () => {
    const lookups: string[] = [];
    const resolve = async (host: string): Promise<{ address: string; family: number }[]> => {
      lookups.push(host);
      return [{ address: "127.0.0.1", family: 4 }];
    };
    const get = publicFetch({ resolve, privateHosts: ["Files.test", "127.0.0.1"] });
    expect(await (await get(`http://files.test:${port}/a?b`, {})).text()).toBe("hello");
    expect(lookups).toEqual(["files.test"]);
    expect(await (await get(`http://127.0.0.1:${port}/`, {})).text()).toBe("hello");
    await expect(get(`http://other.files.test:${port}/`, {})).rejects.toThrow(refused);
    expect(asked).toEqual([`GET files.test:${port} /a?b`, `GET 127.0.0.1:${port} /`]);
    const all = publicFetch({ privateHosts: true });
    expect((await all(`http://localhost:${port}/`, {})).status).toBe(200);
  });

  test("follow redirections with the same care", async () => {
    const get = publicFetch({ privateHosts: ["127.0.0.1"] });
    answer = ({ url }, response) => {
      const location = url === "/loop" ? "/loop" : url === "/in" ? `http://localhost:${port}/` : "/end";
      if (url === "/end") response.end("end");
      else response.writeHead(302, { location }).end("elsewhere");
    };
    const root = `http://127.0.0.1:${port}`;
    expect(await (await get(`${root}/good`, {})).text()).toBe("end");
    await expect(get(`${root}/in`, {})).rejects.toThrow(refused);
    await expect(get(`${root}/loop`, {})).rejects.toThrow("more than 10 times");
    expect(asked.filter((line) => line.includes("localhost"))).toEqual([]);
  });

  test("use a connection for one request after another, and another where it was ended", async () => {
    const get = publicFetch({ privateHosts: true });
    const ports: (number | undefined)[] = [];
    answer = ({ socket, url }, response) => {
      ports.push(socket.remotePort);
      // Ended without a word, as soon as it is used again.
      if (url === "/third" && ports.indexOf(socket.remotePort) < ports.length - 1) socket.resetAndDestroy();
      else response.end("hello");
    };
    for (const path of ["first", "second", "third"])
      expect(await (await get(`http://127.0.0.1:${port}/${path}`, {})).text()).toBe("hello");
    expect(ports[1]).toBe(ports[0]);
    expect(ports).toHaveLength(4);
    expect(ports[3]).not.toBe(ports[0]);
  });

  test("give what a server sends, as fetch does", async () => {
    const get = publicFetch({ privateHosts: true });
    answer = ({ url, headers }, response) => {
      if (url === "/gone") return void response.writeHead(404, { "x-why": "gone" }).end("no");
      if (url === "/empty") return void response.writeHead(204).end();
      if (url === "/cut")
        return void response.writeHead(200, { "content-length": 10 }).write("half", () => response.destroy());
      response.writeHead(200, { "content-encoding": "gzip" });
      response.end(gzipSync(`range ${headers.range}`));
    };
    const root = `http://127.0.0.1:${port}`;
    const part = await get(`${root}/part`, { headers: { range: "bytes=0-3" } });
    expect(await part.text()).toBe("range bytes=0-3");
    const gone = await get(`${root}/gone`, {});
    expect([gone.status, gone.ok, gone.headers.get("x-why"), await gone.text()]).toEqual([
      404,
      false,
      "gone",
      "no",
    ]);
    expect((await get(`${root}/empty`, {})).body).toBeNull();
    expect((await get(`${root}/head`, { method: "HEAD" })).status).toBe(200);
    await expect((await get(`${root}/cut`, {})).text()).rejects.toThrow();
    const unread = await get(`${root}/part`, {});
    await unread.body!.cancel();
    await expect(get("http://127.0.0.1:1/", {})).rejects.toThrow("ECONNREFUSED");
  });
});
