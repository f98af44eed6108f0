/** Bundles of the engine's worker and of a job's worker that run by themselves, beside the WebAssembly that they load. */
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const root: string = join(import.meta.dirname, "..");

/**
 * Builds `engine-worker.js`, `job-worker.js`, `sqlite3.wasm` and `esbuild.wasm` into a folder.
 *
 * @param more - entry points to build together with them
 */
export async function buildWorkers(outdir: string, more: readonly string[] = []): Promise<void> {
  mkdirSync(outdir, { recursive: true });
  await build({
    absWorkingDir: root,
    entryPoints: ["src/engine-worker.ts", "src/job-worker.ts", ...more],
    entryNames: "[name]",
    outdir,
    bundle: true,
    splitting: true,
    minify: true,
    // Errors are named after their classes.
    keepNames: true,
    format: "esm",
    target: "es2024",
    alias: { "node:zlib": join(root, "scripts/no-zlib.ts") },
    logLevel: "warning",
  });
  const modules = join(root, "node_modules");
  copyFileSync(join(modules, "@sqlite.org/sqlite-wasm/dist/sqlite3.wasm"), join(outdir, "sqlite3.wasm"));
  copyFileSync(join(modules, "esbuild-wasm/esbuild.wasm"), join(outdir, "esbuild.wasm"));
}
