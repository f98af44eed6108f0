/**
 * Checks the built package: each export exists, loads and is typed; the core touches no runtime and is small; and
 * what is built has the same identities as the source.
 */
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const root: string = join(import.meta.dirname, "..");
process.chdir(root);

/** Largest size of the core, minified and compressed, in bytes. */
const CORE_LIMIT = 46 * 1024;
/** Entry points that use the Web's APIs alone. */
const PORTABLE: ReadonlySet<string> = new Set([".", "./browser", "./cloudflare", "./package", "./testing"]);

/** Modules of Node's that an entry point may import besides, since its own runtime has them. */
const OWN: Readonly<Record<string, readonly string[]>> = { "./cloudflare": ["node:async_hooks"] };

const problems: string[] = [];

/**
 * What a built module exports, and the modules of other packages and of the runtime that it imports, through all of its
 * chunks.
 */
async function analyse(file: string): Promise<{ names: string[]; imports: string[] }> {
  const { metafile } = await build({
    entryPoints: [file],
    bundle: true,
    splitting: true,
    write: false,
    metafile: true,
    outdir: "out",
    format: "esm",
    platform: "neutral",
    packages: "external",
  });
  const outputs = Object.values(metafile.outputs);
  const imports = outputs.flatMap((output) => output.imports).filter(({ external }) => external);
  return {
    names: outputs.find(({ entryPoint }) => entryPoint === file.replace("./", ""))?.exports ?? [],
    imports: [...new Set(imports.map(({ path }) => path))].sort(),
  };
}

async function checkEntries(): Promise<void> {
  const { exports } = JSON.parse(readFileSync("package.json", "utf8")) as {
    exports: Record<string, string | { types: string; default: string }>;
  };
  let seen = 0;
  for (const [name, target] of Object.entries(exports)) {
    if (typeof target === "string") continue;
    seen++;
    const missing = [target.types, target.default].filter((file) => !existsSync(file));
    if (missing.length > 0) {
      problems.push(`${name}: ${missing.join(" and ")} is missing`);
      continue;
    }
    const { names, imports } = await analyse(target.default);
    if (names.length === 0) problems.push(`${name} exports nothing`);
    // Other runtimes' own modules can't be loaded here.
    if (!imports.some((specifier) => specifier.startsWith("cloudflare:")))
      await import(join(root, target.default));
    const own = OWN[name] ?? [];
    const forbidden = imports.filter(
      (specifier) => specifier.startsWith("node:") && !own.includes(specifier),
    );
    if (PORTABLE.has(name) && forbidden.length > 0) problems.push(`${name} imports ${forbidden.join(", ")}`);
    console.log(`${name}: ${names.length} names, imports ${imports.join(", ") || "nothing"}`);
  }
  if (seen === 0) problems.push("No export was seen");
}

async function checkCore(): Promise<void> {
  // A neutral platform has no modules of its own, so any import of one is an error.
  const { outputFiles } = await build({
    entryPoints: ["src/index.ts"],
    bundle: true,
    minify: true,
    splitting: true,
    write: false,
    outdir: "out",
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    // Loaded when a pattern is first used.
    external: ["picomatch"],
    logLevel: "silent",
  });
  const entry = outputFiles.find(({ path }) => basename(path) === "index.js")!;
  const size = gzipSync(entry.contents).length;
  console.log(`Core: ${(size / 1024).toFixed(1)} KB minified and compressed`);
  if (size > CORE_LIMIT) problems.push(`The core is larger than ${CORE_LIMIT / 1024} KB`);
}

/** Results are cached by task hashes, which must not depend on which copy of the engine computed them. */
async function checkIdentities(): Promise<void> {
  const hashes = async (path: string): Promise<Record<string, string>> => {
    const { taskRegistry } = (await import(join(root, path))) as typeof import("../src/index.ts");
    return Object.fromEntries(taskRegistry.all().map(({ fullname, hash }) => [fullname, hash]));
  };
  // The built one has been imported above, with its tasks.
  await import(join(root, "src/testing.ts"));
  const [source, built] = [await hashes("src/index.ts"), await hashes("dist/index.js")];
  const names = new Set([...Object.keys(source), ...Object.keys(built)]);
  for (const name of names) {
    if (source[name] !== built[name]) problems.push(`The task ${name} has another hash when it is built`);
  }
  if (names.size === 0) problems.push("No task of the engine was seen");
}

await checkEntries();
await checkCore();
await checkIdentities();
for (const problem of problems) console.error(problem);
process.exit(problems.length === 0 ? 0 : 1);
