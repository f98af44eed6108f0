import { existsSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { OnResolveArgs } from "esbuild";
import { hashBytes } from "../value/hash.ts";
import {
  ENGINE,
  engineModule,
  type LocalCopy,
  makeFolder,
  packageFile,
  readSidecar,
  replaceFile,
  sidecarFile,
} from "./local-copy.ts";
import { verifyPackage } from "./manifest.ts";
import { findSites, relocate } from "./relocate.ts";
import type { StoredPackage } from "./types.ts";

/**
 * Writes a package where it can be imported: its imports of the engine lead to the running copy, and those of npm
 * packages to where they are installed as seen from `from`. A copy that is there already is used.
 *
 * @param dir - the configuration's folder
 * @param from - the workflow's folder
 * @returns the path of the module
 * @throws PackageError if the package is not what its hash says
 */
export async function writePackage(pkg: StoredPackage, dir: string, from: string): Promise<string> {
  verifyPackage(pkg);
  const path = packageFile(dir, pkg.hash);
  const known = readSidecar(path);
  if (known?.engine === ENGINE && known.from === from && existsSync(path)) return path;
  const code = await localCode(pkg, from);
  const sidecar: LocalCopy = {
    hash: pkg.hash,
    manifest: pkg.manifest,
    checksum: hashBytes(code),
    engine: ENGINE,
    from,
  };
  makeFolder(dirname(path));
  if (pkg.map !== undefined) replaceFile(`${path}.map`, absoluteMap(pkg.map, from));
  replaceFile(path, code);
  replaceFile(sidecarFile(path), JSON.stringify(sidecar));
  return path;
}

async function localCode(pkg: StoredPackage, from: string): Promise<string> {
  const sites = findSites(pkg.code);
  const targets = await resolveImports([...new Set(sites.imports.map(({ specifier }) => specifier))], from);
  const edits = relocate(sites, pkg.map, targets, (source) => {
    const filename = resolve(from, source);
    return { url: pathToFileURL(filename).href, filename, dirname: dirname(filename) };
  });
  let { code } = pkg;
  for (const { start, end, text } of edits.sort((a, b) => b.start - a.start)) {
    code = code.slice(0, start) + text + code.slice(end);
  }
  return pkg.map === undefined ? code : `${code}\n//# sourceMappingURL=${pkg.hash}.mjs.map\n`;
}

async function resolveImports(specifiers: readonly string[], from: string): Promise<Map<string, string>> {
  const targets = new Map<string, string>();
  const npm: string[] = [];
  for (const specifier of specifiers) {
    if (specifier === "redun" || specifier.startsWith("redun/"))
      targets.set(specifier, engineModule(specifier));
    else if (/^[a-z]+:/.test(specifier) || isBuiltin(specifier)) continue;
    else npm.push(specifier);
  }
  if (npm.length > 0)
    for (const [specifier, path] of await resolveNpm(npm, from)) targets.set(specifier, path);
  return targets;
}

/** esbuild knows the rules of Node's resolution for any folder; the runtimes tell only for their own modules. */
async function resolveNpm(specifiers: readonly string[], from: string): Promise<Map<string, string>> {
  const { build } = await import("esbuild");
  const found = new Map<string, string>();
  const asked = Symbol("asked");
  await build({
    stdin: {
      contents: specifiers.map((name) => `import ${JSON.stringify(name)};`).join("\n"),
      resolveDir: from,
    },
    bundle: true,
    write: false,
    logLevel: "silent",
    platform: "node",
    format: "esm",
    conditions: ["node-addons", "module-sync"],
    plugins: [
      {
        name: "resolve",
        setup(context) {
          context.onResolve(
            { filter: /.*/ },
            async ({ path, kind, resolveDir, pluginData }: OnResolveArgs) => {
              if (pluginData === asked || kind === "entry-point") return undefined;
              const result = await context.resolve(path, { kind, resolveDir, pluginData: asked });
              if (result.errors.length === 0 && result.path !== "" && !result.external) {
                found.set(path, pathToFileURL(result.path).href);
              }
              return { path, external: true };
            },
          );
        },
      },
    ],
  });
  return found;
}

/** A source map whose sources are found from anywhere. */
function absoluteMap(map: string, from: string): string {
  const parsed = JSON.parse(map) as { sources: (string | null)[]; sourceRoot?: string };
  const base = resolve(from, parsed.sourceRoot ?? "");
  const sources = parsed.sources.map((source) =>
    source === null || /^[a-z]+:/.test(source) ? source : pathToFileURL(resolve(base, source)).href,
  );
  const { sourceRoot: _, ...rest } = parsed;
  return JSON.stringify({ ...rest, sources });
}
