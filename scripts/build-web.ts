/**
 * Builds the web app into `dist/web`: static files that any server can give out. Scripts and styles carry a hash of
 * their content in their names; the editor, the graph and the charts are loaded when they are first shown.
 *
 * Fails if a first visit would load more than {@link FIRST_LOAD_LIMIT}.
 */
import { createHash } from "node:crypto";
import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { type BuildOptions, type BuildResult, build, type Metafile, type Plugin } from "esbuild";
import { contentSecurityPolicy } from "../src/server/web-headers.ts";
import { framePolicy } from "./frame-policy.ts";

const root: string = join(import.meta.dirname, "..");
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };

/** Bytes of compressed HTML, CSS and JavaScript before the editor and the engine are loaded. */
const FIRST_LOAD_LIMIT = 150 * 1024;

/** Larger files, in bytes, are kept for offline use after all others, when the page has started. */
const LARGE = 600_000;
/** SQLite asks for its WebAssembly by this name, beside its own module. */
const SQLITE = "assets/sqlite3.wasm";

/** Options of {@link buildWeb}. */
export interface WebBuildOptions {
  /** Where to put the files. Default `dist/web`. */
  readonly outdir?: string;
  readonly plugins?: Plugin[];
}

/** What a build came to. */
export interface WebBuild {
  readonly outdir: string;
  /** Compressed bytes of a first visit, before editor and engine. */
  readonly firstLoad: number;
}

/** `import text from "./some.ts?text"` gives a file as text. */
const textImports: Plugin = {
  name: "text-imports",
  setup(build) {
    build.onResolve({ filter: /\?text$/ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path.slice(0, -"?text".length)),
      namespace: "text",
    }));
    build.onLoad({ filter: /.*/, namespace: "text" }, ({ path }) => ({
      contents: readFileSync(path),
      loader: "text",
    }));
  },
};

type Built = BuildResult & { readonly metafile: Metafile };

/** Builds the app. */
export async function buildWeb(options: WebBuildOptions = {}): Promise<WebBuild> {
  const outdir = options.outdir ?? join(root, "dist/web");
  rmSync(outdir, { recursive: true, force: true });
  mkdirSync(join(outdir, "assets"), { recursive: true });
  cpSync(join(root, "web/icons"), join(outdir, "icons"), { recursive: true });
  cpSync(join(root, "web/manifest.webmanifest"), join(outdir, "manifest.webmanifest"));

  const shared: BuildOptions & { metafile: true } = {
    absWorkingDir: root,
    outdir: join(outdir, "assets"),
    bundle: true,
    format: "esm",
    target: "es2024",
    minify: true,
    // Errors are named after their classes.
    keepNames: true,
    splitting: true,
    metafile: true,
    charset: "utf8",
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    assetNames: "[name]-[hash]",
    logLevel: "warning",
    define: { REDUN_VERSION: JSON.stringify(version) },
    plugins: options.plugins ?? [],
  };
  const workers = await build({ ...shared, ...workerSettings() });
  copyFileSync(join(root, "node_modules/@sqlite.org/sqlite-wasm/dist/sqlite3.wasm"), join(outdir, SQLITE));
  const assets = {
    ...workerAddresses(workers, outdir),
    esbuild: copyHashed(join(root, "node_modules/esbuild-wasm/esbuild.wasm"), outdir),
    serviceWorker: "sw.js",
  };
  const app = await build({
    ...shared,
    entryPoints: ["web/main.tsx", "web/styles/app.css"],
    jsx: "automatic",
    jsxImportSource: "preact",
    plugins: [textImports, ...shared.plugins!],
    define: { ...shared.define, ASSETS: JSON.stringify(assets) },
  });
  const script = outputOf(app, "web/main.tsx");
  const style = outputOf(app, "web/styles/app.css");
  const first = [...staticImports(app.metafile, script)];
  const html = pageOf(outdir, script, style, first);
  writeFileSync(join(outdir, "index.html"), html);
  writeFileSync(join(outdir, "report.html"), framePage());
  writeHealth(outdir);
  await buildServiceWorker(outdir, [workers, app], assets.esbuild);

  const files = [...first, style].map((path) => readFileSync(join(root, path)));
  const firstLoad = [...files, html].reduce((sum, text) => sum + gzipSync(text, { level: 9 }).length, 0);
  return { outdir, firstLoad };
}

/** The engine's worker and that of a job, each loaded by its address. */
function workerSettings(): Pick<BuildOptions, "entryPoints" | "platform" | "alias"> {
  return {
    entryPoints: ["web/engine-worker.ts", "src/job-worker.ts"],
    platform: "browser",
    alias: { "node:zlib": join(root, "scripts/no-zlib.ts") },
  };
}

