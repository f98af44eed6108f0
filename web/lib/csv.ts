/**
 * A table in text form as records, numbers where all cells of a column are such.
 *
 * @see https://www.rfc-editor.org/rfc/rfc4180
 */
export function parseCsv(text: string, separator: string): Record<string, unknown>[] {
  const [head = [], ...rows] = cellsOf(text, separator);
  const isNumeric = head.map((_, i) =>
    rows.every((row) => (row[i] ?? "") === "" || !Number.isNaN(Number(row[i]))),
  );
  return rows.map((row) =>
    Object.fromEntries(
      head.map((name, i) => {
        const cell = row[i] ?? "";
        return [name, isNumeric[i] ? (cell === "" ? null : Number(cell)) : cell];
      }),
    ),
  );
}

function cellsOf(text: string, separator: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = "";
  let isQuoted = false;
  const endRow = (): void => {
    row.push(cell);
    cell = "";
    if (row.length > 1 || row[0] !== "") rows.push(row);
    row = [];
  };
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (isQuoted) {
      if (char !== '"') cell += char;
      else if (text[i + 1] === '"') {
        cell += '"';
        i++;
      } else isQuoted = false;
    } else if (char === '"' && cell === "") isQuoted = true;
    else if (char === separator) {
      row.push(cell);
      cell = "";
    } else if (char === "\n") endRow();
    else if (char !== "\r") cell += char;
  }
  endRow();
  return rows;
}
