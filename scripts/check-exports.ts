/** Checks the built package: each export exists and loads, the core touches no runtime, and it is small. */
import { existsSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const root = new URL("..", import.meta.url).pathname;
process.chdir(root);
/** Largest size of the core, minified and compressed, in bytes. */
const CORE_LIMIT = 40 * 1024;

const { exports } = JSON.parse(readFileSync("package.json", "utf8")) as {
  exports: Record<string, string | { types: string; default: string }>;
};
const problems: string[] = [];
let seen = 0;
for (const [name, target] of Object.entries(exports)) {
  if (typeof target === "string") continue;
  seen++;
  for (const file of [target.types, target.default])
    if (!existsSync(file)) problems.push(`${name}: ${file} is missing`);
  if (!existsSync(target.default)) continue;
  const names = Object.keys(await import(new URL(`../${target.default}`, import.meta.url).href));
  if (names.length === 0) problems.push(`${name} exports nothing`);
  console.log(`${name}: ${names.length} names`);
}
if (seen === 0) problems.push("No export was seen");

for (const entry of ["src/index.ts", "src/testing.ts"]) {
  // A neutral platform has no built-in modules, so any import of one is an error.
  const result = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    splitting: true,
    write: false,
    outdir: "out",
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    external: ["picomatch"],
    logLevel: "silent",
  }).catch((error: Error) => {
    problems.push(`${entry} needs more than the Web: ${error.message}`);
    return undefined;
  });
  const size = gzipSync(result?.outputFiles[0]?.contents ?? "").length;
  console.log(`${entry}: ${(size / 1024).toFixed(1)} KB minified and compressed`);
  if (entry === "src/index.ts" && size > CORE_LIMIT)
    problems.push(`The core is larger than ${CORE_LIMIT / 1024} KB`);
}
for (const problem of problems) console.error(problem);
process.exit(problems.length === 0 ? 0 : 1);
