import type { SqlRow } from "../backends/sql-driver.ts";
import { ApiError } from "./api-error.ts";
import type { AsyncSql } from "./async-sql.ts";
import { migrateDirectory } from "./directory-schema.ts";
import { makeSecret, matchesHash, readSecret } from "./secrets.ts";

/** What a token's owner may do: each role may what the ones before it may. */
export const ROLES = ["viewer", "runner", "admin"] as const;
export type Role = (typeof ROLES)[number];

/** Who asks. */
export interface Principal {
  readonly tokenId: string;
  /** The token's name. */
  readonly name: string;
  readonly role: Role;
  /** Names of the repositories that it may use; `null` is all. */
  readonly repos: readonly string[] | null;
}

/** A token as administrators see it. Times are milliseconds since the epoch. */
export interface TokenInfo {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly repos: readonly string[] | null;
  readonly created: number;
  readonly expires: number | null;
  /** To the minute. */
  readonly lastUsed: number | null;
}

export interface NewToken {
  readonly name: string;
  readonly role: Role;
  readonly repos?: readonly string[] | null | undefined;
  /** When it ends, in milliseconds since the epoch. */
  readonly expires?: number | null | undefined;
}

/** One line of the index of executions of all repositories. */
export interface IndexedExecution {
  readonly repo: string;
  readonly id: string;
  readonly task: string;
  readonly user: string;
  readonly status: string;
  readonly created: number;
  readonly ended: number | null;
}

/** Options of {@link Directory.listExecutions}. */
export interface ExecutionListQuery {
  /** Only of these repositories. */
  readonly repos: readonly string[] | null;
  readonly status?: string | undefined;
  readonly limit: number;
  /** The last line of the page before. */
  readonly after?: { readonly created: number; readonly id: string } | undefined;
}

const SESSION_DAYS = 14;
const DAY = 86_400_000;
const MINUTE = 60_000;
/** So many failed attempts has a client in a while before it must wait. */
const MOST_FAILURES = 20;
const FAILURE_WINDOW = 10 * MINUTE;

/** Whether a role may do what another may. */
export function hasRole(principal: Principal, role: Role): boolean {
  return ROLES.indexOf(principal.role) >= ROLES.indexOf(role);
}

/** Whether a token is for a repository. */
export function mayUse({ repos }: Principal, repo: string): boolean {
  return repos === null || repos.includes(repo);
}

/** Name of the repository that an instance has from the beginning. */
export const DEFAULT_REPO = "default";

/** Names are parts of addresses and of paths, so few characters are allowed. */
export const REPO_NAME: RegExp = /^[a-z0-9][a-z0-9_-]{0,62}$/;

/**
 * What a hosted instance knows beside its repositories: which there are, who may use them, and an index of all
 * executions. It keeps no secret, only hashes.
 */
export class Directory {
  private readonly sql: AsyncSql;
  private readonly now: () => number;
  /** Repositories that were found, to be asked for once. One may have been removed elsewhere since. */
  private readonly known = new Set<string>();

  /** @param now - the time, in milliseconds since the epoch */
  constructor(sql: AsyncSql, now: () => number = Date.now) {
    this.sql = sql;
    this.now = now;
  }

  /** Brings the database up to date. */
  load(): Promise<void> {
    return migrateDirectory(this.sql);
  }

  async listRepos(): Promise<{ name: string; created: number }[]> {
    const rows = await this.sql.all("SELECT name, created FROM repo ORDER BY name");
    return rows.map((row) => ({ name: String(row.name), created: Number(row.created) }));
  }

  async hasRepo(name: string): Promise<boolean> {
    if (this.known.has(name)) return true;
    const has = await this.lists(name);
    if (has) this.known.add(name);
    return has;
  }

  /** Whether there is a repository of this name now. */
  async lists(name: string): Promise<boolean> {
    return (await this.sql.all("SELECT 1 FROM repo WHERE name = ?", name)).length > 0;
  }

  /** @returns whether it is new */
  async createRepo(name: string): Promise<boolean> {
    if (!REPO_NAME.test(name)) {
      throw new ApiError(400, "invalid-repo-name", `Cannot create the repository ${JSON.stringify(name)}`, {
        hint: "Use lower-case letters, digits, - and _, beginning with a letter or digit; at most 63 characters.",
      });
    }
    if (await this.lists(name)) return false;
    await this.sql.batch([["INSERT OR IGNORE INTO repo VALUES (?, ?)", name, this.now()]]);
    return true;
  }

