import { copyFileSync, symlinkSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { Example, type ExampleRun } from "./example.ts";

const MODULES = fileURLToPath(new URL("../../node_modules", import.meta.url));
const INPUTS = { observations: "gapminder.json", countries: "gapminder-health-income.csv" };

/** The tasks that ran, without their arguments. */
const tasks = (run: ExampleRun): string[] => run.ran.map((call) => call.replace(/\(.*/, "")).sort();

/** Text of a table as its cells. */
const rows = (csv: string): string[][] =>
  csv
    .trim()
    .split("\n")
    .map((line) => line.split(","));

test("vega joins, groups and draws real data, and reruns what an input, an argument or an edit concerns", async () => {
  const example = new Example("vega");
  symlinkSync(MODULES, example.path("node_modules"));
  for (const name of Object.values(INPUTS)) {
    copyFileSync(`${MODULES}/vega-datasets/data/${name}`, example.path(name));
  }
  const main = `main --observations ${INPUTS.observations} --countries ${INPUTS.countries} --out out`;

  const first = await example.run(main);
  expect(first.result.replace(/\s+/g, " ")).toBe(
    "{ chart: ContentFile('out/life_expect.svg'), table: ContentFile('out/life_expect.csv') }",
  );
  expect(first.ran).toHaveLength(5);
  const table = rows(example.read("out/life_expect.csv"));
  expect(table.slice(0, 2)).toEqual([
    ["region", "year", "countries", "mean"],
    ["South Asia", "1955", "4", "45.68"],
  ]);
  expect(table).toHaveLength(1 + 6 * 11);
  const chart = example.read("out/life_expect.svg");
  expect(chart.slice(0, 5)).toBe("<svg ");
  for (const text of ["Life expectancy (years)", "Middle East North Africa"]) {
    expect(chart.includes(`>${text}</text>`)).toBe(true);
  }
  // It needs nothing from elsewhere.
  expect(/<script|href=|url\(http/.exec(chart)).toBeNull();

  expect((await example.run(main)).ran).toEqual([]);

  const fertility = await example.run(`${main} --measure fertility`);
  expect(tasks(fertility)).toEqual(["vega.drawChart", "vega.main", "vega.summarize", "vega.writeTable"]);
  expect(rows(example.read("out/fertility.csv"))[1]).toEqual(["South Asia", "1955", "4", "6.06"]);

  // A country that the observations don't have changes the regions, but no average.
  example.edit(INPUTS.countries, "\nAlbania,", "\nAtlantis,1,2,3,america\nAlbania,");
  expect(tasks(await example.run(main))).toEqual(["vega.main", "vega.regions", "vega.summarize"]);

  example.edit(INPUTS.observations, '"life_expect": 43.88', '"life_expect": 44.88');
  const observed = await example.run(main);
  expect(tasks(observed)).toEqual(["vega.drawChart", "vega.main", "vega.summarize", "vega.writeTable"]);
  expect(rows(example.read("out/life_expect.csv"))[1]).toEqual(["South Asia", "1955", "4", "45.7"]);

  example.edit("workflow.ts", "width: 480", "width: 640");
  expect(tasks(await example.run(main))).toEqual(["vega.drawChart"]);

  // A helper of another task: the regions are read again, and what depends on them.
  example.edit("workflow.ts", '.join(" ")', '.join("-")');
  expect(tasks(await example.run(main))).toEqual([
    "vega.drawChart",
    "vega.regions",
    "vega.summarize",
    "vega.writeTable",
  ]);

  example.write("out/life_expect.csv", "spoilt");
  expect(tasks(await example.run(main))).toEqual(["vega.writeTable"]);
  expect(example.read("out/life_expect.csv")).toContain("South-Asia,1955");
});

test("vega's help tells the arguments with their choices and defaults", async () => {
  const example = new Example("vega");
  symlinkSync(MODULES, example.path("node_modules"));
  const help = await example.ok("run workflow.ts main help");
  expect(help).toContain("--measure <life_expect|fertility>  what to show (default: 'life_expect')");
});
