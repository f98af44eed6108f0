import { expect, test } from "vitest";
import { type LoadFigures, loadNode, loadWorker, MEMORY_LIMIT } from "../../scripts/load.ts";

const homes: readonly (readonly [string, () => Promise<LoadFigures>])[] = [
  ["redun server", loadNode],
  ["the Worker in workerd", loadWorker],
];

test.each(homes)(
  "many executions at once, with many listeners, on %s, lose and double nothing, in bounded memory",
  async (_home, load) => {
    const { events, listeners, peakMemory } = await load();
    expect(events).toBeGreaterThan(listeners * 200);
    // Only Linux tells.
    expect(peakMemory).toBeTypeOf(process.platform === "linux" ? "number" : "undefined");
    expect(peakMemory ?? 0).toBeLessThan(MEMORY_LIMIT);
  },
  120_000,
);
