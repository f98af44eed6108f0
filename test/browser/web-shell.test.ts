import { afterEach, describe, expect, test } from "vitest";
import { MemoryBackend } from "../../src/backends/memory-backend.ts";
import { webScriptRunner } from "../../src/executors/web-shell.ts";
import {
  Dir,
  File,
  InProcessExecutor,
  MemoryFileSystem,
  type RedunError,
  registerFileSystem,
  Scheduler,
  type ScriptRunner,
  script,
} from "../../src/index.ts";

/** Serves bare paths, as the private file system does in a tab. */
class BareFiles extends MemoryFileSystem {
  override readonly schemes: readonly string[] = ["file"];
}

const files: MemoryFileSystem = new BareFiles();
registerFileSystem(files);
const runner: ScriptRunner = webScriptRunner();

afterEach(async () => {
  for (const { path } of await files.list("")) await files.remove(path);
});

/** Runs a script's text. */
async function run(
  text: string,
  signal: AbortSignal = new AbortController().signal,
): Promise<{ stdout: string; log: string[] }> {
  const log: string[] = [];
  const bytes = await runner(text, { signal, log: (line) => log.push(line) });
  return { stdout: new TextDecoder().decode(bytes), log };
}

const failure = (promise: Promise<unknown>): Promise<RedunError> =>
  promise.then(
    () => expect.unreachable(),
    (error: RedunError) => error,
  );

function newScheduler(): Scheduler {
  return new Scheduler({
    backend: new MemoryBackend(),
    executors: [new InProcessExecutor({ runScript: runner })],
  });
}

describe("a script in a tab", () => {
  test("gives its stdout, and its stderr as lines of the log", async () => {
    const { stdout, log } = await run(
      "#!/usr/bin/env bash\nset -exo pipefail\nseq 2 -1 1 | sort\necho é >&2",
    );
    expect(stdout).toBe("1\n2\n");
    expect(log).toEqual(["+ seq 2 -1 1", "+ sort", "é", "+ echo é"]);
  });

  test("reads and writes the files at bare paths, and writes none that it did not change", async () => {
    await files.write("data/in.bin", new Uint8Array([0, 255, 10, 195]));
    await files.write("data/gone", new Uint8Array(1));
    const before = await files.stat("data/in.bin");
    const { stdout } = await run(
      "echo data/*; cp data/in.bin out.bin; echo 1 > a.txt; echo 2 >> a.txt; rm data/gone; mkdir -p x/y; find . -type f | sort",
    );
    expect(stdout).toBe("data/gone data/in.bin\n./a.txt\n./data/in.bin\n./out.bin\n");
    expect((await files.list("")).map(({ path }) => path).sort()).toEqual([
      "a.txt",
      "data/in.bin",
      "out.bin",
    ]);
    expect(await files.read("out.bin")).toEqual(new Uint8Array([0, 255, 10, 195]));
    expect(await new File("a.txt").text()).toBe("1\n2\n");
    expect(await files.stat("data/in.bin")).toEqual(before);
  });

  test("names the program that is missing, and says where there is one", async () => {
    const error = await failure(run("#!/usr/bin/env bash\nset -e\ngcc -c main.c"));
    expect(error).toMatchObject({
      code: "script",
      message: "bash: gcc: command not found\n",
      hint: expect.stringMatching(
        /no program gcc\. In a tab and on Cloudflare, .* Run the workflow from the command line or on/,
      ),
      fields: { exitCode: 127 },
    });
    const tar = await failure(run("tar cf x.tar ."));
    expect(tar).toMatchObject({ message: "bash: tar: command not found\n", fields: { exitCode: 127 } });
  });

  test("that is not for a shell is refused", async () => {
    const error = await failure(run("#!/usr/bin/env python3\nprint(1)\n"));
    expect(error).toMatchObject({
      code: "executor",
      message: "Cannot start the script: this shell has no python3",
      hint: expect.stringContaining("command line"),
    });
  });

  test("takes the options of its first line", async () => {
    expect((await failure(run("#!/bin/bash -e\nfalse\necho no"))).fields).toEqual({ exitCode: 1 });
    expect((await run("#!/bin/sh\nfalse\necho yes")).stdout).toBe("yes\n");
  });

  test("runs what it has set a trap for at its end", async () => {
    const error = await failure(run("trap 'echo bye > bye.txt' EXIT\necho oops >&2\nexit 3"));
    expect(error).toMatchObject({ message: "oops\n", fields: { exitCode: 3 } });
    expect(await new File("bye.txt").text()).toBe("bye\n");
  });

  test("ends with its signal, and leaves no changes", async () => {
    const controller = new AbortController();
    const running = run("echo 1 > early.txt; sleep 60", controller.signal);
    controller.abort(new Error("stop"));
    await expect(running).rejects.toThrow("stop");
    expect(await files.list("")).toEqual([]);
  });

  test("compresses by the browser's own means", async () => {
    await files.write("a.bin", new Uint8Array([0, 200, 255]));
    const { stdout } = await run(
      "gzip -k a.bin; zcat a.bin.gz > b.bin; seq 3 | gzip -9c | gunzip; mv a.bin.gz c.gz; gunzip c.gz",
    );
    expect(stdout).toBe("1\n2\n3\n");
    expect((await files.list("")).map(({ path }) => path).sort()).toEqual(["a.bin", "b.bin", "c"]);
    for (const path of ["b.bin", "c"]) expect(await files.read(path)).toEqual(new Uint8Array([0, 200, 255]));
    expect((await failure(run("zcat a.bin"))).message).toMatch(/^zcat: a\.bin: not in gzip format/);
  });

  test("that never ends is stopped by the number of its commands", async () => {
    const busy = webScriptRunner({ maxCommands: 1000 });
    const context = { signal: new AbortController().signal, log() {} };
    expect(await failure(busy("while true; do true; done", context))).toMatchObject({ code: "script" });
  });
});

