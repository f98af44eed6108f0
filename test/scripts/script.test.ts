import { mkdirSync, readdirSync, rmSync, utimesSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, test } from "vitest";
import { runScript } from "../../src/executors/script-runner.ts";
import { Dir, File, InProcessExecutor, Scheduler, script, task } from "../../src/index.ts";
import { edges, jobsOf } from "../scheduler/setup.ts";
import { textOf, Workshop } from "./setup.ts";

describe("the result of script", () => {
  test("is stdout where there are no outputs", async () => {
    const { scheduler } = new Workshop();
    expect(textOf(await scheduler.run(script("echo hello")))).toBe("hello\n");
  });

  test("has the shape of the outputs, with stdout for each file named -", async () => {
    const shop = new Workshop();
    const result = await shop.scheduler.run(
      script(`echo text; echo data > '${shop.path("out.txt")}'`, {
        outputs: {
          all: [new File("-"), { deep: new File("-") }],
          file: new File(shop.path("out.txt")),
          kept: [1, "two", null, new Date(0)],
        },
      }),
    );
    const stdout = new TextEncoder().encode("text\n");
    expect(result.all).toEqual([stdout, { deep: stdout }]);
    expect(result.kept).toEqual([1, "two", null, new Date(0)]);
    expect(result.file).toBeInstanceOf(File);
    expect(await result.file.text()).toBe("data\n");
  });

  test("holds files as they are after the command", async () => {
    const shop = new Workshop();
    const file = new File(shop.path("out.txt"));
    shop.write("out.txt", "before");
    const before = await file.hash();
    const result = await shop.scheduler.run(script(`echo after > '${file.path}'`, { outputs: file }));
    expect(result.path).toBe(file.path);
    expect(await result.hash()).not.toBe(before);
    expect(await result.isValid()).toBe(true);
  });

  test("holds the remote one of a staged file or folder", async () => {
    const shop = new Workshop();
    const result = await shop.scheduler.run(
      script("echo a > a.txt; mkdir -p made/deep; echo b > made/b.txt; echo c > made/deep/c.txt", {
        tempdir: true,
        outputs: [new File(shop.path("out.txt")).stage("a.txt"), new Dir(shop.path("folder")).stage("made")],
      }),
    );
    const [file, dir] = result as unknown as [File, Dir];
    expect([file.path, dir.path]).toEqual([shop.path("out.txt"), new Dir(shop.path("folder")).path]);
    expect([shop.read("out.txt"), shop.read("folder/b.txt"), shop.read("folder/deep/c.txt")]).toEqual([
      "a\n",
      "b\n",
      "c\n",
    ]);
    expect([await file.isValid(), await dir.isValid()]).toEqual([true, true]);
  });
});

describe("the command of script", () => {
  test("may be a list of words, which stay as they are", async () => {
    const { scheduler } = new Workshop();
    const words = ["printf", "%s|", "a  b", "it's", '"$HOME"', "$(date)", "*", "", "-n", "文件"];
    expect(textOf(await scheduler.run(script(words)))).toBe('a  b|it\'s|"$HOME"|$(date)|*||-n|文件|');
  });

  test("may name an interpreter, also between files that are staged", async () => {
    const shop = new Workshop();
    shop.write("in.txt", "3\n4\n");
    const sum = script(
      `
      #!/usr/bin/env python3
      print(sum(int(line) for line in open("numbers.txt")))
      `,
      { tempdir: true, inputs: new File(shop.path("in.txt")).stage("numbers.txt") },
    );
    expect(textOf(await shop.scheduler.run(sum))).toBe("7\n");
  });

  test("may have lines that look like the end of a here-document, and variables that stay", async () => {
    const { scheduler } = new Workshop();
    const command = "cat <<'EOF'\nEOF1 is $HOME\nEOF\ncat <<EOF1\nx\nEOF1\n";
    expect(textOf(await scheduler.run(script(command, { tempdir: true })))).toBe("EOF1 is $HOME\nx\n");
  });

  test("ends the script with its exit code, and nothing is staged out", async () => {
    const shop = new Workshop();
    const failing = script("echo half > out.txt; exit 9", {
      tempdir: true,
      outputs: new File(shop.path("out.txt")).stage("out.txt"),
    });
    await expect(shop.scheduler.run(failing)).rejects.toMatchObject({
      code: "script",
      fields: { exitCode: 9 },
    });
    expect(shop.has("out.txt")).toBe(false);
  });

  test("may be a lazy value, as may inputs and outputs", async () => {
    const shop = new Workshop();
    const later = task({ name: "test.script.later", version: "1" }, (value: unknown) => value);
    shop.write("in.txt", "content\n");
    const command = later("tr a-z A-Z < in.txt > out.txt; echo done");
    const result = await shop.scheduler.run(
      script(command as never, {
        tempdir: true,
        inputs: [later(new File(shop.path("in.txt")).stage("in.txt"))],
        outputs: { out: later(new File(shop.path("out.txt")).stage("out.txt")), stdout: new File("-") },
      }),
    );
    expect(shop.read("out.txt")).toBe("CONTENT\n");
    expect(textOf((result as { stdout: unknown }).stdout)).toBe("done\n");
  });
});

