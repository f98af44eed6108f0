import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { task } from "../../src/index.ts";
import { openRepo, SqliteBackend } from "../../src/node.ts";

const dir = mkdtempSync(join(tmpdir(), "redun-repo-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test("openRepo gives a ready scheduler on the durable store of a folder", async () => {
  let calls = 0;
  const count = task("repo.count", (x: number) => {
    calls++;
    return x + 1;
  });
  for (let i = 0; i < 2; i++) {
    const scheduler = await openRepo(dir);
    expect(scheduler.backend).toBeInstanceOf(SqliteBackend);
    expect([...scheduler.executors.keys()]).toEqual(expect.arrayContaining(["default", "process"]));
    expect(await scheduler.run(count(1))).toBe(2);
    await scheduler.close();
  }
  expect(calls).toBe(1);
  expect(existsSync(join(dir, ".redun/redun.db"))).toBe(true);
});
