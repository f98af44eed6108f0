/** Measures the engine in a Durable Object, in the workerd of this machine with the objects' files on disk. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";

const root: string = join(import.meta.dirname, "..");

/** Milliseconds of each part, seen from outside, since a Worker's clock stands still while it computes. */
export interface ObjectTimes {
  readonly cold: number;
  readonly cached: number;
}

/** Runs a fan-out twice in a fresh object, some times over. */
export async function measureObject(jobs: number, runs: number): Promise<ObjectTimes[]> {
  const folder = mkdtempSync(join(tmpdir(), "redun-bench-object-"));
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ["scripts/bench-object-worker.ts"],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    external: ["cloudflare:workers", "node:*"],
    logLevel: "warning",
  });
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      script: outputFiles[0]!.text,
      compatibilityDate: "2026-10-01",
      compatibilityFlags: ["nodejs_compat"],
      durableObjects: { OBJECTS: { className: "BenchObject", useSQLite: true } },
      resourcePersistencePath: folder,
    }),
  );
  try {
    const run = async (object: string, n: number): Promise<number> => {
      const start = performance.now();
      const response = await miniflare.dispatchFetch(`http://${object}/${n}`);
      const text = await response.text();
      if (text !== String((n * (n + 1)) / 2)) throw new Error(`The fan-out failed: ${text}`);
      return performance.now() - start;
    };
    await run("warm", 500);
    const times: ObjectTimes[] = [];
    for (let i = 0; i < runs; i++) {
      await run(`object${i}`, 10);
      times.push({ cold: await run(`object${i}`, jobs), cached: await run(`object${i}`, jobs) });
    }
    return times;
  } finally {
    await miniflare.dispose();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
