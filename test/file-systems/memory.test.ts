import { describe, expect, test } from "vitest";
import { describeFileSystem } from "../../src/file-systems/contract.ts";
import { MemoryFileSystem } from "../../src/file-systems/memory.ts";

describeFileSystem(
  "memory",
  async () => ({ fileSystem: new MemoryFileSystem(), root: "memory://contract" }),
  { describe, test, expect },
);

describeFileSystem(
  "memory with an empty host",
  async () => ({ fileSystem: new MemoryFileSystem(), root: "memory:///contract" }),
  { describe, test, expect },
);

test("equal content at one path has one hash, whatever happened in between", async () => {
  const memory = new MemoryFileSystem();
  const bytes = (text: string) => new TextEncoder().encode(text);
  await memory.write("memory://a", bytes("1"));
  const hash = await memory.hash("memory://a");
  await memory.write("memory://a", bytes("2"));
  expect(await memory.hash("memory://a")).not.toBe(hash);
  await memory.write("memory://a", bytes("1"));
  expect(await memory.hash("memory://a")).toBe(hash);
});
