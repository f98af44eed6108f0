import { chmodSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { HELLO, Workspace } from "./harness.ts";

describe("A store that can't be used", () => {
  test("because it is no database is told, and left as it is", async () => {
    const space = new Workspace({ "hello.ts": HELLO });
    writeFileSync(space.path(".redun/redun.db"), "nonsense ".repeat(500));
    for (const args of ["run hello.ts main", "log", "db info"]) {
      const { code, stderr } = await space.redun(args);
      expect(stderr).toMatch(
        /RedunClientError: Cannot open the store .*redun\.db: it is not a SQLite database\n\[redun\] Hint: /,
      );
      expect(code).toBe(1);
    }
    expect(space.read(".redun/redun.db")).toBe("nonsense ".repeat(500));
  });

  test("because Python's redun made it is told", async () => {
    const space = new Workspace({ "hello.ts": HELLO });
    const db = new DatabaseSync(space.path(".redun/redun.db"));
    db.exec("CREATE TABLE alembic_version(version_num TEXT)");
    db.close();
    for (const args of ["run hello.ts main", "log", "db upgrade"]) {
      const { code, stderr } = await space.redun(args);
      expect(stderr).toContain("it was made by Python's redun");
      expect(code).toBe(1);
    }
  });

  test("because a newer version made it is told", async () => {
    const space = new Workspace({ "hello.ts": HELLO });
    await space.ok("init");
    const db = new DatabaseSync(space.path(".redun/redun.db"));
    db.exec("INSERT INTO redun_version(id, version, minor, timestamp) VALUES ('x', 99, 0, '2030-01-01')");
    db.close();
    for (const args of ["run hello.ts main", "log"]) {
      const { code, stderr } = await space.redun(args);
      expect(stderr).toContain("its version 99.0 is too new for this redun");
      expect(code).toBe(1);
    }
    expect(await space.ok("db info")).toContain("compatible: False");
  });

  test("because the configuration asks for one that is not supported is told", async () => {
    const space = new Workspace({
      "hello.ts": HELLO,
      ".redun/redun.ini": "[backend]\ndb_uri = postgresql://host/db\n",
    });
    const { code, stderr } = await space.redun("run hello.ts main");
    expect([
      code,
      stderr.includes("Cannot open the store postgresql://host/db: only sqlite stores are supported"),
    ]).toEqual([1, true]);
  });

  test.skipIf(process.getuid?.() === 0)("because its folder is read-only is told", async () => {
    const space = new Workspace({ "hello.ts": HELLO });
    chmodSync(space.dir, 0o500);
    try {
      const { code, stderr } = await space.redun("run hello.ts main");
      expect(code).toBe(1);
      expect(stderr).toContain("RedunClientError: Cannot");
    } finally {
      chmodSync(space.dir, 0o700);
    }
  });
});

describe("A configuration that can't be used", () => {
  test.each([
    ["[a]\nnonsense\n", "line 2 is not `key = value`: nonsense"],
    ["[limits]\nx = many\n", "x in [limits] must be a whole number, not many"],
    ["[scheduler]\ncontext = {\n", "Cannot read context in [scheduler]: it is not JSON"],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the configuration
    ["[backend]\ndb_uri = ${NO_SUCH_VARIABLE}\n", "${NO_SUCH_VARIABLE} in backend:db_uri is not defined"],
    ["[executors.x]\ntype = abacus\n", "the executor type abacus is not known"],
  ])("because of %j is told", async (text, message) => {
    const space = new Workspace({ "hello.ts": HELLO, ".redun/redun.ini": text });
    const { code, stderr } = await space.redun("run hello.ts main");
    expect(stderr).toContain(message);
    expect(code).toBe(1);
  });

  test("because -c names a folder without one is told, with how to make it", async () => {
    const space = new Workspace({ "hello.ts": HELLO });
    for (const args of ["-c conf run hello.ts main", "-c conf log", "-c conf --setup-help"]) {
      const { code, stderr } = await space.redun(args);
      expect(stderr).toContain(`Cannot use the config dir ${space.dir}/conf: it has no redun.ini`);
      expect(stderr).toContain("redun init -c");
      expect(code).toBe(2);
    }
    expect((await space.redun("-c conf --help")).code).toBe(0);
  });

  test("--repo uses another repository of the configuration", async () => {
    const space = new Workspace({
      "hello.ts": HELLO,
      ".redun/redun.ini": "[repos.other]\nconfig_dir = ../other\n",
    });
    await space.ok("-c other init");
    await space.ok("--repo other run hello.ts main");
    expect(await space.ok("-c other log --exec --count")).toBe("1 Execution\n");
    expect(await space.ok("log --exec --count")).toBe("0 Executions\n");
    const unknown = await space.redun("--repo othr log");
    expect([unknown.code, unknown.stderr]).toEqual([
      2,
      "[redun] RedunClientError: Unknown repo othr\n[redun] Hint: Did you mean other?\n",
    ]);
  });
});

describe("The command itself", () => {
  const space = new Workspace();

  test("prints help without a subcommand, and just the version with -V", async () => {
    expect(await space.ok([])).toMatch(/^redun :: version \d+\.\d+\.\d+\n\nUsage: redun \[options\] COMMAND/);
    expect(await space.ok("help run")).toContain("Usage: redun run [options] SCRIPT TASK");
    expect(await space.ok("server help")).toContain("Usage: redun server [options]");
    expect(await space.ok("server token help")).toContain("--role <role>");
    expect(await space.ok("-V")).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test.each([
    ["rn", 2, "Unknown command: rn\n[redun] Hint: Did you mean run?"],
    ["--bogus", 2, "unknown option '--bogus'"],
    ["server toke", 2, "Unknown command: server toke\n[redun] Hint: Did you mean token?"],
    ["server token ada", 2, "Unexpected argument: ada\n[redun] Hint: See: redun help server token"],
    ["server token --name=", 2, "--name must not be empty"],
    ["repo list a", 2, "Unexpected argument: a"],
    ["run --bogus x.ts main", 2, "unknown option '--bogus'"],
    ["--log-level LOUD log", 2, "Allowed choices are DEBUG, INFO, WARN, ERROR"],
    ["run", 2, "Which workflow?"],
    ["--check-version >=99 log", 1, "but >=99 is required"],
    ["--check-version x log", 2, "Invalid version: x"],
    ["log --format xml", 2, "Allowed choices are text, json"],
  ])("refuses %s with exit code %i", async (args, exitCode, message) => {
    const { code, stdout, stderr } = await space.redun(args);
    expect(stderr).toContain(message);
    expect([code, stdout]).toEqual([exitCode, ""]);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

describe("A run that ends before its time", () => {
  test("because a task never settles is told, with the tasks that wait", async () => {
    const space = new Workspace({
      "never.ts": `import { task } from "redun";
export const never = task("never.never", (x: number) => new Promise(() => x));
export const main = task("never.main", () => [never(1), 2]);
`,
    });
    const { code, stdout, stderr } = await space.redun("run never.ts main");
    expect(stderr).toContain(
      "Cannot finish the execution: what never.main(), never.never(x=1) waits for can no longer happen",
    );
    expect([code, stdout]).toEqual([1, ""]);
  });

  test("because it was killed loses no finished job, and the store stays whole", async () => {
    const space = new Workspace({
      "kill.ts": `import { task } from "redun";
export const step = task("kill.step", async (n: number) => {
  await new Promise((resolve) => setTimeout(resolve, n === 3 && !process.env.FAST ? 60_000 : 1));
  return n;
});
export const main = task("kill.main", async () => {
  let sum = 0;
  for (let n = 0; n < 5; n++) sum += await step(n);
  return sum;
});
`,
    });
    let killed = false;
    const { code } = await space.redun("run kill.ts main", {
      onStderr(text, kill) {
        if (killed || !text.includes("kill.step(n=3)")) return;
        killed = true;
        // Records are written in groups, a moment after.
        setTimeout(() => kill("SIGKILL"), 600);
      },
    });
    expect(code).toBe(null);
    const again = await space.redun("run kill.ts main", { env: { FAST: "1" } });
    expect(again.stdout).toBe("10\n");
    expect(again.stderr).toMatch(/Cached Job \w+: {2}kill\.step\(n=2\)/);
    expect(again.stderr).toMatch(/Run {4}Job \w+: {2}kill\.step\(n=3\)/);
    expect(await space.ok("log --exec")).toMatch(/\[ DONE \][\s\S]*\[(RUN |FAILED| RUN {2})/);
  });

  test("because the disk is full after the work is done still shows the result", async () => {
    // The store refuses values of more than a few characters, as a full disk would.
    const space = new Workspace({
      "big.ts":
        'import { task } from "redun";\nexport const main = task("big.main", () => "x".repeat(2000));\n',
      ".redun/redun.ini": "[backend]\nmax_value_size = 1000\n",
    });
    const { code, stdout, stderr } = await space.redun("run big.ts main");
    expect(code).toBe(1);
    expect(stdout === "" || stdout === `'${"x".repeat(2000)}'\n`).toBe(true);
    expect(stderr).toMatch(/max_value_size|maxValueSize/);
  });
});
