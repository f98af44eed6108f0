import { BackendVersionError } from "../errors/errors.ts";
import type { SqlDriver } from "./sql-driver.ts";

/**
 * The physical schema. Rows refer to each other by integer, so that a small job costs a few hundred bytes and most
 * inserts append: each hash is stored once, with one index. The views give the tables of the logical schema, with
 * their names, their columns and text hashes, for people and other programs to query.
 */
const version1 = `
CREATE TABLE r_name(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE r_value(id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, type INTEGER NOT NULL, format INTEGER NOT NULL, value TEXT NOT NULL);
CREATE TABLE r_subvalue(parent INTEGER NOT NULL, value INTEGER NOT NULL, PRIMARY KEY(parent, value)) WITHOUT ROWID;
CREATE INDEX r_subvalue_value ON r_subvalue(value);
CREATE TABLE r_file(value INTEGER PRIMARY KEY, path TEXT NOT NULL);
CREATE INDEX r_file_path ON r_file(path);
CREATE TABLE r_task(id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, name TEXT NOT NULL, namespace TEXT NOT NULL,
  source TEXT NOT NULL, version TEXT, doc TEXT, parameters TEXT NOT NULL);
CREATE INDEX r_task_name ON r_task(name);
CREATE TABLE r_task_set(id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE);
CREATE TABLE r_task_set_member(task_set INTEGER NOT NULL, task_hash TEXT NOT NULL, PRIMARY KEY(task_set, task_hash)) WITHOUT ROWID;
CREATE TABLE r_evaluation(id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, task INTEGER NOT NULL, args_hash TEXT NOT NULL, value INTEGER);
CREATE TABLE r_call(id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, evaluation INTEGER NOT NULL, value INTEGER NOT NULL,
  time REAL NOT NULL, task_set INTEGER NOT NULL, context TEXT);
CREATE INDEX r_call_evaluation ON r_call(evaluation);
CREATE INDEX r_call_value ON r_call(value);
CREATE TABLE r_edge(parent INTEGER NOT NULL, position INTEGER NOT NULL, child INTEGER NOT NULL, PRIMARY KEY(parent, position)) WITHOUT ROWID;
CREATE INDEX r_edge_child ON r_edge(child);
CREATE TABLE r_argument(call INTEGER NOT NULL, slot INTEGER NOT NULL, key TEXT, value INTEGER NOT NULL, PRIMARY KEY(call, slot)) WITHOUT ROWID;
CREATE INDEX r_argument_value ON r_argument(value);
CREATE TABLE r_upstream(call INTEGER NOT NULL, slot INTEGER NOT NULL, result INTEGER NOT NULL, PRIMARY KEY(call, slot, result)) WITHOUT ROWID;
CREATE TABLE r_execution(id INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE, args TEXT NOT NULL, job TEXT NOT NULL, time REAL, updated REAL);
CREATE TABLE r_job(id INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE, execution INTEGER NOT NULL, parent INTEGER, task INTEGER NOT NULL,
  start REAL NOT NULL, end REAL, cached INTEGER NOT NULL, call INTEGER);
CREATE INDEX r_job_execution ON r_job(execution);
CREATE INDEX r_job_parent ON r_job(parent);
CREATE INDEX r_job_call ON r_job(call);
CREATE TABLE r_tag(id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, entity_type TEXT NOT NULL, entity TEXT NOT NULL,
  key TEXT NOT NULL, value TEXT NOT NULL, is_current INTEGER NOT NULL);
CREATE INDEX r_tag_entity ON r_tag(entity);
CREATE INDEX r_tag_key ON r_tag(key);
CREATE TABLE r_tag_edit(parent TEXT NOT NULL, child TEXT NOT NULL, PRIMARY KEY(parent, child)) WITHOUT ROWID;
CREATE INDEX r_tag_edit_child ON r_tag_edit(child);

CREATE VIEW value AS SELECT v.hash AS value_hash, t.name AS type, f.name AS format, v.value AS value
  FROM r_value v JOIN r_name t ON t.id = v.type JOIN r_name f ON f.id = v.format;
CREATE VIEW subvalue AS SELECT v.hash AS value_hash, p.hash AS parent_value_hash
  FROM r_subvalue s JOIN r_value v ON v.id = s.value JOIN r_value p ON p.id = s.parent;
CREATE VIEW file AS SELECT v.hash AS value_hash, f.path AS path FROM r_file f JOIN r_value v ON v.id = f.value;
CREATE VIEW task AS SELECT hash, name, namespace, source FROM r_task;
CREATE VIEW evaluation AS SELECT e.hash AS eval_hash, t.hash AS task_hash, e.args_hash AS args_hash, v.hash AS value_hash
  FROM r_evaluation e JOIN r_task t ON t.id = e.task JOIN r_value v ON v.id = e.value;
CREATE VIEW call_node AS SELECT c.hash AS call_hash,
    CASE t.namespace WHEN '' THEN t.name ELSE t.namespace || '.' || t.name END AS task_name, t.hash AS task_hash,
    e.args_hash AS args_hash, v.hash AS value_hash,
    strftime('%Y-%m-%d %H:%M:%f', c.time / 1000.0, 'unixepoch') AS timestamp
  FROM r_call c JOIN r_evaluation e ON e.id = c.evaluation JOIN r_task t ON t.id = e.task JOIN r_value v ON v.id = c.value;
CREATE VIEW call_edge AS SELECT p.hash AS parent_id, c.hash AS child_id, x.position AS call_order
  FROM r_edge x JOIN r_call p ON p.id = x.parent JOIN r_call c ON c.id = x.child;
CREATE VIEW call_subtree_task AS SELECT c.hash AS call_hash, m.task_hash AS task_hash
  FROM r_call c JOIN r_task_set_member m ON m.task_set = c.task_set;
CREATE VIEW argument AS SELECT c.hash AS call_hash, v.hash AS value_hash,
    CASE WHEN a.key IS NULL THEN a.slot END AS arg_position, a.key AS arg_key
  FROM r_argument a JOIN r_call c ON c.id = a.call JOIN r_value v ON v.id = a.value;
CREATE VIEW argument_result AS SELECT c.hash AS call_hash, CASE WHEN a.key IS NULL THEN a.slot END AS arg_position, a.key AS arg_key,
    r.hash AS result_call_hash
  FROM r_upstream u JOIN r_argument a ON a.call = u.call AND a.slot = u.slot JOIN r_call c ON c.id = u.call JOIN r_call r ON r.id = u.result;
CREATE VIEW execution AS SELECT uuid AS id, args, job AS job_id,
    strftime('%Y-%m-%d %H:%M:%f', updated / 1000.0, 'unixepoch') AS updated_time FROM r_execution;
CREATE VIEW job AS SELECT j.uuid AS id, strftime('%Y-%m-%d %H:%M:%f', j.start / 1000.0, 'unixepoch') AS start_time,
    strftime('%Y-%m-%d %H:%M:%f', j.end / 1000.0, 'unixepoch') AS end_time, t.hash AS task_hash, j.cached AS cached,
    c.hash AS call_hash, p.uuid AS parent_id, x.uuid AS execution_id
  FROM r_job j JOIN r_task t ON t.id = j.task JOIN r_execution x ON x.id = j.execution
  LEFT JOIN r_call c ON c.id = j.call LEFT JOIN r_job p ON p.id = j.parent;
CREATE VIEW tag AS SELECT hash AS tag_hash, entity_type, entity AS entity_id, key, value, is_current FROM r_tag;
CREATE VIEW tag_edit AS SELECT parent AS parent_id, child AS child_id FROM r_tag_edit;
`;

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
    up: version1,
    down: [...version1.matchAll(/CREATE (TABLE|VIEW) (\w+)/g)]
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

