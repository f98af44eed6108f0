import type { TaskRecord, ValueRecord } from "../backend/records.ts";
import { type ImportedValue, splitFullname, taskValue, type ValueRef } from "./record-store.ts";
import { prepareAll, type SqlStatement } from "./sql-driver.ts";
import type { SqlRows } from "./sql-rows.ts";
import { checkValueSize, isAtLeast } from "./value-size.ts";

const STATEMENTS = {
  insert:
    "INSERT INTO r_value(id, hash, type, format, text) VALUES (?, unhex(?), ?, ?, ?) ON CONFLICT(hash) DO NOTHING",
  fill: "UPDATE r_value SET type = ?, format = ?, text = ? WHERE id = ?",
  file: "INSERT OR IGNORE INTO r_file(value, path) VALUES (?, ?)",
  part: "INSERT OR IGNORE INTO r_subvalue(parent, value) VALUES (?, ?)",
  name: "INSERT OR IGNORE INTO r_name(name) VALUES (?)",
  findName: "SELECT id FROM r_name WHERE name = ?",
  task: `INSERT INTO r_task(id, hash, name, namespace, source, version, doc, parameters)
    VALUES (?, unhex(?), ?, ?, ?, ?, ?, ?) ON CONFLICT(hash) DO NOTHING`,
  fillTask:
    "UPDATE r_task SET name = ?, namespace = ?, source = ?, version = ?, doc = ?, parameters = ? WHERE id = ?",
  nameTask: "UPDATE r_task SET name = ?, namespace = ? WHERE id = ? AND source IS NULL",
} as const;

/** What is read in place of a text that is in the value store, not in its row. No encoding is empty. */
export const ELSEWHERE = "";

/** Which sizes of values are stored, and where; in bytes of their encoding. */
export interface ValueSizes {
  /** The largest. */
  readonly max: number;
  /** The smallest that a value store has already, so that the row is without. */
  readonly elsewhere: number;
}

/** Writes values and tasks. */
export class SqlValues {
  private readonly rows: SqlRows;
  private readonly sql: Record<keyof typeof STATEMENTS, SqlStatement>;
  private readonly sizes: ValueSizes;
  private readonly names = new Map<string, number>();

  constructor(rows: SqlRows, sizes: ValueSizes) {
    this.rows = rows;
    this.sql = prepareAll(rows.db, STATEMENTS);
    this.sizes = sizes;
    rows.onForget(() => this.names.clear());
  }

  private name(text: string): number {
    const known = this.names.get(text);
    if (known !== undefined) return known;
    this.sql.name.run(text);
    const id = this.sql.findName.get(text)!.id as number;
    this.names.set(text, id);
    return id;
  }

  /** Id of a value, which is stored if it is given whole. */
  id(value: ValueRef): number {
    return typeof value === "string" ? this.rows.idOf("r_value", value) : this.write(value);
  }

  write(record: ValueRecord): number {
    const { hash, subvalues } = record;
    const known = this.rows.knownId("r_value", hash);
    if (known !== undefined) return known;
    const isNew = this.put(record);
    const id = this.rows.knownId("r_value", hash)!;
    if (isNew && subvalues !== undefined) {
      for (const part of subvalues) this.part(id, this.write(part));
    }
    return id;
  }

  /** @returns whether the value is new */
  import({ hash, type, format, text, file, subvalues }: ImportedValue): boolean {
    if (this.rows.knownId("r_value", hash) !== undefined) return false;
    if (!this.put({ hash, type, format, text, file })) return false;
    for (const part of subvalues) this.part(this.rows.idOf("r_value", hash), this.rows.idOf("r_value", part));
    return true;
  }

  private part(value: number, part: number): void {
    this.sql.part.run(value, part);
  }

  private put({ hash, type, format, text: whole, file }: ValueRecord): boolean {
    checkValueSize(type, whole, this.sizes.max);
    const text = isAtLeast(whole, this.sizes.elsewhere) ? null : whole;
    const [typeId, formatId] = [this.name(type), this.name(format)];
    let id = this.rows.nextId("r_value");
    if (this.sql.insert.run(id, hash, typeId, formatId, text) > 0) this.rows.added("r_value", hash);
    else {
      const vacant = this.rows.vacant("r_value", hash);
      if (vacant === undefined) return false;
      this.sql.fill.run(typeId, formatId, text, vacant);
      id = vacant;
    }
    if (file !== undefined) this.sql.file.run(id, file);
    return true;
  }

  task(record: TaskRecord): void {
    const { hash, name, namespace, source, version = null, doc = null } = record;
    if (this.rows.knownId("r_task", hash) !== undefined) return;
    const parameters = JSON.stringify(record.parameters);
    this.write(taskValue(record));
    const content = [name, namespace, source, version, doc, parameters];
    if (this.sql.task.run(this.rows.nextId("r_task"), hash, ...content) > 0) {
      this.rows.added("r_task", hash);
      return;
    }
    const vacant = this.rows.vacant("r_task", hash);
    if (vacant !== undefined) this.sql.fillTask.run(...content, vacant);
  }

  /** Id of a task; one that is not there, or not yet, has at least the name that its call has. */
  taskOfCall(hash: string, fullname: string): number {
    const known = this.rows.knownId("r_task", hash);
    if (known !== undefined) return known;
    const id = this.rows.idOf("r_task", hash);
    const { name, namespace } = splitFullname(fullname);
    this.sql.nameTask.run(name, namespace, id);
    return id;
  }
}
