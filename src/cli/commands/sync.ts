import { existsSync } from "node:fs";
import { appendFile, open } from "node:fs/promises";
import { resolve } from "node:path";
import type { Backend, RecordJson } from "../../backend/backend.ts";
import { SqliteBackend } from "../../backends/sqlite-backend.ts";
import { type SyncProgress, syncRecords } from "../../backends/sync.ts";
import { stableJson } from "../../value/json.ts";
import { type Cli, hasConfig, namedRepo, openOwnConfig } from "../cli.ts";
import { RedunClientError, suggestion, UsageError } from "../client-error.ts";
import { openConfig } from "../config-dir.ts";
import type { Output } from "../output.ts";
import { formatAddress, looksLikeAddress } from "../remote/address.ts";
import {
  type ServerOptions,
  type ServerTarget,
  serverTarget,
  targetOfAddress,
  targetOfRepo,
} from "../remote/target.ts";
import { openStore, storePath } from "../store.ts";
import { rootIds } from "./export.ts";
import { recordsOfLines } from "./import.ts";

/** One side of a copy. */
interface Side {
  /** What messages call it. */
  readonly name: string;
  /** The same for two names of one place. */
  readonly place: string;
  open(role: Role): Promise<Backend>;
}

type Role = "from" | "to";

/** `redun push [--to REPO|URL|FILE] [ID...]` */
export async function push(cli: Cli, words: string[], options: Record<string, unknown>): Promise<void> {
  const { side: to, ids } = otherSide(cli, words, options as SyncCommandOptions, "to");
  const from = ownSide(cli);
  const added = await copy(cli, from, to, ids);
  const text = added > 0 ? `Pushed ${added} record(s) to repo '${to.name}'` : upToDate(to);
  cli.output.print(text);
}

/** `redun pull [--from REPO|URL|FILE] [ID...]` */
export async function pull(cli: Cli, words: string[], options: Record<string, unknown>): Promise<void> {
  const { side: from, ids } = otherSide(cli, words, options as SyncCommandOptions, "from");
  const to = ownSide(cli);
  const added = await copy(cli, from, to, ids);
  cli.output.print(added > 0 ? `Pulled ${added} new record(s) from repo '${from.name}'` : upToDate(to));
}

const upToDate = ({ name }: Side): string => `Repo '${name}' is up to date.`;

interface SyncCommandOptions extends ServerOptions {
  readonly to?: string;
  readonly from?: string;
}

/** The repository that records are copied to or from, and the ids that stand after it. */
function otherSide(
  cli: Cli,
  words: readonly string[],
  options: SyncCommandOptions,
  verb: Role,
): { side: Side; ids: readonly string[] } {
  const named = options[verb];
  if (named !== undefined) return { side: sideOf(cli, named), ids: words };
  const target = serverTarget({ ...cli, globals: withoutRepo(cli) }, options);
  const [first, ...ids] = words;
  if (target !== undefined && (options.server !== undefined || first === undefined || !namesSide(cli, first)))
    return { side: serverSide(formatAddress(target), target), ids: words };
  if (first === undefined) {
    const usage = verb === "to" ? "push --to REPO|URL|FILE" : "pull --from REPO|URL|FILE";
    throw new UsageError(`Which repository? Usage: redun ${usage} [ID...]`);
  }
  return { side: sideOf(cli, first), ids };
}

/** The option --repo is about this side, not the other. */
function withoutRepo({ globals }: Cli): Cli["globals"] {
  const { repo: _, ...others } = globals;
  return others;
}

/** The repository that the command works in. */
function ownSide(cli: Cli): Side {
  const { repo } = cli.globals;
  return repo === undefined ? localSide(cli, "default") : sideOf(cli, repo);
}

const namesSide = (cli: Cli, word: string): boolean =>
  looksLikeAddress(word) || isKnown(cli, word) || looksLikeFile(word);

/** Whether a word means a file of records; ids have no dots or slashes. */
const looksLikeFile = (word: string): boolean => /[./\\]/.test(word) || existsSync(word);

const isKnown = (cli: Cli, word: string): boolean =>
  word === "default" || (hasConfig(cli) && openOwnConfig(cli).config.has(`repos.${word}`));

function sideOf(cli: Cli, word: string): Side {
  if (looksLikeAddress(word)) {
    const target = targetOfAddress(word);
    return serverSide(formatAddress(target), target);
  }
  if (isKnown(cli, word)) return namedSide(cli, word);
  if (looksLikeFile(word)) return fileSide(word);
  const names = hasConfig(cli) ? openOwnConfig(cli).config.below("repos") : [];
  throw new UsageError(`Unknown repo ${word}`, {
    hint: suggestion(word, names, "Known repos") ?? "Name one with: redun repo add NAME URL",
  });
}

