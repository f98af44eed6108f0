/** The repository as a file of records, one JSON a line, as the command line's `export` and `import` have them. */
import type { RecordJson } from "../../src/backend/backend.ts";
import { getEngine } from "./engine.ts";
import { saveBlob } from "./files.ts";

/** So many records are imported at once. */
const GROUP = 2000;

/** Lets the browser save all records, or those of some executions. @returns how many */
export async function exportRepository(name: string, executionIds?: readonly string[]): Promise<number> {
  const records = await (await getEngine()).exportRecords(executionIds);
  const lines = records.map((record) => `${JSON.stringify(record)}\n`);
  saveBlob(new Blob(lines, { type: "application/jsonl" }), name);
  return records.length;
}

/** What every SQLite file begins with. */
const SQLITE = "SQLite format 3\0";

/** Takes in the records of a file of them, or of a `redun.db`, ours or that of Python's redun. @returns how many were new */
export async function importRepository(file: Blob): Promise<number> {
  if ((await file.slice(0, SQLITE.length).text()) === SQLITE) return (await getEngine()).importDatabase(file);
  const lines = (await file.text()).split("\n").filter((line) => line.trim() !== "");
  const records = lines.map((line, i): RecordJson => {
    const record: unknown = parseLine(line, i + 1);
    if (typeof record !== "object" || record === null || Array.isArray(record))
      throw new Error(`Line ${i + 1} is no record.`);
    return record as RecordJson;
  });
  const engine = await getEngine();
  let added = 0;
  for (let i = 0; i < records.length; i += GROUP)
    added += await engine.importRecords(records.slice(i, i + GROUP));
  return added;
}

function parseLine(line: string, number: number): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new Error(`Line ${number} is not JSON.`);
  }
}
