/**
 * Builds `dist/`: one ES module for each entry point of `package.json`, for the command and for each worker, with
 * shared chunks, so that all of them have one instance of every module, and the type declarations.
 *
 * `--no-types` leaves the declarations as they are.
 */
import { execFileSync } from "node:child_process";
import {
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { ISOLATE_RUNTIME, writeIsolateRuntime } from "./build-isolate.ts";

const root: string = join(import.meta.dirname, "..");
const dist: string = join(root, "dist");

/** The modules of `src` that are built under a name of their own, by that name. */
export function entryPoints(): Record<string, string> {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    exports: Record<string, string | { default: string }>;
  };
  const entries: Record<string, string> = { cli: "src/cli/main.ts" };
  for (const target of Object.values(manifest.exports)) {
    if (typeof target === "string") continue;
    const name = target.default.slice("./dist/".length, -".js".length);
    const source = `src/${name}.ts`;
    if (!existsSync(join(root, source)))
      throw new Error(`Cannot build ${target.default}: there is no ${source}`);
    entries[name] = source;
  }
  // Workers are started by the address of their file, which therefore keeps its name.
  for (const path of globSync("src/**/*-worker.ts", { cwd: root })) entries[basename(path, ".ts")] = path;
  return entries;
}

/** What built code knows as `REDUN_VERSION`. */
function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  return version;
}

/**
 * Bundles the entry points. Files that stay the same are left alone.
 *
 * @param clean - whether chunks of earlier builds are removed, which a process that is just starting may still want
 */
export async function buildModules(clean: boolean): Promise<void> {
  await writeIsolateRuntime();
  const result = await build({
    absWorkingDir: root,
    entryPoints: entryPoints(),
    outdir: "dist",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "neutral",
    target: "es2023",
    packages: "external",
    external: ["#isolate-runtime"],
    define: { REDUN_VERSION: JSON.stringify(packageVersion()) },
    // Beside the entries, so that an address relative to `import.meta.url` means the same in both.
    chunkNames: "chunk-[hash]",
    charset: "utf8",
    write: false,
    logLevel: "warning",
  });
  mkdirSync(dist, { recursive: true });
  const written = new Set<string>([ISOLATE_RUNTIME]);
  for (const { path, contents } of result.outputFiles) {
    written.add(basename(path));
    if (!existsSync(path) || Buffer.compare(readFileSync(path), contents) !== 0)
      writeFileSync(path, contents);
  }
  for (const name of clean ? readdirSync(dist) : []) {
    if (name.endsWith(".js") && !written.has(name)) rmSync(join(dist, name), { force: true });
  }
}

function buildTypes(): void {
  rmSync(join(dist, "types"), { recursive: true, force: true });
  const files = Object.values(entryPoints()).filter((path) => !path.startsWith("src/cli/"));
  const config = join(dist, "tsconfig.json");
  writeFileSync(
    config,
    JSON.stringify({ extends: "../tsconfig.build.json", files: files.map((path) => `../${path}`) }),
  );
  try {
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    execFileSync(process.execPath, [tsc, "-p", config], { stdio: "inherit" });
  } finally {
    rmSync(config);
  }
}

/** npm links the commands of dependencies only, and `npx redun` should mean this one here too. */
function linkCommand(): void {
  const link = join(root, "node_modules/.bin/redun");
  if (!existsSync(dirname(link)) || existsSync(link)) return;
  rmSync(link, { force: true });
  symlinkSync("../../bin/redun.js", link);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await buildModules(true);
  if (!process.argv.includes("--no-types")) buildTypes();
  linkCommand();
}
