import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { playwright } from "@vitest/browser-playwright";
import { transform } from "esbuild";
import { defineConfig, type TestProjectInlineConfiguration, type ViteUserConfig } from "vitest/config";
import { buildWorkers } from "./scripts/build-workers.ts";
import { findChromium } from "./scripts/chromium.ts";
import { instrumentAsync } from "./src/package/lowering.ts";
import { buildInNode, listExamples, readTexts } from "./test/browser/commands.ts";
import { runElsewhere } from "./test/browser/elsewhere.ts";
import { logWithCommand, pythonStore, runWithCommand, serveText } from "./test/browser/run-command.ts";
import { hosted } from "./test/hosted/project.ts";
import { isolates } from "./test/isolates/project.ts";

const root: string = import.meta.dirname;

/** Two cores: more workers only wait for each other. */
const maxWorkers = 2;

/** Tests of the core: they import nothing of Node, and pass in every runtime. */
const portable = ["test/{value,expression,task,scheduler,builtins}/**/*.test.ts"];

/** Tests of what only a browser has. */
const browserOnly = "test/browser/**/*.test.ts";

/** Those of them that start engines, and wait for much. */
const engines = "test/browser/{engine,everywhere,package,worker-packages}*.test.ts";

/** Tests of what only Cloudflare's runtime has. */
const cloudflareOnly = "test/cloudflare/**/*.test.ts";

/** The web app, built and served, in a browser that the tests steer. */
const app = "test/e2e/**/*.test.ts";

/** Its build is shared. */
const inApp = { globalSetup: ["test/e2e/setup.ts"], hookTimeout: 60_000 };

/** How the app bears many jobs. */
const load = "test/e2e/load.test.ts";

/** A hundred thousand jobs at once need more memory than a tab or an isolate is sure to have. */
const large = ["test/scheduler/scale.test.ts"];

/** Tests, and workflows in them, import the package by its name and get its source. */
const alias = [
  { find: /^redun$/, replacement: join(root, "src/index.ts") },
  { find: /^redun\/(.+)$/, replacement: join(root, "src/$1.ts") },
];

const chromium: string | undefined = findChromium();

/**
 * The core's tests in a runtime other than Node. They share one page or isolate, which takes half the time; that they
 * are independent of each other shows in Node, where each file is by itself.
 */
const core = { include: portable, exclude: large, isolate: false };

/** Lowers the async functions of tests as a code package for a tab does, since a tab has no asynchronous context. */
const lowerAsync: NonNullable<ViteUserConfig["plugins"]>[number] = {
  name: "lower-async",
  enforce: "pre",
  async transform(source: string, id: string) {
    const file = id.split("?")[0]!;
    if (!file.startsWith(join(root, "test/")) || !file.endsWith(".ts")) return undefined;
    // These build packages of their own, and await at the top level.
    if (file.startsWith(join(root, "test/browser/"))) return undefined;
    const { code, map } = await transform(source, {
      loader: "ts",
      target: "esnext",
      supported: { "async-await": false, "async-generator": false, "for-await": false },
      sourcefile: id,
      sourcemap: "external",
    });
    return { code: instrumentAsync(code), map };
  },
};

