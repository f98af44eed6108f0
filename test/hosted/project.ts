import { join } from "node:path";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import * as esbuild from "esbuild";
import type { TestProjectInlineConfiguration, ViteUserConfig } from "vitest/config";
import { buildIsolateRuntime } from "../../scripts/build-isolate.ts";
import { buildPackage } from "../../src/package/index.ts";

const here: string = import.meta.dirname;
const root: string = join(here, "../..");

/** The modules that are built here, as Workers can't: by the name that they are imported by, and what they hold. */
const builds: Readonly<Record<string, () => Promise<unknown>>> = {
  "#isolate-runtime": buildIsolateRuntime,
  "package:basics": () =>
    buildPackage(join(root, "test/server/workflows/basics.ts"), { npm: "inline", esbuild }),
};
const BUILT = "\0built:";

const built: NonNullable<ViteUserConfig["plugins"]>[number] = {
  name: "built-for-hosted",
  enforce: "pre",
  resolveId: (id) => (Object.hasOwn(builds, id) ? `${BUILT}${id}` : undefined),
  async load(id) {
    if (!id.startsWith(BUILT)) return undefined;
    const content = await builds[id.slice(BUILT.length)]!();
    return `export default JSON.parse(${JSON.stringify(JSON.stringify(content))});`;
  },
};

/** Tests of a hosted instance from inside, in workerd. */
export const hosted: TestProjectInlineConfiguration = {
  resolve: {
    alias: [
      { find: /^redun$/, replacement: join(root, "src/index.ts") },
      { find: /^redun\/(.+)$/, replacement: join(root, "src/$1.ts") },
    ],
  },
  plugins: [
    built,
    cloudflareTest({
      main: "test/hosted/worker.ts",
      miniflare: {
        compatibilityDate: "2026-10-01",
        compatibilityFlags: ["nodejs_compat"],
        durableObjects: { REPOS: { className: "RepoObject", useSQLite: true } },
        r2Buckets: ["BUCKET"],
        d1Databases: ["DB"],
        workerLoaders: { LOADER: {} },
      },
    }),
  ],
  test: { name: "hosted", include: ["test/hosted/**/*.test.ts"], testTimeout: 60_000 },
};
