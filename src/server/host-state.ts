import { prepareAll, type SqlDriver, type SqlRow, type SqlStatement } from "../backends/sql-driver.ts";
import { isAtLeast } from "../backends/value-size.ts";
import type { StoredPackage } from "../package/types.ts";
import type { ExecutionEvent, HostedRun } from "./execution-types.ts";
import { UploadLedger } from "./upload-ledger.ts";

const SCHEMA = `
CREATE TABLE IF NOT EXISTS host_package (hash TEXT, part INTEGER, data TEXT NOT NULL, PRIMARY KEY (hash, part)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS host_run (
  id TEXT PRIMARY KEY, created INTEGER NOT NULL, status TEXT NOT NULL, data TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS host_run_status ON host_run (status, created);
CREATE INDEX IF NOT EXISTS host_run_created ON host_run (created);
CREATE TABLE IF NOT EXISTS host_key (key TEXT PRIMARY KEY, id TEXT NOT NULL, created INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS host_event (
  run TEXT, last INTEGER, size INTEGER NOT NULL, data TEXT NOT NULL, PRIMARY KEY (run, last)
) WITHOUT ROWID;`;

const STATEMENTS = {
  addPart: "INSERT INTO host_package VALUES (?, ?, ?)",
  parts: "SELECT data FROM host_package WHERE hash = ? ORDER BY part",
  hasPackage: "SELECT 1 AS found FROM host_package WHERE hash = ? LIMIT 1",
  putRun: `INSERT INTO host_run VALUES (?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET status = excluded.status, data = excluded.data`,
  run: "SELECT data FROM host_run WHERE id = ?",
  hasRun: "SELECT 1 AS found FROM host_run WHERE id = ?",
  queued: `SELECT id FROM host_run WHERE status = 'QUEUED' AND (?1 IS NULL OR json_extract(data, '$.task') = ?1)
    ORDER BY created DESC, id DESC`,
  unfinished: "SELECT id FROM host_run WHERE status IN ('QUEUED', 'RUNNING') ORDER BY created, id",
  runs: "SELECT json_remove(data, '$.args', '$.context', '$.outcome') AS data FROM host_run WHERE id IN (SELECT value FROM json_each(?))",
  key: "SELECT id FROM host_key WHERE key = ?",
  addKey: "INSERT OR IGNORE INTO host_key VALUES (?, ?, ?)",
  oldKeys: "DELETE FROM host_key WHERE created < ?",
  addEvents: "INSERT INTO host_event VALUES (?, ?, ?, ?)",
  events: "SELECT data FROM host_event WHERE run = ? AND last > ? ORDER BY last LIMIT ?",
  lastEvent: "SELECT max(last) AS last FROM host_event WHERE run = ?",
  eventRuns: `SELECT run, sum(size) AS size, max(created) AS created FROM host_event
    JOIN host_run ON host_run.id = run WHERE status NOT IN ('QUEUED', 'RUNNING') GROUP BY run ORDER BY created DESC`,
  eventSize: "SELECT sum(size) AS size FROM host_event",
  removeEvents: "DELETE FROM host_event WHERE run = ?",
} as const;

/** Characters in a row at most; a Durable Object's rows hold 2 MB, and a character up to three bytes. */
const PART = 600_000;
/** Bytes of the shortest event that is not kept. */
const LONGEST_EVENT = 1_900_000;
const DAY = 86_400_000;
/** Characters of events that are kept. */
const EVENTS_KEPT = 256_000_000;

/** A run without what may be large. */
export type RunSummary = Omit<HostedRun, "args" | "context" | "outcome">;

/** Options of {@link HostState}. */
export interface HostStateOptions {
  /** Characters of events that are kept. Default 256 million. */
  readonly eventsKept?: number | undefined;
}

/**
 * What a hosted repository must remember beside its store: code packages, what was asked of it and how that ended, and
 * the events that clients have not seen yet. It lives in a database of its own, or beside the store's tables.
 */
export class HostState {
  private readonly db: SqlDriver;
  private readonly sql: Record<keyof typeof STATEMENTS, SqlStatement>;
  private readonly eventsKept: number;
  readonly uploads: UploadLedger;
  /** Characters of the events that are stored. */
  private eventSize: number;

  constructor(db: SqlDriver, { eventsKept = EVENTS_KEPT }: HostStateOptions = {}) {
    this.db = db;
    this.eventsKept = eventsKept;
    db.exec(SCHEMA);
    this.sql = prepareAll(db, STATEMENTS);
    this.uploads = new UploadLedger(db);
    this.eventSize = Number(this.sql.eventSize.get()?.size ?? 0);
  }

  hasPackage(hash: string): boolean {
    return this.sql.hasPackage.get(hash) !== undefined;
  }

  package(hash: string): StoredPackage | undefined {
    const parts = this.sql.parts.all(hash).map(({ data }) => String(data));
    return parts.length === 0 ? undefined : (JSON.parse(parts.join("")) as StoredPackage);
  }

