/**
 * Code packages: bundling a workflow, and the identity of its tasks' code.
 *
 * @module
 */
export * from "./package/index.ts";
