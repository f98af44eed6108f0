import { describe, expect, test } from "vitest";
import { describeBackend } from "../../src/backends/contract.ts";
import { MemoryBackend } from "../../src/backends/memory-backend.ts";

describeBackend("memory", async () => ({ backend: new MemoryBackend() }), {
  describe,
  test,
  expect,
  skip: { rollback: "a write to memory does not fail half-way" },
});
