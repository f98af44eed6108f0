/** Fails if a file of `src/` imports from a higher layer, or an adapter from another adapter's folder. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

const root = new URL("../src/", import.meta.url).pathname;

/** Folders by layer, lowest first; see docs/architecture.md. */
const layers: readonly (readonly string[])[] = [
  ["util", "errors"],
  ["value"],
  ["expression", "file"],
  ["task"],
  ["backend", "executor", "builtins"],
  ["scheduler"],
  ["backends", "executors", "file-systems", "package"],
  ["server", "cli", "browser", "cloudflare"],
  ["."],
];
const CORE = 5;
const ADAPTERS = 6;

const layerOf = (folder: string): number => {
  const layer = layers.findIndex((folders) => folders.includes(folder));
  if (layer < 0) throw new Error(`The folder src/${folder} belongs to no layer`);
  return layer;
};
const folderOf = (file: string): string => {
  const path = relative(root, file);
  return path.includes("/") ? path.split("/")[0]! : ".";
};

const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter(
  (file) => /\.tsx?$/.test(file) && !file.endsWith(".d.ts"),
);
const problems: string[] = [];
for (const name of files) {
  const file = join(root, name);
  const source = readFileSync(file, "utf8");
  const folder = folderOf(file);
  const layer = layerOf(folder);
  for (const [, specifier] of source.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)) {
    if (!specifier!.startsWith(".")) {
      if (specifier!.startsWith("node:") && layer <= CORE)
        problems.push(`src/${name} is of the core and imports ${specifier}`);
      continue;
    }
    const target = folderOf(resolve(dirname(file), specifier!));
    const targetLayer = layerOf(target);
    if (targetLayer > layer)
      problems.push(`src/${name} (layer ${layer}) imports ${specifier} (layer ${targetLayer})`);
    if (layer === ADAPTERS && target !== folder && (targetLayer === ADAPTERS || targetLayer === CORE)) {
      problems.push(`src/${name} is an adapter and imports ${specifier}`);
    }
  }
}
if (files.length === 0) problems.push("No file was seen");
for (const problem of problems) console.error(problem);
console.log(`Layers: ${files.length} files, ${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
