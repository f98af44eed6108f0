import type { AsyncSql } from "./async-sql.ts";

/** The steps from an empty directory to the present one. A step is never changed once it is released. */
const DIRECTORY_MIGRATIONS: readonly (readonly string[])[] = [
  [
    "CREATE TABLE repo (name TEXT PRIMARY KEY, created INTEGER NOT NULL)",
    `CREATE TABLE token (
      id TEXT PRIMARY KEY,
      hash TEXT NOT NULL,
      name TEXT NOT NULL,
      role TEXT NOT NULL,
      repos TEXT,
      created INTEGER NOT NULL,
      expires INTEGER,
      last_used INTEGER
    )`,
    `CREATE TABLE session (
      id TEXT PRIMARY KEY,
      hash TEXT NOT NULL,
      token_id TEXT NOT NULL,
      expires INTEGER NOT NULL
    )`,
    "CREATE INDEX session_token ON session (token_id)",
    "CREATE TABLE failure (client TEXT PRIMARY KEY, count INTEGER NOT NULL, until INTEGER NOT NULL)",
    `CREATE TABLE execution (
      repo TEXT NOT NULL,
      id TEXT NOT NULL,
      task TEXT NOT NULL,
      user TEXT NOT NULL,
      status TEXT NOT NULL,
      created INTEGER NOT NULL,
      ended INTEGER,
      PRIMARY KEY (repo, id)
    )`,
    "CREATE INDEX execution_created ON execution (created, id)",
  ],
];

/** Brings a directory to the present schema. @throws Error if a newer version has written it */
export async function migrateDirectory(sql: AsyncSql): Promise<void> {
  await sql.batch([["CREATE TABLE IF NOT EXISTS directory_version (version INTEGER NOT NULL)"]]);
  const version = await versionOf(sql);
  if (version > DIRECTORY_MIGRATIONS.length) {
    throw new Error(
      `Cannot open the directory: its version ${version} is newer than ${DIRECTORY_MIGRATIONS.length}. Use a newer redun.`,
    );
  }
  for (let next = version; next < DIRECTORY_MIGRATIONS.length; next++) {
    try {
      await sql.batch([
        ...DIRECTORY_MIGRATIONS[next]!.map((step) => [step] as const),
        ["DELETE FROM directory_version"],
        ["INSERT INTO directory_version VALUES (?)", next + 1],
      ]);
    } catch (error) {
      // Others who have the same database may have taken the step meanwhile.
      if ((await versionOf(sql)) <= next) throw error;
    }
  }
}

async function versionOf(sql: AsyncSql): Promise<number> {
  const [row] = await sql.all("SELECT version FROM directory_version");
  return Number(row?.version ?? 0);
}