const projects: TestProjectInlineConfiguration[] = [
  {
    resolve: { alias },
    test: {
      name: "node",
      include: ["test/**/*.test.ts"],
      exclude: [browserOnly, cloudflareOnly, "test/isolates/**", "test/hosted/**", app],
      globalSetup: ["test/setup.ts"],
      testTimeout: 30_000,
      hookTimeout: 30_000,
      env: {
        NODE_COMPILE_CACHE: join(root, "node_modules/.cache/node-compile-cache"),
        TMPDIR: join(tmpdir(), `redun-test-${process.pid}`),
      },
    },
  },
  {
    resolve: { alias },
    plugins: [
      cloudflareTest({
        miniflare: { compatibilityDate: "2026-10-01", compatibilityFlags: ["nodejs_compat"] },
      }),
    ],
    test: { ...core, name: "workers", testTimeout: 60_000 },
  },
  {
    resolve: { alias },
    plugins: [
      cloudflareTest({
        main: "test/cloudflare/worker.ts",
        miniflare: {
          compatibilityDate: "2026-10-01",
          compatibilityFlags: ["nodejs_compat"],
          durableObjects: {
            OBJECTS: { className: "TestObject", useSQLite: true },
            PLAIN: { className: "PlainObject", useSQLite: false },
          },
          r2Buckets: ["BUCKET"],
          // A fresh one for each store of a test; to empty one takes longer.
          d1Databases: Array.from({ length: 200 }, (_, i) => `D1_${i}`),
        },
      }),
    ],
    test: { name: "cloudflare", include: [cloudflareOnly], testTimeout: 60_000 },
  },
  isolates,
  hosted,
  {
    resolve: { alias },
    test: { ...inApp, name: "e2e", include: [app], exclude: [load], testTimeout: 30_000 },
  },
  {
    resolve: { alias },
    // When the other tests are over, since it measures time.
    test: { ...inApp, name: "load", include: [load], sequence: { groupOrder: 1 } },
  },
];

/** The workers that tests of the engine start again and again: a bundle loads much faster than its modules. */
const workers: string = join(root, `dist/test-workers-${process.pid}`);

/** Tests in a browser of their own. Each project runs one file at a time, so the slow ones are apart. */
const inBrowser = (
  executablePath: string,
  test: NonNullable<ViteUserConfig["test"]> & { name: string },
): TestProjectInlineConfiguration => ({
  resolve: { alias },
  plugins: [lowerAsync],
  // Files that are served as they are.
  publicDir: workers,
  // Isolated from other origins, as the app is served, so that workers may share memory.
  server: {
    headers: {
      "Cross-Origin-Opener-Policy": "same-origin",
      "Cross-Origin-Embedder-Policy": "require-corp",
    },
  },
  // Found at the start rather than in the middle, where vite would load the page again.
  optimizeDeps: {
    include: [
      "@noble/hashes/sha2.js",
      "@noble/hashes/utils.js",
      "picomatch",
      "fast-check",
      "dexie",
      "comlink",
      "hash-wasm",
      "acorn",
      "eslint-scope",
      "@babel/parser",
      "@jridgewell/trace-mapping",
      "esbuild-wasm/esm/browser.js",
      "just-bash/browser",
    ],
    // It finds its WebAssembly beside its own module.
    exclude: ["@sqlite.org/sqlite-wasm"],
  },
  test: {
    ...test,
    testTimeout: 60_000,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      commands: {
        buildInNode,
        listExamples,
        logWithCommand,
        pythonStore,
        readTexts,
        runElsewhere,
        runWithCommand,
        serveText,
      },
      provider: playwright({ launchOptions: { executablePath, args: ["--no-sandbox"] } }),
      instances: [{ browser: "chromium" }],
    },
  },
});

if (chromium !== undefined) {
  await buildWorkers(workers);
  process.on("exit", () => rmSync(workers, { recursive: true, force: true }));
  projects.push(
    inBrowser(chromium, { ...core, name: "browser" }),
    inBrowser(chromium, { name: "tab", include: [browserOnly], exclude: [engines] }),
    inBrowser(chromium, { name: "engine", include: [engines] }),
  );
} else {
  const message = "Cannot run the tests in a browser: found no Chromium. Install it, or set CHROMIUM_PATH.";
  if (process.env.CI) throw new Error(message);
  console.info(`${message} The tests of the other runtimes run.\n`);
}

/** A project that stands for itself: to extend this file, each would load it anew. */
const standalone = (project: TestProjectInlineConfiguration): TestProjectInlineConfiguration => ({
  ...project,
  extends: false,
  test: { ...project.test, maxWorkers },
});

const config: ViteUserConfig = defineConfig({ test: { maxWorkers, projects: projects.map(standalone) } });
export default config;
