import { existsSync } from "node:fs";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";

/** Tests of the core, which run in every runtime; they import nothing of Node. */
const portable = ["test/{value,expression,task,scheduler,builtins}/**/*.test.ts"];

const chromium = process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium";
if (!existsSync(chromium)) {
  throw new Error(`Chromium is not at ${chromium}: install it (\`apt-get install chromium\`) or set CHROMIUM_PATH`);
}

export default defineConfig({
  test: {
    // Two cores: more workers only wait for each other.
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: "node",
          include: ["test/**/*.test.ts"],
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
      {
        optimizeDeps: { include: ["@noble/hashes/sha2.js", "@noble/hashes/utils.js", "picomatch", "fast-check"] },
        test: {
          name: "browser",
          include: portable,
          testTimeout: 60_000,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({ launchOptions: { executablePath: chromium, args: ["--no-sandbox"] } }),
            instances: [{ browser: "chromium" }],
          },
        },
      },
      {
        plugins: [
          cloudflareTest({
            miniflare: { compatibilityDate: "2026-10-01", compatibilityFlags: ["nodejs_compat"] },
          }),
        ],
        test: { name: "workers", include: portable, testTimeout: 60_000 },
      },
    ],
  },
});
