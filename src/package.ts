/**
 * Code packages: bundling a workflow, the identity of its tasks' code, and loading it in a browser tab.
 *
 * @module
 */
export * from "./package/index.ts";
