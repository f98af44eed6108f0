import type { JobEndRecord, JobRecord, RecordBatch } from "../backend/records.ts";
import type { ImportBatch, ImportedExecution } from "./record-store.ts";
import { SqlCalls } from "./sql-calls.ts";
import type { SqlDriver } from "./sql-driver.ts";
import { uuidKey } from "./sql-keys.ts";
import { SqlRows } from "./sql-rows.ts";
import { writeTag } from "./sql-tags.ts";
import { SqlValues } from "./sql-values.ts";

/** Writes records into the physical tables, a batch in a transaction. */
export class SqlWriter {
  private readonly rows: SqlRows;
  private readonly values: SqlValues;
  private readonly calls: SqlCalls;
  /** Whether records may refer to others that come later; otherwise what is not there never will be. */
  private promised = false;

  constructor(db: SqlDriver, maxValueSize: number) {
    this.rows = new SqlRows(db);
    this.values = new SqlValues(this.rows, maxValueSize);
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
    const insert = `INSERT INTO r_execution(id, uuid, args, job, updated) VALUES (?1, ${uuidKey("?2")}, ?3, ?4, ?5)
      ON CONFLICT(uuid) DO NOTHING`;
    const fill = "UPDATE r_execution SET args = ?, job = ?, updated = ? WHERE id = ?";
    return this.rows.put(
      "r_execution",
      uuid,
      (id) => this.rows.run(insert, id, uuid, words, job, updatedTime),
      (id) => this.rows.run(fill, words, job, updatedTime, id),
    );
  }

  private job(record: JobRecord): boolean {
    const { id: uuid, startTime, endTime = null, callHash } = record;
    const execution = this.rows.idOf("r_execution", record.executionId);
    const parent = record.parentId === null ? null : this.rows.idOf("r_job", record.parentId);
    const task = this.rows.idOf("r_task", record.taskHash);
    const cached = record.cached === true ? 1 : 0;
    const call = this.callOfJob(callHash);
    const insert = `INSERT INTO r_job(id, uuid, execution, parent, task, start_time, end_time, cached, call)
      VALUES (?1, ${uuidKey("?2")}, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT(uuid) DO NOTHING`;
    const fill = `UPDATE r_job SET execution = ?, parent = ?, task = ?, start_time = ?, end_time = ?, cached = ?, call = ?
      WHERE id = ?`;
    const isNew = this.rows.put(
      "r_job",
      uuid,
      (id) => this.rows.run(insert, id, uuid, execution, parent, task, startTime, endTime, cached, call),
      (id) => this.rows.run(fill, execution, parent, task, startTime, endTime, cached, call, id),
    );
    // A job that was known as running may come again with its end.
    if (!isNew && endTime !== null) this.jobEnd({ id: uuid, endTime, cached: cached === 1, callHash });
    return isNew;
  }

  private jobEnd({ id, endTime, cached, callHash }: JobEndRecord): void {
    const job = this.rows.find("r_job", id);
    if (job === undefined) return;
    const update = "UPDATE r_job SET end_time = ?, cached = ?, call = ? WHERE id = ? AND end_time IS NULL";
    this.rows.run(update, endTime, cached ? 1 : 0, this.callOfJob(callHash), job);
  }

  /** A job may have ended in a call that has no provenance, so is in no store. */
  private callOfJob(hash: string | undefined): number | null {
    if (hash === undefined) return null;
    return this.promised ? this.rows.idOf("r_call", hash) : (this.rows.find("r_call", hash) ?? null);
  }
}
