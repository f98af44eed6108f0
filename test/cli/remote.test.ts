import { chmodSync, mkdirSync, renameSync, statSync } from "node:fs";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createClient } from "../../src/server.ts";
import { type ServerProcess, startProcess } from "../server/server-process.ts";
import { HELLO, type Ran, steady, Workspace } from "./harness.ts";

const WORK = `${HELLO}
import { Dir, File } from "redun";

export const slow = task("hello.slow", async (seconds: number) => {
  console.log("at work");
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  return "rested";
});
export const long = task("hello.long", (n: number) => "x".repeat(n));
export const length = task("hello.length", async (file: File) => (await file.text()).length);
export const names = task("hello.names", async (dir: Dir) => {
  const files = await dir.files();
  return files.map((file) => dir.relPath(file));
});
export const forge = task("hello.forge", () => {
  console.log("\\u001b]0;title\\u0007\\u001b[2Jnothing to see");
  throw new Error("\\u001b[1A\\u001b[2Kgone");
});
export const write = task("hello.write", async (path: string) => {
  const file = new File(path);
  await file.write("written there");
  return file;
});
export const total = task("hello.total", async (given: { files: File[] }) => {
  let sum = 0;
  for (const file of given.files) sum += (await file.text()).length;
  return sum;
});
`;

const home = new Workspace();
let server: ServerProcess;

beforeAll(async () => {
  server = await startProcess(home.dir);
});
afterAll(async () => {
  await server.kill("SIGTERM");
});

/** A folder with the workflow, signed in to the server. */
function client(files: Readonly<Record<string, string>> = {}): Workspace {
  const space = new Workspace({ "hello.ts": WORK, ...files });
  space.env = { REDUN_SERVER: server.url, REDUN_TOKEN: server.token! };
  return space;
}

const sorted = (text: string): string[] => text.split("\n").sort();
const here = { REDUN_SERVER: "" };

/** What a run tells, without what differs between places. */
const told = ({ stderr }: Ran): string[] =>
  steady(stderr)
    .replace(/ at \S+ \(/g, " at (")
    .split("\n")
    .filter((line) => !/server: |Sent the code|config dir|Execution duration|JOB STATUS/.test(line))
    .sort();

describe("Signing in", () => {
  test("keeps the token where only its owner can read it, and forgets it", async () => {
    const space = new Workspace();
    const { url, token } = server;
    const refused = await space.redun(`log --server ${url}`);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining(`redun login ${url}`)]);
    const wrong = await space.redun(`login ${url}`, { input: "redun_wrong\n" });
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining("the token is unknown or over")]);

    const below = await space.redun(`login ${url}/default`, { input: `${token}\n` });
    expect([below.code, below.stderr]).toEqual([
      1,
      expect.stringContaining(`Did you mean: redun login ${url}`),
    ]);

    const done = await space.redun(`login ${url}/`, { input: `${token}\n` });
    expect([done.code, done.stderr]).toEqual([0, expect.stringContaining("as admin, with the role admin")]);
    expect(done.stderr + done.stdout).not.toContain(token);
    const mode = (name: string): number => statSync(space.path(name)).mode & 0o777;
    expect([mode("config/redun"), mode("config/redun/servers.json")]).toEqual([0o700, 0o600]);
    expect(await space.ok(`log --server ${url}`)).toContain("Recent executions:");

    chmodSync(space.path("config/redun/servers.json"), 0o640);
    const open = await space.redun(`log --server ${url}`);
    expect([open.code, open.stderr]).toEqual([1, expect.stringMatching(/others may read it\n.*chmod 600/)]);
    chmodSync(space.path("config/redun/servers.json"), 0o600);

    await space.ok(`logout ${url}`);
    expect((await space.redun(`logout ${url}`)).code).toBe(1);
    expect((await space.redun(`log --server ${url}`)).code).toBe(1);
  });

  test("is refused with a password in the address, which is not shown", async () => {
    const { code, stderr } = await new Workspace().redun("log --server https://me:secret@127.0.0.1");
    expect([code, stderr]).toEqual([2, expect.stringContaining("with a password in the address")]);
    expect(stderr).not.toContain("secret");
  });
});

