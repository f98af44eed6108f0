/**
 * Runs the built command under the oldest Node that package.json admits, which it gets from npm: a workflow with script
 * tasks and one in worker processes, twice each, and the log.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = new URL("..", import.meta.url).pathname;
const { engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  engines: { node: string };
};
const version = engines.node.replace(/^>=/, "");
const folder = mkdtempSync(join(tmpdir(), "redun-oldest-"));

const WORKFLOW = `import { script, task } from "redun";
const square = task({ name: "old.square", executor: "workers" }, async (n: number): Promise<number> => n * n);
const shout = task("old.shout", (word: string) => script("echo " + word + " | tr a-z A-Z"));
export const main = task("old.main", () => [square(3), shout("loud")]);
`;

function run(command: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed:\n${stderr}`);
  return stdout + stderr;
}

function expect(text: string, part: string): void {
  if (!text.includes(part)) throw new Error(`Expected ${part} in:\n${text}`);
}

try {
  writeFileSync(join(folder, "package.json"), '{ "allowScripts": { "node": true } }');
  run("npm", ["install", "--silent", "--no-audit", "--no-fund", `node@${version}`]);
  const node = join(folder, "node_modules/node/bin/node");
  expect(run(node, ["--version"]), `v${version}`);
  mkdirSync(join(folder, ".redun"));
  writeFileSync(
    join(folder, ".redun/redun.ini"),
    "[executors.default]\ntype = local\n[executors.workers]\ntype = local\nmode = process\nmax_workers = 1\n",
  );
  writeFileSync(join(folder, "old.ts"), WORKFLOW);
  copyFileSync(join(root, "examples/hello/workflow.ts"), join(folder, "hello.ts"));
  const redun = (...args: string[]): string => run(node, [join(root, "bin/redun.js"), ...args]);
  for (const again of [false, true]) {
    expect(redun("run", "hello.ts", "main"), "'Hello, World!'");
    const output = redun("run", "old.ts", "main");
    expect(output, "[ 9, Uint8Array(5) [ 76, 79, 85, 68, 10 ] ]");
    if (output.includes("Run    Job") === again)
      throw new Error(`Expected only the first time to run:\n${output}`);
  }
  expect(redun("log"), "old.ts main");
  console.log(`The command works under Node ${version}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
