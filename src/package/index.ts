import { PackageError } from "../errors/errors.ts";
import { bundle } from "./bundle.ts";
import { instrumentAsync } from "./lowering.ts";
import { packageHash } from "./manifest.ts";
import { dirname, normalize, toPosix } from "./paths.ts";
import { diskSources, findModule, virtualSources } from "./sources.ts";
import type { BuildOptions, CodePackage, Esbuild } from "./types.ts";

export { type EngineModules, provideEngine } from "./engine-modules.ts";
export type { LoadedPackage } from "./loaded.ts";
export { packageHash, verifyPackage } from "./manifest.ts";
export type {
  BuildOptions,
  CodePackage,
  Esbuild,
  PackageManifest,
  PackageParameter,
  PackageTask,
  ParameterType,
} from "./types.ts";
export { type WebEsbuildOptions, webEsbuild } from "./wasm-esbuild.ts";
export { loadWebPackage, type WebPackage } from "./web-load.ts";

/**
 * Bundles a workflow into a code package: one ES module and a manifest that gives the hash of every task.
 *
 * A task's hash covers its function and all the workflow's own code that the function leads to, through
 * modules. It stops at other tasks, which count by name, and at npm packages, which count by name and
 * version. Layout, comments and types don't count.
 *
 * @param entry - the path of the workflow's main module
 * @returns the package, addressed by the hash of its content
 * @throws `PackageError` with the place and the line if the code has a syntax error or an import can't be found
 *
 * @example Build from memory
 * ```ts
 * import { buildPackage } from "redun/package";
 *
 * const pkg = await buildPackage("main.ts", {
 *   files: { "main.ts": 'import { task } from "redun"; export const one = task("one", () => 1);' },
 * });
 * console.log(pkg.manifest.tasks[0]?.fullname); // one
 * ```
 */
export async function buildPackage(entry: string, options: BuildOptions = {}): Promise<CodePackage> {
  const { npm = "external", lowerAsync = false, files } = options;
  const esbuild = options.esbuild ?? (await nativeEsbuild());
  const base = normalize(`/${toPosix(options.root ?? "/")}`);
  const sources = files ? virtualSources(files, base) : diskSources();
  const paths = locate(entry, options, sources.absolute);
  const absolute = sources.virtual ? (findModule(sources, paths.entry) ?? paths.entry) : paths.entry;
  const settings = { root: paths.root, esbuild, sources };

  const rewritten = npm === "inline" || lowerAsync;
  // Hashes always come from the plain bundle, so that they don't depend on where the code is to run.
  const bundling = Promise.all([
    bundle(absolute, { ...settings, npm: "external", lowerAsync: false }),
    rewritten ? bundle(absolute, { ...settings, npm, lowerAsync }) : undefined,
  ]);
  // The parsers take as long to load as esbuild to bundle, which runs in its own process.
  const [{ analyze, finish }, [plain, shipped]] = await Promise.all([import("./analysis.ts"), bundling]);
  const { parsed, functionNames, manifest, warnings } = analyze(plain, { root: paths.root, entry: absolute });
  const { code, map } = shipped ? finish(shipped, functionNames) : finish(plain, functionNames, parsed);
  const final = lowerAsync ? instrumentAsync(code) : code;
  return {
    hash: packageHash(final, manifest),
    manifest,
    code: final,
    map,
    inputs: [...new Set([...plain.inputs, ...(shipped?.inputs ?? [])])].sort(),
    ...(warnings.length > 0 ? { warnings } : {}),
  };
}

/** The native esbuild, by a name that a bundler for the browser does not follow. */
async function nativeEsbuild(): Promise<Esbuild> {
  const name = "esbuild";
  try {
    return (await import(/* @vite-ignore */ name)) as Esbuild;
  } catch (cause) {
    throw new PackageError("Cannot build a package: esbuild is not here", {
      hint: "Install esbuild; in a browser, pass { esbuild: await webEsbuild(wasmUrl) }.",
      cause,
    });
  }
}

function locate(
  entry: string,
  options: BuildOptions,
  absolute: (path: string) => string,
): { root: string; entry: string } {
  const path = absolute(entry);
  return { root: options.root === undefined ? dirname(path) : absolute(options.root), entry: path };
}