describe("A server that can't be used", () => {
  test("because it is none, has another version of the API, or is away, is told", async () => {
    const answers: Readonly<Record<string, string>> = {
      page: "<html></html>",
      later: JSON.stringify({ status: "ok", version: "9.1.0", api: 2 }),
    };
    const other = createServer((request, response) => {
      const name = request.url!.split("/")[1]!;
      response.statusCode = name === "down" ? 502 : 200;
      response.end(answers[name]);
    });
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as AddressInfo;
    const space = client();
    const errorOf = async (url: string): Promise<string> => {
      const { code, stderr } = await space.redun(["log", "--server", url]);
      expect(code).toBe(1);
      return stderr;
    };
    const [page, later, down] = await Promise.all([
      errorOf(`http://127.0.0.1:${port}/page#default`),
      errorOf(`http://127.0.0.1:${port}/later#default`),
      errorOf(`http://127.0.0.1:${port}/down#default`),
    ]);
    other.close();
    expect(page).toMatch(/something other than JSON\n.*Is this the address of a redun server\?/);
    expect(down).toMatch(/answered 502 Bad Gateway\n.*behind that address does not answer/);
    expect(later).toContain("it has version 2 of the API (redun 9.1.0), and this redun version 1");
    expect(await errorOf(`http://127.0.0.1:${port}`)).toMatch(/Cannot reach the server .*ECONNREFUSED/);
    expect(await errorOf(`${server.url}/nowhere`)).toMatch(/has none of that name\n.*may use: default/);
  });

  test("for a command of this machine alone refuses it", async () => {
    const space = client();
    for (const command of ["db upgrade", "db downgrade 1"]) {
      const { code, stderr } = await space.redun(command);
      expect([code, stderr]).toEqual([2, expect.stringContaining(`Cannot migrate the db on the server`)]);
    }
    expect((await space.redun(`--server ${server.url} init`)).code).toBe(2);
    expect(await space.ok("db info")).toMatch(/server: http.*\nrepo: default\nsigned in as: admin/);
  });
});

