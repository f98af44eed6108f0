import { Readable } from "node:stream";
import type { Backend } from "../../backend/backend.ts";
import { recordBatches } from "../../backends/sync.ts";
import { LocalFileSystem } from "../../file-systems/local.ts";
import { stableJson } from "../../value/json.ts";
import type { Cli } from "../cli.ts";
import { RedunClientError } from "../client-error.ts";
import { findRecords } from "../find-record.ts";
import { openRecords } from "../remote/target.ts";
import { plural } from "../text.ts";

/** `redun export [ID...] [-f FILE]` */
export async function exportRecords(
  cli: Cli,
  words: string[],
  given: Record<string, unknown>,
): Promise<void> {
  const { file } = given as { file: string };
  const backend = await openRecords(cli, given, { migrate: false });
  try {
    const roots = words.length === 0 ? undefined : await rootIds(backend, words);
    let count = 0;
    const texts = exportTexts(backend, roots, (records) => {
      count += records;
    });
    if (file === "-") for await (const text of texts) cli.output.write(text);
    else {
      const stream = Readable.toWeb(Readable.from(texts)) as ReadableStream<string>;
      await new LocalFileSystem().write(file, stream.pipeThrough(new TextEncoderStream()));
    }
    cli.output.log(`Exported ${plural(count, "record")}`);
  } finally {
    await backend.close();
  }
}

async function* exportTexts(
  backend: Backend,
  roots: readonly string[] | undefined,
  onRecords: (count: number) => void,
): AsyncGenerator<string> {
  for await (const ids of backend.reachable(roots)) {
    for await (const records of recordBatches(backend, ids)) {
      onRecords(records.length);
      yield records.map((record) => `${stableJson(record)}\n`).join("");
    }
  }
}

/** The ids of the records that words mean. @throws RedunClientError that lists those without any */
export async function rootIds(backend: Backend, words: readonly string[]): Promise<string[]> {
  const roots: string[] = [];
  const unknown: string[] = [];
  for (const word of words) {
    const found = await findRecords(backend, word);
    if (found.length === 0) unknown.push(word);
    if (found.length > 1)
      throw new RedunClientError(`Ambiguous id: ${word} begins ${found.length} or more ids`);
    roots.push(...found.map(({ id }) => id));
  }
  if (unknown.length > 0) throw new RedunClientError(`Unknown ids: ${unknown.join(", ")}`);
  return roots;
}
