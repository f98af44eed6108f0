import { once } from "node:events";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { RecordJson } from "../../backend/backend.ts";
import { pythonRecords } from "../../backends/python-records.ts";
import { openSqlite } from "../../backends/sqlite-driver.ts";
import { pythonError } from "../../scheduler/python-error.ts";
import type { Cli } from "../cli.ts";
import { RedunClientError } from "../client-error.ts";
import { openRecords } from "../remote/target.ts";
import { plural } from "../text.ts";

/** Records stored at a time. */
const BATCH = 1000;

/** `redun import [-f FILE]` */
export async function importRecords(
  cli: Cli,
  _words: string[],
  given: Record<string, unknown>,
): Promise<void> {
  const { file } = given as { file: string };
  const isStore = file !== "-" && (await isDatabase(file));
  const backend = await openRecords(cli, given, { migrate: true });
  try {
    let added = 0;
    for await (const batch of isStore ? recordsOfPython(file) : recordsOfLines(file)) {
      added += await backend.importRecords(batch);
    }
    cli.output.log(`Imported ${plural(added, "new record")}`);
  } finally {
    await backend.close();
  }
}

/** What every SQLite file begins with. */
const SQLITE = "SQLite format 3\0";

async function isDatabase(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    // What is read from a pipe is gone.
    if (!(await file.stat()).isFile()) return false;
    const { buffer } = await file.read(Buffer.alloc(SQLITE.length), 0, SQLITE.length, 0);
    return buffer.toString("latin1") === SQLITE;
  } finally {
    await file.close();
  }
}

/** The history of a store of Python's redun. */
async function* recordsOfPython(path: string): AsyncGenerator<RecordJson[]> {
  const db = await openSqlite(path);
  try {
    yield* pythonRecords(db, pythonError);
  } finally {
    db.close();
  }
}

/** The records of an exported file, some at a time. */
export async function* recordsOfLines(path: string): AsyncGenerator<RecordJson[]> {
  const source = path === "-" ? process.stdin : createReadStream(path);
  if (source !== process.stdin) await once(source, "open");
  let number = 0;
  let batch: RecordJson[] = [];
  for await (const line of createInterface({ input: source, crlfDelay: Number.POSITIVE_INFINITY })) {
    number++;
    if (line.trim() === "") continue;
    batch.push(parseRecord(line, number));
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

function parseRecord(line: string, number: number): RecordJson {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new RedunClientError(`Cannot import line ${number}: it is not JSON`, { cause: error });
  }
  if (
    typeof value !== "object" ||
    value === null ||
    typeof (value as { _type?: unknown })._type !== "string"
  ) {
    throw new RedunClientError(`Cannot import line ${number}: it is not a record`);
  }
  return value as RecordJson;
}
