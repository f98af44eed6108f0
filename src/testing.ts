/**
 * What tests of workflows and of adapters need: the memory store, an executor whose jobs end when the test says, and
 * the contract suites of the ports. It imports no test runner; the suites are given its functions.
 *
 * @module
 */
export {
  type BackendContractOptions,
  type BackendFeature,
  type BackendFixture,
  describeBackend,
} from "./backends/contract.ts";
export { MemoryBackend } from "./backends/memory-backend.ts";
export {
  describeExecutor,
  type ExecutorContractOptions,
  type ExecutorFeature,
  jobSpec,
  recordingContext,
} from "./executor/contract.ts";
export { ControlledExecutor, type ControlledJob } from "./executors/controlled-executor.ts";
export {
  describeFileSystem,
  type FileSystemContractOptions,
  type FileSystemFeature,
  type FileSystemFixture,
} from "./file-systems/contract.ts";
export { MemoryFileSystem } from "./file-systems/memory.ts";
export type { TestFunctions } from "./util/test-functions.ts";