function workerAddresses(workers: Built, outdir: string): { engine: string; job: string } {
  const address = (source: string): string => relative(outdir, join(root, outputOf(workers, source)));
  return { engine: address("web/engine-worker.ts"), job: address("src/job-worker.ts") };
}

/** Copies a file under a name with its hash. @returns its address relative to the page */
function copyHashed(path: string, outdir: string): string {
  const content = readFileSync(path);
  const [, name, extension] = /([^/]+)(\.\w+)$/.exec(path)!;
  const address = `assets/${name}-${hashOf(content)}${extension}`;
  writeFileSync(join(outdir, address), content);
  return address;
}

function hashOf(...contents: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const content of contents) hash.update(content);
  return hash.digest("hex").slice(0, 10).toUpperCase();
}

/** Where an entry point was written, relative to the project. */
function outputOf({ metafile }: Built, source: string): string {
  const found = Object.entries(metafile.outputs).find(([, output]) => output.entryPoint === source);
  if (found === undefined) throw new Error(`Cannot build the app: nothing was made of ${source}`);
  return found[0];
}

/** An output and all that is loaded together with it. */
function staticImports({ outputs }: Metafile, path: string): Set<string> {
  const seen = new Set([path]);
  // A set that grows while it is walked yields what is added.
  for (const at of seen)
    for (const { path: target, kind } of outputs[at]?.imports ?? [])
      if (kind === "import-statement") seen.add(target);
  return seen;
}

function pageOf(outdir: string, script: string, style: string, first: readonly string[]): string {
  const address = (path: string): string => relative(outdir, join(root, path));
  const preloads = first
    .filter((path) => path !== script)
    .map((path) => `<link rel="modulepreload" href="${address(path)}" />`);
  const values: Readonly<Record<string, string>> = {
    csp: contentSecurityPolicy,
    script: address(script),
    style: address(style),
  };
  return fill("web/index.html", values).replace("<!--preloads-->", preloads.join("\n    "));
}

/** The document of the frame for pages that tasks made. */
function framePage(): string {
  const [, script = ""] = /<script>(.*)<\/script>/s.exec(
    readFileSync(join(root, "web/report.html"), "utf8"),
  )!;
  return fill("web/report.html", { csp: framePolicy(script) });
}

/**
 * The page asks whether it comes from an instance, which answers this address itself. Where static files are served
 * alone, the answer is no.
 */
function writeHealth(outdir: string): void {
  mkdirSync(join(outdir, "api/v1"), { recursive: true });
  writeFileSync(join(outdir, "api/v1/health"), `${JSON.stringify({ status: "static" })}\n`);
}

/** A page with values in their places. */
function fill(path: string, values: Readonly<Record<string, string>>): string {
  return readFileSync(join(root, path), "utf8").replace(/\{\{(\w+)\}\}/g, (_, name: string) => values[name]!);
}

/** The service worker is told all files of the build; one that changed makes it another worker, with a cache of its own. */
async function buildServiceWorker(outdir: string, builds: readonly Built[], esbuild: string): Promise<void> {
  const outputs = builds
    .flatMap(({ metafile }) => Object.keys(metafile.outputs))
    .map((path) => relative(outdir, join(root, path)));
  const isLarge = (path: string): boolean => statSync(join(outdir, path)).size > LARGE;
  const files = [
    "./",
    "report.html",
    "manifest.webmanifest",
    "icons/icon.svg",
    ...outputs.filter((path) => !isLarge(path)),
  ];
  const large = [SQLITE, esbuild, ...outputs.filter(isLarge)];
  const identity = hashOf(readFileSync(join(outdir, "index.html")), [...files, ...large].join("\n"));
  const hashes = Object.fromEntries(
    [...files, ...large].map((file) => {
      const content = readFileSync(join(outdir, file === "./" ? "index.html" : file));
      return [file, createHash("sha256").update(content).digest("hex")];
    }),
  );
  await build({
    absWorkingDir: root,
    entryPoints: ["web/sw.ts"],
    outfile: join(outdir, "sw.js"),
    bundle: true,
    minify: true,
    format: "iife",
    target: "es2024",
    define: {
      VERSION: JSON.stringify(identity),
      FILES: JSON.stringify(files),
      LARGE_FILES: JSON.stringify(large),
      HASHES: JSON.stringify(hashes),
    },
    logLevel: "warning",
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { outdir, firstLoad } = await buildWeb();
  const size = `${(firstLoad / 1024).toFixed(1)} KB`;
  console.log(`Web app: ${relative(root, outdir)}, first load ${size} compressed`);
  if (firstLoad > FIRST_LOAD_LIMIT) {
    console.error(`The first load is ${size}, which is more than ${FIRST_LOAD_LIMIT / 1024} KB`);
    process.exitCode = 1;
  }
}
