import type { JobEndRecord, JobRecord, RecordBatch } from "../backend/records.ts";
import type { ImportBatch, ImportedExecution } from "./record-store.ts";
import { SqlCalls } from "./sql-calls.ts";
import { prepareAll, type SqlDriver, type SqlStatement } from "./sql-driver.ts";
import { uuidKey } from "./sql-keys.ts";
import { SqlRows } from "./sql-rows.ts";
import { writeTag } from "./sql-tags.ts";
import { SqlValues, type ValueSizes } from "./sql-values.ts";

const STATEMENTS = {
  execution: `INSERT INTO r_execution(id, uuid, args, job, updated) VALUES (?1, ${uuidKey("?2")}, ?3, ?4, ?5)
    ON CONFLICT(uuid) DO NOTHING`,
  fillExecution: "UPDATE r_execution SET args = ?, job = ?, updated = ? WHERE id = ?",
  job: `INSERT INTO r_job(id, uuid, execution, parent, task, start_time, end_time, cached, call)
    VALUES (?1, ${uuidKey("?2")}, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT(uuid) DO NOTHING`,
  fillJob: `UPDATE r_job SET execution = ?, parent = ?, task = ?, start_time = ?, end_time = ?, cached = ?, call = ?
    WHERE id = ?`,
  end: "UPDATE r_job SET end_time = ?, cached = ?, call = ? WHERE id = ? AND end_time IS NULL",
} as const;

/** Writes records into the physical tables, a batch in a transaction. */
export class SqlWriter {
  private readonly rows: SqlRows;
  private readonly sql: Record<keyof typeof STATEMENTS, SqlStatement>;
  private readonly values: SqlValues;
  private readonly calls: SqlCalls;
  /** Whether records may refer to others that come later; otherwise what is not there never will be. */
  private promised = false;

  constructor(db: SqlDriver, sizes: ValueSizes) {
    this.rows = new SqlRows(db);
    this.sql = prepareAll(db, STATEMENTS);
    this.values = new SqlValues(this.rows, sizes);
    this.calls = new SqlCalls(this.rows, this.values);
  }

  write(batch: RecordBatch): void {
    this.rows.transaction(() => {
      this.promised = false;
      for (const record of batch.tasks) this.values.task(record);
      for (const record of batch.values) this.values.write(record);
      for (const record of batch.evaluations) this.calls.evaluation(record);
      this.calls.write(batch.callNodes, false);
      for (const { startTime, ...record } of batch.executions) {
        this.execution({ ...record, updatedTime: startTime });
      }
      for (const record of batch.jobs) this.job(record);
      for (const record of batch.jobEnds) this.jobEnd(record);
      for (const record of batch.tags) writeTag(this.rows.db, record);
    });
  }

  /** @returns how many records were new */
  import(batch: ImportBatch): number {
    return this.rows.transaction(() => {
      this.promised = true;
      let added = 0;
      for (const record of batch.values) if (this.values.import(record)) added++;
      for (const record of batch.tasks) this.values.task(record);
      added += this.calls.write(batch.calls, true);
      for (const record of batch.executions) if (this.execution(record)) added++;
      for (const record of batch.jobs) if (this.job(record)) added++;
      for (const record of batch.tags) if (writeTag(this.rows.db, record)) added++;
      return added;
    });
  }

  /** Runs other work that writes. */
  transaction<T>(work: () => T): T {
    return this.rows.transaction(work);
  }

  private execution({ id: uuid, args, jobId, updatedTime }: ImportedExecution): boolean {
    const words = JSON.stringify(args);
    const job = this.rows.idOf("r_job", jobId);
    if (this.sql.execution.run(this.rows.nextId("r_execution"), uuid, words, job, updatedTime) > 0) {
      this.rows.added("r_execution", uuid);
      return true;
    }
    const vacant = this.rows.vacant("r_execution", uuid);
    if (vacant !== undefined) this.sql.fillExecution.run(words, job, updatedTime, vacant);
    return vacant !== undefined;
  }

  private job(record: JobRecord): boolean {
    const { id: uuid, startTime, endTime = null, callHash } = record;
    const execution = this.rows.idOf("r_execution", record.executionId);
    const parent = record.parentId === null ? null : this.rows.idOf("r_job", record.parentId);
    const task = this.rows.idOf("r_task", record.taskHash);
    const cached = record.cached === true ? 1 : 0;
    const call = this.callOfJob(callHash);
    const { sql } = this;
    const id = this.rows.nextId("r_job");
    if (sql.job.run(id, uuid, execution, parent, task, startTime, endTime, cached, call) > 0) {
      this.rows.added("r_job", uuid);
      return true;
    }
    const vacant = this.rows.vacant("r_job", uuid);
    if (vacant !== undefined) {
      sql.fillJob.run(execution, parent, task, startTime, endTime, cached, call, vacant);
      return true;
    }
    // A job that was known as running may come again with its end.
    if (endTime !== null) this.jobEnd({ id: uuid, endTime, cached: cached === 1, callHash });
    return false;
  }

  private jobEnd({ id, endTime, cached, callHash }: JobEndRecord): void {
    const job = this.rows.find("r_job", id);
    if (job === undefined) return;
    this.sql.end.run(endTime, cached ? 1 : 0, this.callOfJob(callHash), job);
  }

  /** A job may have ended in a call that has no provenance, so is in no store. */
  private callOfJob(hash: string | undefined): number | null {
    if (hash === undefined) return null;
    return this.promised ? this.rows.idOf("r_call", hash) : (this.rows.find("r_call", hash) ?? null);
  }
}
