/** The database of the directory as wrangler reaches it, on this machine or at Cloudflare. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { SqlRow, SqlValue } from "../src/backends/sql-driver.ts";
import type { AsyncSql, SqlCall } from "../src/server/async-sql.ts";
import { wrangler, wranglerEnv } from "./dev.ts";

/** Where the database is. */
export interface D1Place {
  /** Whether it is the one at Cloudflare, or that of `wrangler dev` on this machine. */
  readonly remote: boolean;
  /** The folder in which `wrangler dev` keeps what it has, if it is another than `.wrangler/state`. */
  readonly persistTo?: string | undefined;
  /** The configuration of the instance. Default `wrangler.toml` here. */
  readonly config?: string | undefined;
}

/**
 * SQL that runs by `wrangler d1 execute`. Each run takes seconds, so statements gather until something is asked, or
 * until `flush`.
 */
export class D1Command implements AsyncSql {
  readonly #place: D1Place;
  #waiting: SqlCall[] = [];

  constructor(place: D1Place) {
    this.#place = place;
  }

  async batch(calls: readonly SqlCall[]): Promise<void> {
    this.#waiting.push(...calls);
  }

  async all(...call: SqlCall): Promise<readonly SqlRow[]> {
    const calls = [...this.#waiting, call];
    this.#waiting = [];
    return (await this.#run(calls)).at(-1)!;
  }

  /** Runs what has gathered. */
  async flush(): Promise<void> {
    const calls = this.#waiting;
    this.#waiting = [];
    if (calls.length > 0) await this.#run(calls);
  }

  /** @returns the rows of each statement */
  async #run(calls: readonly SqlCall[]): Promise<readonly (readonly SqlRow[])[]> {
    const { remote, persistTo, config } = this.#place;
    const [program, ...first] = wrangler;
    const where = [
      remote ? "--remote" : "--local",
      ...(persistTo === undefined ? [] : ["--persist-to", persistTo]),
      ...(config === undefined ? [] : ["--config", config]),
    ];
    const command = calls.map(literalSql).join(";\n");
    const args = [...first, "d1", "execute", "DB", ...where, "--yes", "--json", "--command", command];
    const { stdout } = await promisify(execFile)(program, args, {
      env: { ...process.env, ...wranglerEnv, NO_COLOR: "1" },
    }).catch((error: { readonly stdout?: string; readonly stderr?: string }) => {
      const told = `${error.stderr ?? ""}${error.stdout ?? ""}`.trim();
      throw new Error(
        `Cannot run SQL in the database of the instance: wrangler says\n${told || String(error)}`,
      );
    });
    return (JSON.parse(stdout) as { results: SqlRow[] }[]).map(({ results }) => results);
  }
}

/** A statement with its parameters written into it. */
export function literalSql([sql, ...params]: SqlCall): string {
  let next = 0;
  return sql.replace(/'(?:[^']|'')*'|\?(\d*)/g, (found, place: string | undefined) => {
    if (place === undefined) return found;
    const value = params[place === "" ? next++ : Number(place) - 1];
    if (value === undefined) throw new Error(`Cannot write the statement: ${found} has no value in ${sql}`);
    return literal(value);
  });
}

function literal(value: SqlValue): string {
  if (value === null) return "NULL";
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return `'${value.replaceAll("'", "''")}'`;
  return `x'${Buffer.from(value).toString("hex")}'`;
}
