/** The job worker, as vitest serves it. */
import "./dynamic-imports.ts";
import "./test-channel.ts";
import "../../src/job-worker.ts";

// Vite's own words, which it says at any time, belong to no job.
const { debug } = console;
console.debug = (...args: unknown[]) => {
  if (!String(args[0]).startsWith("[vite]")) debug(...args);
};