describe("the inputs of script", () => {
  test("are staged from any nesting, files and folders", async () => {
    const shop = new Workshop();
    shop.write("a.txt", "a\n");
    mkdirSync(shop.path("folder"));
    shop.write("folder/b.txt", "b\n");
    const result = await shop.scheduler.run(
      script("cat x.txt here/b.txt 'with space.txt'", {
        tempdir: true,
        inputs: {
          file: new File(shop.path("a.txt")).stage("x.txt"),
          more: [
            [new Dir(shop.path("folder")).stage("here")],
            new File(shop.path("a.txt")).stage("with space.txt"),
          ],
        },
      }),
    );
    expect(textOf(result)).toBe("a\nb\na\n");
  });

  test("must say where to", async () => {
    const { scheduler } = new Workshop();
    const wrong = (): unknown => script("true", { inputs: ["a.txt"] });
    expect(wrong).toThrow(
      expect.objectContaining({
        code: "script-input",
        message: expect.stringContaining("a.txt"),
        hint: expect.stringContaining("file.stage"),
      }),
    );
    await scheduler.close();
  });

  test("that are missing fail the script", async () => {
    const shop = new Workshop();
    const missing = script(shop.mark, {
      inputs: new File(shop.path("missing.txt")).stage("x.txt"),
      tempdir: true,
    });
    await expect(shop.scheduler.run(missing)).rejects.toMatchObject({
      code: "script",
      message: expect.stringContaining("missing.txt"),
    });
    expect(shop.ran).toBe(0);
  });
});

describe("script makes folders", () => {
  test.each([true, false])("for what it copies in and out, with tempdir: %s", async (tempdir) => {
    const shop = new Workshop();
    shop.write("in.txt", "content");
    const local = tempdir ? "sub" : shop.path("sub");
    await shop.scheduler.run(
      script(`cp ${local}/in.txt ${local}/out.txt`, {
        tempdir,
        inputs: [new File(shop.path("in.txt")).stage(`${local}/in.txt`)],
        outputs: new File(shop.path("new folder/deep/out.txt")).stage(`${local}/out.txt`),
      }),
    );
    expect(shop.read("new folder/deep/out.txt")).toBe("content");
  });
});

describe("script runs again", () => {
  test("not while nothing changes, though it has a temporary folder", async () => {
    const shop = new Workshop();
    shop.write("in.txt", "content");
    const make = () =>
      script(`${shop.mark}; cp in.txt out.txt`, {
        tempdir: true,
        inputs: [new File(shop.path("in.txt")).stage("in.txt")],
        outputs: new File(shop.path("out.txt")).stage("out.txt"),
      });
    for (let i = 0; i < 3; i++) await shop.newScheduler().run(make());
    expect(shop.ran).toBe(1);
    expect(shop.read("out.txt")).toBe("content");
  });

  test("when the command changes", async () => {
    const shop = new Workshop();
    await shop.scheduler.run(script(`${shop.mark}; echo 1`));
    await shop.scheduler.run(script(`${shop.mark}; echo 2`));
    expect(shop.ran).toBe(2);
    // Indentation that all lines share is not part of it.
    await shop.scheduler.run(script(`\n    ${shop.mark}; echo 1\n`));
    expect(shop.ran).toBe(0);
  });

  test("when the content of an input changes", async () => {
    const shop = new Workshop();
    shop.write("in.txt", "old");
    const run = async (): Promise<string> =>
      textOf(
        await shop.newScheduler().run(
          script(`${shop.mark}; cat in.txt`, {
            tempdir: true,
            inputs: new File(shop.path("in.txt")).stage("in.txt"),
          }),
        ),
      );
    expect([await run(), await run(), shop.ran]).toEqual(["old", "old", 1]);
    shop.write("in.txt", "new and longer");
    expect([await run(), await run(), shop.ran]).toEqual(["new and longer", "new and longer", 1]);
  });

  test("when a file of a staged folder changes, or one is added", async () => {
    const shop = new Workshop();
    mkdirSync(shop.path("folder"));
    shop.write("folder/a.txt", "a\n");
    const run = async (): Promise<string> =>
      textOf(
        await shop.newScheduler().run(
          script(`${shop.mark}; cat in/*`, {
            tempdir: true,
            inputs: new Dir(shop.path("folder")).stage("in"),
          }),
        ),
      );
    expect([await run(), await run(), shop.ran]).toEqual(["a\n", "a\n", 1]);
    shop.write("folder/b.txt", "bb\n");
    expect([await run(), shop.ran]).toEqual(["a\nbb\n", 1]);
    shop.write("folder/a.txt", "changed\n");
    expect([await run(), shop.ran]).toEqual(["changed\nbb\n", 1]);
  });

  test.for([
    ["plain", false],
    ["staged", true],
  ] as const)("when a %s output is changed or removed", async ([, staged]) => {
    const shop = new Workshop();
    const target = new File(shop.path("out.txt"));
    const run = (): Promise<unknown> =>
      shop.newScheduler().run(
        staged
          ? script(`${shop.mark}; echo content > out.txt`, {
              tempdir: true,
              outputs: target.stage("out.txt"),
            })
          : script(`${shop.mark}; echo content > '${target.path}'`, { outputs: target }),
      );
    await run();
    await run();
    expect(shop.ran).toBe(1);
    shop.write("out.txt", "tampered with");
    await run();
    expect([shop.ran, shop.read("out.txt")]).toEqual([1, "content\n"]);
    rmSync(target.path);
    await run();
    expect([shop.ran, shop.read("out.txt")]).toEqual([1, "content\n"]);
    await run();
    expect(shop.ran).toBe(0);
    utimesSync(target.path, 1000, 1000);
    await run();
    expect([shop.ran, shop.read("out.txt")]).toEqual([1, "content\n"]);
  });

  test("when a file of an output folder is changed or removed", async () => {
    const shop = new Workshop();
    const run = (): Promise<unknown> =>
      shop.newScheduler().run(
        script(
          `${shop.mark}; rm -rf '${shop.path("out")}'; mkdir made; echo a > made/a.txt; echo b > made/b.txt`,
          {
            tempdir: true,
            outputs: new Dir(shop.path("out")).stage("made"),
          },
        ),
      );
    await run();
    await run();
    expect(shop.ran).toBe(1);
    rmSync(shop.path("out/b.txt"));
    await run();
    expect([shop.ran, shop.read("out/b.txt")]).toEqual([1, "b\n"]);
  });
});

