import type { OnLoadResult, OnResolveArgs, OnResolveResult, Plugin, PluginBuild } from "esbuild";
import { NPM_MARK } from "./canonical.ts";
import { type Conditions, declaredPackage, resolveVirtual } from "./npm-files.ts";
import { dirname, isAbsolute, join, toPosix } from "./paths.ts";
import { findModule, type NpmPackage, packageOf, type Sources, splitSpecifier } from "./sources.ts";
import { pathsOf, type Tsconfig } from "./tsconfig.ts";

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

/** How imports are resolved. */
export interface ImportRules {
  readonly npm: "external" | "inline";
  readonly conditions: Conditions;
  /** Files on the disk have that which esbuild finds. */
  readonly tsconfig: Tsconfig | undefined;
}

/**
 * Decides what becomes part of a bundle. `redun` and what the runtime provides stay imports. npm packages
 * stay imports under a mark that names their version, or are inlined. Everything else is the workflow's own
 * code, wherever it lies: also packages of the same workspace, which change without a new version.
 */
export function importsPlugin(
  sources: Sources,
  { npm, conditions, tsconfig }: ImportRules,
  imports: Imports,
): Plugin {
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
        const mapped = sources.virtual && tsconfig ? findMapped(sources, tsconfig, path) : undefined;
        if (mapped !== undefined) return { path: mapped, namespace: "file" };
        const declared = sources.virtual ? declaredPackage(sources, args) : undefined;
        if (declared) return place(`/node_modules/${path}`, { path, external: true }, path, declared);
        const found = sources.virtual
          ? resolveVirtual(sources, args, conditions)
          : await build.resolve(path, {
              kind: args.kind,
              importer: args.importer,
              resolveDir: args.resolveDir,
              namespace: args.namespace,
              pluginData: RESOLVING,
            });
        if ((found.errors?.length ?? 0) > 0 || !found.path) return sources.virtual ? missing(path) : found;
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
    // Only a package that is not in memory is external before it gets here.
    if (npm === "inline") return missing(specifier);
    const mark = `${NPM_MARK}${owner.name}@${owner.version}${name === owner.name ? "" : `(${name})`}${subpath}`;
    imports.marks.set(mark, specifier);
    return { path: mark, external: true };
  }
}

/** The file that TypeScript's `paths` make of a name. */
function findMapped(sources: Sources, tsconfig: Tsconfig, specifier: string): string | undefined {
  for (const path of pathsOf(tsconfig, specifier)) {
    const found = findModule(sources, path);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The error of an npm package that is not among the files in memory. Its hint is told with it. */
function missing(specifier: string): OnResolveResult {
  const text = `Could not resolve ${JSON.stringify(specifier)}`;
  if (specifier.startsWith("#")) return { errors: [{ text }] };
  const [name] = splitSpecifier(specifier);
  const hint =
    `Add the files of the npm package ${name} to the workflow's files, under node_modules/${name}/, ` +
    "or run the workflow from the command line, where it is installed.";
  return { errors: [{ text, detail: { hint } }] };
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
