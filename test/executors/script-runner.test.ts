import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { prepareCommand, wrapCommand } from "../../src/builtins/script-command.ts";
import { recordingContext } from "../../src/executor/contract.ts";
import { runScript } from "../../src/executors/script-runner.ts";
import type { RedunError } from "../../src/index.ts";
import { untilGone } from "./processes.ts";

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const run = async (script: string): Promise<string> => text(await runScript(script, recordingContext()));
const failure = (script: string, context = recordingContext()): Promise<RedunError> =>
  runScript(script, context).then(
    () => Promise.reject(new Error("It did not fail")),
    (error) => error,
  );

describe("the runner of scripts", () => {
  let folder: string;
  const { TMPDIR } = process.env;
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), "redun-test-")));
    process.env.TMPDIR = folder;
  });
  afterEach(() => {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
    rmSync(folder, { recursive: true });
  });

  test("gives the stdout and leaves nothing behind", async () => {
    expect(await run("echo hello\n")).toBe("hello\n");
    expect(readdirSync(folder)).toEqual([]);
  });

  test("gives bytes that are no text", async () => {
    expect([...(await runScript("printf '\\377\\0\\376'", recordingContext()))]).toEqual([255, 0, 254]);
  });

  test("takes the interpreter of the first line", async () => {
    expect(await run("#!/usr/bin/env -S node\nconsole.log(6 * 7)")).toBe("42\n");
    expect(await run("#!/bin/cat\nI am my own output")).toBe("#!/bin/cat\nI am my own output");
  });

  test("stops at the first command that fails", async () => {
    const error = await failure("echo before\nfalse\necho after >&2");
    expect(error.code).toBe("script");
    expect(error.message).not.toContain("after");
    expect(error.fields.exitCode).toBe(1);
  });

  test("fails with all of stderr, which shows its last line as text", async () => {
    const error = await failure("#!/bin/sh\nprintf 'one\\ntwo\\n' >&2\nexit 9");
    expect(error.message).toBe("one\ntwo\n");
    expect(String(error)).toBe("ScriptError: Last line: two");
    expect(error.fields.exitCode).toBe(9);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("keeps a stderr that is not UTF-8 byte for byte", async () => {
    expect((await failure("#!/bin/sh\nprintf '\\377' >&2\nexit 1")).message).toBe("\u00ff");
  });

  test("names the signal that ended a script", async () => {
    const error = await failure("#!/bin/sh\nkill -9 $$");
    expect(error.fields.exitCode).toBe("SIGKILL");
    expect(error.message).toContain("SIGKILL");
  });

  test("logs the lines of stderr, not those of stdout", async () => {
    const context = recordingContext();
    await runScript("#!/bin/sh\necho out; echo one >&2; printf two >&2", context);
    expect(context.lines).toEqual(["one", "two"]);
  });

  test("says which interpreter is missing", async () => {
    const error = await failure("#!/no/such/interpreter\n");
    expect(error.code).toBe("executor");
    expect(error.hint).toContain("interpreter");
  });

  test("gives an output of many megabytes", async () => {
    const bytes = await runScript("head -c 30000000 /dev/zero", recordingContext());
    expect(bytes.length).toBe(30_000_000);
  });

  test("runs in the folder and the environment it is given", async () => {
    const context = { ...recordingContext(), cwd: folder, env: { ...process.env, GREETING: "hi" } };
    expect(text(await runScript('echo "$PWD $GREETING"', context))).toBe(`${folder} hi\n`);
  });

  test("ends a cancelled script with all that it has started", async () => {
    const controller = new AbortController();
    const pid = Promise.withResolvers<number>();
    const running = failure("#!/bin/sh\nsleep 1000 &\necho $! >&2\nwait", {
      ...recordingContext(controller.signal),
      log: (line) => pid.resolve(Number(line)),
    });
    const child = await pid.promise;
    controller.abort(new Error("cancelled"));
    expect((await running).message).toBe("cancelled");
    await untilGone(child);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("is ended with its owner, and cleans up", async () => {
    const program = `
      import { runScript } from ${JSON.stringify(new URL("../../src/executors/script-runner.ts", import.meta.url).href)};
      const script = "#!/bin/bash\\ntrap 'rm started' EXIT; touch started; echo $$ >&2; sleep 1000";
      runScript(script, { signal: new AbortController().signal, cwd: ${JSON.stringify(folder)}, log(line) {
        console.log(line);
        process.exit(1);
      } });`;
    const owner = spawnSync(process.execPath, ["--input-type=module", "--eval", program], {
      encoding: "utf8",
    });
    expect(owner.stderr).toBe("");
    await untilGone(Number(owner.stdout));
    expect(readdirSync(folder)).toEqual([]);
  });

  test("starts none that is cancelled before", async () => {
    const error = await failure("touch started", recordingContext(AbortSignal.abort(new Error("cancelled"))));
    expect(error.message).toBe("cancelled");
    expect(readdirSync(folder)).toEqual([]);
  });

  test("starts many at once", async () => {
    const outputs = await Promise.all(Array.from({ length: 40 }, (_, i) => run(`#!/bin/sh\necho ${i}`)));
    expect(outputs).toEqual(outputs.map((_, i) => `${i}\n`));
  });

  test("gives a wrapped command the exit code of the command, and removes its files", async () => {
    const wrapped = wrapCommand("#!/bin/sh\necho told >&2\nexit 4", [], ["echo never"], true);
    const error = await failure(wrapped);
    expect(error.fields.exitCode).toBe(4);
    expect(error.message).toBe("told\n");
    expect(readdirSync(folder)).toEqual([]);
  });

  test("runs a wrapped command in a new folder, which is removed afterwards", async () => {
    const out = await run(wrapCommand("pwd; cat <<EOF\nthe end\nEOF", [], [], true));
    expect(out).toMatch(/\nthe end\n$/);
    expect(out.startsWith(folder)).toBe(true);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("runs a list of words as they are", async () => {
    expect(await run(prepareCommand(["printf", "%s|", "a  b", "it's", "$HOME", ""]))).toBe(
      "a  b|it's|$HOME||",
    );
  });
});
