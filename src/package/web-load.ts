import { PackageError } from "../errors/errors.ts";
import { toBase64 } from "../util/base64.ts";
import { type EngineModules, engineModules, provideEngine, standInFor } from "./engine-modules.ts";
import { type LoadedPackage, loadedPackage, registerPackage } from "./loaded.ts";
import { verifyPackage } from "./manifest.ts";
import { importModule, moduleUrls } from "./module-url.ts";
import { packageUrl, placesBelow } from "./places.ts";
import type { ImportSite } from "./relocate.ts";
import type { CodePackage } from "./types.ts";

export type { EngineModules } from "./engine-modules.ts";
export type { LoadedPackage } from "./loaded.ts";

/** What is needed of a package to load it. */
export type WebPackage = Pick<CodePackage, "hash" | "code" | "manifest" | "map">;

/**
 * Imports a package in a tab, a page or a worker, and registers its tasks with the hashes that its manifest gives
 * them. Its imports of `redun` lead to the running engine. A package that is loaded already is only made current. From
 * then on stack traces of this thread show places of the workflow's sources, as `file:///` and their path.
 *
 * @param engine - the engine's modules; by default those given to {@link provideEngine}
 * @throws PackageError if the package is not what its hash says, or imports what a tab lacks; whatever its code throws
 */
export async function loadWebPackage(pkg: WebPackage, engine?: EngineModules): Promise<LoadedPackage> {
  const known = loadedPackage(pkg.hash);
  if (known !== undefined) return known;
  verifyPackage(pkg);
  if (engine !== undefined) provideEngine(engine);
  const modules = engine ?? engineModules() ?? {};
  const urls = await moduleUrls();
  const url = urls.make(await localCode(pkg, modules));
  try {
    return await registerPackage(pkg, () => importModule(url));
  } finally {
    urls.release(url);
  }
}

/** The package's code as it can be imported here. */
async function localCode({ hash, code, map, manifest }: WebPackage, modules: EngineModules): Promise<string> {
  const [{ findSites, relocate }, { applyEdits }, { mapStacks }] = await Promise.all([
    import("./relocate.ts"),
    import("./source-map.ts"),
    import("./stack-maps.ts"),
  ]);
  const place = placesBelow(manifest.entry);
  const sites = findSites(code);
  const targets = await resolveImports(hash, sites.imports, modules);
  const edits = relocate(sites, map, targets, place);
  const empty = JSON.stringify({ version: 3, sources: [], names: [], mappings: "" });
  const edited = applyEdits(code, map ?? empty, edits);
  const url = packageUrl(hash);
  const lines = [edited.code];
  if (map !== undefined) {
    mapStacks(url, edited.map, (source) => place(source).url);
    // For the browser's developer tools.
    const base64 = toBase64(new TextEncoder().encode(edited.map));
    lines.push(`//# sourceMappingURL=data:application/json;base64,${base64}`);
  }
  lines.push(`//# sourceURL=${url}`);
  return `${lines.join("\n")}\n`;
}

/** Addresses of the engine's stand-ins. They stay valid, since packages may import them later. */
const standIns = new WeakMap<EngineModules, Map<string, string>>();

async function resolveImports(
  hash: string,
  imports: readonly ImportSite[],
  modules: EngineModules,
): Promise<Map<string, string>> {
  const targets = new Map<string, string>();
  for (const { specifier, dynamic } of imports) {
    if (targets.has(specifier)) continue;
    if (Object.hasOwn(modules, specifier)) targets.set(specifier, await standIn(specifier, modules));
    // What code imports while it runs fails there, if it is reached.
    else if (!dynamic) await checkImport(hash, specifier);
  }
  return targets;
}

async function standIn(specifier: string, modules: EngineModules): Promise<string> {
  const known = standIns.get(modules) ?? new Map<string, string>();
  standIns.set(modules, known);
  let url = known.get(specifier);
  if (url === undefined) {
    url = (await moduleUrls()).make(standInFor(specifier, modules));
    known.set(specifier, url);
  }
  return url;
}

async function checkImport(hash: string, specifier: string): Promise<void> {
  const refuse = (hint: string, cause?: unknown): never => {
    throw new PackageError(`Cannot load package ${hash}: it imports ${specifier}, which is not here`, {
      hint,
      fields: { hash, specifier },
      cause,
    });
  };
  if (specifier === "redun") refuse("Call provideEngine({ redun }) before packages are loaded.");
  if (specifier.startsWith("redun/")) {
    refuse("This tab's engine does not have that module. Run the workflow from the command line.");
  }
  if (specifier.startsWith("node:")) {
    refuse("A tab has none of Node's modules. Run the workflow from the command line.");
  }
  if (!/^[a-z][a-z0-9+.-]*:/.test(specifier)) {
    refuse('Give the files of the npm package under node_modules/, and build with npm: "inline".');
  }
  try {
    await importModule(specifier);
  } catch (cause) {
    refuse(
      "The address must answer with a JavaScript module and allow other sites to read it (CORS).",
      cause,
    );
  }
}
