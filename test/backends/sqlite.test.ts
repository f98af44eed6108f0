import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { describeBackend } from "../../src/backends/contract.ts";
import { SqliteBackend } from "../../src/backends/sqlite-backend.ts";

describeBackend(
  "SQLite",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "redun-test-"));
    const path = join(folder, "redun.db");
    return {
      backend: new SqliteBackend(path),
      reopen: () => new SqliteBackend(path),
      close: () => rm(folder, { recursive: true }),
    };
  },
  { describe, test, expect },
);
