import { type File, map, task } from "redun";

type Row = Record<string, string>;

interface Column {
  readonly name: string;
  readonly cells: readonly string[];
}

interface Summary {
  readonly column: string;
  readonly count: number;
  readonly missing: number;
  readonly min: number;
  readonly mean: number;
  readonly max: number;
}

/** Splits a table into its columns, so that one that did not change is not summarised again. */
export const columns = task("csv.columns", async (file: File): Promise<Column[]> => {
  const rows = parse(await file.text());
  return Object.keys(rows[0] ?? {}).map((name) => ({ name, cells: rows.map((row) => row[name]!) }));
});

/** Summarises a column; one without numbers gives nothing. */
export const summarize = task("csv.summarize", (column: Column): Summary[] => {
  const numbers = column.cells.filter(isNumber).map(Number);
  console.log(`${column.name}: ${numbers.length} numbers in ${column.cells.length} rows`);
  if (numbers.length === 0) return [];
  const sum = numbers.reduce((total, number) => total + number, 0);
  return [
    {
      column: column.name,
      count: numbers.length,
      missing: column.cells.length - numbers.length,
      min: numbers.reduce((a, b) => Math.min(a, b)),
      mean: round(sum / numbers.length),
      max: numbers.reduce((a, b) => Math.max(a, b)),
    },
  ];
});

export const table = task("csv.table", (summaries: Summary[][]) => summaries.flat());

/**
 * Summarises the columns of a CSV file.
 *
 * @param file - with the names of the columns in its first line
 */
export const main = task("csv.main", (file: File) => table(map(summarize, columns(file))));

function parse(text: string): Row[] {
  const [head = "", ...lines] = text.trim().split(/\r?\n/);
  const names = head.split(",");
  return lines.map((line) => {
    const cells = line.split(",");
    return Object.fromEntries(names.map((name, i) => [name, cells[i] ?? ""]));
  });
}

const isNumber = (cell: string): boolean => cell.trim() !== "" && !Number.isNaN(Number(cell));

const round = (number: number): number => Math.round(number * 100) / 100;
