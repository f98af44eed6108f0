import { beforeAll, describe, expect, test } from "vitest";
import { HELLO, steady, Workspace } from "./harness.ts";

describe("redun log", () => {
  const space = new Workspace({
    "hello.ts": HELLO,
    "files.ts": `import { File, task } from "redun";
export const write = task("files.write", async (path: string, text: string) => {
  const file = new File(path);
  await file.write(text);
  return file;
});
export const read = task("files.read", (file: File) => file.text());
export const main = task("files.main", (path: string = "out.txt") => read(write(path, "content")));
`,
  });

  beforeAll(async () => {
    await space.ok("run hello.ts main -t env=prod");
    await space.ok("run hello.ts main");
    await space.redun("run hello.ts parent --x 7");
  });

  test("alone lists executions, newest first", async () => {
    expect(
      steady(await space.ok("log"))
        .replace(/redun\.version=[\d.]+/g, "V")
        .replace(/user=\w+/g, "U"),
    ).toBe(
      [
        "Recent executions:",
        "",
        "Exec HASH [FAILED] TIME:  run hello.ts parent --x 7 (project=hello, V, U)",
        "Exec HASH [ DONE ] TIME:  run hello.ts main (project=hello, V, U)",
        "Exec HASH [ DONE ] TIME:  run hello.ts main -t env=prod (env=prod, project=hello, V, U)",
        "",
      ].join("\n"),
    );
  });

  test("shows an execution with its job tree", async () => {
    const text = steady(await space.ok("log ~3"));
    expect(text.split("\n").slice(1)).toEqual([
      "Duration: DURATION",
      "",
      "| TASK          PENDING RUNNING  FAILED  CACHED    DONE   TOTAL",
      "| ",
      "| ALL                 0       0       0       0       3       3",
      "| hello.greeter       0       0       0       0       1       1",
      "| hello.main          0       0       0       0       1       1",
      "| hello.planet        0       0       0       0       1       1",
      "",
      "Jobs: 3 (DONE: 3, CACHED: 0, FAILED: 0)",
      "-".repeat(80),
      "Job HASH [ DONE ] TIME:  hello.main()",
      "  Job HASH [ DONE ] TIME:  hello.planet()",
      "  Job HASH [ DONE ] TIME:  hello.greeter('Hello', 'World')",
      "",
    ]);
    expect(await space.ok("log ~2")).toContain("Jobs: 3 (DONE: 0, CACHED: 3, FAILED: 0)");
  });

  test("shows a job with its call, its task and where its arguments came from", async () => {
    const jobs = await space.ok("log --job --task-name greeter --job-status DONE");
    expect(jobs.split("\n")).toHaveLength(2);
    const text = steady(await space.ok(`log ${jobs.slice(4, 12)}`));
    expect(text).toBe(`Job UUID [ DONE ] TIME:  hello.greeter('Hello', 'World')
Traceback: Exec HASH > Job HASH hello.main > Job HASH hello.greeter
Duration: DURATION

CallNode HASH40 hello.greeter
  Args:   'Hello', 'World'
  Result: 'Hello, World!'

Task HASH40 hello.greeter

    (greet: string, thing: string) => \`\${greet}, \${thing}!\`

  Upstream dataflow:

    result <-- <HASH> hello.greeter(greet, thing)
      greet = <HASH> 'Hello'
      thing = <HASH> 'World'

    greet <-- origin

    thing <-- <HASH> hello.planet()
          <-- origin
`);
  });

  test("shows a failed job with its error and whole traceback", async () => {
    const jobs = await space.ok("log --job --job-status FAILED --task-name hello.fail");
    const text = steady(await space.ok(`log ${jobs.slice(4, 12)}`));
    expect(text).toContain(
      "Traceback: Exec HASH > Job HASH hello.parent > Job HASH hello.fail\n\nCallNode HASH40 hello.fail",
    );
    expect(text).toContain("  Raised: TypeError('boom 7')");
    expect(text).toMatch(
      /Traceback \(most recent task last\):\n {2}Job HASH: File "hello\.ts"[\s\S]*TypeError: boom 7\n$/,
    );
  });

  test("narrows by types and filters", async () => {
    const lines = async (args: string): Promise<string[]> =>
      steady(await space.ok(`log ${args}`))
        .split("\n")
        .filter(Boolean)
        .map((line) => line.replace(/ \(.*V.*\)$/, ""));
    expect(await lines("--exec --exec-status failed")).toHaveLength(1);
    expect(await lines("--job --exec-id ~3")).toHaveLength(3);
    expect(await lines("--job --exec-id -,~3")).toHaveLength(5);
    expect(await lines("--task --task-name main")).toEqual(["Task HASH hello.main"]);
    expect(await lines("--job --result World")).toHaveLength(2);
    expect(await lines("--job --arg 7")).toHaveLength(2);
    expect(await lines("--exec --tag env=prod")).toHaveLength(1);
    expect(await lines("--exec --tag env=dev")).toEqual([]);
    expect(await lines("--exec --tag user")).toHaveLength(3);
    expect(await lines("--task --exec-tag env=prod")).toHaveLength(3);
    expect(await lines("--value --value-type number")).toEqual(["Value HASH number 7"]);
    expect(await lines("--call-node")).toHaveLength(5);
    expect(await lines("--task-name planet --job-status CACHED")).toHaveLength(1);
  });

  test("counts, right-aligned", async () => {
    expect(await space.ok("log --count --exec --job --task")).toBe("3 Executions\n8 Jobs\n5 Tasks\n");
    expect(await space.ok("log --all --count")).toMatch(
      /^ 3 Executions\n 8 Jobs\n 5 CallNodes\n 5 Tasks\n1\d Values\n$/,
    );
  });

  test("prints records as JSON lines with sorted keys", async () => {
    const lines = (await space.ok("log --exec --format json")).trimEnd().split("\n");
    expect(lines).toHaveLength(3);
    const record = JSON.parse(lines[0]!) as Record<string, unknown>;
    expect(Object.keys(record)).toEqual(Object.keys(record).sort());
    expect(record).toMatchObject({
      _type: "Execution",
      _version: 1,
      args: ["redun", "run", "hello.ts", "parent", "--x", "7"],
    });
  });

  test("shows each record's detail with --detail", async () => {
    const text = await space.ok("log --task --task-name hello.planet --detail");
    expect(text).toMatch(
      /^Task [0-9a-f]{40} hello\.planet\nFinds a planet\.|^Task [0-9a-f]{40} hello\.planet\n/,
    );
    expect(text).toContain('() => "World"');
  });

  test("finds tasks by name, values and call nodes by hash", async () => {
    expect(await space.ok("log hello.planet")).toMatch(/^Task [0-9a-f]{40} hello\.planet\n/);
    const value = (await space.ok("log --value --value-type string"))
      .split("\n")
      .find((line) => line.includes("Hello, World"))!;
    expect(steady(await space.ok(`log ${value.slice(6, 14)}`))).toMatch(
      /^Value HASH40 string\n\n {2}'Hello, World!'\n\nProduced by Job HASH\n/,
    );
    const call = (await space.ok("log --call-node")).split("\n")[0]!;
    expect(await space.ok(`log ${call.slice(9, 17)}`)).toMatch(/^CallNode [0-9a-f]{40} hello\./);
  });

  test("finds a file by its path or its hash, and the job that made it", async () => {
    await space.ok("run files.ts main");
    expect(steady(await space.ok("log --file"))).toBe("File HASH out.txt\n");
    const text = steady(await space.ok("log out.txt"));
    expect(text).toMatch(
      /^File HASH out\.txt\nProduced by Job HASH\n\nJob UUID \[ DONE \] TIME: {2}files\.write\('out\.txt', 'content'\)/,
    );
    const hash = (await space.ok("log --file")).slice(5, 13);
    expect(steady(await space.ok(`log ${hash}`))).toMatch(/^File HASH40 out\.txt\n\nProduced by Job HASH\n/);
    expect(await space.ok("log --file --file-path nothing*")).toBe("");
    expect(await space.ok("log --file-path out*")).toContain("out.txt");
  });

  test.each([
    ["log --nonsense", 2, "Unknown filter: --nonsense"],
    ["log --exec-status WEIRD", 2, "Unknown status: WEIRD"],
    ["log 99999999", 1, "Unknown id: 99999999"],
    ["log ~99", 1, "Unknown execution: ~99"],
    ["log ~0", 1, "Unknown execution: ~0"],
    ["log nowhere/nofile.txt", 1, "Unknown file: nowhere/nofile.txt"],
  ])("refuses %s with exit code %i", async (args, exitCode, message) => {
    const { code, stderr } = await space.redun(args);
    expect(stderr).toContain(message);
    expect(code).toBe(exitCode);
  });

  test("that is cut off ends quietly", async () => {
    const { spawnSync } = await import("node:child_process");
    const command = `"${process.execPath}" "${new URL("../../bin/redun.js", import.meta.url).pathname}" log --all | head -1`;
    const { stdout, stderr, status } = spawnSync("sh", ["-c", command], { cwd: space.dir, encoding: "utf8" });
    expect([status, stderr, stdout.split("\n").length]).toEqual([0, "", 2]);
  });
});
