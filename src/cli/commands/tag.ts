import type { Backend, FoundId, TagRow } from "../../backend/backend.ts";
import type { TagRecord } from "../../backend/records.ts";
import { tagHash } from "../../backend/tags.ts";
import { stableJson } from "../../value/json.ts";
import type { Cli } from "../cli.ts";
import { UsageError } from "../client-error.ts";
import { findFile, findRecord, looksLikePath } from "../find-record.ts";
import { openRecords, type ServerOptions } from "../remote/target.ts";
import { formatTagValue, parseTag, type TagText } from "../tag-text.ts";
import { shortId } from "../text.ts";
import { showLog } from "./log.ts";

/** `redun tag list [KEY[=VALUE]]` */
export async function listTags(cli: Cli, words: string[], given: Record<string, unknown>): Promise<void> {
  const { values, pager } = given as { values?: boolean; pager: boolean };
  const backend = await openRecords(cli, given, { migrate: false });
  try {
    if (words.length > 0) {
      await showLog(backend, cli.output, [], { all: true, tag: words, format: "text", pager });
    } else for (const line of await tagLines(backend, values === true)) cli.output.print(line);
  } finally {
    await backend.close();
  }
}

async function tagLines(backend: Backend, withValues: boolean): Promise<string[]> {
  const counts = new Map<string, Map<string, number>>();
  for (const { key, value, entityType, count } of await backend.tagCounts()) {
    const name = withValues ? `${key}=${formatTagValue(value)}` : key;
    const row = counts.get(name) ?? new Map<string, number>();
    row.set(entityType, (row.get(entityType) ?? 0) + count);
    counts.set(name, row);
  }
  return [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, row]) => {
      const parts = [...row]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([type, count]) => `${count} ${type}${count === 1 ? "" : "s"}`);
      return `${name} (${parts.join(", ")})`;
    });
}

/** `redun tag add|update|rm ID... KEY=VALUE...` */
export async function editTags(
  cli: Cli,
  verb: "add" | "update" | "rm",
  words: readonly string[],
  options: ServerOptions,
): Promise<void> {
  const first = words.findIndex((word) => word.includes("="));
  // Only removing makes sense with a key alone, which then stands after `--`.
  const dashes = cli.argv.lastIndexOf("--");
  const bare = verb === "rm" && dashes >= 0 ? words.length - (cli.argv.length - dashes - 1) : -1;
  const split = bare >= 0 ? (first < 0 ? bare : Math.min(first, bare)) : first;
  const ids = split < 0 ? words : words.slice(0, split);
  const texts = split < 0 ? [] : words.slice(split);
  if (ids.length === 0) throw new UsageError(`Which records? Usage: redun tag ${verb} ID... KEY=VALUE...`);
  if (texts.length === 0) throw new UsageError(`Which tags? Usage: redun tag ${verb} ID... KEY=VALUE...`);
  const tags = texts.map((text) => parseTag(text, verb !== "rm"));
  const backend = await openRecords(cli, options, { migrate: false });
  try {
    const found: FoundId[] = [];
    for (const id of ids) found.push(await entityOf(backend, id));
    for (const entity of found) {
      const current = (await backend.getTags([entity.id])).filter((tag) => tag.entityType === entity.type);
      const { records, shown } = edit(verb, entity, tags, current);
      if (records.length > 0) await backend.addTags(records, { fresh: true });
      for (const { key, value } of shown) {
        cli.output.print(
          `${verb} tag ${entity.type}:${shortId(entity.id)} ${key}${value === undefined ? "" : `=${stableJson(value)}`}`,
        );
      }
    }
  } finally {
    await backend.close();
  }
}

async function entityOf(backend: Backend, word: string): Promise<FoundId> {
  const file = looksLikePath(word) ? await findFile(backend, word) : undefined;
  return file === undefined ? findRecord(backend, word) : { type: "Value", id: file.valueHash };
}

function edit(
  verb: "add" | "update" | "rm",
  { type, id }: FoundId,
  tags: readonly TagText[],
  current: readonly TagRow[],
): { records: TagRecord[]; shown: readonly TagText[] } {
  if (verb === "rm") {
    const removed = current.filter((tag) =>
      tags.some(
        ({ key, value }) =>
          key === tag.key && (value === undefined || stableJson(value) === stableJson(tag.value)),
      ),
    );
    if (removed.length === 0) return { records: [], shown: [] };
    const parents = removed.map((tag) => tag.tagHash).sort();
    const tombstone: TagRecord = {
      tagHash: tagHash("", "", null, parents),
      entityType: "Null",
      entityId: "",
      key: "",
      value: null,
      parents,
    };
    return { records: [tombstone], shown: removed.map(({ key, value }) => ({ key, value })) };
  }
  const records = tags.map(({ key, value = null }): TagRecord => {
    const replaced = verb === "update" ? current.filter((tag) => tag.key === key) : [];
    // A tag that stays as it is has nothing to replace.
    const parents = replaced.map((tag) => tag.tagHash).sort();
    return { tagHash: tagHash(id, key, value, parents), entityType: type, entityId: id, key, value, parents };
  });
  return { records, shown: tags };
}
