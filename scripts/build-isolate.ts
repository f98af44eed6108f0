/** The runtime of isolates, in which an instance on Cloudflare runs the code of workflows. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { build, type Metafile } from "esbuild";
import type { IsolateRuntime } from "../src/executors/isolate-messages.ts";

const root: string = join(import.meta.dirname, "..");

/** What stack traces call the folder of its modules. */
const ENGINE = "redun:///engine/";

/** Bundles the runtime into modules that import each other and nothing else but the Workers runtime's own. */
export async function buildIsolateRuntime(): Promise<IsolateRuntime> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: {
      "isolate-main": "src/isolate-main.ts",
      redun: "src/index.ts",
      "turn-guard": "src/package/turn-guard.ts",
    },
    outdir: "dist",
    bundle: true,
    splitting: true,
    minify: true,
    // Errors are named after their classes.
    keepNames: true,
    format: "esm",
    target: "es2024",
    // Modules of an isolate have no address.
    define: { "import.meta.url": JSON.stringify(ENGINE) },
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:workers", "node:async_hooks"],
    alias: { "node:zlib": join(root, "scripts/no-zlib.ts") },
    chunkNames: "chunk-[hash]",
    charset: "utf8",
    write: false,
    metafile: true,
    logLevel: "warning",
  });
  const named = outputFiles.map(({ path, text }) => {
    const name = basename(path);
    // Stack traces name them so, and tell the engine's frames from the workflow's.
    return [name, `${text}//# sourceURL=${ENGINE}${name}\n`] as const;
  });
  named.sort(([a], [b]) => (a < b ? -1 : 1));
  const shellOnly = modulesOfShell(metafile);
  const modules = Object.fromEntries(named.filter(([name]) => !shellOnly.has(name)));
  const shell = Object.fromEntries(named.filter(([name]) => shellOnly.has(name)));
  const hash = createHash("sha256").update(JSON.stringify(named)).digest("hex").slice(0, 40);
  return { hash, main: "isolate-main.js", modules, shell };
}

/** Names of the modules that are there for scripts alone: an isolate compiles all that it has when it starts. */
function modulesOfShell({ outputs }: Metafile): Set<string> {
  const isShell = (path: string): boolean =>
    Object.keys(outputs[path]!.inputs).some((input) => input.includes("node_modules/just-bash/"));
  const needed = new Set<string>();
  const follow = (path: string): void => {
    if (needed.has(path) || isShell(path)) return;
    needed.add(path);
    for (const { path: imported, external } of outputs[path]!.imports) if (!external) follow(imported);
  };
  for (const [path, { entryPoint }] of Object.entries(outputs)) {
    // What is imported on demand is an entry point as well.
    if (entryPoint?.startsWith("src/")) follow(path);
  }
  return new Set(
    Object.keys(outputs)
      .filter((path) => !needed.has(path))
      .map((path) => basename(path)),
  );
}

/** Writes the runtime as a module, which the entry point for Cloudflare imports as `#isolate-runtime`. */
export async function writeIsolateRuntime(): Promise<void> {
  const text = `export default ${JSON.stringify(await buildIsolateRuntime())};\n`;
  const path = join(root, "dist", ISOLATE_RUNTIME);
  // One that stays the same is left alone, as those who watch it would build again.
  if (existsSync(path) && readFileSync(path, "utf8") === text) return;
  mkdirSync(join(root, "dist"), { recursive: true });
  writeFileSync(path, text);
}

/** Name of that module in `dist`. */
export const ISOLATE_RUNTIME = "isolate-runtime.js";
