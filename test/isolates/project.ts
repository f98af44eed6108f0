import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import * as esbuild from "esbuild";
import { Response } from "miniflare";
import type { TestProjectInlineConfiguration, ViteUserConfig } from "vitest/config";
import { buildIsolateRuntime } from "../../scripts/build-isolate.ts";
import { buildPackage } from "../../src/package/index.ts";

const here: string = import.meta.dirname;
const root: string = join(here, "../..");

/** The modules that tests of isolates import by other names than those of files. */
const VIRTUAL = "\0isolates:";

/** The tasks of the executors' contract suite, as somebody would write them. */
function contractTasks(): string {
  const text = readFileSync(join(root, "src/executor/contract-tasks.ts"), "utf8");
  return text.replaceAll(/"\.\.\/[^"]+"/g, '"redun"');
}

/**
 * Workers can't build, so this is done here: `isolate-runtime` is the runtime of isolates, `package:hello` the code
 * package of `workflows/hello.ts`, `package:hello-lowered` the same for a tab, and `package:contract` that of the
 * executors' contract suite.
 */
const built: NonNullable<ViteUserConfig["plugins"]>[number] = {
  name: "built-for-isolates",
  enforce: "pre",
  resolveId: (id) => (id === "isolate-runtime" || id.startsWith("package:") ? `${VIRTUAL}${id}` : undefined),
  async load(id) {
    if (!id.startsWith(VIRTUAL)) return undefined;
    const name = id.slice(VIRTUAL.length);
    const content = name === "isolate-runtime" ? await buildIsolateRuntime() : await build(name.slice(8));
    return `export default JSON.parse(${JSON.stringify(JSON.stringify(content))});`;
  },
};

async function build(name: string): Promise<unknown> {
  if (name !== "contract") {
    const [, file, lowerAsync] = /^(.*?)(-lowered)?$/.exec(name)!;
    return await buildPackage(join(here, `workflows/${file}.ts`), {
      npm: "inline",
      esbuild,
      lowerAsync: lowerAsync !== undefined,
    });
  }
  return await buildPackage("contract-tasks.ts", {
    files: { "contract-tasks.ts": contractTasks() },
    esbuild,
  });
}

/** The Internet, as far as these tests have one. */
function answer(request: { readonly url: string; readonly cf?: object | undefined }): Response {
  const { hostname, pathname } = new URL(request.url);
  if (pathname === "/cf") return Response.json(Object.keys(request.cf ?? {}));
  if (pathname === "/elsewhere") return Response.redirect("https://other.example.com/", 302);
  return new Response(`${hostname}${pathname}`);
}

/** Tests of what runs in isolates of the Worker Loader, in workerd. */
export const isolates: TestProjectInlineConfiguration = {
  resolve: {
    alias: [
      { find: /^redun$/, replacement: join(root, "src/index.ts") },
      { find: /^redun\/(.+)$/, replacement: join(root, "src/$1.ts") },
    ],
  },
  plugins: [
    built,
    cloudflareTest({
      main: "test/isolates/worker.ts",
      miniflare: {
        compatibilityDate: "2026-10-01",
        compatibilityFlags: ["nodejs_compat"],
        workerLoaders: { LOADER: {} },
        outboundService: answer,
      },
    }),
  ],
  test: { name: "isolates", include: ["test/isolates/**/*.test.ts"], testTimeout: 60_000 },
};
