import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { MemoryBackend } from "../../src/backends/memory-backend.ts";
import { Scheduler, type ScriptError, type Task, task } from "../../src/index.ts";
import { textOf, Workshop } from "./setup.ts";

const shell: Task<[text: string], Uint8Array> = task(
  { name: "test.script.shell", version: "1", script: true },
  (text: string) => text as unknown as Uint8Array,
);

test("a script task gives the stdout of the text that its function returns, as bytes", async () => {
  const { scheduler } = new Workshop();
  const greet = task(
    { name: "test.script.greet", version: "1", script: true },
    (name: string) => `
      echo "Hello,"
      echo "${name}!"
    `,
  );
  const result = await scheduler.run(greet("World"));
  expect(result).toBeInstanceOf(Uint8Array);
  expect(textOf(result)).toBe("Hello,\nWorld!\n");
  expect(await scheduler.run(shell("printf '\\377\\000'"))).toEqual(new Uint8Array([255, 0]));
  expect(await scheduler.run(shell("true"))).toEqual(new Uint8Array());
});

test("a script task is cached as other tasks are", async () => {
  const shop = new Workshop();
  const text = `${shop.mark}; echo done`;
  for (let i = 0; i < 2; i++) expect(textOf(await shop.scheduler.run(shell(text)))).toBe("done\n");
  expect(shop.ran).toBe(1);
  await shop.newScheduler().run(shell(text), { cache: false });
  expect(shop.ran).toBe(1);
});

test("the first line names the interpreter", async () => {
  const { scheduler } = new Workshop();
  const program = `
    #!/usr/bin/env python3
    import sys
    for i in range(3):
        print(i * 2)
    sys.stdout.write("end")
  `;
  expect(textOf(await scheduler.run(shell(program)))).toBe("0\n2\n4\nend");
  const quoted = "#!/bin/sh\necho \"it's $0\" | sed 's/ .*//'";
  expect(textOf(await scheduler.run(shell(quoted)))).toBe("it's\n");
});

test("a failed script rejects with all of its stderr, and shows the last line", async () => {
  const { scheduler } = new Workshop();
  const failing = shell("set +x\necho out; echo 'first' >&2; echo 'it is broken' >&2; exit 7");
  const error = (await scheduler.run(failing).catch((reason: unknown) => reason)) as ScriptError;
  expect(error).toMatchObject({ name: "ScriptError", code: "script", fields: { exitCode: 7 } });
  expect(error.message).toBe("+ set +x\nfirst\nit is broken\n");
  expect(String(error)).toBe("ScriptError: Last line: it is broken");
});

test("the default shell stops at the first command that fails, in a pipe too", async () => {
  const shop = new Workshop();
  for (const text of [`false; ${shop.mark}`, `false | cat; ${shop.mark}`, `missing-command\n${shop.mark}`]) {
    await expect(shop.scheduler.run(shell(text))).rejects.toMatchObject({ code: "script" });
  }
  expect(shop.ran).toBe(0);
  await shop.scheduler.run(shell(`#!/bin/sh\nfalse; ${shop.mark}`));
  expect(shop.ran).toBe(1);
});

test("a failed script is run again by the next run", async () => {
  const shop = new Workshop();
  const text = `${shop.mark}; test -e '${shop.path("flag")}'`;
  await expect(shop.scheduler.run(shell(text))).rejects.toMatchObject({ code: "script" });
  shop.write("flag", "");
  await shop.scheduler.run(shell(text));
  expect(shop.ran).toBe(2);
});

test("a function that returns no text fails", async () => {
  const { scheduler } = new Workshop();
  const wrong = task({ name: "test.script.wrong", version: "1", script: true }, () => 42 as never);
  await expect(scheduler.run(wrong())).rejects.toMatchObject({
    message: expect.stringContaining("it is not a string but number"),
  });
});

test("an async function may prepare the text", async () => {
  const { scheduler } = new Workshop();
  const late = task({ name: "test.script.late", version: "1", script: true }, async (word: string) => {
    await Promise.resolve();
    return `echo ${word}`;
  });
  expect(textOf(await scheduler.run(late("late")))).toBe("late\n");
});

test("what a script says on stderr is the log of its job", async () => {
  const { scheduler } = new Workshop();
  const lines: string[] = [];
  scheduler.on("job-log", ({ job, line }) => lines.push(`${job.task}: ${line}`));
  await scheduler.run(shell("#!/bin/sh\necho one >&2; echo not this; echo two >&2"));
  expect(lines).toEqual(["test.script.shell: one", "test.script.shell: two"]);
});

test("a cancelled run ends its script, and what that has started", async () => {
  const shop = new Workshop();
  const controller = new AbortController();
  shop.scheduler.on("job-log", ({ line }) => {
    if (line === "started") controller.abort();
  });
  const running = shop.scheduler.run(shell(`#!/bin/sh\necho started >&2; sleep 1000; ${shop.mark}`), {
    signal: controller.signal,
  });
  const before = Date.now();
  await expect(running).rejects.toMatchObject({ code: "cancelled" });
  expect(Date.now() - before).toBeLessThan(10_000);
  await shop.scheduler.close();
  expect(shop.ran).toBe(0);
});

test("a script that takes too long is ended", async () => {
  const shop = new Workshop();
  const slow = shell.options({ timeout: 0.2 })(`sleep 1000; ${shop.mark}`);
  await expect(shop.scheduler.run(slow)).rejects.toMatchObject({ code: "timeout" });
  expect(shop.ran).toBe(0);
});

test("scripts leave nothing in the temporary folder", async () => {
  const shop = new Workshop();
  const folder = shop.useTemporaryFolder();
  await shop.scheduler.run([shell("echo a"), shell("echo b")]);
  await expect(shop.scheduler.run(shell("exit 1"))).rejects.toMatchObject({ code: "script" });
  await expect(shop.scheduler.run(shell("#!/missing/interpreter"))).rejects.toMatchObject({
    code: "executor",
  });
  expect(readdirSync(folder)).toEqual([]);
});

test("a runtime without a shell says so", async () => {
  const scheduler = new Scheduler({ backend: new MemoryBackend() });
  await expect(scheduler.run(shell("true"))).rejects.toMatchObject({
    code: "executor",
    message: expect.stringContaining("this runtime has no shell"),
  });
});
