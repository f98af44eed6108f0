/** Measures the engine in a tab, in the Chromium of this machine with its profile on disk. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright";
import type { TabTimes } from "./bench-page.ts";
import { buildWorkers } from "./build-workers.ts";
import { findChromium } from "./chromium.ts";
import { staticFiles } from "./serve-web.ts";

/**
 * Runs a fan-out through the whole engine in a tab: its worker, its pool of Web Workers, and the given store.
 *
 * @returns nothing where there is no Chromium
 */
export async function measureTab(jobs: number, store: "opfs" | "indexeddb"): Promise<TabTimes | undefined> {
  const executablePath = findChromium();
  if (executablePath === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "redun-bench-tab-"));
  const profile = mkdtempSync(join(tmpdir(), "redun-bench-profile-"));
  const server = createServer(staticFiles(folder));
  try {
    await buildPage(folder);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const context = await chromium.launchPersistentContext(profile, {
      executablePath,
      args: ["--no-sandbox"],
    });
    const page = await context.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const times = await page.evaluate(
      ([n, kind]) =>
        (globalThis as unknown as { measure(n: number, kind: string): Promise<TabTimes> }).measure(n, kind),
      [jobs, store] as const,
    );
    await context.close();
    return times;
  } finally {
    server.close();
    for (const path of [folder, profile]) rmSync(path, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function buildPage(outdir: string): Promise<void> {
  await buildWorkers(outdir, ["scripts/bench-page.ts"]);
  writeFileSync(
    join(outdir, "index.html"),
    '<!doctype html><title>Benchmark</title><script type="module" src="/bench-page.js"></script>',
  );
}
