import type { CallNodeRow, EntityType, ExecutionRow, JobRow, TagRow, ValueRow } from "../backend/backend.ts";
import type {
  CallNodeRecord,
  JobRecord,
  RecordBatch,
  TagRecord,
  TaskRecord,
  ValueRecord,
} from "../backend/records.ts";

/** Reads records by key; what export and the walk over records need of a store. */
export interface RecordSource {
  kindOf(id: string): EntityType | "Tag" | undefined;
  execution(id: string): ExecutionRow | undefined;
  job(id: string): JobRow | undefined;
  call(hash: string): CallNodeRow | undefined;
  value(hash: string): ValueRow | undefined;
  task(hash: string): TaskRecord | undefined;
  tag(hash: string): TagRow | undefined;
  /** All tags of an entity, superseded ones too. */
  allTagsOf(entity: string): TagRow[];
  /** Tags that supersede a tag. */
  tagEdits(hash: string): TagRow[];
  /** Ids of the jobs of an execution or below a job, by start time. */
  jobsUnder(column: "execution" | "parent", id: string): string[];
  /** Tasks used in a call of these children; a child that is not stored counts as a task that is never current. */
  subtreeTasks(taskHash: string, children: readonly string[]): string[];
}

/** Writes records; what import needs of a store. Those with a result say whether the record is new. */
export interface RecordSink {
  write(batch: RecordBatch): void;
  value(record: ValueRecord): unknown;
  task(record: TaskRecord): unknown;
  call(record: CallNodeRecord): boolean;
  job(record: JobRecord): boolean;
  tag(record: TagRecord): boolean;
}