function namedSide(cli: Cli, name: string): Side {
  const named = namedRepo(cli, name);
  return named.server === undefined ? localSide(cli, name) : serverSide(name, targetOfRepo(name, named));
}

function localSide(cli: Cli, name: string): Side {
  const { config } =
    name === "default"
      ? openOwnConfig(cli)
      : { config: openConfig({ dir: namedRepo(cli, name).dir!, source: "option" }) };
  return { name, place: storePath(config), open: () => openStore(config, { migrate: true }) };
}

function serverSide(name: string, target: ServerTarget): Side {
  return {
    name,
    place: `${target.url}#${target.repo}`,
    async open() {
      const { connect } = await import("../remote/connect.ts");
      return (await connect(target)).records;
    },
  };
}

/** A file that was exported, or is to be. */
function fileSide(path: string): Side {
  return {
    name: path,
    place: resolve(path),
    async open(role) {
      if (role === "from" && !existsSync(path))
        throw new RedunClientError(`Cannot pull from ${path}: there is no such file`);
      const records = new RecordFile(path, role);
      await records.load();
      return records;
    },
  };
}

/** The records of an exported file, in memory, where they are checked like any others. New ones are added to the file. */
class RecordFile extends SqliteBackend {
  private readonly file: string;
  private readonly role: Role;
  private isLoaded = false;

  constructor(file: string, role: Role) {
    super({ path: ":memory:" });
    this.file = file;
    this.role = role;
  }

  override async load(): Promise<void> {
    await super.load();
    if (existsSync(this.file)) {
      if (this.role === "to") await endLastLine(this.file);
      for await (const batch of recordsOfLines(this.file)) await this.importRecords(batch);
    }
    this.isLoaded = true;
  }

  override async importRecords(records: readonly RecordJson[]): Promise<number> {
    const count = await super.importRecords(records);
    if (this.isLoaded)
      await appendFile(this.file, records.map((record) => `${stableJson(record)}\n`).join(""));
    return count;
  }
}

/** Ends the last line of a file of records, or removes what a copy that was cut short left of it. */
async function endLastLine(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    const { size } = await file.stat();
    let tail = Buffer.alloc(0);
    for (let start = size; start > 0 && !tail.includes("\n"); ) {
      const end = start;
      start = Math.max(0, end - 1_000_000);
      const part = Buffer.alloc(end - start);
      await file.read(part, 0, part.length, start);
      tail = Buffer.concat([part, tail]);
    }
    const line = tail.subarray(tail.lastIndexOf("\n") + 1);
    if (line.length === 0) return;
    if (isJson(line.toString())) await file.write("\n", size);
    else await file.truncate(size - line.length);
  } finally {
    await file.close();
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

async function copy(cli: Cli, from: Side, to: Side, words: readonly string[]): Promise<number> {
  if (from.place === to.place)
    throw new RedunClientError(`Cannot sync repo '${from.name}' with itself`, { hint: "Name another one." });
  const source = await from.open("from");
  try {
    const target = await to.open("to");
    try {
      const ids = words.length === 0 ? undefined : await rootIds(source, words);
      const progress = new CopyProgress(cli.output);
      try {
        const { added } = await syncRecords(source, target, {
          ids,
          onProgress: (state) => progress.show(state),
        });
        return added;
      } finally {
        progress.end();
      }
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

/** A line on the terminal that tells how far a copy is. */
class CopyProgress {
  private readonly output: Output;
  private text = "";
  private width = 0;

  constructor(output: Output) {
    this.output = output;
    if (!process.stderr.isTTY) return;
    output.live = { clear: () => this.write(""), draw: () => this.write(this.text) };
  }

  show({ found, missing, sent }: SyncProgress): void {
    const count = (n: number): string => n.toLocaleString("en");
    this.text =
      sent === 0
        ? `Comparing: ${count(missing)} of ${count(found)} records are missing`
        : `Copied ${count(sent)} of ${count(missing)} records`;
    this.output.live?.draw();
  }

  end(): void {
    this.output.live?.clear();
    this.output.live = undefined;
  }

  private write(text: string): void {
    process.stderr.write(`\r${text.padEnd(this.width)}\r${text}`);
    this.width = text.length;
  }
}
