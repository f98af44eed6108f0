import { once } from "node:events";
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { RecordJson } from "../../backend/backend.ts";
import { type Cli, openRepoConfig } from "../cli.ts";
import { RedunClientError } from "../client-error.ts";
import { openStore } from "../store.ts";
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
  const source = file === "-" ? process.stdin : createReadStream(file);
  if (source !== process.stdin) await once(source, "open");
  const backend = await openStore(openRepoConfig(cli).config, { migrate: true });
  try {
    let added = 0;
    let number = 0;
    let batch: RecordJson[] = [];
    for await (const line of createInterface({ input: source, crlfDelay: Number.POSITIVE_INFINITY })) {
      number++;
      if (line.trim() === "") continue;
      batch.push(parseRecord(line, number));
      if (batch.length < BATCH) continue;
      added += await backend.importRecords(batch);
      batch = [];
    }
    if (batch.length > 0) added += await backend.importRecords(batch);
    cli.output.log(`Imported ${plural(added, "new record")}`);
  } finally {
    await backend.close();
  }
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
