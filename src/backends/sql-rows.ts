import { IdMap } from "./id-map.ts";
import type { SqlDriver, SqlRow } from "./sql-driver.ts";
import { hashKey, uuidKey } from "./sql-keys.ts";

/** A table whose rows are found by a key: a hash or a UUID. */
export type KeyedTable = "r_value" | "r_task" | "r_evaluation" | "r_call" | "r_execution" | "r_job";

const TABLES: readonly KeyedTable[] = ["r_value", "r_task", "r_evaluation", "r_call", "r_execution", "r_job"];

/** The column that is null as long as a row lacks its content. */
const CONTENT: Readonly<Record<KeyedTable, string>> = {
  r_value: "type",
  r_task: "source",
  r_evaluation: "task",
  r_call: "evaluation",
  r_execution: "args",
  r_job: "task",
};

const where = (table: KeyedTable): string =>
  table === "r_execution" || table === "r_job" ? `uuid = ${uuidKey("?1")}` : `hash = ${hashKey("?1")}`;

/** Rows of this many parameters travel in one statement. */
const PARAMETERS = 100;

/**
 * Finds and makes rows by their keys. It owns the memory of which row has which key, and gives out row ids. All of it
 * runs inside the driver's write transactions, so two processes never make two rows of one key.
 */
export class SqlRows {
  readonly db: SqlDriver;
  /** Rows that are there with their content. */
  private readonly known = Object.fromEntries(TABLES.map((table) => [table, new IdMap()])) as Record<
    KeyedTable,
    IdMap
  >;
  private readonly next = {} as Record<KeyedTable, number>;
  private readonly forgetters: (() => void)[] = [];

  constructor(db: SqlDriver) {
    this.db = db;
  }

  /** Runs work in a transaction; where that fails, what it made known of rows is void. */
  transaction<T>(work: () => T): T {
    try {
      return this.db.transaction(() => {
        // Other processes may have added rows since the last time; during the transaction they can't.
        for (const table of TABLES) {
          this.next[table] = 1 + ((this.get(`SELECT max(id) AS id FROM ${table}`)?.id as number | null) ?? 0);
        }
        return work();
      });
    } catch (error) {
      for (const table of TABLES) this.known[table].clear();
      for (const forget of this.forgetters) forget();
      throw error;
    }
  }

  /** Has another memory of rows forgotten along with this one. */
  onForget(forget: () => void): void {
    this.forgetters.push(forget);
  }

  /** @returns how many rows changed */
  run(sql: string, ...params: (string | number | null)[]): number {
    return this.db.prepare(sql).run(...params);
  }

  get(sql: string, ...params: (string | number | null)[]): SqlRow | undefined {
    return this.db.prepare(sql).get(...params);
  }

  /**
   * Inserts rows of one width, many to a statement.
   *
   * @param into - the statement up to its values
   * @param values - all rows, one after another
   */
  insertAll(into: string, width: number, values: readonly (string | number | null)[]): void {
    const row = `(${Array(width).fill("?").join(", ")})`;
    const step = width * Math.floor(PARAMETERS / width);
    let from = 0;
    if (values.length >= step) {
      const many = this.db.prepare(
        `${into} VALUES ${Array(step / width)
          .fill(row)
          .join(", ")}`,
      );
      for (; from + step <= values.length; from += step) many.run(...values.slice(from, from + step));
    }
    const one = this.db.prepare(`${into} VALUES ${row}`);
    for (; from < values.length; from += width) one.run(...values.slice(from, from + width));
  }

  /** Id of a row that is remembered and has its content. */
  knownId(table: KeyedTable, key: string): number | undefined {
    return this.known[table].get(key);
  }

  /** Id of a row, with content or without. */
  find(table: KeyedTable, key: string): number | undefined {
    const known = this.known[table].get(key);
    if (known !== undefined) return known;
    const content = CONTENT[table];
    const row = this.get(`SELECT id, ${content} IS NULL AS empty FROM ${table} WHERE ${where(table)}`, key);
    if (row === undefined) return undefined;
    const id = row.id as number;
    return row.empty === 0 ? this.known[table].set(key, id) : id;
  }

  /** Id of a row with this key; one without content is made if there is none. */
  idOf(table: KeyedTable, key: string): number {
    const known = this.find(table, key);
    if (known !== undefined) return known;
    const id = this.next[table]++;
    if (table === "r_task") {
      this.run("INSERT INTO r_task(id, hash, name, namespace) VALUES (?, unhex(?), '', '')", id, key);
    } else if (table === "r_execution" || table === "r_job") {
      this.run(`INSERT INTO ${table}(id, uuid) VALUES (?1, ${uuidKey("?2")})`, id, key);
    } else this.run(`INSERT INTO ${table}(id, hash) VALUES (?, unhex(?))`, id, key);
    return id;
  }

  /**
   * Puts a row into a table: as a new one, or as the content of one that others referred to.
   *
   * @param insert - inserts unless the key is there, and says how many rows that made
   * @returns whether the content is new; the id is known then and in any case
   */
  put(table: KeyedTable, key: string, insert: (id: number) => number, fill: (id: number) => void): boolean {
    const id = this.next[table];
    if (insert(id) > 0) {
      this.next[table]++;
      this.known[table].set(key, id);
      return true;
    }
    const found = this.find(table, key)!;
    if (this.known[table].get(key) !== undefined) return false;
    fill(found);
    this.known[table].set(key, found);
    return true;
  }
}
