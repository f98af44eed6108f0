import { IdMap } from "./id-map.ts";
import type { SqlDriver, SqlStatement } from "./sql-driver.ts";
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

/** Prepared statements of a table. */
interface TableStatements {
  readonly last: SqlStatement;
  readonly find: SqlStatement;
  /** Makes a row without content. */
  readonly reserve: SqlStatement;
}

function statementsOf(db: SqlDriver, table: KeyedTable): TableStatements {
  const isUuid = table === "r_execution" || table === "r_job";
  const [column, key] = isUuid ? ["uuid", uuidKey] : ["hash", hashKey];
  const reserve =
    table === "r_task"
      ? `INSERT INTO r_task(id, hash, name, namespace) VALUES (?1, ${key("?2")}, '', '')`
      : `INSERT INTO ${table}(id, ${column}) VALUES (?1, ${key("?2")})`;
  return {
    last: db.prepare(`SELECT max(id) AS id FROM ${table}`),
    find: db.prepare(
      `SELECT id, ${CONTENT[table]} IS NULL AS empty FROM ${table} WHERE ${column} = ${key("?1")}`,
    ),
    reserve: db.prepare(reserve),
  };
}

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
  private readonly statements: Record<KeyedTable, TableStatements>;
  private readonly next = {} as Record<KeyedTable, number>;
  private readonly forgetters: (() => void)[] = [];

  /** @param db - a database that has the tables */
  constructor(db: SqlDriver) {
    this.db = db;
    this.statements = Object.fromEntries(TABLES.map((table) => [table, statementsOf(db, table)])) as Record<
      KeyedTable,
      TableStatements
    >;
  }

  /** Runs work in a transaction; where that fails, what it made known of rows is void. */
  transaction<T>(work: () => T): T {
    try {
      return this.db.transaction(() => {
        // Other processes may have added rows since the last time; during the transaction they can't.
        for (const table of TABLES) {
          this.next[table] = 1 + ((this.statements[table].last.get()?.id as number | null) ?? 0);
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
    const row = this.statements[table].find.get(key);
    if (row === undefined) return undefined;
    const id = row.id as number;
    return row.empty === 0 ? this.known[table].set(key, id) : id;
  }

  /** Id of a row with this key; one without content is made if there is none. */
  idOf(table: KeyedTable, key: string): number {
    const known = this.find(table, key);
    if (known !== undefined) return known;
    const id = this.next[table]++;
    this.statements[table].reserve.run(id, key);
    return id;
  }

  /** The id for a row that is about to be inserted, unless its key is there. */
  nextId(table: KeyedTable): number {
    return this.next[table];
  }

  /** Remembers that the row with {@link nextId} was inserted. */
  added(table: KeyedTable, key: string): number {
    return this.known[table].set(key, this.next[table]++);
  }

  /** Id of a row that is there and still lacks its content, which the caller now adds; or nothing. */
  vacant(table: KeyedTable, key: string): number | undefined {
    const id = this.find(table, key)!;
    if (this.known[table].get(key) !== undefined) return undefined;
    return this.known[table].set(key, id);
  }
}
