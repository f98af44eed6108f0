import { expect, test } from "vitest";
import { Example } from "./example.ts";

const isAsk = (call: string): boolean => call.startsWith("errors.ask(");

test("errors retries a bad line, and replaces a bad reading where it happens", async () => {
  const example = new Example("errors");
  const first = await example.run("main");
  expect(first.result).toBe("13.35");
  expect(first.ran.filter((call) => call === "errors.ask(station='Oslo')")).toHaveLength(3);
  expect(first.stderr.match(/Retry .*/g)).toEqual([
    expect.stringMatching(/errors\.ask\(station='Oslo'\) after attempt 1: Error: answer 1 of Oslo was lost$/),
    expect.stringMatching(/errors\.ask\(station='Oslo'\) after attempt 2: Error: answer 2 of Oslo was lost$/),
  ]);
  expect(first.ran).toContain(`errors.missing(_error=ReadingError("'n/a' is not a temperature"))`);

  const again = await example.run("main");
  expect([again.result, again.ran]).toEqual(["13.35", []]);

  // A new parse is worth trying what failed before.
  example.edit("workflow.ts", "Number.parseFloat(text)", 'text === "n/a" ? 0 : Number.parseFloat(text)');
  const mended = await example.run("main");
  expect(mended.result).toBe("8.9");
  expect(mended.ran.filter(isAsk)).toEqual([]);
  expect(mended.ran).toContain("errors.parse(text='n/a')");
});

test("errors reports results and failures side by side", async () => {
  const example = new Example("errors");
  const report = await example.run("report");
  expect(report.result).toBe(`{ failed: [ "'n/a' is not a temperature" ], fine: 2 }`);
  // What succeeded is not asked again; the reading that failed is tried again.
  const again = await example.run("report --stations Accra Quito");
  expect(again.ran).toEqual([
    "errors.report(stations=[ 'Accra', 'Quito' ])",
    "errors.parse(text='n/a')",
    expect.stringMatching(/^errors\.summary\(/),
  ]);
});

test("errors fails when an error is not of the class that is caught", async () => {
  const example = new Example("errors");
  const { code, stderr } = await example.redun("run workflow.ts main --stations Accra Rome");
  expect(code).toBe(1);
  expect(stderr).toMatch(/Retry .* after attempt 3: RangeError: there is no station Rome/);
  expect(stderr).toMatch(
    /in errors\.read\n[\s\S]*in errors\.ask\n[\s\S]*RangeError: there is no station Rome\n$/,
  );
});
