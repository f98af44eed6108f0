import type { Backend, FoundId } from "../../backend/backend.ts";
import { stableJson } from "../../value/json.ts";
import type { Cli } from "../cli.ts";
import { RedunClientError } from "../client-error.ts";
import { findFile, findRecord, looksLikePath } from "../find-record.ts";
import { showFile, showRecord } from "../log-detail.ts";
import { type LogOptions, type LogQuery, logQuery } from "../log-query.ts";
import type { Output } from "../output.ts";
import { withPager } from "../pager.ts";
import { recordLines } from "../record-lines.ts";
import { openRecords } from "../remote/target.ts";

/** Records read at a time: few at first, so that the first are shown soon, then more, since skipping costs. */
const FIRST_PAGE = 200;
const LARGEST_PAGE = 20_000;

/** `redun log [ID...]` */
export async function log(cli: Cli, words: string[], given: Record<string, unknown>): Promise<void> {
  const backend = await openRecords(cli, given, { migrate: false });
  try {
    await showLog(backend, cli.output, words, given as unknown as LogOptions);
  } finally {
    await backend.close();
  }
}

/** Shows what ids, type flags and filters select. */
export async function showLog(
  backend: Backend,
  output: Output,
  words: readonly string[],
  options: LogOptions,
): Promise<void> {
  const query = await logQuery(backend, options);
  const filtered = query.isFiltered || words.length > 0;
  if (options.count) return showCounts(backend, output, query, await idsOf(backend, words));
  await withPager(output, options.pager, async () => {
    if (!filtered && options.format === "text" && !options.detail) output.print("Recent executions:\n");
    if (words.length > 0 && !query.isFiltered) return showWords(backend, output, words, options);
    const ids = await idsOf(backend, words);
    const asFiles = options.file === true || options.filePath !== undefined;
    if (options.file && options.format === "text" && !options.detail)
      return showPaths(backend, output, query, ids);
    for (const type of filtered ? query.types : (["Execution"] as const)) {
      let offset = 0;
      for (let limit = FIRST_PAGE; ; limit = Math.min(limit * 10, LARGEST_PAGE)) {
        const found = await backend.find({ ...query.filters, ...ids, type, limit, offset });
        for (let i = 0; i < found.length; i += FIRST_PAGE) {
          await showFound(backend, output, found.slice(i, i + FIRST_PAGE), options, asFiles);
        }
        if (found.length < limit) break;
        offset += limit;
      }
    }
  });
}

async function idsOf(backend: Backend, words: readonly string[]): Promise<{ ids?: string[] }> {
  if (words.length === 0) return {};
  const ids: string[] = [];
  for (const word of words) {
    const file = looksLikePath(word) ? await findFile(backend, word) : undefined;
    ids.push(file?.valueHash ?? (await findRecord(backend, word)).id);
  }
  return { ids };
}

async function showWords(
  backend: Backend,
  output: Output,
  words: readonly string[],
  options: LogOptions,
): Promise<void> {
  for (const [i, word] of words.entries()) {
    if (i > 0 && options.format === "text") output.print("");
    if (looksLikePath(word)) {
      const file = await findFile(backend, word);
      if (file !== undefined) {
        if (options.format === "json")
          await showFound(backend, output, [{ type: "Value", id: file.valueHash }], options, true);
        else await showFile(backend, output, file);
        continue;
      }
      if (!/^[~0-9a-f-]+$/i.test(word)) throw new RedunClientError(`Unknown file: ${word}`);
    }
    const found = await findRecord(backend, word);
    if (options.format === "json") await showFound(backend, output, [found], options, false);
    else await showRecord(backend, output, found);
  }
}

async function showFound(
  backend: Backend,
  output: Output,
  found: readonly FoundId[],
  options: LogOptions,
  asFiles: boolean,
): Promise<void> {
  if (options.format === "json") {
    for (const record of await backend.exportRecords(found.map(({ id }) => id)))
      output.print(stableJson(record));
  } else if (options.detail) {
    for (const record of found) {
      await showRecord(backend, output, record);
      output.print("");
    }
  } else {
    const lines = await recordLines(backend, found, asFiles);
    if (lines.length > 0) output.print(lines.join("\n"));
  }
}

/** Each path once, by name. */
async function showPaths(
  backend: Backend,
  output: Output,
  query: LogQuery,
  ids: { ids?: string[] },
): Promise<void> {
  const found = await backend.find({ ...query.filters, ...ids, type: "Value" });
  const values = await backend.getValues(found.map(({ id }) => id));
  const byPath = new Map<string, FoundId>();
  for (const value of values) {
    if (value?.file != null) byPath.set(value.file, { type: "Value", id: value.hash });
  }
  const sorted = [...byPath].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, record]) => record);
  await showFound(backend, output, sorted, { format: "text", pager: false }, true);
}

async function showCounts(
  backend: Backend,
  output: Output,
  query: LogQuery,
  ids: { ids?: string[] },
): Promise<void> {
  const counts: [string, number][] = [];
  for (const type of query.types)
    counts.push([type, await backend.count({ ...query.filters, ...ids, type })]);
  const width = Math.max(...counts.map(([, count]) => String(count).length));
  for (const [type, count] of counts)
    output.print(`${String(count).padStart(width)} ${type}${count === 1 ? "" : "s"}`);
}
