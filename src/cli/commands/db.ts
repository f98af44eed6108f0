import type { SqlDriver } from "../../backends/sql-driver.ts";
import {
  isForeign,
  LATEST_VERSION,
  MIGRATIONS,
  migrate,
  resolveVersion,
  schemaVersion,
} from "../../backends/sql-schema.ts";
import { openSqlite } from "../../backends/sqlite-driver.ts";
import { BackendVersionError } from "../../errors/errors.ts";
import { type Cli, openRepoConfig, type Repo } from "../cli.ts";
import { UsageError } from "../client-error.ts";
import { refuseServer, type ServerOptions, type ServerTarget, serverTarget } from "../remote/target.ts";
import { storePath } from "../store.ts";
import { compareVersions, version } from "../version.ts";

async function withDatabase(repo: Repo, work: (db: SqlDriver) => void): Promise<void> {
  const path = storePath(repo.config);
  const db = await openSqlite(path);
  try {
    if (isForeign(db)) {
      throw new BackendVersionError(`Cannot manage the store ${path}: it was made by Python's redun`, {
        hint: "Use the redun that made it.",
      });
    }
    work(db);
  } finally {
    db.close();
  }
}

function description(of: string): string {
  return (
    MIGRATIONS.find((step) => step.version === of)?.description ??
    (of === "0.0" ? "Empty." : "Unknown to this version.")
  );
}

/** `redun db info` */
export async function info(cli: Cli, _words: string[], options: ServerOptions): Promise<void> {
  const { output } = cli;
  const target = serverTarget(cli, options);
  if (target !== undefined) return remoteInfo(cli, target);
  const repo = openRepoConfig(cli);
  await withDatabase(repo, (db) => {
    const now = schemaVersion(db) ?? "0.0";
    output.print(
      [
        `redun :: version ${version()}`,
        `config dir: ${repo.dir}`,
        "",
        `db version: ${now} "${description(now)}"`,
        `requires db version: >=${LATEST_VERSION},<${Number.parseInt(LATEST_VERSION, 10) + 1}`,
        `compatible: ${now === LATEST_VERSION ? "True" : "False"}`,
      ].join("\n"),
    );
  });
}

async function remoteInfo({ output }: Cli, target: ServerTarget): Promise<void> {
  const { connect } = await import("../remote/connect.ts");
  const { client } = await connect(target);
  const [{ version: other, api }, { name, role }] = await Promise.all([client.health(), client.me()]);
  output.print(
    [
      `redun :: version ${version()}`,
      `server: ${target.url}`,
      `repo: ${target.repo}`,
      `signed in as: ${name} (${role})`,
      "",
      `server version: ${other}`,
      `api version: ${api}`,
      "compatible: True",
    ].join("\n"),
  );
}

/** `redun db upgrade [VERSION]` */
export async function upgrade(
  cli: Cli,
  [wanted = "latest"]: string[],
  options: ServerOptions,
): Promise<void> {
  refuseServer(cli, "migrate the db", options);
  await migrateTo(cli, wanted, "upgrade");
}

/** `redun db downgrade VERSION` */
export async function downgrade(cli: Cli, [wanted]: string[], options: ServerOptions): Promise<void> {
  refuseServer(cli, "migrate the db", options);
  if (wanted === undefined) throw new UsageError("To which version? Usage: redun db downgrade VERSION");
  await migrateTo(cli, wanted, "downgrade");
}

async function migrateTo(cli: Cli, wanted: string, direction: "upgrade" | "downgrade"): Promise<void> {
  const { output } = cli;
  const target = resolveVersion(wanted);
  await withDatabase(openRepoConfig(cli), (db) => {
    const initial = schemaVersion(db) ?? "0.0";
    output.print(`Initial db version: ${initial}`);
    const order = compareVersions(target, initial);
    if (order === 0) return output.print("No migration needed.");
    if (order > 0 !== (direction === "upgrade")) {
      const other = direction === "upgrade" ? "downgrade" : "upgrade";
      throw new UsageError(`Cannot ${direction} the db from ${initial} to ${target}`, {
        hint: `Use: redun db ${other} ${target}`,
      });
    }
    migrate(db, target);
    output.print(`Final db version:   ${schemaVersion(db)}`);
  });
}

/** `redun db versions` */
export async function versions({ output }: Cli): Promise<void> {
  const { default: Table } = await import("cli-table3");
  const table = new Table({
    head: ["Version", "Migration", "Description"],
    style: { head: [], border: [] },
    chars: PLAIN,
  });
  for (const [i, step] of MIGRATIONS.entries()) table.push([step.version, String(i + 1), step.description]);
  output.print(
    table
      .toString()
      .split("\n")
      .map((line) => line.trimEnd())
      .join("\n"),
  );
}

/** Columns without a frame. */
const PLAIN = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: " ",
};
