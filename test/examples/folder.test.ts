import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { Example } from "./example.ts";

const WEATHER = fileURLToPath(
  new URL("../../node_modules/vega-datasets/data/seattle-weather.csv", import.meta.url),
);

/** The days of a year, as a file of the folder holds them. */
function daysOf(year: string): string {
  const [header, ...days] = readFileSync(WEATHER, "utf8").split("\n");
  return [header, ...days.filter((day) => day.startsWith(year)), ""].join("\n");
}

test("folder processes a file that was added, one that was changed, and no other", async () => {
  const example = new Example("folder");
  const summarized = (calls: readonly string[]): string[] =>
    calls.filter((call) => call.startsWith("folder.summarize(")).map((call) => /\d{4}/.exec(call)![0]);
  expect(example.read("weather/2013.csv")).toBe(daysOf("2013"));

  const first = await example.run("main --folder weather");
  expect(first.result.replace(/\s+/g, " ")).toBe(
    "{ days: 365, hottest: 35.6, precipitation: 1233, wetDays: 150, year: '2014' }",
  );
  expect(summarized(first.ran)).toEqual(["2012", "2013", "2014"]);
  expect((await example.run("main --folder weather")).ran).toEqual([]);

  example.write("weather/2015.csv", daysOf("2015"));
  const grown = await example.run("main --folder weather");
  expect([summarized(grown.ran), summarized(grown.cached)]).toEqual([["2015"], ["2012", "2013", "2014"]]);
  expect(grown.ran.at(-1)).toMatch(/^folder\.wettest\(/);

  example.edit("weather/2012.csv", "2012-01-02,10.9", "2012-01-02,109.0");
  const changed = await example.run("main --folder weather");
  expect(changed.result).toContain("year: '2012'");
  expect(summarized(changed.ran)).toEqual(["2012"]);
});
