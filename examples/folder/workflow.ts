import { Dir, type File, map, task } from "redun";

interface Year {
  readonly year: string;
  readonly days: number;
  readonly wetDays: number;
  /** Rain and melted snow, in millimetres. */
  readonly precipitation: number;
  /** In degrees Celsius. */
  readonly hottest: number;
}

export const list = task("folder.list", (folder: Dir) => folder.files());

/** Summarises the days of one file, reading it line by line. */
export const summarize = task("folder.summarize", async (file: File): Promise<Year> => {
  let [days, wetDays, precipitation, hottest] = [0, 0, 0, Number.NEGATIVE_INFINITY];
  for await (const line of file.lines()) {
    const [date, rain, max] = line.split(",");
    if (date === "date") continue;
    days++;
    if (Number(rain) > 0) wetDays++;
    precipitation += Number(rain);
    hottest = Math.max(hottest, Number(max));
  }
  return {
    year: file.basename().replace(".csv", ""),
    days,
    wetDays,
    precipitation: Math.round(precipitation),
    hottest,
  };
});

export const wettest = task("folder.wettest", (years: Year[]) =>
  years.reduce((wettest, year) => (year.precipitation > wettest.precipitation ? year : wettest)),
);

/**
 * Finds the year with the most rain.
 *
 * @param folder - with one CSV file a year, of which there may be more the next time
 */
export const main = task(
  { name: "folder.main", defaults: [new Dir("examples/folder/weather")] },
  (folder: Dir) => wettest(map(summarize, list(folder))),
);
