import fc from "fast-check";
import picomatch from "picomatch";
import { describe, expect, test } from "vitest";
import { globMatcher } from "../../src/file-systems/glob.ts";

const parts = ["*", "**", "?", "a", "b", ".", "/", "[a-c]", "[!b]", "{a,b*}", "{1..3}", "!(a)", "+(a|bc)"];
const more = ["*(x)", "@(a|*b)", ".txt", "(a|b)", "é", "?(a)", "!", "\\*", "[", "]", "[[:alpha:]]", "$"];
const pattern = fc.array(fc.constantFrom(...parts, ...more), { minLength: 1, maxLength: 7 });
const path = fc.array(fc.constantFrom("a", "b", "c", "x", "/", ".", "1", "é", "😀", ".txt", "\n", "!", "$"), {
  minLength: 1,
  maxLength: 8,
});

describe("patterns of files", () => {
  test("mean what they mean to picomatch", async () => {
    await fc.assert(
      fc.asyncProperty(pattern, fc.array(path, { minLength: 20, maxLength: 20 }), async (made, paths) => {
        const text = made.join("");
        const expression = picomatch.makeRe(text, { windows: false });
        const matches = await globMatcher(text);
        for (const one of paths.map((pieces) => pieces.join("")))
          expect([text, one, matches(one)]).toEqual([text, one, one === text || expression.test(one)]);
      }),
      { numRuns: 2000 },
    );
  });

  for (const hostile of [
    "*a*a*a*a*a*b",
    "+(*a|a)b",
    "{*a,a*}*a*a*a*b",
    "!(*a*a*a*b)c",
    "**/a/**/a/**/a/**/b",
    `${"?(a|aa)".repeat(18)}b`,
    `${"{a,aa}".repeat(30)}b`,
    "*(a|a[a])b",
  ]) {
    test(`are matched soon, or refused, whatever they are: ${hostile}`, async () => {
      const matches = await globMatcher(hostile);
      const started = Date.now();
      for (const text of ["a".repeat(150), "a/".repeat(75), "a".repeat(1000), "a/".repeat(500)]) {
        try {
          expect(matches(text)).toBe(false);
        } catch (error) {
          expect(error).toMatchObject({
            code: "file",
            message: expect.stringContaining("it takes too long"),
          });
        }
      }
      expect(Date.now() - started).toBeLessThan(2000);
    });
  }

  test("are refused where they are endless, or what only a program would write", async () => {
    await expect(globMatcher("*a".repeat(3000))).rejects.toMatchObject({ code: "file" });
    await expect(globMatcher("(?<!a)*")).rejects.toMatchObject({
      code: "file",
      message: expect.stringContaining("such groups are not known here"),
      hint: expect.stringContaining("{a,b}"),
    });
  });
});
