import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Example } from "./example.ts";

test("fractal draws a picture with WebAssembly, and again only what is new", async () => {
  const example = new Example("fractal");
  const first = await example.run("main --size 48 --bands 4");
  expect(first.result).toBe("ContentFile('fractal.bmp')");
  expect(first.ran.filter((call) => call.startsWith("fractal.band("))).toHaveLength(4);
  const picture = readFileSync(join(example.dir, "fractal.bmp"));
  const start = picture.readUInt32LE(10);
  expect([picture.toString("latin1", 0, 2), picture.length]).toEqual(["BM", start + 48 * 48]);
  const pixel = (x: number, y: number): number => picture[start + (47 - y) * 48 + x]!;
  // The middle belongs to the set, the corner is far from it, and the picture is symmetric.
  expect([pixel(24, 24), pixel(0, 0)]).toEqual([0, 254]);
  expect([10, 20, 30].map((x) => pixel(x, 20))).toEqual([10, 20, 30].map((x) => pixel(x, 28)));

  const elsewhere = await example.run("main --size 48 --bands 4 --out other.bmp");
  expect(elsewhere.ran.map((call) => call.split("(")[0])).toEqual(["fractal.main", "fractal.picture"]);
});