/** Version of a store's schema, or null for an empty one. */
export function schemaVersion(driver: SqlDriver): string | null {
  const table = driver.prepare("SELECT 1 AS found FROM sqlite_master WHERE name = 'redun_version'").get();
  if (table === undefined) return null;
  const row = driver.prepare("SELECT version FROM redun_version ORDER BY rowid DESC LIMIT 1").get();
  return row === undefined ? null : String(row.version);
}

/** Whether the store belongs to Python's redun, whose tables have other meanings. */
export function isForeign(driver: SqlDriver): boolean {
  return (
    driver.prepare("SELECT 1 AS found FROM sqlite_master WHERE name = 'alembic_version'").get() !== undefined
  );
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

/** Brings a store to a version, up or down, one transaction a step. */
export function migrate(driver: SqlDriver, target: string): void {
  driver.exec(
    "CREATE TABLE IF NOT EXISTS redun_version(id TEXT PRIMARY KEY, version TEXT NOT NULL, timestamp TEXT NOT NULL)",
  );
  const record = (version: string): void => {
    driver
      .prepare("INSERT INTO redun_version(id, version, timestamp) VALUES (?, ?, ?)")
      .run(crypto.randomUUID(), version, new Date().toISOString());
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

/** Makes sure that a store has the schema that this version works on. */
export function prepareSchema(driver: SqlDriver, place: string, mayMigrate: boolean): void {
  if (isForeign(driver)) {
    throw new BackendVersionError(`Cannot open the store ${place}: it was made by Python's redun`, {
      hint: "Use another folder with -c, or remove that file if it is not needed.",
      fields: { path: place },
    });
  }
  const version = schemaVersion(driver);
  if (version !== null && compare(version, LATEST_VERSION) > 0) {
    throw new BackendVersionError(
      `Cannot open the store ${place}: its version ${version} is too new for this redun, which knows up to ${LATEST_VERSION}`,
      {
        hint: "Upgrade redun, or use another store.",
        fields: { path: place, version },
      },
    );
  }
  if (version === LATEST_VERSION) return;
  if (!mayMigrate && version !== null) {
    throw new BackendVersionError(
      `Cannot open the store ${place}: its version ${version} is older than ${LATEST_VERSION}`,
      {
        hint: "Bring it up to date with `redun db upgrade`.",
        fields: { path: place, version },
      },
    );
  }
  migrate(driver, LATEST_VERSION);
}
