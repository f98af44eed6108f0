import { catchAll, catchError, task } from "redun";

class ReadingError extends Error {
  override readonly name = "ReadingError";
}

interface Line {
  readonly answer: string;
  /** How many answers get lost before one arrives. */
  readonly loses: number;
}

/** Stands in for weather stations: Oslo's line is bad, and Quito's sensor is broken. */
const LINES: Readonly<Record<string, Line>> = {
  Accra: { answer: "31.2", loses: 0 },
  Oslo: { answer: "-4.5", loses: 2 },
  Quito: { answer: "n/a", loses: 0 },
};

/** Asks a station. What comes over a bad line is worth another try, so this task gets three. */
export const ask = task({ name: "errors.ask", retries: 3 }, async (station: string) => {
  const line = LINES[station];
  if (line === undefined) throw new RangeError(`there is no station ${station}`);
  // The line's state outlives a try, as that of a real one would.
  const tries = countTry(station);
  if (tries <= line.loses) throw new Error(`answer ${tries} of ${station} was lost`);
  return line.answer;
});

const tried: Record<string, number> = {};

function countTry(station: string): number {
  tried[station] = (tried[station] ?? 0) + 1;
  return tried[station];
}

/** Reads degrees Celsius. */
export const parse = task("errors.parse", (text: string) => {
  const celsius = Number.parseFloat(text);
  if (Number.isNaN(celsius)) throw new ReadingError(`'${text}' is not a temperature`);
  return celsius;
});

export const read = task("errors.read", (station: string) => parse(ask(station)));

/** Gets the error, and gives what takes the place of the result. */
export const missing = task("errors.missing", (_error: ReadingError) => null);

/** One bad reading does not spoil the others: `catchError` replaces it where it happens. */
export const main = task("errors.main", (stations: string[] = ["Accra", "Oslo", "Quito"]) =>
  average(stations.map((station) => catchError(read(station), ReadingError, missing))),
);

export const average = task("errors.average", (readings: (number | null)[]) => {
  const known = readings.filter((reading) => reading !== null);
  return known.reduce((sum, reading) => sum + reading, 0) / known.length;
});

/** `catchAll` waits for all of them, and the recovery gets results and errors side by side. */
export const report = task("errors.report", (stations: string[] = ["Accra", "Oslo", "Quito"]) =>
  catchAll(
    stations.map((station) => read(station)),
    Error,
    summary,
  ),
);

export const summary = task("errors.summary", (readings: (number | Error)[]) => {
  const failed = readings.filter((reading) => reading instanceof Error);
  return { fine: readings.length - failed.length, failed: failed.map((error) => error.message) };
});
