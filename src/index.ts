/**
 * Authoring and engine: tasks, expressions, builtins, values, files and the scheduler. Uses the Web's APIs only; what
 * needs one runtime is in `redun/node` and its siblings.
 *
 * @module
 */
import { registerHttpFileSystem } from "./file-systems/http.ts";
import { registerMemoryFileSystem } from "./file-systems/memory.ts";

export type {
  ArgumentRow,
  Backend,
  CacheHit,
  CacheQuery,
  CallNodeRow,
  ExecutionRow,
  FoundId,
  JobRow,
  LoadOptions,
  Maybe,
  RecordJson,
  RecordQuery,
  TagRow,
  ValueRow,
} from "./backend/backend.ts";
export type * from "./backend/records.ts";
export type { ValueStore } from "./backend/value-store.ts";
export {
  applyTags,
  catchAll,
  catchError,
  cond,
  getContext,
  noProv,
  seq,
  throwError,
} from "./builtins/control.ts";
export {
  applyFunc,
  asTask,
  compose,
  constant,
  delay,
  flatMap,
  flatten,
  force,
  identity,
  map,
  registerFunction,
  starmap,
  zip,
} from "./builtins/functional.ts";
export type { TagList } from "./builtins/ops.ts";
export { type SchedulerView, schedulerTask } from "./builtins/scheduler-task.ts";
export { type ScriptOptions, script, type Unstaged } from "./builtins/script.ts";
export * from "./errors/errors.ts";
export { type ErrorRecord, hasCode, RedunError, type RedunErrorOptions } from "./errors/redun-error.ts";
export type {
  Evaluated,
  Executor,
  ExecutorContext,
  JobError,
  JobResult,
  JobSpec,
  JobTimings,
  LocalCall,
  PackageDescription,
  PackageExecutor,
} from "./executor/executor.ts";
export {
  InProcessExecutor,
  type InProcessOptions,
  type ScriptRunner,
} from "./executor/in-process-executor.ts";
export { describe, isExpression, type QuotedExpression, quote } from "./expression/expression.ts";
export {
  and,
  dividedBy,
  eq,
  ge,
  gt,
  le,
  lt,
  minus,
  ne,
  not,
  or,
  plus,
  times,
} from "./expression/operators.ts";
export type { Expression, Lazy, LazyArguments, Resolved } from "./expression/types.ts";
export { type CopyPathOptions, copyPath } from "./file/copy.ts";
export type { FileData, TextEncoding } from "./file/data.ts";
export { ContentDir, ContentStagingDir, Dir, IDir, IStagingDir, isDir, StagingDir } from "./file/dir.ts";
export * from "./file/errors.ts";
export {
  ContentFile,
  ContentStagingFile,
  type CopyOptions,
  File,
  IFile,
  IStagingFile,
  isFile,
  StagingFile,
} from "./file/file.ts";
export { ContentFileSet, FileSet, IFileSet, isFileSet } from "./file/file-set.ts";
export type { ByteRange, FileEntry, FileStat, FileSystem, ShellCopyOptions } from "./file/file-system.ts";
export { fileSystemFor, registeredSchemes, registerFileSystem, schemeOf } from "./file/file-systems.ts";
export { shellCopy, shellQuote } from "./file/shell.ts";
export { Staging } from "./file/staging.ts";
export { HttpFileSystem, type HttpFileSystemOptions } from "./file-systems/http.ts";
export { MemoryFileSystem } from "./file-systems/memory.ts";
export type * from "./scheduler/events.ts";
export {
  type RunOptions,
  Scheduler,
  type SchedulerConfig,
  type SchedulerOptions,
} from "./scheduler/scheduler.ts";
export {
  ErrorValue,
  errorTraceback,
  type Frame,
  formatTraceback,
  type Traceback,
} from "./scheduler/traceback.ts";
export type { CacheScope, CallOptions, CheckValid, Limits, TaskOptions } from "./task/options.ts";
export { type TaskRegistry, taskRegistry } from "./task/registry.ts";
export {
  isPartialTask,
  isTask,
  type Namespace,
  namespace,
  type PartialTask,
  type Task,
  task,
} from "./task/task.ts";
export { display } from "./value/display.ts";
export { registerErrorClass } from "./value/error-classes.ts";
export { hashBytes, hashStruct, setSha512 } from "./value/hash.ts";
export type { Json } from "./value/json.ts";
export { registerValue, type ValueCodec } from "./value/registry.ts";
export { decodeValue, type EncodedValue, encodeValue, hashValue } from "./value/value.ts";

registerHttpFileSystem();
registerMemoryFileSystem();
