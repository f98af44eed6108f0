import { prepareAll, type SqlDriver, type SqlStatement } from "../backends/sql-driver.ts";

/** A file or a folder that was sent. */
export interface NotedUpload {
  /** Below the folder of all; that of a folder ends with a slash. */
  readonly place: string;
  /** Hash of the value that stands for it. */
  readonly hash: string;
  /** In bytes. */
  readonly size: number;
}

const SCHEMA = `
CREATE TABLE IF NOT EXISTS host_upload (
  place TEXT PRIMARY KEY, hash TEXT NOT NULL, size INTEGER NOT NULL, used INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS host_upload_used ON host_upload (used);`;

const STATEMENTS = {
  known: "SELECT hash, size, used FROM host_upload WHERE place = ?",
  sum: "SELECT sum(size) AS size FROM host_upload",
  put: `INSERT INTO host_upload VALUES (?, ?, ?, ?)
    ON CONFLICT (place) DO UPDATE SET hash = excluded.hash, size = excluded.size, used = excluded.used`,
  unused: "SELECT place, hash, size FROM host_upload WHERE used < ? ORDER BY used LIMIT ?",
  remove: "DELETE FROM host_upload WHERE place = ? AND used < ?",
} as const;

const DAY = 86_400_000;

/** What a repository knows of the files that clients have sent: how much they take, and when each was last asked for. */
export class UploadLedger {
  private readonly sql: Record<keyof typeof STATEMENTS, SqlStatement>;
  private readonly now: () => number;
  /** Bytes of all. */
  private total: number;

  /** @param now - the time, in milliseconds since the epoch */
  constructor(db: SqlDriver, now: () => number = Date.now) {
    db.exec(SCHEMA);
    this.sql = prepareAll(db, STATEMENTS);
    this.now = now;
    this.total = Number(this.sql.sum.get()?.size ?? 0);
  }

  /** Bytes of all. */
  get size(): number {
    return this.total;
  }

  /** Notes that one is here, and was asked for now. The time is that of the day, to write little. */
  note({ place, hash, size }: NotedUpload): void {
    const known = this.sql.known.get(place);
    const isNews = known?.hash !== hash || known.size !== size || Number(known.used) < this.now() - DAY;
    if (!isNews) return;
    this.sql.put.run(place, hash, size, this.now());
    this.total += size - Number(known?.size ?? 0);
  }

  /** Some of those that nobody has asked for in a while, which have waited longest first. @param ms - milliseconds */
  unused(ms: number, limit: number): NotedUpload[] {
    return this.sql.unused
      .all(this.now() - ms, limit)
      .map(({ place, hash, size }) => ({ place: String(place), hash: String(hash), size: Number(size) }));
  }

  /** Forgets one, unless somebody has asked for it meanwhile. @returns whether it did */
  forget({ place, size }: NotedUpload, ms: number): boolean {
    const done = this.sql.remove.run(place, this.now() - ms) > 0;
    if (done) this.total -= size;
    return done;
  }
}