  /** Takes a repository off the list, with what is known of its executions, and out of the tokens that were for it. */
  async removeRepo(name: string): Promise<void> {
    this.known.delete(name);
    const forItAlone = `repos <> '[]' AND NOT EXISTS (SELECT 1 FROM json_each(repos) WHERE value <> ?1)`;
    await this.sql.batch([
      ["DELETE FROM repo WHERE name = ?", name],
      ["DELETE FROM execution WHERE repo = ?", name],
      [`DELETE FROM session WHERE token_id IN (SELECT id FROM token WHERE ${forItAlone})`, name],
      [`DELETE FROM token WHERE ${forItAlone}`, name],
      [
        `UPDATE token SET repos = (SELECT json_group_array(value) FROM json_each(repos) WHERE value <> ?1)
        WHERE EXISTS (SELECT 1 FROM json_each(repos) WHERE value = ?1)`,
        name,
      ],
    ]);
  }

  /**
   * Makes a token.
   *
   * @returns its text, which is never shown again
   * @throws ApiError if the name has control characters, which would forge lines of logs
   */
  async createToken({ name, role, repos, expires }: NewToken): Promise<{ token: string; info: TokenInfo }> {
    if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(name)) {
      throw new ApiError(400, "invalid-token-name", `Cannot create the token ${JSON.stringify(name)}`, {
        hint: "Use a name without line breaks and other control characters.",
      });
    }
    const { id, hash, text } = await makeSecret("redun");
    const scope = repos == null ? null : JSON.stringify(repos);
    const created = this.now();
    await this.sql.batch([
      [
        "INSERT INTO token (id, hash, name, role, repos, created, expires) VALUES (?, ?, ?, ?, ?, ?, ?)",
        ...[id, hash, name, role, scope, created, expires ?? null],
      ],
    ]);
    const info = { id, name, role, repos: repos ?? null, created, expires: expires ?? null, lastUsed: null };
    return { token: text, info };
  }

  async listTokens(): Promise<TokenInfo[]> {
    return (await this.sql.all("SELECT * FROM token ORDER BY created, id")).map(tokenInfo);
  }

  /** Takes a token back, with its sessions. @returns whether there was one */
  async revokeToken(id: string): Promise<boolean> {
    if ((await this.sql.all("SELECT 1 FROM token WHERE id = ?", id)).length === 0) return false;
    await this.sql.batch([
      ["DELETE FROM session WHERE token_id = ?", id],
      ["DELETE FROM token WHERE id = ?", id],
    ]);
    return true;
  }

  /** Who has a token. @returns nothing if it is none, or is over */
  async authenticate(text: string): Promise<Principal | undefined> {
    const read = readSecret("redun", text);
    if (read === undefined) return undefined;
    const [row] = await this.sql.all("SELECT * FROM token WHERE id = ?", read.id);
    // Without a row the work is the same, so that the time does not tell which ids there are.
    const matches = await matchesHash(read.secret, String(row?.hash ?? ""));
    return row === undefined || !matches ? undefined : this.principalOf(row);
  }

  /** Which of some tokens are valid, and for a repository. */
  async allowedTokens(ids: readonly string[], repo: string): Promise<Set<string>> {
    const rows = await this.sql.all(
      `SELECT id FROM token WHERE id IN (SELECT value FROM json_each(?1)) AND (expires IS NULL OR expires > ?2)
        AND (repos IS NULL OR EXISTS (SELECT 1 FROM json_each(repos) WHERE value = ?3))`,
      ...[JSON.stringify(ids), this.now(), repo],
    );
    return new Set(rows.map(({ id }) => String(id)));
  }

  private async principalOf(row: SqlRow): Promise<Principal | undefined> {
    const { id, name, role, repos, expires, lastUsed } = tokenInfo(row);
    const now = this.now();
    if (expires !== null && expires <= now) return undefined;
    if (lastUsed === null || now - lastUsed >= MINUTE)
      await this.sql.batch([["UPDATE token SET last_used = ? WHERE id = ?", now, id]]);
    return { tokenId: id, name, role, repos };
  }

  /** Begins a session of a token's owner. @returns its secret, and when it ends */
  async createSession(tokenId: string): Promise<{ session: string; expires: number }> {
    const { id, hash, text } = await makeSecret("session");
    const expires = this.now() + SESSION_DAYS * DAY;
    await this.sql.batch([
      ["DELETE FROM session WHERE expires <= ?", this.now()],
      ["INSERT INTO session VALUES (?, ?, ?, ?)", id, hash, tokenId, expires],
    ]);
    return { session: text, expires };
  }

  async sessionOwner(text: string): Promise<Principal | undefined> {
    const read = readSecret("session", text);
    if (read === undefined) return undefined;
    const [row] = await this.sql.all("SELECT hash, token_id, expires FROM session WHERE id = ?", read.id);
    const matches = await matchesHash(read.secret, String(row?.hash ?? ""));
    if (row === undefined || !matches || Number(row.expires) <= this.now()) return undefined;
    const [token] = await this.sql.all("SELECT * FROM token WHERE id = ?", row.token_id!);
    return token === undefined ? undefined : this.principalOf(token);
  }

  async endSession(text: string): Promise<void> {
    const read = readSecret("session", text);
    if (read !== undefined) await this.sql.batch([["DELETE FROM session WHERE id = ?", read.id]]);
  }

  /** For how many milliseconds a client must wait that failed to sign in too often; 0 if it need not. */
  async waitOf(client: string): Promise<number> {
    const [row] = await this.sql.all("SELECT count, until FROM failure WHERE client = ?", client);
    if (row === undefined || Number(row.count) < MOST_FAILURES) return 0;
    return Math.max(0, Number(row.until) - this.now());
  }

  async countFailure(client: string): Promise<void> {
    const now = this.now();
    await this.sql.batch([
      ["DELETE FROM failure WHERE until <= ?", now],
      [
        "INSERT INTO failure VALUES (?, 1, ?) ON CONFLICT (client) DO UPDATE SET count = count + 1",
        client,
        now + FAILURE_WINDOW,
      ],
    ]);
  }

  recordExecution(execution: IndexedExecution): Promise<void> {
    return this.recordExecutions([execution]);
  }

  /** Adds executions to the index, or brings their lines up to date; all or none. */
  async recordExecutions(executions: readonly IndexedExecution[]): Promise<void> {
    await this.sql.batch(
      executions.map(({ repo, id, task, user, status, created, ended }) => [
        `INSERT INTO execution VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (repo, id) DO UPDATE SET status = excluded.status, ended = excluded.ended`,
        ...[repo, id, task, user, status, created, ended],
      ]),
    );
  }

  /** Ids of a repository's executions that have not ended, as far as the index knows. */
  async unfinished(repo: string): Promise<string[]> {
    const sql = "SELECT id FROM execution WHERE repo = ? AND status IN ('QUEUED', 'RUNNING')";
    return (await this.sql.all(sql, repo)).map(({ id }) => String(id));
  }

  /** Newest first. */
  async listExecutions({ repos, status, limit, after }: ExecutionListQuery): Promise<IndexedExecution[]> {
    const rows = await this.sql.all(
      `SELECT * FROM execution
      WHERE (?1 IS NULL OR repo IN (SELECT value FROM json_each(?1)))
        AND (?2 IS NULL OR status = ?2)
        AND (?3 IS NULL OR (created, id) < (?3, ?4))
      ORDER BY created DESC, id DESC LIMIT ?5`,
      repos === null ? null : JSON.stringify(repos),
      status ?? null,
      after?.created ?? null,
      after?.id ?? null,
      limit,
    );
    return rows.map((row) => ({
      repo: String(row.repo),
      id: String(row.id),
      task: String(row.task),
      user: String(row.user),
      status: String(row.status),
      created: Number(row.created),
      ended: row.ended == null ? null : Number(row.ended),
    }));
  }
}

function tokenInfo(row: SqlRow): TokenInfo {
  const time = (value: unknown): number | null => (value == null ? null : Number(value));
  return {
    id: String(row.id),
    name: String(row.name),
    role: row.role as Role,
    repos: row.repos == null ? null : (JSON.parse(String(row.repos)) as string[]),
    created: Number(row.created),
    expires: time(row.expires),
    lastUsed: time(row.last_used),
  };
}
