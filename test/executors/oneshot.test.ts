import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { jobSpec, recordingContext } from "../../src/executor/contract.ts";
import * as tasks from "../../src/executor/contract-tasks.ts";
import { fromJobError } from "../../src/executor/job-error.ts";
import {
  type JobFiles,
  jobFiles,
  oneshotCommand,
  readFailure,
  readResult,
  scriptJobCommand,
  writeJob,
} from "../../src/executors/oneshot.ts";
import { runScript } from "../../src/executors/script-runner.ts";
import { registerLocalFileSystem } from "../../src/file-systems/local.ts";
import { encodeValue, File, type RedunError } from "../../src/index.ts";

registerLocalFileSystem();

let folder: string;
let files: JobFiles;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "redun-test-"));
  files = jobFiles(folder, "abc");
});
afterEach(() => rmSync(folder, { recursive: true }));

const spec = jobSpec(tasks.add, [1, 2], { reuse: true });
const scriptSpec = (script: string) => jobSpec(tasks.shell, [script], { script });
const failureOf = async (of = spec): Promise<RedunError> =>
  fromJobError((await readFailure(files, of)).error) as RedunError;

describe("the files of a job", () => {
  test("lie in a folder named after its evaluation", () => {
    expect(files.input.path).toBe(join(folder, "jobs/abc/input"));
    expect(jobFiles("s3://bucket/scratch/", "abc").status.path).toBe("s3://bucket/scratch/jobs/abc/status");
  });

  test("hold the arguments, and no traces of an earlier failure", async () => {
    await files.error.write("old");
    await files.output.write("3");
    await writeJob(files, spec);
    expect(await files.input.text()).toBe(spec.args);
    expect(await files.error.exists()).toBe(false);
    expect(await files.output.exists()).toBe(true);
    await writeJob(files, { ...spec, reuse: false });
    expect(await files.output.exists()).toBe(false);
  });

  test("give the result once it is there, if it is whole and valid", async () => {
    expect(await readResult(files, spec)).toBeUndefined();
    await files.output.write("3");
    expect(await readResult(files, spec)).toEqual({ ok: true, value: "3" });
    await files.output.write('{"$":');
    expect(await readResult(files, spec)).toBeUndefined();
    const made = new File(join(folder, "made"));
    await made.write("content");
    await files.output.write(encodeValue([made]).text);
    expect(await readResult(files, spec)).toMatchObject({ ok: true });
    await made.remove();
    expect(await readResult(files, spec)).toBeUndefined();
  });

  test("give the error, or say that there is none or that it can't be read", async () => {
    expect((await failureOf()).message).toContain("neither a result nor an error");
    await files.error.write(encodeValue(new RangeError("too far")).text);
    expect(await failureOf()).toBeInstanceOf(RangeError);
    await files.error.write("no encoding");
    expect(await failureOf()).toMatchObject({ code: "executor", hint: "See the job's log." });
  });

  test("are named to the command", () => {
    const command = oneshotCommand(
      files,
      { ...spec, reuse: false },
      { workflow: "flow.ts", code: "code.json" },
    );
    expect(command.join(" ")).toBe(
      `redun oneshot --code code.json --no-cache --input ${files.input.path} --output ${files.output.path} ` +
        `--error ${files.error.path} flow.ts redun_contract.add`,
    );
    expect(oneshotCommand(files, spec, { workflow: "flow.ts" })).not.toContain("--no-cache");
  });
});

describe("a script job by its files", () => {
  test("leaves its stdout, stderr and status", async () => {
    const job = scriptSpec("printf out; printf err >&2");
    await writeJob(files, job);
    await runScript(scriptJobCommand(files), recordingContext());
    expect(await readResult(files, job)).toEqual({
      ok: true,
      value: encodeValue(new TextEncoder().encode("out")).text,
    });
    expect(await files.error.text()).toContain("err");
    expect(await files.status.text()).toBe("ok\n");
  });

  test("that fails leaves what it has said", async () => {
    const job = scriptSpec("#!/bin/sh\necho out; echo told >&2; exit 5");
    await writeJob(files, job);
    await expect(runScript(scriptJobCommand(files), recordingContext())).rejects.toThrow();
    expect(await files.status.text()).toBe("fail\n");
    expect(await files.output.text()).toBe("out\n");
    expect(await readResult(files, job)).toBeUndefined();
    expect(await failureOf(job)).toMatchObject({ code: "script", message: "told\n" });
  });
});
