import { csvFormat, csvParseRows } from "d3-dsv";
import { ContentFile, File, task } from "redun";
import { parse, View } from "vega";
import { expressionInterpreter } from "vega-interpreter";
import { compile, type TopLevelSpec } from "vega-lite";

/** What gapminder.json says of a country every five years. */
interface Observation {
  readonly country: string;
  readonly year: number;
  readonly pop: number;
  readonly life_expect: number;
  readonly fertility: number;
}

type Measure = "life_expect" | "fertility";

/** A row of the summary: the mean over a region's people. */
interface RegionYear {
  readonly region: string;
  readonly year: number;
  readonly countries: number;
  readonly mean: number;
}

const TITLES: Readonly<Record<Measure, string>> = {
  life_expect: "Life expectancy (years)",
  fertility: "Children per woman",
};

const data = "node_modules/vega-datasets/data";

/** The region of each country. */
export const regions = task("vega.regions", async (countries: File) => {
  const [head = [], ...rows] = csvParseRows(await countries.text());
  const [country, region] = [head.indexOf("country"), head.indexOf("region")];
  return new Map(rows.map((row) => [row[country]!, titleCase(row[region]!)]));
});

/** Joins the observations with the regions, and averages a measure by region and year. */
export const summarize = task(
  "vega.summarize",
  async (observations: File, regions: Map<string, string>, measure: Measure): Promise<RegionYear[]> => {
    const rows = await observations.json<Observation[]>();
    const joined = rows.flatMap((row) => {
      const region = regions.get(row.country);
      return region === undefined ? [] : [{ ...row, region }];
    });
    const groups = Map.groupBy(joined, ({ region, year }) => `${region}/${year}`);
    return [...groups.values()].map((group) => {
      const people = group.reduce((sum, row) => sum + row.pop, 0);
      const total = group.reduce((sum, row) => sum + row[measure] * row.pop, 0);
      const { region, year } = group[0]!;
      return { region, year, countries: group.length, mean: Number((total / people).toFixed(2)) };
    });
  },
);

export const writeTable = task("vega.writeTable", async (rows: RegionYear[], path: string) => {
  const file = new ContentFile(path);
  await file.write(`${csvFormat(rows, ["region", "year", "countries", "mean"])}\n`);
  return file;
});

/** Draws one line a region, as an SVG image. */
export const drawChart = task("vega.drawChart", async (rows: RegionYear[], title: string, path: string) => {
  const spec: TopLevelSpec = {
    title,
    width: 480,
    height: 300,
    background: "white",
    data: { values: rows },
    mark: { type: "line", point: true },
    encoding: {
      x: { field: "year", type: "quantitative", axis: { format: "d", title: null } },
      y: { field: "mean", type: "quantitative", title: null, scale: { zero: false } },
      color: { field: "region", type: "nominal", legend: { title: null, labelLimit: 0 } },
    },
  };
  // Isolates and tabs make no functions of text, so the chart's expressions are interpreted.
  const runtime = parse(compile(spec).spec, undefined, { ast: true });
  const view = new View(runtime, { renderer: "none", expr: expressionInterpreter });
  const file = new ContentFile(path);
  await file.write(await view.toSVG());
  return file;
});

/**
 * Shows how a measure developed in the regions of the world, as a table and a chart.
 *
 * @param measure - what to show
 * @param out - the folder for the results
 * @param observations - a JSON list with country, year, population and measures
 * @param countries - a CSV table with each country's region
 */
export const main = task(
  {
    name: "vega.main",
    defaults: [
      "life_expect",
      "out/vega",
      new File(`${data}/gapminder.json`),
      new File(`${data}/gapminder-health-income.csv`),
    ],
  },
  (measure: Measure, out: string, observations: File, countries: File) => {
    const rows = summarize(observations, regions(countries), measure);
    return {
      table: writeTable(rows, `${out}/${measure}.csv`),
      chart: drawChart(rows, TITLES[measure], `${out}/${measure}.svg`),
    };
  },
);

/** `south_asia` is South Asia. */
function titleCase(name: string): string {
  return name
    .split("_")
    .map((word) => word[0]!.toUpperCase() + word.slice(1))
    .join(" ");
}
