import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MemoryBackend } from "../../src/backends/memory-backend.ts";
import { ProcessExecutor } from "../../src/executors/process-executor.ts";
import { runScript } from "../../src/executors/script-runner.ts";
import { registerLocalFileSystem } from "../../src/file-systems/local.ts";
import { Dir, File, InProcessExecutor, Scheduler, script, task } from "../../src/index.ts";

registerLocalFileSystem();
const text = (bytes: unknown): string => new TextDecoder().decode(bytes as Uint8Array);

let folder: string;
let scheduler: Scheduler;
let ran: string[];
const at = (path: string): string => join(folder, path);
const put = (path: string, content: string): void => writeFileSync(at(path), content);
const read = (path: string): string => readFileSync(at(path), "utf8");
/** How often a script ran since this was last asked. */
const scripts = (): number => ran.splice(0).filter((name) => name === "redun.script_task").length;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "redun-test-"));
  ran = [];
  scheduler = new Scheduler({
    backend: new MemoryBackend(),
    executors: [new InProcessExecutor({ runScript }), new ProcessExecutor({ maxWorkers: 2 })],
  });
  scheduler.on("job-start", ({ job }) => ran.push(job.task));
});
afterEach(async () => {
  await scheduler.close();
  rmSync(folder, { recursive: true });
});

describe("a script task", () => {
  const greet = task(
    { name: "scripts_test.greet", script: true, version: "1" },
    (name: string) => `
      # indented as the code is
      echo "Hello, ${name}!"
    `,
  );

  test("gives the script's stdout as bytes, from any executor", async () => {
    expect(text(await scheduler.run(greet("World")))).toBe("Hello, World!\n");
    expect(text(await scheduler.run(greet.options({ executor: "process" })("you")))).toBe("Hello, you!\n");
  });

  test("fails with its stderr", async () => {
    const broken = task(
      { name: "scripts_test.broken", script: true, version: "1" },
      () => "ls /no/such/place",
    );
    await expect(scheduler.run(broken())).rejects.toMatchObject({
      code: "script",
      message: expect.stringContaining("No such file"),
    });
  });
});

describe("script", () => {
  test("gives stdout where no outputs are named", async () => {
    expect(text(await scheduler.run(script("echo one; echo two")))).toBe("one\ntwo\n");
    expect(text(await scheduler.run(script(["printf", "%s|", "a  b", "$HOME"])))).toBe("a  b|$HOME|");
  });

  test("stages files in and out, and gives the remote ones", async () => {
    put("in.txt", "b\na\nb\n");
    const result = await scheduler.run(
      script(`cd ${folder}; sort -u local.txt | tee sorted.txt`, {
        inputs: [new File(at("in.txt")).stage(at("local.txt"))],
        outputs: {
          sorted: new File(at("out.txt")).stage(at("sorted.txt")),
          shown: new File("-"),
          note: "as it is",
        },
      }),
    );
    expect(result.sorted.path).toBe(at("out.txt"));
    expect(await result.sorted.text()).toBe("a\nb\n");
    expect(text(result.shown)).toBe("a\nb\n");
    expect(result.note).toBe("as it is");
    expect(read("out.txt")).toBe("a\nb\n");
  });

  test("stages whole folders", async () => {
    mkdirSync(at("source"));
    put("source/a", "1");
    const result = await scheduler.run(
      script(`mkdir ${at("made")}; cat ${at("copy")}/a ${at("copy")}/a > ${at("made")}/b`, {
        inputs: { deep: [new Dir(at("source")).stage(at("copy"))] },
        outputs: [new Dir(at("target")).stage(at("made"))],
      }),
    );
    expect(result[0]!.path).toBe(at("target"));
    expect(read("target/b")).toBe("11");
  });

  test("takes a plain output as it is after the command", async () => {
    put("out.txt", "before");
    const make = (): Promise<File> =>
      scheduler.run(script(`printf after > ${at("out.txt")}`, { outputs: new File(at("out.txt")) }));
    expect(await (await make()).text()).toBe("after");
    expect(scripts()).toBe(1);
    await make();
    expect(scripts()).toBe(0);
  });

  test("runs again when an input has changed, or an output was changed or removed", async () => {
    put("in.txt", "1");
    const run = (): Promise<unknown> =>
      scheduler.run(
        script(`cp ${at("local.txt")} ${at("made.txt")}`, {
          inputs: [new File(at("in.txt")).stage(at("local.txt"))],
          outputs: new File(at("out.txt")).stage(at("made.txt")),
        }),
      );
    await run();
    await run();
    expect(scripts()).toBe(1);
    put("in.txt", "changed");
    await run();
    expect(scripts()).toBe(1);
    expect(read("out.txt")).toBe("changed");
    put("out.txt", "spoilt by hand");
    await run();
    expect(scripts()).toBe(1);
    rmSync(at("out.txt"));
    await run();
    expect(scripts()).toBe(1);
    expect(read("out.txt")).toBe("changed");
  });

  test("runs in a new folder each time, and is cached all the same", async () => {
    const where = () => script("pwd > here; cat here", { tempdir: true });
    const first = text(await scheduler.run(where())).trim();
    expect(scripts()).toBe(1);
    expect(text(await scheduler.run(where())).trim()).toBe(first);
    expect(scripts()).toBe(0);
    await expect(new File(first).exists()).resolves.toBe(false);
  });

  test("finds files of relative paths from a temporary folder", async () => {
    put("in a.txt", "content");
    const before = process.cwd();
    process.chdir(folder);
    try {
      const result = await scheduler.run(
        script("tr a-z A-Z < in > out", {
          tempdir: true,
          inputs: [new File("in a.txt").stage("in")],
          outputs: new File("out.txt").stage("out"),
        }),
      );
      expect(await result.text()).toBe("CONTENT");
      expect(read("out.txt")).toBe("CONTENT");
    } finally {
      process.chdir(before);
    }
  });

  test("takes its parts from other tasks", async () => {
    const name = task({ name: "scripts_test.name", version: "1" }, () => new File(at("late.txt")));
    const write = task({ name: "scripts_test.write", version: "1" }, async (path: string) => {
      const file = new File(path);
      await file.write("late");
      return file.stage(at("staged.txt"));
    });
    const result = await scheduler.run(
      script(`cp ${at("staged.txt")} ${at("late.txt")}`, {
        inputs: [write(at("early.txt"))],
        outputs: name(),
      }),
    );
    expect(await result.text()).toBe("late");
  });

  test("gives its options to the task that runs the command", async () => {
    const executors: string[] = [];
    scheduler.on("job-start", ({ job, executor }) => executors.push(`${job.task} ${executor}`));
    await scheduler.run(script("true", { executor: "process" }));
    expect(executors).toContain("redun.script_task process");
    expect(executors).toContain("redun.script default");
  });

  test("runs equal commands of one execution once", async () => {
    const twice = task({ name: "scripts_test.twice", version: "1" }, () => [
      script("echo same"),
      script("echo same", { outputs: [new File("-")] }),
    ]);
    const [a, b] = (await scheduler.run(twice())) as [Uint8Array, Uint8Array[]];
    expect(a).toEqual(b[0]);
    expect(scripts()).toBe(1);
  });

  test("refuses an input that is not staged", () => {
    expect(() => script("true", { inputs: [new File("a.txt")] })).toThrow("says not where to");
  });
});
