import type { OnLoadResult, OnResolveArgs, OnResolveResult, Plugin, PluginBuild } from "esbuild";
import { NPM_MARK } from "./canonical.ts";
import { dirname, isAbsolute, join, toPosix } from "./paths.ts";
import {
  findModule,
  findNpmFolder,
  type NpmPackage,
  packageOf,
  type Sources,
  splitSpecifier,
} from "./sources.ts";

/** What the modules of a build import from outside. */
export interface Imports {
  /** The specifier that each mark stands for. A mark names the version an importer gets. */
  readonly marks: Map<string, string>;
  /** The versions in use of each npm package. */
  readonly npm: Map<string, Set<string>>;
  /** Files that decided about the above. */
  readonly inputs: Set<string>;
}

const BUILTINS: ReadonlySet<string> = new Set(
  (
    "assert async_hooks buffer child_process cluster console constants crypto dgram diagnostics_channel dns " +
    "domain events fs http http2 https inspector module net os path perf_hooks process punycode querystring " +
    "readline repl stream string_decoder sys timers tls trace_events tty url util v8 vm wasi worker_threads zlib"
  ).split(" "),
);

const RESOLVING = Symbol("resolving");
const LOADERS: Record<string, OnLoadResult["loader"]> = {
  tsx: "tsx",
  jsx: "jsx",
  json: "json",
  txt: "text",
  ts: "ts",
  mts: "ts",
  cts: "ts",
};

/**
 * Decides what becomes part of a bundle. `redun` and what the runtime provides stay imports. npm packages
 * stay imports under a mark that names their version, or are inlined. Everything else is the workflow's own
 * code, wherever it lies: also packages of the same workspace, which change without a new version.
 */
export function importsPlugin(sources: Sources, npm: "external" | "inline", imports: Imports): Plugin {
  return {
    name: "redun-imports",
    setup(build) {
      if (sources.virtual) serveFiles(build, sources);
      build.onResolve({ filter: /^[^./]/ }, async (args) => {
        const { path } = args;
        if (args.pluginData === RESOLVING || args.kind === "entry-point" || isAbsolute(path))
          return undefined;
        if (path === "redun" || path.startsWith("redun/")) return { path, external: true };
        if (path.startsWith("node:") || BUILTINS.has(splitSpecifier(path)[0]))
          return builtin(path, args.kind);
        if (/^[a-z][a-z0-9+.-]*:/.test(path))
          return path.startsWith("data:") ? undefined : { path, external: true };
        const declared = sources.virtual ? declaredPackage(sources, args) : undefined;
        if (declared) return place(`/node_modules/${path}`, { path, external: true }, path, declared);
        const found = sources.virtual
          ? resolveVirtual(sources, args)
          : await build.resolve(path, {
              kind: args.kind,
              importer: args.importer,
              resolveDir: args.resolveDir,
              namespace: args.namespace,
              pluginData: RESOLVING,
            });
        if ((found.errors?.length ?? 0) > 0 || !found.path) return found;
        return place(toPosix(found.path), found, path);
      });
      build.onLoad({ filter: /.*/, namespace: "redun-builtin" }, ({ path }) => ({
        // CommonJS inside an ES module has no `require` to load what the runtime provides.
        contents: `module.exports = globalThis.process.getBuiltinModule(${JSON.stringify(path)});`,
      }));
    },
  };

  function place(
    file: string,
    found: OnResolveResult,
    specifier: string,
    declared?: NpmPackage,
  ): OnResolveResult {
    if (!file.includes("/node_modules/") && !found.external) return { path: found.path! };
    const unknown = { name: splitSpecifier(specifier)[0], version: "0.0.0", manifest: "" };
    const owner = declared ?? packageOf(sources, file) ?? unknown;
    if (owner.manifest) imports.inputs.add(owner.manifest);
    const [name, subpath] = specifier.startsWith("#") ? [owner.name, ""] : splitSpecifier(specifier);
    note(imports, owner);
    if (npm === "inline" && !found.external) return { path: found.path! };
    const mark = `${NPM_MARK}${owner.name}@${owner.version}${name === owner.name ? "" : `(${name})`}${subpath}`;
    imports.marks.set(mark, specifier);
    return { path: mark, external: true };
  }
}

