import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ServerProcess, startProcess } from "../server/server-process.ts";
import { HELLO, Workspace } from "./harness.ts";

const MANY = `import { task } from "redun";
export const one = task("many.one", (i: number) => i * 2);
export const long = task("many.long", (n: number) => "x".repeat(n));
export const main = task("many.main", (n: number) => Array.from({ length: n }, (_, i) => one(i)));
`;

const home = new Workspace();
let server: ServerProcess;

beforeAll(async () => {
  server = await startProcess(home.dir);
});
afterAll(async () => {
  await server.kill("SIGTERM");
});

function client(): Workspace {
  const space = new Workspace({ "hello.ts": HELLO, "many.ts": MANY });
  space.env = { REDUN_TOKEN: server.token! };
  return space;
}

/** Passes requests on to a server, and tells of those that are about to be. */
async function proxyTo(
  url: string,
  onRequest: (path: string) => void,
): Promise<{ url: string; proxy: Server }> {
  const proxy = createServer((incoming, outgoing) => {
    onRequest(incoming.url!);
    const passed = request(`${url}${incoming.url}`, { method: incoming.method!, headers: incoming.headers });
    passed.on("response", (response) => {
      outgoing.writeHead(response.statusCode!, response.headers);
      response.pipe(outgoing);
    });
    passed.on("error", () => outgoing.destroy());
    incoming.pipe(passed);
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, proxy };
}

const jobs = async (space: Workspace, words: string): Promise<{ CACHED: number; DONE: number }> => {
  const document = JSON.parse(await space.ok(`run ${words} --format json`)) as {
    jobs: { CACHED: number; DONE: number };
  };
  return document.jobs;
};

describe("Records", () => {
  test("of a colleague make the same run here cached, by way of a server", async () => {
    const [ann, bob] = [client(), client()];
    await ann.ok("run hello.ts main --greet Servus");
    const pushed = await ann.ok(`push --to ${server.url}`);
    expect(pushed).toMatch(/^Pushed \d+ record\(s\) to repo 'http/);
    expect(await ann.ok(`push ${server.url}`)).toBe(`Repo '${server.url}' is up to date.\n`);
    expect(await jobs(bob, `hello.ts main --greet Servus --server ${server.url}`)).toMatchObject({
      CACHED: 3,
      DONE: 0,
    });
    await bob.ok(`run hello.ts main --greet Hallo --server ${server.url}`);

    await bob.ok(`repo add ours ${server.url}`);
    expect(await bob.ok("pull ours")).toMatch(/^Pulled \d+ new record\(s\) from repo 'ours'\n$/);
    expect(await bob.ok("pull --from ours")).toBe("Repo 'default' is up to date.\n");
    for (const greet of ["Servus", "Hallo"])
      expect(await jobs(bob, `hello.ts main --greet ${greet}`)).toMatchObject({ CACHED: 3, DONE: 0 });
    expect(await bob.ok("log --exec")).toMatch(/main --greet Servus/);
  });

  test("that are missing go on after the server ended in the middle", async () => {
    const crashing = new Workspace();
    let target = await startProcess(crashing.dir);
    const space = client();
    space.env = { REDUN_TOKEN: target.token! };
    await space.ok("run many.ts main --n 2500 --log-level ERROR".replace(" --log-level ERROR", ""));
    let batches = 0;
    const { url, proxy } = await proxyTo(target.url, (path) => {
      if (path.endsWith("/sync/records") && ++batches === 3) void target.kill("SIGKILL");
    });
    const broken = await space.redun(`push --to ${url}`);
    proxy.close();
    expect([broken.code, broken.stderr]).toEqual([1, expect.stringContaining("Cannot reach the server")]);

    target = await startProcess(crashing.dir);
    const count = async (): Promise<number[]> =>
      (await space.ok(`log --count --server ${target.url}`)).match(/\d+/g)!.map(Number);
    const [executions, , calls] = await count();
    // What has come is kept, and no execution is shown before all of it has.
    expect([executions, calls! > 0 && calls! < 2501]).toEqual([0, true]);
    const rest = Number(/Pushed (\d+)/.exec(await space.ok(`push --to ${target.url}`))![1]);
    const all = Number(
      /Exported ([\d,]+)/.exec((await space.redun("export -f all.jsonl")).stderr)![1]!.replace(",", ""),
    );
    expect([rest > 0, rest < all]).toEqual([true, true]);
    const there = await space.ok(`export --server ${target.url}`);
    expect(there.split("\n").sort()).toEqual(space.read("all.jsonl").split("\n").sort());
    await target.kill("SIGTERM");
  });

  test("go to files and come from them, and are refused if they were changed", async () => {
    const [ann, bob] = [client(), client()];
    await ann.ok("run hello.ts main --greet Moin");
    await ann.ok("push --to moin.jsonl");
    expect(await ann.ok("push moin.jsonl")).toBe("Repo 'moin.jsonl' is up to date.\n");
    await ann.ok("run hello.ts main --greet Ciao");
    await ann.ok("push --to moin.jsonl -");
    const text = ann.read("moin.jsonl");
    bob.write("moin.jsonl", text);
    expect(await bob.ok("pull --from moin.jsonl")).toMatch(/^Pulled \d+ new record/);
    expect(await jobs(bob, "hello.ts main --greet Moin")).toMatchObject({ CACHED: 3, DONE: 0 });

    const data = Buffer.from('"Moin, World!"').toString("base64");
    const forged = Buffer.from('"Moin, Wurst!"').toString("base64");
    expect(text).toContain(data);
    const eve = client();
    eve.write("forged.jsonl", text.replace(data, forged));
    const { code, stderr } = await eve.redun("pull --from forged.jsonl");
    expect([code, stderr]).toEqual([1, expect.stringContaining("damaged or forged")]);
  });

  test("are added to a file where a copy that was cut short left it", async () => {
    const space = client();
    await space.ok("run hello.ts main --greet Moin");
    await space.ok("push --to moin.jsonl");
    const whole = space.read("moin.jsonl");
    const lines = whole.split("\n");
    expect(lines.length).toBeGreaterThan(4);
    for (const rest of [
      `${lines.slice(0, 3).join("\n")}\n${lines[3]!.slice(0, 40)}`,
      lines.slice(0, 4).join("\n"),
      "",
    ]) {
      space.write("moin.jsonl", rest);
      await space.ok("push --to moin.jsonl");
      expect(space.read("moin.jsonl").split("\n").sort()).toEqual(lines.toSorted());
    }
  });

  test("are exported as a whole, or the file stays as it was", async () => {
    const space = client();
    await space.ok("run hello.ts main --greet Moin");
    await space.ok(`push --to ${server.url}`);
    let isOver = false;
    const { url, proxy } = await proxyTo(server.url, (path) => {
      isOver ||= path.endsWith("/query/exportRecords");
      if (isOver) proxy.closeAllConnections();
    });
    space.write("out.jsonl", "as it was");
    expect((await space.redun(`export -f out.jsonl --server ${url}`)).code).toBe(1);
    proxy.close();
    expect(space.read("out.jsonl")).toBe("as it was");
    await space.ok("export -f out.jsonl");
    expect(space.read("out.jsonl")).toMatch(/^\{.*\}\n$/s);
  });

  test("of a size that a server does not take are named", async () => {
    const space = client();
    await space.ok("run many.ts long --n 26000000");
    const { code, stderr } = await space.redun(`push --to ${server.url}`);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/Cannot send the Value [0-9a-f]{40}: it has 35 MB/),
    ]);
  });

  test("stay where they are when the command is wrong", async () => {
    const space = client();
    const refusal = async (words: string): Promise<string> => {
      const { code, stderr } = await space.redun(words);
      expect(code).toBeGreaterThan(0);
      return stderr;
    };
    expect(await refusal("push")).toContain("Usage: redun push --to REPO|URL|FILE");
    expect(await refusal("pull --from nowhere.jsonl")).toContain("nowhere.jsonl: there is no such file");
    expect(await refusal("push nowhere")).toContain("Unknown repo nowhere");
    expect(await refusal("push default")).toContain("Cannot sync repo 'default' with itself");
    expect(await refusal(`push --to ${server.url} deadbeef cafe`)).toContain("Unknown ids: deadbeef, cafe");
  });
});
