import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const deno = path("../../node_modules/.bin/deno");

describe("executors in Deno", () => {
  for (const mode of ["process", "thread"]) {
    test(`run functions and scripts in another ${mode}`, () => {
      const { status, stdout, stderr } = spawnSync(deno, ["run", "-A", path("./deno-program.ts"), mode], {
        encoding: "utf8",
        timeout: 25_000,
      });
      expect(stderr).toBe("");
      expect(JSON.parse(stdout)).toEqual({
        values: Array.from({ length: 300 }, (_, i) => i + 1),
        lines: ["one", "two"],
        cancelled: "stop",
        lost: `Cannot finish executors_test.exit: its worker ${mode} ended with exit code 3`,
        script: "hi\n",
      });
      expect(status).toBe(0);
    });
  }

  test("run hosted packages, whose processes don't keep it alive", () => {
    const folder = mkdtempSync(join(tmpdir(), "redun-test-"));
    const { status, stdout, stderr } = spawnSync(deno, ["run", "-A", path("./hosted-owner.ts"), "idle"], {
      encoding: "utf8",
      timeout: 25_000,
      env: { ...process.env, TMPDIR: folder },
    });
    rmSync(folder, { recursive: true });
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^\d+ \d+\n$/);
    expect(status).toBe(0);
  });
});
