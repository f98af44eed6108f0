import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { Workspace } from "./harness.ts";

const deno = fileURLToPath(new URL("../../node_modules/.bin/deno", import.meta.url));
const main = fileURLToPath(new URL("../../bin/redun.js", import.meta.url));

const workflow = `
import { script, task } from "redun";

const square = task({ name: "d.square", executor: "process" }, (n: number) => n * n);
const total = task("d.total", (items: number[]) => items.reduce((sum, n) => sum + n, 0));
export const run = task("d.run", (n: number) => total(Array.from({ length: n }, (_, i) => square(i))));
export const shell = task("d.shell", () => script("echo from the shell"));
export const waits = task("d.waits", async (n: number) => {
  const first = await total([n, 1]);
  return total([first, await total([n, 2])]);
});
`;

describe("the command in Deno", () => {
  const workspace = new Workspace({ "wf.ts": workflow });
  const redun = (...words: string[]) => {
    const { status, stdout, stderr } = spawnSync(deno, ["run", "-A", main, ...words], {
      cwd: workspace.dir,
      encoding: "utf8",
      env: { ...process.env, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
    });
    return { status, stdout, stderr };
  };

  test("runs tasks in worker processes, and finds their results the next time, also from Node", async () => {
    const first = redun("run", "wf.ts", "run", "--n", "4");
    expect(first.stderr).toContain("Run    Job");
    expect(first).toMatchObject({ status: 0, stdout: "14\n" });
    const again = redun("run", "wf.ts", "run", "--n", "4");
    expect(again.stdout).toBe("14\n");
    expect(again.stderr).not.toContain("Run    Job");
    const inNode = await workspace.redun("run wf.ts run --n 4");
    expect(inNode.stdout).toBe("14\n");
    expect(inNode.stderr).not.toContain("Run    Job");
  });

  test("runs scripts, and async tasks that await others", () => {
    expect(redun("run", "--format", "json", "wf.ts", "shell").status).toBe(0);
    expect(redun("run", "wf.ts", "waits", "--n", "1").stdout).toBe("5\n");
  });

  test("lists what it ran", () => {
    expect(redun("log").stdout).toContain("run wf.ts waits --n 1");
  });
});
