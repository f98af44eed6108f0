import type { OnResolveArgs, OnResolveResult } from "esbuild";
import { dirname, join } from "./paths.ts";
import { longestPattern, matched } from "./patterns.ts";
import { findModule, findNpmFolder, type NpmPackage, type Sources, splitSpecifier } from "./sources.ts";

/** The conditions of `exports` in a `package.json` that hold, besides `import` or `require`, and `default`. */
export type Conditions = readonly string[];

interface Manifest {
  readonly exports?: unknown;
  readonly imports?: unknown;
  readonly module?: unknown;
  readonly main?: unknown;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Finds a module of an npm package among files in memory, as esbuild finds it on a disk. */
export function resolveVirtual(
  sources: Sources,
  args: OnResolveArgs,
  conditions: Conditions,
): OnResolveResult {
  const holds = new Set([...conditions, args.kind === "require-call" ? "require" : "import", "default"]);
  const missing = { errors: [{ text: `Could not resolve ${JSON.stringify(args.path)}` }] };
  if (args.path.startsWith("#")) {
    const path = resolveOwn(sources, args, holds);
    return path ? { path } : missing;
  }
  const [name, subpath] = splitSpecifier(args.path);
  const folder = findNpmFolder(sources, args.resolveDir || "/", name);
  if (!folder) return missing;
  const manifest = readJson(sources, join(folder, "package.json"));
  const target = entryOf(manifest, `.${subpath}`, holds);
  if (target === undefined) return missing;
  const path = findModule(sources, join(folder, target));
  // Without its files, a package can still be an import.
  return path ? { path } : { path: join(folder, target), external: true };
}

/** What a package calls its own by a name that starts with `#`. */
function resolveOwn(sources: Sources, args: OnResolveArgs, holds: ReadonlySet<string>): string | undefined {
  for (let folder = args.resolveDir || "/"; ; folder = dirname(folder)) {
    const path = join(folder, "package.json");
    const { imports } = sources.read(path) === undefined ? {} : readJson(sources, path);
    if (imports !== undefined) {
      const target = targetOf(imports, args.path, holds);
      return target && findModule(sources, join(folder, target));
    }
    if (folder === "/" || dirname(folder) === folder) return undefined;
  }
}

/** A package that isn't there in memory counts by the range that the workflow's `package.json` asks for. */
export function declaredPackage(sources: Sources, args: OnResolveArgs): NpmPackage | undefined {
  const [name] = splitSpecifier(args.path);
  const from = args.resolveDir || "/";
  if (findNpmFolder(sources, from, name)) return undefined;
  for (let folder = from; ; folder = dirname(folder)) {
    const path = join(folder, "package.json");
    const version =
      sources.read(path) === undefined ? undefined : readJson(sources, path).dependencies?.[name];
    if (version !== undefined) return { name, version, manifest: "" };
    if (folder === "/" || dirname(folder) === folder) return undefined;
  }
}

function readJson(sources: Sources, path: string): Manifest {
  return JSON.parse(sources.read(path)!) as Manifest;
}

function entryOf(manifest: Manifest, key: string, holds: ReadonlySet<string>): string | undefined {
  const { exports, module, main } = manifest;
  if (exports != null) {
    const byPath = typeof exports === "object" && Object.keys(exports).some((name) => name.startsWith("."));
    return targetOf(byPath ? exports : { ".": exports }, key, holds);
  }
  if (key !== ".") return key;
  return [module, main].find((field) => typeof field === "string") ?? "index.js";
}

/** Looks a key up in `exports` or `imports`: itself, else the pattern with the longest beginning that it matches. */
function targetOf(table: unknown, key: string, holds: ReadonlySet<string>): string | undefined {
  if (typeof table !== "object" || table === null) return undefined;
  const pattern = longestPattern(Object.keys(table), key);
  if (pattern === undefined) return undefined;
  const target = pick((table as Record<string, unknown>)[pattern], holds);
  return target?.replaceAll("*", () => matched(pattern, key)!);
}

/** The target whose conditions hold; `null` says that there is none, `undefined` that another may be looked for. */
function pick(entry: unknown, holds: ReadonlySet<string>): string | null | undefined {
  if (typeof entry === "string" || entry === null) return entry;
  if (Array.isArray(entry)) {
    for (const item of entry) {
      const found = pick(item, holds);
      if (found != null) return found;
    }
    return undefined;
  }
  if (typeof entry !== "object") return undefined;
  for (const [condition, inner] of Object.entries(entry)) {
    if (!holds.has(condition)) continue;
    const found = pick(inner, holds);
    if (found !== undefined) return found;
  }
  return undefined;
}