describe("A run on a server", () => {
  test("shows the same as one here, and ends with the same code", async () => {
    const space = client();
    for (const words of [
      "main",
      "main",
      "main --greet Howdy --dryrun",
      "parent --x 3",
      "main --greet Hi --no-prov -t a=1 --context k=v",
    ]) {
      const local = await space.redun(`run hello.ts ${words}`, { env: here });
      const remote = await space.redun(`run hello.ts ${words}`);
      expect(told(remote)).toEqual(told(local));
      expect([remote.code, remote.stdout]).toEqual([local.code, local.stdout]);
    }
    const [local, remote] = await Promise.all([
      space.ok("run hello.ts main --format json", { env: here }),
      space.ok("run hello.ts main --format json"),
    ]);
    const { executionId, duration: _, ...document } = JSON.parse(remote) as Record<string, unknown>;
    expect(executionId).toMatch(/^[0-9a-f-]{36}$/);
    expect(JSON.parse(local)).toMatchObject(document);
    const logged = await space.ok("log -");
    expect(logged).toContain("run hello.ts main --format json");
    expect(logged + (await space.ok("export"))).not.toContain(server.token!.slice(-20));
  });

  test("with a long result gives all of it", async () => {
    expect(await client().ok("run hello.ts long --n 200000")).toBe(`'${"x".repeat(200_000)}'\n`);
  });

  test("has no power over the terminal that shows it", async () => {
    const { code, stderr } = await client().redun("run hello.ts forge");
    expect(code).toBe(1);
    expect(stderr).toContain(String.raw`\x1b]0;title\x07\x1b[2Jnothing to see`);
    expect(stderr).toContain(String.raw`Error: \x1b[1A\x1b[2Kgone`);
    expect(stderr).not.toContain("\u001b");
  });

  test("that is detached goes on, and can be attached to, also later, and cancelled", async () => {
    const space = client();
    const id = (await space.ok("run hello.ts slow --seconds 1 --detach")).trim();
    const attached = await space.redun(`attach ${id}`);
    expect([attached.code, attached.stdout]).toEqual([0, "'rested'\n"]);
    expect(attached.stderr).toContain("at work");
    expect(await space.ok(["attach", id.slice(-8), "--format", "json"])).toContain('"result": "rested"');
    expect(await space.ok(`cancel ${id}`)).toBe(`${id} has ended already\n`);

    const other = (await space.ok("run hello.ts slow --seconds 60 --detach")).trim();
    expect(await space.ok(`cancel ${other}`)).toBe(`Cancelled ${other}\n`);
    const ended = await space.redun(`attach ${other}`);
    expect([ended.code, ended.stderr]).toEqual([1, expect.stringContaining("The execution was cancelled.")]);
    expect((await space.redun("attach deadbeef")).stderr).toContain("Unknown id: deadbeef");
  });

  test("is cancelled by SIGINT and left alone by SIGTERM where nobody can be asked", async () => {
    const space = client();
    const interrupted = async (signal: NodeJS.Signals, seconds: number): Promise<Ran> =>
      space.redun(`run hello.ts slow --seconds ${seconds}`, {
        onStderr(text, kill) {
          if (text.includes("at work") && !/goes on|Cancelling/.test(text)) kill(signal);
        },
      });
    const [cancelled, left] = await Promise.all([interrupted("SIGINT", 61), interrupted("SIGTERM", 2)]);
    expect([cancelled.code, left.code]).toEqual([130, 130]);
    expect(cancelled.stderr).toContain("The execution was cancelled. A later run goes on");
    const id = /attach ([0-9a-f-]{36})/.exec(left.stderr)![1]!;
    expect(await space.ok(`attach ${id}`)).toBe("'rested'\n");
  });

  test("goes on when the token of whoever follows it was taken back, who is told so", async () => {
    const api = createClient(server.url, { token: server.token! });
    const { token, info } = await api.createToken({ name: "ann", role: "runner" });
    const space = client();
    let isTaken = false;
    const proxy = createServer((incoming, outgoing) => {
      const passed = request(`${server.url}${incoming.url}`, {
        method: incoming.method!,
        headers: incoming.headers,
      });
      passed.on("response", (response) => {
        outgoing.writeHead(response.statusCode!, response.headers);
        response.pipe(outgoing);
        if (!incoming.url!.includes("/events") || isTaken) return;
        isTaken = true;
        response.once("data", async () => {
          await api.revokeToken(info.id);
          outgoing.destroy();
        });
      });
      incoming.pipe(passed);
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const { code, stderr } = await space.redun(`run hello.ts slow --seconds 4 --no-cache --server ${url}`, {
      env: { REDUN_TOKEN: token },
    });
    proxy.close();
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/goes on\. Follow it with: redun --server \S+ attach/),
    ]);
    expect(stderr).toContain("the token is unknown or over");
    expect(stderr).not.toContain("Authorization");
  });

  test("runs again what is recorded there, and by a name for the server", async () => {
    const space = client();
    space.env = { REDUN_TOKEN: server.token! };
    await space.ok(`repo add prod ${server.url}`);
    await space.ok("-r prod run hello.ts main --greet Ahoy");
    expect(await space.ok("-r prod run hello.ts - --rerun")).toBe("'Ahoy, World!'\n");
    expect(await space.ok(`run hello.ts - --rerun --greet Hey --server ${server.url}`)).toBe(
      "'Hey, World!'\n",
    );
    expect((await space.redun("run hello.ts main --detach")).code).toBe(2);
  });
});