function note(imports: Imports, { name, version }: NpmPackage): void {
  const versions = imports.npm.get(name) ?? new Set();
  imports.npm.set(name, versions.add(version));
}

function builtin(path: string, kind: OnResolveArgs["kind"]): OnResolveResult {
  const name = path.startsWith("node:") ? path : `node:${path}`;
  if (kind === "require-call") return { path: name, namespace: "redun-builtin" };
  return { path: name, external: true };
}

function serveFiles(build: PluginBuild, sources: Sources): void {
  build.onResolve({ filter: /.*/ }, (args) => {
    const relative = args.kind === "entry-point" || args.path.startsWith(".") || isAbsolute(args.path);
    if (!relative) return undefined;
    const path = findModule(sources, join(args.resolveDir || "/", args.path));
    if (path) return { path, namespace: "file" };
    return { errors: [{ text: `Could not resolve ${JSON.stringify(args.path)}` }] };
  });
  build.onLoad({ filter: /.*/, namespace: "file" }, ({ path }) => {
    const contents = sources.read(toPosix(path));
    if (contents === undefined) return { errors: [{ text: `No such file: ${path}` }] };
    const extension = path.slice(path.lastIndexOf(".") + 1);
    return { contents, loader: LOADERS[extension] ?? "js", resolveDir: dirname(path) };
  });
}

/** Finds an npm package among files in memory: its entry by the commonest fields of `package.json`. */
function resolveVirtual(sources: Sources, args: OnResolveArgs): OnResolveResult {
  const [name, subpath] = splitSpecifier(args.path);
  const folder = findNpmFolder(sources, args.resolveDir || "/", name);
  if (!folder) return { errors: [{ text: `Could not resolve ${JSON.stringify(args.path)}` }] };
  const manifest = JSON.parse(sources.read(join(folder, "package.json"))!) as Record<string, unknown>;
  const entry = entryOf(manifest, `.${subpath}`);
  const path = findModule(sources, join(folder, entry ?? (subpath ? `.${subpath}` : "index.js")));
  // Without its files, a package can still be an import.
  return path ? { path } : { path: join(folder, subpath ? `.${subpath}` : "index.js"), external: true };
}

function entryOf(manifest: Record<string, unknown>, key: string): string | undefined {
  const pick = (value: unknown): string | undefined => {
    if (typeof value === "string") return value;
    if (typeof value !== "object" || value === null) return undefined;
    const conditions = value as Record<string, unknown>;
    for (const condition of ["import", "module", "browser", "default", "require"]) {
      const found = pick(conditions[condition]);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  const { exports } = manifest;
  const byPath =
    typeof exports === "object" &&
    exports !== null &&
    Object.keys(exports).some((name) => name.startsWith("."));
  const found = byPath
    ? pick((exports as Record<string, unknown>)[key])
    : key === "."
      ? pick(exports)
      : undefined;
  return found ?? (key === "." ? (pick(manifest.module) ?? pick(manifest.main)) : undefined);
}

/** A package that isn't there in memory counts by the range that the workflow's `package.json` asks for. */
function declaredPackage(sources: Sources, args: OnResolveArgs): NpmPackage | undefined {
  const [name] = splitSpecifier(args.path);
  const from = args.resolveDir || "/";
  if (findNpmFolder(sources, from, name)) return undefined;
  for (let folder = from; ; folder = dirname(folder)) {
    const text = sources.read(join(folder, "package.json"));
    if (text !== undefined) {
      const { dependencies } = JSON.parse(text) as { dependencies?: Record<string, string> };
      const version = dependencies?.[name];
      if (version !== undefined) return { name, version, manifest: "" };
    }
    if (folder === "/" || dirname(folder) === folder) return undefined;
  }
}