  /** Keeps a package. One that is here stays as it is, with its source map, which the hash does not cover. */
  addPackage({ hash, code, manifest, map }: StoredPackage): void {
    const text = JSON.stringify({ hash, code, manifest, ...(map === undefined ? {} : { map }) });
    this.db.transaction(() => {
      if (this.hasPackage(hash)) return;
      for (const [i, part] of [...partsOf(text)].entries()) this.sql.addPart.run(hash, i, part);
    });
  }

  /** Adds or replaces a run. */
  putRun(run: HostedRun): void {
    this.sql.putRun.run(run.id, run.created, run.status, JSON.stringify(run));
  }

  /**
   * Adds a run, unless its idempotency key or its id is taken.
   *
   * @returns the id of the run that has the key; `undefined` if another one has the id
   */
  addRun(run: HostedRun, key: string | undefined): string | undefined {
    return this.db.transaction(() => {
      const known = key === undefined ? undefined : this.runOfKey(key);
      if (known !== undefined) return known;
      if (this.sql.hasRun.get(run.id) !== undefined) return undefined;
      if (key !== undefined) {
        this.sql.oldKeys.run(run.created - DAY);
        this.sql.addKey.run(key, run.id, run.created);
      }
      this.putRun(run);
      return run.id;
    });
  }

  runOfKey(key: string): string | undefined {
    const row = this.sql.key.get(key);
    return row === undefined ? undefined : String(row.id);
  }

  run(id: string): HostedRun | undefined {
    const row = this.sql.run.get(id);
    return row === undefined ? undefined : parseRun(row);
  }

  /** Runs as lists show them. */
  runs(ids: readonly string[]): Map<string, RunSummary> {
    const rows = this.sql.runs.all(JSON.stringify(ids)).map(parseRun);
    return new Map(rows.map((run) => [run.id, run]));
  }

  /** Ids of those that wait, newest first. @param task - only those of the task with this fullname */
  queued(task: string | undefined): string[] {
    return this.sql.queued.all(task ?? null).map(({ id }) => String(id));
  }

  /** Ids of those that have not ended, oldest first. */
  unfinished(): string[] {
    return this.sql.unfinished.all().map(({ id }) => String(id));
  }

  /** Stores events of a run, which follow those that are there, and together with them how it ended, if it did. */
  addEvents(run: string, events: readonly ExecutionEvent[], ended?: HostedRun): void {
    this.db.transaction(() => {
      if (ended !== undefined) this.putRun(ended);
      for (const chunk of chunksOf(events)) {
        const data = JSON.stringify(chunk);
        this.sql.addEvents.run(run, chunk.at(-1)!.seq, data.length, data);
        this.eventSize += data.length;
      }
    });
  }

  /** Events of a run after a number, some at a time. */
  events(run: string, after: number): ExecutionEvent[] {
    const rows = this.sql.events.all(run, after, 20);
    const events = rows.flatMap(({ data }) => JSON.parse(String(data)) as ExecutionEvent[]);
    return events.filter(({ seq }) => seq > after);
  }

  lastEvent(run: string): number {
    return Number(this.sql.lastEvent.get(run)?.last ?? 0);
  }

  /** Removes the events of the oldest executions that have ended, as far as there are too many. */
  pruneEvents(): void {
    if (this.eventSize <= this.eventsKept) return;
    const rows = this.sql.eventRuns.all();
    // The table is read through for this, so there has to be room for a while.
    const most = this.eventsKept * 0.8;
    for (let row = rows.pop(); row !== undefined && this.eventSize > most; row = rows.pop()) {
      this.sql.removeEvents.run(row.run!);
      this.eventSize -= Number(row.size);
    }
  }
}

const parseRun = ({ data }: SqlRow): HostedRun => JSON.parse(String(data)) as HostedRun;

/** So many events go into a row, unless they are long. */
const CHUNK = 500;

function* chunksOf(events: readonly ExecutionEvent[]): Generator<readonly ExecutionEvent[]> {
  let chunk: ExecutionEvent[] = [];
  let size = 0;
  for (const given of events) {
    const text = JSON.stringify(given);
    // If no row can hold it, those that come after it would wait for ever.
    const isTooLong = isAtLeast(text, LONGEST_EVENT);
    const event = isTooLong ? unkept(given) : given;
    const length = isTooLong ? 0 : text.length;
    if (chunk.length > 0 && (size + length > PART || chunk.length === CHUNK)) {
      yield chunk;
      chunk = [];
      size = 0;
    }
    chunk.push(event);
    size += length;
  }
  if (chunk.length > 0) yield chunk;
}

const unkept = ({ seq, time, type }: ExecutionEvent): ExecutionEvent => ({
  ...{ seq, time, type: "warning", code: "long-event" },
  message: `An event of the type ${type} was too long to be kept.`,
});

/** Cuts a text for rows, never inside of a character of two units, since SQLite would replace its halves. */
function* partsOf(text: string): Generator<string> {
  for (let from = 0, to: number; from < text.length; from = to) {
    to = from + PART;
    const unit = text.charCodeAt(to - 1);
    if (unit >= 0xd800 && unit < 0xdc00) to--;
    yield text.slice(from, to);
  }
}