describe("Files of this machine as arguments of a run on a server", () => {
  const files = { "a.txt": "four", "in/b.txt": "threes", "in/deep/c.txt": "x" };

  test("are named before anything runs", async () => {
    const space = client(files);
    const { code, stderr } = await space.redun("run hello.ts length --file a.txt");
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/it can't read a\.txt of this machine\n.*--upload/),
    ]);
    expect(stderr).not.toContain("Start Execution");
    for (const words of ["length --file nowhere.txt", "length --file nowhere.txt --upload"])
      expect((await space.redun(`run hello.ts ${words}`)).stderr).toContain(
        "this machine has no nowhere.txt",
      );
  });

  test("are sent on request, once, alone, in folders and inside other values", async () => {
    const space = client(files);
    expect(await space.ok("run hello.ts length --file a.txt --upload")).toBe("4\n");
    const again = await space.redun("run hello.ts length --file a.txt --upload");
    expect([again.stdout, again.stderr]).toEqual(["4\n", expect.stringMatching(/has the files already/)]);
    expect(again.stderr).toContain("Cached Job");
    expect(await space.ok("run hello.ts names --dir in --upload")).toBe("[ 'b.txt', 'deep/c.txt' ]\n");
    space.write(
      "input.json",
      JSON.stringify([{ files: [{ $: ["redun.File", { path: "in/b.txt", hash: "0".repeat(40) }] }] }]),
    );
    const inside = "run hello.ts total --input input.json";
    expect((await space.redun(inside)).stderr).toContain("it can't read in/b.txt of this machine");
    expect(await space.ok(`${inside} --upload`)).toBe("6\n");
  });
});

test("A file that a task made on the server is an argument of a run there", async () => {
  const space = client();
  const path = home.path("made/there.txt");
  expect(await space.ok(["run", "hello.ts", "write", "--path", path])).toBe(`File('${path}')\n`);
  // The server is on this machine, where the file would count as one of its own.
  renameSync(path, home.path("made/gone.txt"));
  const { stderr } = await space.redun(["run", "hello.ts", "length", "--file", path]);
  expect(stderr).toMatch(/Start Execution.*Cannot read .*there\.txt: /s);
});

describe("A command that is launched", () => {
  test("on a server is left to it, or waited for", async () => {
    const space = client();
    expect(await space.ok(["launch", "--wait", "echo a; echo $((1 + 1))"])).toBe("a\n2\n");
    const id = (await space.ok("launch redun run hello.ts main --greet Launched")).trim();
    expect(await space.ok(`attach ${id}`)).toBe("'Launched, World!'\n");
    expect((await space.redun("launch --wait exit 3")).code).toBe(1);
  });

  test("here runs on the executor that is named, and on when the command has ended", async () => {
    const space = client();
    space.env = {};
    for (const words of [
      "launch echo",
      "launch --executor nope echo",
      "launch --executor process --code-package x",
    ])
      expect((await space.redun(words)).code).toBe(1);
    expect(await space.ok("launch --executor process --wait echo hi there")).toBe("hi there\n");
    const id = (await space.ok("launch --executor process echo later")).trim();
    await expect
      .poll(async () => (await space.redun("log --exec")).stdout, { timeout: 20_000 })
      .toMatch(new RegExp(`${id.slice(-8)} \\[ DONE \\] .*launch --executor process echo later`));
  });
});

describe("Records on a server", () => {
  test("are shown as those of a store here", async () => {
    const space = client();
    await space.redun("run hello.ts parent --x 7");
    await space.ok("pull", { env: { REDUN_SERVER: server.url } });
    for (const words of [
      "log",
      "log -",
      "log --all",
      "log --job --job-status FAILED --detail",
      "log --count",
      "log hello.main",
      "tag list --values",
      "tag list user",
    ]) {
      const [local, remote] = await Promise.all([space.ok(words, { env: here }), space.ok(words)]);
      // Records other than executions and jobs are in no order.
      if (words === "log --all") expect(sorted(remote)).toEqual(sorted(local));
      else expect(remote).toBe(local);
    }
    const [local, remote] = await Promise.all([space.ok("export", { env: here }), space.ok("export")]);
    expect(sorted(remote)).toEqual(sorted(local));
    const input = "await show('-')\n.exit\n";
    const shown = await Promise.all([space.ok("repl", { env: here, input }), space.ok("repl", { input })]);
    expect(shown[1]).toBe(shown[0]);
    expect(shown[0]).toContain("hello.parent");
  });

  test("get, change and lose tags, and are imported", async () => {
    const space = client();
    await space.ok("run hello.ts main --greet Tagged");
    expect(await space.ok("tag add - colour=red")).toMatch(/^add tag Execution:[0-9a-f]{8} colour="red"\n$/);
    await space.ok("tag update - colour=blue");
    expect(await space.ok("log -")).toContain("colour=blue");
    await space.ok("tag rm - -- colour");
    expect(await space.ok("log -")).not.toContain("colour");
    await space.ok("run hello.ts main --greet Imported", { env: here });
    await space.ok("export -f records.jsonl", { env: here });
    expect((await space.redun("import -f records.jsonl")).stderr).toMatch(/Imported \d+ new records/);
  });
});

