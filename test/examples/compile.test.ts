import { rmSync } from "node:fs";
import { expect, test } from "vitest";
import { Example, type ExampleRun } from "./example.ts";

const MAIN = "main --text poem.txt --src src --out build";

/** The sources that a run compiled. */
function compiled(run: ExampleRun): string[] {
  return run.ran
    .map((call) => /^compile\.compile\(source=File\('src\/(.*?)'\)/.exec(call)?.[1])
    .filter((name) => name !== undefined)
    .sort();
}

const ranTimes = (run: ExampleRun, task: string): number =>
  run.ran.filter((call) => call.startsWith(`compile.${task}(`)).length;

test("compile rebuilds just what depends on a header, a source or a missing object", async () => {
  const example = new Example("compile");
  example.write("poem.txt", "Rose is a rose is a rose is a rose.\n");
  const first = await example.run(MAIN);
  expect(first.result).toBe("'4 rose\\n3 a\\n3 is'");
  expect(compiled(first)).toEqual(["main.c", "report.c", "table.c", "text.c"]);

  expect((await example.run(MAIN)).ran).toEqual([]);

  example.edit("src/text.h", "MAX_WORD 63", "MAX_WORD 3");
  const cut = await example.run(MAIN);
  expect(cut.result).toBe("'4 ros\\n3 a\\n3 is'");
  expect(compiled(cut)).toEqual(["main.c", "text.c"]);
  expect(cut.ran.filter((call) => call.startsWith("compile.scan("))).toEqual([
    "compile.scan(file=File('src/text.h'))",
  ]);

  example.edit("src/table.h", "counts words", "counts how often words occur");
  // Its header is included by report.h as well, which main.c includes.
  const commented = await example.run(MAIN);
  expect(compiled(commented)).toEqual(["main.c", "report.c", "table.c"]);
  // It changes a comment, so the objects are the same.
  expect(ranTimes(commented, "link")).toBe(0);

  example.edit("src/report.c", "%u %s", "%ux %s");
  const turned = await example.run(MAIN);
  expect(turned.result).toBe("'4x ros\\n3x a\\n3x is'");
  expect([compiled(turned), ranTimes(turned, "link")]).toEqual([["report.c"], 1]);

  rmSync(example.path("build/table.o"));
  const mended = await example.run(MAIN);
  expect(mended.result).toBe(turned.result);
  expect([compiled(mended), ranTimes(mended, "link")]).toEqual([[], 0]);
  // The call is known, but the script below it has lost its output.
  expect(mended.stderr.match(/Miss .*redun\.script\(/g)).toHaveLength(1);

  example.write("poem.txt", "A rose is a rose.\n");
  const other = await example.run(MAIN);
  expect(other.result).toBe("'2x a\\n2x ros\\n1x is'");
  expect([compiled(other), ranTimes(other, "link"), ranTimes(other, "count")]).toEqual([[], 0, 1]);
});

test("compile tells what the compiler said about a mistake", async () => {
  const example = new Example("compile");
  example.edit("src/text.c", "size_t length = 0;", "size_t length = nothing;");
  const { code, stderr } = await example.redun(
    `run workflow.ts main --text src/text.c --src src --out build`,
  );
  expect(code).toBe(1);
  expect(stderr).toMatch(/src\/text\.c:6:19: error: .nothing. undeclared/);
});
