import type { Backend } from "../backend/backend.ts";
import type {
  CallNodeRecord,
  EvaluationRecord,
  ExecutionRecord,
  JobEndRecord,
  JobRecord,
  TagRecord,
  TaskRecord,
  ValueRecord,
} from "../backend/records.ts";

/** A batch while it is being filled. */
interface Batch {
  tasks: TaskRecord[];
  values: ValueRecord[];
  executions: ExecutionRecord[];
  jobs: JobRecord[];
  evaluations: EvaluationRecord[];
  callNodes: CallNodeRecord[];
  jobEnds: JobEndRecord[];
  tags: TagRecord[];
}

const emptyBatch = (): Batch => ({
  tasks: [],
  values: [],
  executions: [],
  jobs: [],
  evaluations: [],
  callNodes: [],
  jobEnds: [],
  tags: [],
});

/** A batch of this many records is written without waiting for more. */
const FULL = 32_000;

/**
 * Writes records behind the scheduler's back, in groups and in order. It owns what is not stored yet; a batch is one
 * transaction, so a crash loses the newest records but never leaves half of one.
 */
export class Recorder {
  private readonly backend: Backend;
  private batch: Batch = emptyBatch();
  private size = 0;
  private openJobs = new Map<string, number>();
  private writing: Promise<void> | undefined = undefined;
  private failure: unknown = undefined;
  /** When the oldest unwritten record came, in milliseconds since the epoch; 0 if there is none. */
  private since = 0;

  constructor(backend: Backend) {
    this.backend = backend;
  }

  get isDirty(): boolean {
    return this.size > 0 || this.writing !== undefined;
  }

  /** Whether it is time to write. */
  isDue(now: number): boolean {
    return this.size >= FULL || (this.size > 0 && now - this.since > 200);
  }

  task(record: TaskRecord): void {
    this.batch.tasks.push(record);
    this.added();
  }

  value(record: ValueRecord): void {
    this.batch.values.push(record);
    this.added();
  }

  execution(record: ExecutionRecord): void {
    this.batch.executions.push(record);
    this.added();
  }

  jobStart(record: JobRecord): void {
    this.openJobs.set(record.id, this.batch.jobs.length);
    this.batch.jobs.push(record);
    this.added();
  }

  /** A job whose start is still unwritten gets its end in the same record. */
  jobEnd(end: JobEndRecord): void {
    const index = this.openJobs.get(end.id);
    if (index === undefined) {
      this.batch.jobEnds.push(end);
      this.added();
      return;
    }
    Object.assign(this.batch.jobs[index]!, end);
    this.openJobs.delete(end.id);
  }

  evaluation(record: EvaluationRecord): void {
    this.batch.evaluations.push(record);
    this.added();
  }

  callNode(record: CallNodeRecord): void {
    this.batch.callNodes.push(record);
    this.added();
  }

  tag(record: TagRecord): void {
    this.batch.tags.push(record);
    this.added();
  }

  private added(): void {
    if (this.size++ === 0) this.since = Date.now();
  }

  /**
   * Writes everything recorded so far.
   *
   * @returns nothing if that is done already, else a promise of it
   * @throws whatever the store threw, then and ever after
   */
  flush(): Promise<void> | undefined {
    if (this.failure !== undefined) throw this.failure;
    if (this.writing !== undefined) return this.writing.then(() => this.flush());
    if (this.size === 0) return undefined;
    const { batch } = this;
    this.batch = emptyBatch();
    this.size = 0;
    this.openJobs = new Map();
    try {
      const written = this.backend.write(batch);
      if (!(written instanceof Promise)) return undefined;
      this.writing = written.then(
        () => {
          this.writing = undefined;
        },
        (error) => {
          this.writing = undefined;
          this.failure = error;
          throw error;
        },
      );
      return this.writing;
    } catch (error) {
      this.failure = error;
      throw error;
    }
  }
}
