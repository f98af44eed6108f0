import { afterAll, describe, expect, test } from "vitest";
import { Hosted } from "./hosted.ts";

const MAIN = `
import { task } from "redun";
export const add = task("add", (a: number, b: number) => a + b);
export const wide = task("wide", async (n: number) => {
  const values = await Promise.all(Array.from({ length: n }, async (_, i) => await add(i, 1)));
  return values.reduce((a, b) => a + b, 0);
});
export const deep = task("deep", async (n: number): Promise<number> => n === 0 ? 0 : (await deep(n - 1)) + (await add(n, 0)));
export const secret = task("secret", () => ({ ...process.env }));
export const secretLater = task("secret_later", async () => ({ ...process.env }));
`;

describe("hosted", () => {
  const hosted = new Hosted();
  afterAll(() => hosted.close());

  test("runs", async () => {
    const hash = await hosted.add(MAIN);
    expect(await hosted.run(hash, "add", 1, 2)).toBe(3);
    expect(await hosted.run(hash, "wide", 1000)).toBe(500500);
    expect(await hosted.run(hash, "deep", 50)).toBe(1275);
  });
});
