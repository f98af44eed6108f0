import { beforeAll, describe, expect, test } from "vitest";
import { HELLO, Workspace } from "./harness.ts";

describe("redun tag", () => {
  const space = new Workspace({ "hello.ts": HELLO });
  beforeAll(async () => {
    await space.ok("run hello.ts main");
  });

  test("adds, updates and removes tags, and tells each", async () => {
    expect(await space.ok("tag add - color=red n=5")).toMatch(
      /^add tag Execution:\w{8} color="red"\nadd tag Execution:\w{8} n=5\n$/,
    );
    expect(await space.ok("log -")).toContain("(color=red, n=5, project");
    await space.ok("tag update - color=blue");
    expect(await space.ok("log -")).toContain("(color=blue, n=5, project");
    expect(await space.ok("tag rm - n=5")).toMatch(/^rm tag Execution:\w{8} n=5\n$/);
    expect(await space.ok("tag rm - -- color")).toMatch(/^rm tag Execution:\w{8} color="blue"\n$/);
    expect(await space.ok("log -")).toMatch(/\(project=hello, redun/);
    await space.ok("tag add - color=blue");
    expect(await space.ok("log -")).toContain("color=blue");
    await space.ok("tag add hello.planet - kind=task");
    expect(await space.ok("log --task --tag kind=task")).toMatch(
      /^Task \w{8} hello\.planet \(kind=task\)\n$/,
    );
  });

  test("lists keys with how many records have them, and records by tag", async () => {
    await space.ok("tag update - color=green");
    expect(await space.ok("tag list")).toContain("color (1 Execution)\n");
    expect(await space.ok("tag list --values")).toContain("color=green (1 Execution)\n");
    expect(await space.ok("tag list color=green")).toMatch(/^Exec \w{8} /);
    expect(await space.ok("tag list color=red")).toBe("");
  });

  test.each([
    ["tag add -", 2, "Which tags?"],
    ["tag add a=b", 2, "Which records?"],
    ["tag add 99999999 a=b", 1, "Unknown id: 99999999"],
    ["tag add - =b", 2, "the key is empty"],
  ])("refuses %s with exit code %i", async (args, exitCode, message) => {
    const { code, stderr } = await space.redun(args);
    expect(stderr).toContain(message);
    expect(code).toBe(exitCode);
  });
});

describe("redun export and import", () => {
  test("carry all records to another repository, and change nothing the second time", async () => {
    const source = new Workspace({ "hello.ts": HELLO });
    await source.ok("run hello.ts main -t a=b");
    await source.ok("export -f out.jsonl");
    const lines = source.read("out.jsonl").trimEnd().split("\n");
    expect(await source.ok("export")).toBe(source.read("out.jsonl"));
    expect(await source.ok("export -")).toBe(source.read("out.jsonl"));
    const target = new Workspace();
    await target.ok("init");
    const first = await target.redun("import", { input: source.read("out.jsonl") });
    expect([first.code, first.stderr]).toEqual([0, `[redun] Imported ${lines.length} new records\n`]);
    const second = await target.redun(["import", "-f", source.path("out.jsonl")]);
    expect(second.stderr).toBe("[redun] Imported 0 new records\n");
    expect(await target.ok("log -")).toBe(await source.ok("log -"));
    const sorted = (text: string): string[] => text.trimEnd().split("\n").sort();
    expect(sorted(await target.ok("export"))).toEqual(sorted(source.read("out.jsonl")));
  });

  test("carry the cache along, so that nothing runs again in the other folder", async () => {
    const source = new Workspace({ "hello.ts": HELLO });
    const first = await source.redun("run hello.ts main");
    const target = new Workspace({ "hello.ts": HELLO });
    await target.ok("init");
    const records = await source.redun("export");
    await target.redun("import", { input: records.stdout });
    const again = await target.redun("run hello.ts main");
    expect(again.stdout).toBe(first.stdout);
    const words = (text: string): string[] =>
      [...text.matchAll(/\b(Run|Cached) +Job/g)].map(([, word]) => word!);
    expect(words(first.stderr)).toEqual(["Run", "Run", "Run"]);
    expect(words(again.stderr)).toEqual(["Cached", "Cached", "Cached"]);
    expect(await target.ok("log -")).toContain("Jobs: 3 (DONE: 0, CACHED: 3, FAILED: 0)");
  });

  test("refuse a record that was changed on its way, and name it", async () => {
    const source = new Workspace({ "hello.ts": HELLO });
    await source.ok("run hello.ts main");
    const records = (await source.ok("export")).replaceAll(
      /"data":"[^"]*"(.*)"type":"string"/g,
      '"data":"IkV2aWwi"$1"type":"string"',
    );
    const target = new Workspace();
    await target.ok("init");
    const { code, stderr } = await target.redun("import", { input: records });
    expect(stderr).toMatch(/Cannot import the Value record \w{40}: .* damaged or forged/);
    expect(code).toBe(1);
    expect(await target.ok("export")).toBe("");
  });

  test("refuse what is unknown or no record", async () => {
    const space = new Workspace();
    await space.ok("init");
    const unknown = await space.redun("export 99999999 88888888");
    expect([unknown.code, unknown.stderr]).toEqual([
      1,
      "[redun] RedunClientError: Unknown ids: 99999999, 88888888\n",
    ]);
    const bad = await space.redun("import", { input: '{"_type":"Value"\n' });
    expect([bad.code, bad.stderr]).toEqual([
      1,
      "[redun] RedunClientError: Cannot import line 1: it is not JSON\n",
    ]);
    const missing = await space.redun("import -f nofile.jsonl");
    expect([missing.code, missing.stderr]).toEqual([
      1,
      "[redun] RedunClientError: Cannot use nofile.jsonl: there is no such file or folder\n",
    ]);
  });
});

