import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { buildWeb } from "../../scripts/build-web.ts";
import { findChromium } from "../../scripts/chromium.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The folder of the built web app. */
    app: string;
  }
}

const scope = globalThis as { appBuilt?: Promise<string> };

/** Builds the app once for all projects of a run. */
export default async function setup({ provide }: TestProject): Promise<void> {
  if (findChromium() === undefined) return;
  scope.appBuilt ??= build();
  provide("app", await scope.appBuilt);
}

async function build(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "redun-app-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  await buildWeb({ outdir: folder });
  return folder;
}
