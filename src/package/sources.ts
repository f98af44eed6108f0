import { PackageError } from "../errors/errors.ts";
import { dirname, isAbsolute, join, toPosix } from "./paths.ts";

/** Where a build reads files from. Paths are absolute, with `/` between their parts. */
export interface Sources {
  /** Whether the files live in memory, where esbuild can't find them by itself. */
  readonly virtual: boolean;
  /** Makes a path absolute. */
  absolute(path: string): string;
  /** @returns the file's text, or `undefined` if there is no such file */
  read(path: string): string | undefined;
}

/** Files given as a map. Relative keys are relative to `root`. */
export function virtualSources(files: Record<string, string>, root: string): Sources {
  const texts = new Map(Object.entries(files).map(([path, text]) => [join(root, path), text]));
  return {
    virtual: true,
    absolute: (path) => join(root, path),
    read: (path) => texts.get(path),
  };
}

/** What is used of `node:fs` and `node:path`, so that this compiles without Node's types as well. */
interface NodeFs {
  realpathSync(path: string): string;
  readFileSync(path: string, encoding: "utf8"): string;
}
interface NodePath {
  resolve(path: string): string;
}

/** A module of Node's, without an import, which a bundler for the browser would stumble over. */
function nodeModule<T>(name: string): T {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): T | undefined } };
  const found = process?.getBuiltinModule?.(name);
  if (found !== undefined) return found;
  throw new PackageError("Cannot build from the disk: this runtime has none", {
    hint: "Pass the workflow's texts as { files }.",
  });
}

/** The files of the disk. @throws PackageError where there is none */
export function diskSources(): Sources {
  const fs = nodeModule<NodeFs>("node:fs");
  const path = nodeModule<NodePath>("node:path");
  return {
    virtual: false,
    absolute(name) {
      const full = path.resolve(name);
      try {
        // esbuild follows links, and paths of one package must have one beginning.
        return toPosix(fs.realpathSync(full));
      } catch {
        return toPosix(full);
      }
    },
    read(name) {
      try {
        return fs.readFileSync(name, "utf8");
      } catch {
        return undefined;
      }
    },
  };
}

/** The name and version of an npm package, and where it says so. */
export interface NpmPackage {
  readonly name: string;
  readonly version: string;
  readonly manifest: string;
}

/** Finds the package that a file belongs to: the nearest `package.json` above it that has a name. */
export function packageOf(sources: Sources, file: string): NpmPackage | undefined {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const manifest = join(folder, "package.json");
    const found = readManifest(sources, manifest);
    if (found) return found;
    if (folder === "/" || folder === "." || dirname(folder) === folder) return undefined;
  }
}

/** Reads a `package.json` with a name. Those without one only say how a folder's files are to be read. */
function readManifest(sources: Sources, manifest: string): NpmPackage | undefined {
  const text = sources.read(manifest);
  if (text === undefined) return undefined;
  try {
    const { name, version } = JSON.parse(text) as { name?: unknown; version?: unknown };
    if (typeof name !== "string") return undefined;
    return { name, version: typeof version === "string" ? version : "0.0.0", manifest };
  } catch {
    return undefined;
  }
}

const EXTENSIONS = ["", ".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".json"];
const TYPESCRIPT: Record<string, string[]> = {
  ".js": [".ts", ".tsx"],
  ".jsx": [".tsx"],
  ".mjs": [".mts"],
  ".cjs": [".cts"],
};

/** Finds the file that a path of an import means: the file, one with an extension added, or an index file. */
export function findModule(sources: Sources, path: string): string | undefined {
  for (const base of [path, join(path, "index")]) {
    for (const extension of EXTENSIONS) {
      if (sources.read(base + extension) !== undefined) return base + extension;
    }
    const written = base.match(/\.[cm]?jsx?$/)?.[0] ?? "";
    for (const extension of TYPESCRIPT[written] ?? []) {
      const candidate = base.slice(0, -written.length) + extension;
      if (sources.read(candidate) !== undefined) return candidate;
    }
  }
  return undefined;
}

/** Splits `@scope/name/sub/path` into the package's name and the rest, which is empty or starts with `/`. */
export function splitSpecifier(specifier: string): [name: string, subpath: string] {
  const parts = specifier.split("/");
  const name = parts.slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
  return [name, specifier.slice(name.length)];
}

/** Finds an npm package in the `node_modules` folders from a folder upwards. */
export function findNpmFolder(sources: Sources, from: string, name: string): string | undefined {
  for (let folder = from; isAbsolute(folder); folder = dirname(folder)) {
    const candidate = join(folder, `node_modules/${name}`);
    if (sources.read(join(candidate, "package.json")) !== undefined) return candidate;
    if (dirname(folder) === folder) break;
  }
  return undefined;
}