describe("redun init", () => {
  test("makes a repository here, elsewhere, and where -c or the environment says", async () => {
    const space = new Workspace();
    expect(await space.ok("init")).toBe(`Initialized redun repository: ${space.dir}/.redun\n`);
    expect(await space.ok("init sub/dir")).toBe(
      `Initialized redun repository: ${space.dir}/sub/dir/.redun\n`,
    );
    expect(await space.ok("-c conf init")).toBe(`Initialized redun repository: ${space.dir}/conf\n`);
    expect(await space.ok("init -c conf2")).toBe(`Initialized redun repository: ${space.dir}/conf2\n`);
    expect(await space.ok("init", { env: { REDUN_CONFIG: "env" } })).toBe(
      `Initialized redun repository: ${space.dir}/env\n`,
    );
    for (const dir of [".redun", "sub/dir/.redun", "conf", "env"])
      expect(space.read(`${dir}/redun.ini`)).toContain("[backend]");
    expect(await space.ok("-c conf db info")).toContain("compatible: True");
  });
});

describe("redun db", () => {
  test("tells the version, lists versions, and migrates only where there is something to do", async () => {
    const space = new Workspace();
    await space.ok("init");
    const info = await space.ok("db info");
    expect(info).toMatch(
      /^redun :: version [\d.]+\nconfig dir: .*\n\ndb version: \d+\.\d+ ".+"\nrequires db version: >=\d+\.\d+,<\d+\ncompatible: True\n$/,
    );
    expect(await space.ok("db versions")).toMatch(
      /Version +Migration +Description\n +1\.0 +1 +First schema\./,
    );
    expect(await space.ok("db upgrade")).toMatch(/^Initial db version: [\d.]+\nNo migration needed\.\n$/);
    const unknown = await space.redun("db upgrade 99");
    expect([unknown.code, unknown.stderr.includes("Cannot find the database version 99")]).toEqual([1, true]);
  });
});

