import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root: string = join(import.meta.dirname, "../..");
const page: string = readFileSync(join(root, "docs/configuration.md"), "utf8");

const sources: readonly string[] = [
  ...globSync("src/cli/**/*.ts", { cwd: root }),
  "src/server/settings.ts",
].map((file) => readFileSync(join(root, file), "utf8"));

/** What the first groups of patterns are, wherever the code has them. */
const namesIn = (patterns: readonly RegExp[]): Set<string> =>
  new Set(
    sources.flatMap((text) => patterns.flatMap((one) => [...text.matchAll(one)].map(([, name]) => name!))),
  );
const told = (pattern: RegExp): string[] => [...page.matchAll(pattern)].map(([, name]) => name!);

test("docs/configuration.md has every key of redun.ini that is read, and no other", () => {
  const keys = namesIn([
    /\.get\(\s*["\w.]+,\s*"(\w+)"\s*\)/g,
    /\b(?:count|listOf)\(source,\s*"(\w+)"/g,
    /\bnumber\("\w+",\s*"(\w+)"\)/g,
  ]);
  expect(new Set(told(/^\| `([a-z_]+)` \|/gm))).toEqual(keys);
  expect(keys.size).toBeGreaterThan(20);
});

test("docs/configuration.md has every section of redun.ini that is read, and no other", () => {
  const sections = namesIn([
    /\.get\("(\w+)",\s*"/g,
    /\.(?:section|below)\("(\w+)"\)/g,
    /\bSECTION = "(\w+)"/g,
    /\^(executors)\\\./g,
  ]);
  expect(new Set(told(/^## \[(\w+)(?:\.NAME)?\]$/gm))).toEqual(sections);
});
