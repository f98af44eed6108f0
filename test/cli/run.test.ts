import { rmSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { HELLO, steady, Workspace } from "./harness.ts";

describe("redun run", () => {
  const space = new Workspace({
    "hello.ts": HELLO,
    "types.ts": `import { Dir, File, task } from "redun";
export const redunNamespace = "types";
enum Color { Red = "red", Blue = "blue" }
export const echo = task("types.echo", (
  n: number, b: bigint, flag: boolean, when: Date, file: File, dir: Dir, color: Color, mode: "fast" | "slow",
  xs: number[], o: { a: number }, maxDepth?: number, noCache: boolean = true,
) => ({ n, b, flag, when, file, dir, color, mode, xs, o, maxDepth, noCache }));
export const positions = task("types.positions", (...args: string[]) => args);
export const middle = task("types.middle", (a: number = 1, b: number = 2, c: number = 3) => [a, b, c]);
export const nothing = task("types.nothing", () => undefined);
export const bytes = task("types.bytes", () => new Uint8Array([104, 105]));
export const list = task("types.list", (xs: string[]) => xs);
export const json = task("types.json", (o: { a: number }[]) => o);
export const any = task("types.any", (x: unknown) => x);
export const options = task("types.options", (user: string) => user);
`,
  });

  test("prints the result on stdout, and says on stderr what it does", async () => {
    const { code, stdout, stderr } = await space.redun("run hello.ts main");
    expect(code).toBe(0);
    expect(stdout).toBe("'Hello, World!'\n");
    const text = steady(stderr)
      .replaceAll(space.dir, "DIR")
      .replace(/version \S+/, "version V")
      .replace(/\d\.\d\d s/, "0.01 s");
    expect(
      text.replace(/ +\n/g, "\n").replaceAll("[redun] ", "").replaceAll("[redun]", ""),
    ).toBe(`redun :: version V
config dir: DIR/.redun
Start Execution UUID:  redun run hello.ts main
Run    Job HASH:  hello.main() on default
Run    Job HASH:  hello.planet() on default
Run    Job HASH:  hello.greeter(greet='Hello', thing='World') on default

| JOB STATUS TIME
| TASK          PENDING RUNNING  FAILED  CACHED    DONE   TOTAL
|
| ALL                 0       0       0       0       3       3
| hello.greeter       0       0       0       0       1       1
| hello.main          0       0       0       0       1       1
| hello.planet        0       0       0       0       1       1


Execution duration: 0.01 seconds
`);
  });

  test("takes results of earlier runs, unless --no-cache", async () => {
    await space.ok("run hello.ts main");
    const again = await space.redun("run hello.ts main");
    expect(again.stderr).toMatch(/Cached Job \w+: {2}hello\.main\(/);
    expect(again.stderr).not.toMatch(/Run {4}Job/);
    const fresh = await space.redun("run hello.ts main --no-cache");
    expect(fresh.stderr).toMatch(/Run {4}Job \w+: {2}hello\.planet\(/);
  });

  test("finds a task by its name alone, in the workflow's namespace or where it is the only one", async () => {
    expect(await space.ok("run types.ts middle")).toBe("[ 1, 2, 3 ]\n");
    expect(await space.ok("run ./hello.ts hello.planet")).toBe("'World'\n");
  });

  test("lists the tasks, and shows a task's arguments, hash and source", async () => {
    expect(await space.ok("run hello.ts help")).toBe(
      [
        "Tasks available:",
        "  hello.fail",
        "  hello.greeter",
        "  hello.main     Greets a planet.",
        "  hello.parent",
        "  hello.planet   Finds a planet.",
        "",
      ].join("\n"),
    );
    const help = await space.ok("run hello.ts main help");
    expect(help).toContain("Greets a planet.");
    expect(help).toContain('--greet <string>  the word of greeting (default: "Hello")');
    expect(await space.ok("run hello.ts main --help")).toBe(help);
    expect(await space.ok("run hello.ts planet info")).toMatch(
      /^Task [0-9a-f]{40} hello\.planet\n\n {4}\(\) => "World"\n$/,
    );
  });

  test("gives arguments the types of the parameters", async () => {
    const args = [
      "--n",
      "-1.5",
      "--b",
      "12345678901234567890",
      "--flag",
      "false",
      "--when",
      "2020-01-02T03:04:05Z",
    ];
    args.push(
      "--file",
      "a.txt",
      "--dir",
      "d",
      "--color",
      "blue",
      "--mode",
      "slow",
      "--xs",
      "1",
      "2",
      "--o",
      '{"a":1}',
    );
    args.push("--maxDepth", "3", "--no-cache", "false");
    const { code, stdout, stderr } = await space.redun(["run", "types.ts", "echo", ...args]);
    expect([code, stderr.includes("error")]).toEqual([0, false]);
    expect(stdout.replace(/\s+/g, " ")).toBe(
      "{ b: 12345678901234567890n, color: 'blue', dir: Dir('d'), file: File('a.txt'), flag: false, maxDepth: 3, " +
        "mode: 'slow', n: -1.5, noCache: false, o: { a: 1 }, when: 2020-01-02T03:04:05.000Z, xs: [ 1, 2 ] } ",
    );
  });

  test("passes only what is given, with the positions between left to the function", async () => {
    expect(await space.ok("run types.ts middle --c 5")).toBe("[ 1, 2, 5 ]\n");
    expect(await space.ok("run types.ts positions --args x y")).toBe("[ 'x', 'y' ]\n");
    expect(await space.ok("run types.ts any --x 10")).toBe("'10'\n");
    expect(await space.ok(["run", "types.ts", "json", "--o", '{"a":1}', '{"a":2}'])).toBe(
      "[ { a: 1 }, { a: 2 } ]\n",
    );
    expect(await space.ok("run types.ts options --user me")).toBe("'me'\n");
  });

  test.each([
    ["types.ts middle --a boom", "error: argument --a: invalid number value: 'boom'"],
    ["types.ts list --xs", "error: argument --xs: expected an argument"],
    ["types.ts echo --flag yes", "error: argument --flag: invalid boolean value: 'yes'"],
    [
      "types.ts echo --color green",
      "error: argument --color: invalid choice: 'green' (choose from 'red', 'blue')",
    ],
    ["types.ts echo --xs 1 two", "error: argument --xs: invalid number value: 'two'"],
    ["types.ts echo --o {", "error: argument --o: invalid { a: number } value: '{'"],
    ["hello.ts fail", "error: the following arguments are required: --x <number>"],
    ["hello.ts main --gret x", "error: unknown option '--gret'\n[redun] (Did you mean --greet?)"],
    ["hello.ts main extra", "error: unrecognized arguments: extra"],
    ["hello.ts mian", "Cannot find the task mian in hello.ts\n[redun] Hint: Did you mean hello.main?"],
    ["hello.ts", "Which task of hello.ts?\n[redun] Hint: Its tasks: hello.planet"],
    ["helo.ts main", "Cannot find the workflow helo.ts: no such file\n[redun] Hint: Did you mean hello.ts?"],
    [". main", "Cannot run .: it is a folder"],
  ])("refuses %s with exit code 2", async (args, message) => {
    const { code, stdout, stderr } = await space.redun(`run ${args}`);
    expect(stderr).toContain(message);
    expect([code, stdout]).toEqual([2, ""]);
  });

  test("prints bytes as they are inspected, and nothing for undefined", async () => {
    expect(await space.ok("run types.ts bytes")).toBe("Uint8Array(2) [ 104, 105 ]\n");
    expect(await space.ok("run types.ts nothing")).toBe("");
  });

  test("tells a task's error with the way to it, and exits with 1", async () => {
    const { code, stdout, stderr } = await space.redun("run hello.ts parent --x 7");
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/\*\*\* Reject Job \w+: {2}hello\.fail\(x=7\):/);
    const report = stderr.slice(stderr.indexOf("*** Execution failed"));
    expect(report).toMatch(/^\*\*\* Execution failed\. Traceback \(most recent task last\):/);
    expect(report).toMatch(
      /File "hello\.ts", line 18, in hello\.parent[\s\S]*line 15, in hello\.fail[\s\S]*x = 7/,
    );
    expect(report).toContain(`${space.dir}/hello.ts:16:`);
    expect(report).toMatch(/TypeError: boom 7\n$/);
    expect(report).not.toContain("/dist/");
  });

  test("sends what the workflow prints to stderr, and keeps stdout for the result", async () => {
    space.write(
      "prints.ts",
      `import { task } from "redun";
console.log("at import");
export const main = task("prints.main", () => {
  console.log("in a task", { a: 1 });
  return 5;
});
`,
    );
    const { stdout, stderr } = await space.redun("--log-level WARN run prints.ts main --format json");
    expect(JSON.parse(stdout)).toMatchObject({ result: 5 });
    expect(stderr).toContain("[redun] at import\n[redun] in a task { a: 1 }\n");
  });

  test("ends in order when code that no job waits for throws", async () => {
    space.write(
      "stray.ts",
      `import { task } from "redun";
export const main = task("stray.main", async () => {
  setTimeout(() => {
    throw new Error("in a timer");
  }, 5);
  await new Promise((resolve) => setTimeout(resolve, 30_000));
});
export const dropped = task("stray.dropped", async () => {
  void Promise.reject(new Error("dropped"));
  await new Promise((resolve) => setTimeout(resolve, 30_000));
});
`,
    );
    for (const [name, message] of [
      ["main", "in a timer"],
      ["dropped", "dropped"],
    ] as const) {
      const { code, stderr } = await space.redun(`run stray.ts ${name}`);
      expect(stderr).toContain(`code that no job waits for threw Error: ${message} (at `);
      expect(stderr).toContain("stray.ts:");
      expect(code).toBe(1);
    }
  });

  test("gives one JSON document with --format json", async () => {
    const done = JSON.parse(await space.ok("run hello.ts main --greet Hi --format json")) as Record<
      string,
      unknown
    >;
    expect(done).toMatchObject({ status: "DONE", result: "Hi, World!", jobs: { FAILED: 0 } });
    expect(done.executionId).toMatch(/^[0-9a-f-]{36}$/);
    expect(typeof done.duration).toBe("number");
    const failed = await space.redun("run --format json hello.ts parent --x 8");
    expect(failed.code).toBe(1);
    expect(JSON.parse(failed.stdout)).toMatchObject({
      status: "FAILED",
      error: {
        name: "TypeError",
        message: "boom 8",
        traceback: { frames: [{ task: "hello.parent" }, { task: "hello.fail" }] },
      },
    });
    const wrong = await space.redun("run hello.ts nope --format json");
    expect(wrong.code).toBe(2);
    expect(JSON.parse(wrong.stdout)).toMatchObject({
      status: "FAILED",
      executionId: null,
      error: { code: "client" },
    });
  });

  test("--dryrun tells that jobs would run, and exits with 1", async () => {
    const dry = await space.redun("run hello.ts main --greet Dry --dryrun");
    expect([dry.code, dry.stdout]).toEqual([1, ""]);
    expect(dry.stderr).toContain("Dryrun: Additional jobs would run.");
    expect(dry.stderr).toMatch(/Dryrun Job \w+: {2}hello\.main\(greet='Dry'\)/);
    await space.ok("run hello.ts main --greet Dry");
    expect(await space.ok("run hello.ts main --greet Dry --dryrun")).toBe("'Dry, World!'\n");
  });

  test("records tags, and the id that it is given", async () => {
    const id = "11111111-2222-4333-8444-555555555555";
    const tags = [
      "-t",
      "env=prod",
      "-t",
      "n=5",
      "--doc",
      "a test",
      "-u",
      "alice",
      "-p",
      "proj",
      "--execution-id",
      id,
    ];
    await space.ok(["run", "hello.ts", "main", ...tags]);
    expect(await space.ok(`log ${id}`)).toMatch(
      /^Exec 1{8}-2222-4333-8444-5{12} \[ DONE \] .*main .*\(doc="a test", env=prod, n=5, project=proj, redun\.version=[\d.]+, user=alice\)/,
    );
    await space.ok("run hello.ts main --exclude-user bob", { env: { REDUN_USER: "bob" } });
    expect(await space.ok("log -")).not.toContain("user=");
  });

  test("overrides the root task's options with -o", async () => {
    const { stderr, code } = await space.redun("run hello.ts main -o executor=nowhere --no-cache");
    expect(code).toBe(1);
    expect(stderr).toContain('Unknown executor "nowhere"');
  });

  test("takes arguments from a file, which explicit options override", async () => {
    space.write("args.json", '["Ave"]');
    space.write("named.json", '{"thing": "Mars", "greet": "Hi"}');
    expect(await space.ok("run hello.ts main --input args.json")).toBe("'Ave, World!'\n");
    expect(await space.ok("run hello.ts greeter --input named.json --greet Yo")).toBe("'Yo, Mars!'\n");
    const missing = await space.redun("run hello.ts main --input nofile.json");
    expect([missing.code, missing.stderr.includes("Cannot read the arguments in nofile.json")]).toEqual([
      2,
      true,
    ]);
  });

  test("--rerun runs an earlier execution or job again, with overrides", async () => {
    await space.ok("run hello.ts greeter --greet Re --thing Run");
    expect(await space.ok("run hello.ts - --rerun")).toBe("'Re, Run!'\n");
    const jobs = await space.ok("log --job --exec-id -");
    expect(await space.ok(`run hello.ts ${jobs.slice(4, 12)} --rerun --thing Do`)).toBe("'Re, Do!'\n");
    const unknown = await space.redun("run --rerun hello.ts 99999999");
    expect([unknown.code, unknown.stderr.includes("Unknown id: 99999999")]).toEqual([1, true]);
  });

  test("--no-prov records nothing", async () => {
    const before = await space.ok("log --exec --count");
    await space.ok("run hello.ts main --no-prov --greet Secret");
    expect(await space.ok("log --exec --count")).toBe(before);
  });

  test("reads the context from files and options, nearest last", async () => {
    const other = new Workspace({
      "wf.ts": `import { getContext, task } from "redun";
export const main = task({ name: "ctx.main", defaults: [getContext("a.b", "none"), getContext("a.c", "none")] },
  (b?: unknown, c?: unknown) => [b, c]);
`,
      ".redun/redun.ini": '[scheduler]\ncontext = {"a": {"b": 1}}\ncontext_file = ctx.json\n',
      ".redun/ctx.json": '{"a": {"b": 0, "c": "file"}}',
      "more.json": '{"a": {"b": 2}}',
    });
    expect(await other.ok("run wf.ts main")).toBe("[ 1, 'file' ]\n");
    expect(await other.ok("run wf.ts main --context-file more.json")).toBe("[ 2, 'file' ]\n");
    expect(await other.ok("run wf.ts main --context-file more.json --context a.b=3 --context a.c=x")).toBe(
      "[ 3, 'x' ]\n",
    );
  });

  test("builds again only after a change, of the workflow or of what it imports", async () => {
    const other = new Workspace({
      "wf.ts": `import { task } from "redun";\nimport { word } from "./word.ts";\nexport const main = task("build.main", () => word);\n`,
      "word.ts": `export const word: string = "one";\n`,
    });
    // A file as young as the build could still change unseen.
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await other.ok("run wf.ts main")).toBe("'one'\n");
    expect(await other.ok("run wf.ts main")).toBe("'one'\n");
    writeFileSync(other.path("word.ts"), `export const word: string = "two";\n`);
    expect(await other.ok("run wf.ts main")).toBe("'two'\n");
    rmSync(other.path("word.ts"));
    const gone = await other.redun("run wf.ts main");
    expect(gone.code).toBe(1);
    expect(gone.stderr).toContain("word.ts");
  });
});

describe("A workflow that can't be loaded", () => {
  test("because of a syntax error is told with file, line and code frame", async () => {
    const space = new Workspace({
      "bad.ts": 'import { task } from "redun";\nexport const main = task("b", () => {\n  const a = ;\n});\n',
    });
    const { code, stderr } = await space.redun("run bad.ts b");
    expect(code).toBe(1);
    expect(stderr).toContain("bad.ts:3:13");
    expect(stderr).toContain(" 3 |   const a = ;");
    expect(stderr).toMatch(/\| {13}\^/);
  });

  test("because its code throws is told with the place", async () => {
    const space = new Workspace({
      "throws.ts": 'function f(): never {\n  throw new RangeError("at import");\n}\nf();\n',
    });
    const { code, stderr } = await space.redun("run throws.ts main");
    expect(code).toBe(1);
    expect(stderr).toContain("Cannot load throws.ts:\n[redun] RangeError: at import");
    expect(stderr).toContain(`${space.dir}/throws.ts:2:9`);
  });

  test("because of a missing package is told with the import", async () => {
    const space = new Workspace({ "missing.ts": 'import { x } from "no-such-package";\nconsole.log(x);\n' });
    const { code, stderr } = await space.redun("run missing.ts main");
    expect(code).toBe(1);
    expect(stderr).toContain('missing.ts:1:19: Could not resolve "no-such-package"');
  });
});

describe("Interrupting a run", () => {
  test("ends it in order, records it, and a later run goes on", async () => {
    const space = new Workspace({
      "slow.ts": `import { task } from "redun";
export const quick = task("slow.quick", () => 1);
export const wait = task("slow.wait", (x: number) => new Promise((resolve) => setTimeout(() => resolve(x), 60_000)));
export const main = task("slow.main", () => wait(quick()));
`,
    });
    let killed = false;
    const { code, stderr, stdout } = await space.redun("run slow.ts main", {
      onStderr(text, kill) {
        if (killed || !/Run {4}Job \w+: {2}slow\.wait/.test(text)) return;
        killed = true;
        kill("SIGINT");
      },
    });
    expect([code, stdout]).toEqual([130, ""]);
    expect(stderr).toContain("Interrupted.");
    expect(stderr).toContain("The execution was cancelled.");
    expect(await space.ok("log --exec")).toContain("redun.status=cancelled");
    expect(await space.ok("log --job")).toMatch(/\[ DONE \] .*slow\.quick\(\)/);
  });
});
