import { expect, test } from "vitest";
import { loadNode, MEMORY_LIMIT } from "../../scripts/load.ts";

test("many executions at once, with many listeners, lose and double nothing, in bounded memory", async () => {
  const figures = await loadNode();
  expect(figures.events).toBeGreaterThan(figures.listeners * 200);
  expect(figures.peakMemory ?? 0).toBeLessThan(MEMORY_LIMIT);
}, 60_000);