describe("a script task in a tab", () => {
  test("stages files of any scheme in and out", async () => {
    await new File("memory://in/words.txt").write("b\na\nb\n");
    await new File("data/more.txt").write("c\n");
    await new File("memory://in/folder/deep/x.txt").write("x\n");
    const result = await newScheduler().run(
      script(
        `#!/bin/bash -e
        cat words.txt more.txt | sort | uniq > unique.txt
        mkdir out; cp -r folder/deep out/; printf '\\x41' > out/y.txt
        wc -l < unique.txt`,
        {
          tempdir: true,
          inputs: [
            new File("memory://in/words.txt").stage("words.txt"),
            new File("data/more.txt").stage("more.txt"),
            new Dir("memory://in/folder").stage("folder"),
          ],
          outputs: {
            unique: new File("memory://out/unique.txt").stage("unique.txt"),
            here: new File("results/unique.txt").stage("unique.txt"),
            folder: new Dir("memory://out/folder").stage("out"),
            stdout: new File("-"),
          },
        },
      ),
    );
    expect(await result.unique.text()).toBe("a\nb\nc\n");
    expect(await result.here.text()).toBe("a\nb\nc\n");
    expect((await result.folder.files()).map(({ path }) => path).sort()).toEqual([
      "memory://out/folder/deep/x.txt",
      "memory://out/folder/y.txt",
    ]);
    expect(new TextDecoder().decode(result.stdout as unknown as Uint8Array).trim()).toBe("3");
  });

  test("keeps every byte of the files that it stages", async () => {
    const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => (i * 7) % 256);
    await files.write("in.bin", bytes);
    await new File("memory://in/b.bin").write(bytes);
    const copies = ["here.bin", "memory://out/there.bin", "memory://out/twice.bin"].map(
      (path) => new File(path),
    );
    await newScheduler().run(
      script("cat a.bin > c.bin; cp b.bin d.bin; cat a.bin b.bin | gzip | gunzip > e.bin", {
        tempdir: true,
        inputs: [new File("in.bin").stage("a.bin"), new File("memory://in/b.bin").stage("b.bin")],
        outputs: copies.map((file, i) => file.stage(`${"cde"[i]}.bin`)),
      }),
    );
    for (const file of copies.slice(0, 2)) expect(await file.bytes()).toEqual(bytes);
    expect(await copies[2]!.bytes()).toEqual(new Uint8Array([...bytes, ...bytes]));
  });

  test("gives files that it wrote without staging", async () => {
    const result = await newScheduler().run(
      script("echo hello > greeting.txt", { outputs: new File("greeting.txt") }),
    );
    expect(await result.text()).toBe("hello\n");
  });

  test("fails with the program that its staged command lacks", async () => {
    await new File("memory://in/a.txt").write("a");
    const staged = { inputs: [new File("memory://in/a.txt").stage("a.txt")], tempdir: true };
    const python = await failure(newScheduler().run(script("#!/usr/bin/env python3\nprint(1)", staged)));
    expect(python).toMatchObject({ code: "script", message: "bash: python3: command not found\n" });
    const missing = { inputs: [new File("memory://in/none.txt").stage("none.txt")], tempdir: true };
    const error = await failure(newScheduler().run(script("cat none.txt", missing)));
    expect(error.message).toMatch(/^redun: Cannot read memory:\/\/in\/none\.txt/);
  });
});