test("Repositories elsewhere get names in redun.ini, which stays as it is otherwise", async () => {
  const space = new Workspace();
  const text = "# Mine.\n[backend]\ndb_uri = sqlite:///redun.db\n\n# Ours.\n[tags]\nteam = blue\n";
  space.write(".redun/redun.ini", text);
  mkdirSync(space.path("other/.redun"), { recursive: true });
  await space.ok(["init", "-c", space.path("other/.redun")]);
  expect(await space.ok("repo add prod https://redun.example.org#team")).toBe(
    "Added repo 'prod': https://redun.example.org#team\n",
  );
  await space.ok("repo add other other/.redun");
  const added = space.read(".redun/redun.ini");
  expect(added.startsWith(text)).toBe(true);
  expect(added).toContain("\n[repos.prod]\nserver = https://redun.example.org\nrepo = team\n");
  expect(await space.ok("repo list")).toBe(
    `Repositories:\n  default: ${space.path(".redun")}\n  other: ${space.path("other/.redun")}\n  prod: https://redun.example.org#team\n`,
  );
  for (const words of ["add prod https://x.org", "add default https://x.org", "add more nowhere", "rm more"])
    expect((await space.redun(`repo ${words}`)).code).toBeGreaterThan(0);
  await space.ok("repo rm prod");
  await space.ok("repo rm other");
  expect(space.read(".redun/redun.ini").trimEnd()).toBe(text.trimEnd());
});

test("A repository of a server is deleted by its full address only", async () => {
  const space = client();
  const api = createClient(server.url, { token: server.token! });
  await api.createRepo("old");
  const names = async (): Promise<string[]> => (await api.repos()).map(({ name }) => name);
  for (const words of ["", server.url, `${server.url}#`, `${server.url}#old more`])
    expect((await space.redun(`repo delete ${words}`)).code).toBe(2);
  expect((await space.redun(`repo delete ${server.url}#olt`)).stderr).toContain("Did you mean old?");
  expect((await space.redun(`repo delete ${server.url}#default`)).stderr).toContain("every instance has it");
  expect(await names()).toEqual(["default", "old"]);
  expect(await space.ok(`repo delete ${server.url}#old`)).toBe(
    `Deleted the repository old of ${server.url}\n`,
  );
  expect(await names()).toEqual(["default"]);
});

describe("Files on a server", () => {
  test("are copied here by the path that tasks name, as long as they are what was recorded", async () => {
    const space = client();
    const path = home.path("made/there.txt");
    expect((await space.redun(`run hello.ts write --path ${path}`)).code).toBe(0);
    const { url } = server;
    expect(await space.redun(`fs cp --server ${url} ${path} -`)).toMatchObject({
      code: 0,
      stdout: "written there",
    });
    expect((await space.redun(`fs cp --server ${url} ${path} new/copy.txt`)).code).toBe(0);
    expect(space.read("new/copy.txt")).toBe("written there");
    const unknown = await space.redun(`fs cp --server ${url} /etc/passwd -`);
    expect([unknown.code, unknown.stdout, unknown.stderr]).toEqual([
      1,
      "",
      expect.stringContaining("has made or read such a file"),
    ]);
    home.write("made/there.txt", "changed by hand");
    const changed = await space.redun(`fs cp --server ${url} ${path} -`);
    expect([changed.code, changed.stderr]).toEqual([
      1,
      expect.stringContaining("changed since it was recorded"),
    ]);
    // Scripts copy files with this command, whatever server the environment names.
    expect(await space.redun(`fs cp ${path} -`)).toMatchObject({ stdout: "changed by hand" });
  });
});
