import { expect, test } from "vitest";
import { RecentKeys } from "../../src/backends/recent-keys.ts";

test("the latest keys are remembered, and the oldest forgotten", () => {
  const keys = new RecentKeys<number, string>();
  expect([keys.get(0), keys.has(0)]).toEqual([undefined, false]);
  for (let i = 0; i < 120_000; i++) keys.set(i, String(i));
  expect([keys.get(119_999), keys.get(70_000)]).toEqual(["119999", "70000"]);
  expect(keys.has(10_000)).toBe(false);
  keys.set(119_999, "again");
  expect(keys.get(119_999)).toBe("again");
});