describe("redun fs", () => {
  test("lists file systems, and copies files, folders and streams", async () => {
    const space = new Workspace({ "a.txt": "hello", "d/x.txt": "1", "d/e/y.txt": "2" });
    expect(await space.ok("fs")).toBe("File systems:\n  file\n  http\n  https\n  memory\n");
    await space.ok("fs cp a.txt new/b.txt");
    expect(space.read("new/b.txt")).toBe("hello");
    await space.ok("fs cp --recursive d copy");
    expect([space.read("copy/x.txt"), space.read("copy/e/y.txt")]).toEqual(["1", "2"]);
    expect(await space.ok("fs cp a.txt -")).toBe("hello");
    await space.ok("fs cp - c.txt", { input: "streamed" });
    expect(space.read("c.txt")).toBe("streamed");
    const missing = await space.redun("fs cp nofile.txt z");
    expect([missing.code, missing.stderr]).toEqual([
      1,
      "[redun] FileNotFoundError: Cannot copy nofile.txt: no such file\n",
    ]);
  });
});

describe("redun oneshot", () => {
  const space = new Workspace({
    "hello.ts": HELLO,
    "one.ts": `import { appendFileSync } from "node:fs";
import { File, task } from "redun";
export const add = task("one.add", (a: number, b: number) => {
  appendFileSync("calls", "x");
  return a + b;
});
export const make = task("one.make", async (path: string) => {
  const file = new File(path);
  await file.write("made");
  return file;
});
export const filled = task({ name: "one.filled", defaults: [undefined, 5] }, (a?: number, b?: number) => [a, b]);
export const odd = task("one.odd", () => {
  throw Object.assign(new Error("odd"), { fn: () => 1 });
});
`,
  });

  test("runs one task without a scheduler, and prints its result", async () => {
    expect(await space.ok("oneshot hello.ts greeter --greet Hi --thing You")).toBe("'Hi, You!'\n");
    expect(await space.ok("oneshot one.ts filled --a 1")).toBe("[ 1, 5 ]\n");
  });

  test("reads arguments from a file, writes the result, and takes one that is there", async () => {
    space.write("in", "[1,2]");
    await space.ok("oneshot -i in -o out -e err one.ts add");
    await space.ok("oneshot -i in -o out -e err one.ts add");
    expect([space.read("out"), space.read("calls")]).toEqual(["3", "x"]);
    await space.ok("oneshot --no-cache -i in -o out one.ts add --b 5");
    expect([space.read("out"), space.read("calls")]).toEqual(["6", "xx"]);
  });

  test("does not take an output that is no longer valid", async () => {
    await space.ok("oneshot -o file.out one.ts make --path made.txt");
    space.write("made.txt", "changed");
    await space.ok("oneshot -o file.out one.ts make --path made.txt");
    expect(space.read("made.txt")).toBe("made");
  });

  test("writes the error with its traceback, also of bad input, and removes an old one", async () => {
    const failed = await space.redun("oneshot -e error one.ts odd");
    expect([failed.code, failed.stdout]).toEqual([1, ""]);
    expect(failed.stderr).toContain("Error: odd");
    expect(space.read("error")).toMatch(/"redun\.ErrorValue".*odd.*"redun\.Traceback"/);
    space.write("bad", "not json");
    const bad = await space.redun("oneshot -i bad -e error one.ts add");
    expect(bad.code).toBe(1);
    expect(space.read("error")).toContain("Cannot decode");
    await space.ok("oneshot -i in -o fresh -e error one.ts add");
    expect(() => space.read("error")).toThrow("ENOENT");
  });

  test("runs one item of an array", async () => {
    space.write("inputs", "[[1,2],[3,4]]");
    space.write("outputs", '["out.0","out.1"]');
    space.write("errors", '["err.0","err.1"]');
    const args = "oneshot --array-job -i inputs -o outputs -e errors one.ts add";
    await space.ok(args, { env: { AWS_BATCH_JOB_ARRAY_INDEX: "1" } });
    await space.ok(args.replace("--array-job", "--array-job --array-rank-env RANK"), { env: { RANK: "0" } });
    expect([space.read("out.0"), space.read("out.1")]).toEqual(["3", "7"]);
    const { code, stderr } = await space.redun(args);
    expect(code).toBe(1);
    expect(stderr).toContain("Cannot tell which item of the array to run");
  });
});
