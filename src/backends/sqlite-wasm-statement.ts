import type { Database, PreparedStatement, Sqlite3Static } from "@sqlite.org/sqlite-wasm";
import type { SqlRow, SqlStatement, SqlValue } from "./sql-driver.ts";

/** The functions of SQLite itself. Its JavaScript wrappers take longer to check and convert than it takes to work. */
interface Exports {
  sqlite3_bind_null(statement: number, index: number): number;
  sqlite3_bind_int(statement: number, index: number, value: number): number;
  sqlite3_bind_int64(statement: number, index: number, value: bigint): number;
  sqlite3_bind_double(statement: number, index: number, value: number): number;
  sqlite3_bind_text(statement: number, index: number, at: number, length: number, free: number): number;
  sqlite3_bind_blob(statement: number, index: number, at: number, length: number, free: number): number;
  sqlite3_step(statement: number): number;
  sqlite3_reset(statement: number): number;
  sqlite3_changes(db: number): number;
  sqlite3_column_type(statement: number, column: number): number;
  sqlite3_column_double(statement: number, column: number): number;
  sqlite3_column_text(statement: number, column: number): number;
  sqlite3_column_blob(statement: number, column: number): number;
  sqlite3_column_bytes(statement: number, column: number): number;
}

const ROW = 100;
const DONE = 101;
/** Has SQLite copy what it is given before the call ends. */
const TRANSIENT = -1;
const [INTEGER, FLOAT, TEXT, BLOB] = [1, 2, 3, 4];

/** Bytes that stay reserved for parameters on their way to SQLite. */
const SCRATCH = 1 << 16;

/** SQLite's memory and functions, for the statements of one connection. */
export class WasmMemory {
  readonly exports: Exports;
  private readonly wasm: Sqlite3Static["wasm"];
  private readonly scratch: number;
  private heap: Uint8Array | undefined = undefined;
  private target: Uint8Array = new Uint8Array();
  private readonly encoder = new TextEncoder();
  /** A byte order mark is part of the text. */
  private readonly decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  constructor({ wasm }: Sqlite3Static) {
    this.wasm = wasm;
    this.exports = wasm.exports as unknown as Exports;
    this.scratch = Number(wasm.alloc(SCRATCH));
  }

  /** Has a function use text, as UTF-8 at an address. */
  withText<T>(text: string, use: (at: number, length: number) => T): T {
    // No character takes more than three bytes for each of its units.
    if (text.length * 3 > SCRATCH) return this.withBytes(this.encoder.encode(text), use);
    const heap = this.wasm.heap8u();
    // The memory is another one when it has grown.
    if (heap !== this.heap) {
      this.heap = heap;
      this.target = heap.subarray(this.scratch, this.scratch + SCRATCH);
    }
    return use(this.scratch, this.encoder.encodeInto(text, this.target).written);
  }

  /** Has a function use bytes at an address. */
  withBytes<T>(bytes: Uint8Array, use: (at: number, length: number) => T): T {
    const at = bytes.length <= SCRATCH ? this.scratch : Number(this.wasm.alloc(bytes.length));
    try {
      this.wasm.heap8u().set(bytes, at);
      return use(at, bytes.length);
    } finally {
      if (at !== this.scratch) this.wasm.dealloc(at);
    }
  }

  text(at: number, length: number): string {
    return this.decoder.decode(this.wasm.heap8u().subarray(at, at + length));
  }

  bytes(at: number, length: number): Uint8Array {
    return this.wasm.heap8u().slice(at, at + length);
  }

  free(): void {
    this.wasm.dealloc(this.scratch);
  }
}

/** A prepared statement of SQLite's WebAssembly. */
export class WasmStatement implements SqlStatement {
  private readonly memory: WasmMemory;
  private readonly db: Database;
  private readonly statement: PreparedStatement;
  private readonly failed: (error: unknown, verb: string) => unknown;
  private readonly pointer: number;
  private readonly columns: readonly string[];

  /** @param failed - the error to throw for one of SQLite's */
  constructor(
    memory: WasmMemory,
    db: Database,
    statement: PreparedStatement,
    failed: (error: unknown, verb: string) => unknown,
  ) {
    this.memory = memory;
    this.db = db;
    this.statement = statement;
    this.failed = failed;
    this.pointer = Number(statement.pointer);
    this.columns = statement.columnCount === 0 ? [] : statement.getColumnNames();
  }

  all(...params: readonly SqlValue[]): SqlRow[] {
    return this.use("read", params, () => {
      const rows: SqlRow[] = [];
      while (this.step()) rows.push(this.row());
      return rows;
    });
  }

  get(...params: readonly SqlValue[]): SqlRow | undefined {
    return this.use("read", params, () => (this.step() ? this.row() : undefined));
  }

  run(...params: readonly SqlValue[]): number {
    return this.use("write", params, () => {
      while (this.step());
      return this.memory.exports.sqlite3_changes(Number(this.db.pointer));
    });
  }

  finalize(): void {
    this.statement.finalize();
  }

  private use<T>(verb: string, params: readonly SqlValue[], work: () => T): T {
    try {
      for (let i = 0; i < params.length; i++) this.check(this.bind(i + 1, params[i]!));
      return work();
    } catch (error) {
      throw this.failed(error, verb);
    } finally {
      // What it returns is the error that was thrown already.
      this.memory.exports.sqlite3_reset(this.pointer);
    }
  }

  private bind(index: number, value: SqlValue): number {
    const { pointer, memory } = this;
    const { exports } = memory;
    if (typeof value === "string") {
      return memory.withText(value, (at, length) =>
        exports.sqlite3_bind_text(pointer, index, at, length, TRANSIENT),
      );
    }
    if (value === null) return exports.sqlite3_bind_null(pointer, index);
    if (typeof value === "number") {
      if (value === (value | 0)) return exports.sqlite3_bind_int(pointer, index, value);
      if (Number.isSafeInteger(value)) return exports.sqlite3_bind_int64(pointer, index, BigInt(value));
      return exports.sqlite3_bind_double(pointer, index, value);
    }
    return memory.withBytes(value, (at, length) =>
      exports.sqlite3_bind_blob(pointer, index, at, length, TRANSIENT),
    );
  }

  /** @returns whether there is a row */
  private step(): boolean {
    const code = this.memory.exports.sqlite3_step(this.pointer);
    if (code === ROW) return true;
    if (code !== DONE) this.check(code);
    return false;
  }

  private row(): SqlRow {
    const row: Record<string, SqlValue> = {};
    for (let i = 0; i < this.columns.length; i++) row[this.columns[i]!] = this.column(i);
    return row;
  }

  private column(index: number): SqlValue {
    const { pointer, memory } = this;
    const { exports } = memory;
    switch (exports.sqlite3_column_type(pointer, index)) {
      case INTEGER:
      case FLOAT:
        return exports.sqlite3_column_double(pointer, index);
      case TEXT: {
        const at = exports.sqlite3_column_text(pointer, index);
        return memory.text(at, exports.sqlite3_column_bytes(pointer, index));
      }
      case BLOB: {
        const at = exports.sqlite3_column_blob(pointer, index);
        return memory.bytes(at, exports.sqlite3_column_bytes(pointer, index));
      }
      default:
        return null;
    }
  }

  private check(code: number): void {
    if (code !== 0) this.db.checkRc(code);
  }
}
