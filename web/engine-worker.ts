/**
 * The engine's worker, as the app serves it. The engine keeps SQLite's files by the pool of access handles; the other
 * ways would start workers that nobody needs.
 *
 * @module
 */
import "../src/engine-worker.ts";

// SQLite looks for this name when the engine first loads it, which is after this module.
Object.assign(globalThis, {
  sqlite3ApiConfig: { disable: { vfs: { opfs: true, "opfs-vfs": true, "opfs-wl": true } } },
});
