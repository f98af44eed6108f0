/** The engine's worker, for tests. */
import "./dynamic-imports.ts";
import "../../src/engine-worker.ts";
