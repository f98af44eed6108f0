import { BackendVersionError } from "../errors/errors.ts";
import type { SqlDriver } from "./sql-driver.ts";
import { VERSION_1 } from "./sql-tables.ts";
import { all, runWork, type SqlQuery, type SqlWork } from "./sql-work.ts";

/** One step of the schema's history. */
export interface Migration {
  /** Version that the step leads to: `major.minor`. */
  readonly version: string;
  readonly description: string;
  readonly up: string;
  readonly down: string;
}

/** All steps, oldest first. A released step is never edited. */
export const MIGRATIONS: readonly Migration[] = [
  {
    version: "1.0",
    description: "First schema.",
    up: VERSION_1,
    down: [...VERSION_1.matchAll(/CREATE (TABLE|VIEW) (\w+)/g)]
      .reverse()
      .map(([, kind, name]) => `DROP ${kind} ${name};`)
      .join("\n"),
  },
];

export const LATEST_VERSION: string = MIGRATIONS.at(-1)!.version;

const compare = (a: string, b: string): number => {
  const [x = [], y = []] = [a, b].map((text) => text.split(".").map(Number));
  return (x[0] ?? 0) - (y[0] ?? 0) || (x[1] ?? 0) - (y[1] ?? 0);
};

function* hasTable(name: string): SqlWork<boolean> {
  return (yield* all("SELECT 1 AS found FROM sqlite_master WHERE name = ?", name)).length > 0;
}

function* readVersion(): SqlWork<string | null> {
  if (!(yield* hasTable("redun_version"))) return null;
  const [row] = yield* all("SELECT version, minor FROM redun_version ORDER BY rowid DESC LIMIT 1");
  return row === undefined ? null : `${row.version}.${row.minor}`;
}

/** Version of a store's schema, or null for an empty one. */
export function schemaVersion(driver: SqlDriver): string | null {
  return runWork(driver, readVersion());
}

/** Whether the store belongs to Python's redun, whose tables have other meanings. */
export function isForeign(driver: SqlDriver): boolean {
  return runWork(driver, hasTable("alembic_version"));
}

/** Asked at once, as another process may make the store meanwhile. Cloudflare keeps tables of its own in each database. */
const OWNER = `SELECT max(name = 'alembic_version') AS python, max(name = 'redun_version') AS ours, count(*) AS tables
  FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 4) NOT IN ('sqli', '_cf_', 'd1_m')`;

function* hasOurs(): SqlWork<boolean> {
  const [owner] = yield* all(OWNER);
  return owner!.tables === 0 || (owner!.python === 0 && owner!.ours === 1);
}

/** Whether the database is empty or holds a store of ours, so that it may be written to. */
export function isOurs(driver: SqlDriver): boolean {
  return runWork(driver, hasOurs());
}

/** @throws BackendVersionError if the database holds something else */
function* checkOwner(place: string): SqlWork<void> {
  if (yield* hasOurs()) return;
  const isPython = yield* hasTable("alembic_version");
  const owner = isPython ? "it was made by Python's redun" : "it holds tables of another program";
  throw new BackendVersionError(`Cannot open the store ${place}: ${owner}`, {
    hint: "Use another folder with -c, or move that file away if it is not needed.",
    fields: { path: place },
  });
}

/** @throws BackendVersionError if the version is not one of the schema's history, `latest`, or a major version */
export function resolveVersion(text: string): string {
  if (text === "latest") return LATEST_VERSION;
  if (!/^\d+(\.\d+)?$/.test(text))
    throw new BackendVersionError(
      `Cannot read the version ${JSON.stringify(text)}: it must be like 1 or 1.0`,
    );
  const match = MIGRATIONS.filter(({ version }) => version === text || version.split(".")[0] === text).at(-1);
  if (match === undefined) {
    throw new BackendVersionError(`Cannot find the database version ${text}`, {
      hint: `Known versions: ${MIGRATIONS.map(({ version }) => version).join(", ")}.`,
    });
  }
  return match.version;
}

const VERSIONS =
  "CREATE TABLE IF NOT EXISTS redun_version(id TEXT PRIMARY KEY, version INTEGER NOT NULL, minor INTEGER NOT NULL DEFAULT 0, timestamp TEXT NOT NULL)";

function recordVersion(version: string): SqlQuery {
  const [major, minor] = version.split(".").map(Number);
  const sql =
    "INSERT INTO redun_version(id, version, minor, timestamp) VALUES (?, ?, ?, strftime('%Y-%m-%d %H:%M:%f000', 'now'))";
  return { sql, params: [crypto.randomUUID(), major!, minor!] };
}

/** The statements of a step up, for a database that takes one at a time. They fail together if the step was taken. */
export function statementsOf({ up, version }: Migration): SqlQuery[] {
  const statements = up.split(/;\s*(?:\n|$)/).filter((sql) => sql.trim() !== "");
  return [...[VERSIONS, ...statements].map((sql) => ({ sql, params: [] })), recordVersion(version)];
}

/** Brings a store to a version, up or down, one transaction a step. */
export function migrate(driver: SqlDriver, target: string): void {
  runWork(driver, checkOwner("for migration"));
  driver.exec(VERSIONS);
  const record = (version: string): void => {
    const { sql, params } = recordVersion(version);
    driver.prepare(sql).run(...params);
  };
  for (const step of MIGRATIONS) {
    if (compare(step.version, target) > 0) break;
    driver.transaction(() => {
      // Another process may have taken the step since.
      if (compare(schemaVersion(driver) ?? "0.0", step.version) >= 0) return;
      driver.exec(step.up);
      record(step.version);
    });
  }
  for (const [i, step] of [...MIGRATIONS.entries()].reverse()) {
    if (compare(step.version, target) <= 0) break;
    driver.transaction(() => {
      if (compare(schemaVersion(driver) ?? "0.0", step.version) < 0) return;
      driver.exec(step.down);
      record(MIGRATIONS[i - 1]?.version ?? "0.0");
    });
  }
}

/**
 * The steps up that a store lacks, oldest first, to have the schema that this program works on.
 *
 * @throws BackendVersionError if it is newer or somebody else's, or lacks some and may not be migrated
 */
export function* lackingSteps(place: string, mayMigrate: boolean): SqlWork<readonly Migration[]> {
  yield* checkOwner(place);
  const version = yield* readVersion();
  if (version !== null && compare(version, LATEST_VERSION) > 0) {
    throw new BackendVersionError(
      `Cannot open the store ${place}: its version ${version} is too new for this redun, which knows up to ${LATEST_VERSION}`,
      {
        hint: "Upgrade redun, or use another store.",
        fields: { path: place, version },
      },
    );
  }
  const lacking = MIGRATIONS.filter((step) => compare(step.version, version ?? "0.0") > 0);
  if (lacking.length > 0 && !mayMigrate && version !== null) {
    throw new BackendVersionError(
      `Cannot open the store ${place}: its version ${version} is older than ${LATEST_VERSION}`,
      {
        hint: "Bring it up to date with `redun db upgrade`.",
        fields: { path: place, version },
      },
    );
  }
  return lacking;
}

/** Makes sure that a store has the schema that this version works on. */
export function prepareSchema(driver: SqlDriver, place: string, mayMigrate: boolean): void {
  if (runWork(driver, lackingSteps(place, mayMigrate)).length > 0) migrate(driver, LATEST_VERSION);
}
