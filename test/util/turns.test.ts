import { describe, expect, test } from "vitest";
import { Turns } from "../../src/util/turns.ts";

describe("turns", () => {
  test("let so many go at once, and groups one after another", async () => {
    const turns = new Turns(2);
    const ends: (() => void)[] = [];
    const begun: string[] = [];
    const work = (name: string): Promise<void> =>
      turns.take(() => {
        begun.push(name);
        return new Promise<void>((resolve) => ends.push(resolve));
      }, name[0]);
    const all = ["a1", "a2", "a3", "a4", "b1"].map(work);
    expect(begun).toEqual(["a1", "a2"]);
    for (let i = 0; i < 5; i++) {
      ends[i]!();
      await new Promise((resolve) => setTimeout(resolve));
    }
    await Promise.all(all);
    expect(begun).toEqual(["a1", "a2", "a3", "b1", "a4"]);
  });

  test("pass on the turn of work that fails", async () => {
    const turns = new Turns(1);
    const failed = turns.take(() => Promise.reject(new Error("no")));
    const next = turns.take(async () => "next");
    await expect(failed).rejects.toThrow("no");
    expect(await next).toBe("next");
  });
});