describe("the jobs of script", () => {
  test("are the script, its command and its outcome", async () => {
    const shop = new Workshop();
    await shop.scheduler.run(script("echo hello"));
    expect(await edges(shop.backend)).toEqual([
      "- > redun.script",
      "redun.script > redun.postprocess_script",
      "redun.script > redun.script_task",
    ]);
  });

  test("share the command inside one execution, even for outputs of other shapes", async () => {
    const shop = new Workshop();
    const command = `${shop.mark}; echo hello`;
    const results = await shop.scheduler.run([
      script(command),
      script(command, { outputs: [new File("-")] }),
      script(command, { outputs: { out: new File("-") } }),
    ]);
    expect((results as unknown[]).flat().length).toBe(3);
    expect(shop.ran).toBe(1);
    expect((await jobsOf(shop.backend, "redun.script_task")).length).toBe(3);
    // Never across executions.
    await shop.scheduler.run(script(command, { outputs: { other: new File("-") } }));
    expect(shop.ran).toBe(1);
  });

  test("get the options of the command", async () => {
    const shop = new Workshop();
    const seen: unknown[] = [];
    const other = new InProcessExecutor({
      name: "other",
      runScript: async (text, context) => {
        seen.push(text);
        return runScript(text, context);
      },
    });
    const scheduler = new Scheduler({ backend: shop.backend, executors: [other] });
    const specs: unknown[] = [];
    const run = other.run.bind(other);
    other.run = (spec, context) => {
      specs.push([spec.task, spec.options.memory]);
      return run(spec, context);
    };
    expect(textOf(await scheduler.run(script("echo hi", { executor: "other", memory: 4 })))).toBe("hi\n");
    expect(specs).toEqual([["redun.script_task", 4]]);
    expect(seen).toEqual(["#!/usr/bin/env bash\nset -exo pipefail\necho hi"]);
  });

  test("pass through other tasks as other results do", async () => {
    const shop = new Workshop();
    const count = task(
      { name: "test.script.count", version: "1" },
      async (file: File) => (await file.text()).split("\n").length - 1,
    );
    const main = task({ name: "test.script.main", version: "1" }, (path: string) =>
      count(script(`seq 5 > '${path}'`, { outputs: new File(path) })),
    );
    expect(await shop.scheduler.run(main(shop.path("seq.txt")))).toBe(5);
    shop.write("seq.txt", "tampered\n");
    expect(await shop.newScheduler().run(main(shop.path("seq.txt")))).toBe(5);
  });

  test("leave no temporary folder, whether they succeed or fail", async () => {
    const shop = new Workshop();
    const folder = shop.useTemporaryFolder();
    const note = `pwd > '${shop.path("where")}'`;
    for (const command of [note, `${note}; exit 1`]) {
      await shop.scheduler.run(script(command, { tempdir: true })).catch(() => {});
      expect(dirname(shop.read("where").trim())).toBe(folder);
      expect(readdirSync(folder)).toEqual([]);
    }
  });
});
