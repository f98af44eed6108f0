/**
 * What tests of workflows and of adapters need: the memory store, the contract suites of the ports.
 *
 * @module
 */
export { MemoryBackend } from "./backends/memory-backend.ts";
