import { PackageError } from "../errors/errors.ts";
import { hashBytes, hashStruct } from "../value/hash.ts";
import { embeddedWasm } from "./embedded-wasm.ts";
import { guardNames } from "./guard-names.ts";
import { PACKAGE_MODULES, type PackageInfo } from "./isolate-names.ts";
import { guardEdits } from "./loop-guard.ts";
import { verifyPackage } from "./manifest.ts";
import { packageUrl, placesBelow } from "./places.ts";
import { findSites, relocate } from "./relocate.ts";
import { applyEdits } from "./source-map.ts";
import type { CodePackage, PackageManifest, PackageTask } from "./types.ts";

/** A package as it is loaded in an isolate: modules beside those of the isolate's runtime, by name. */
export interface IsolatePackage {
  readonly manifest: Pick<PackageManifest, "network">;
  /** Whether its tasks may run scripts, as an isolate is slower to start that can. */
  readonly shell: boolean;
  readonly modules: Readonly<Record<string, IsolateModule>>;
}

/** One module: an ES module, plain data, text, or WebAssembly. */
export type IsolateModule =
  | { readonly js: string }
  | { readonly json: unknown }
  | { readonly text: string }
  | { readonly wasm: ArrayBuffer };

/** What is needed of a package to load it. */
export type LoadablePackage = Pick<CodePackage, "hash" | "code"> & {
  /** A manifest; it is checked. */
  readonly manifest: unknown;
  readonly map?: string | undefined;
};

/** The runtime's modules that packages may import, by the specifiers that they use. */
const ENGINE_MODULES: ReadonlyMap<string, string> = new Map([["redun", "./redun.js"]]);

/** The module of the runtime that has the guard. */
const GUARD_MODULE = "./turn-guard.js";

/**
 * Checks a package and makes it ready for an isolate. Its imports of `redun` lead to the runtime's module, stack traces
 * name its sources, and where it is to be guarded its loops and functions look at the clock.
 *
 * @param pkg - none for an isolate that runs nothing but scripts
 * @throws PackageError if the package is not what its hash says, or imports what an isolate lacks
 */
export function isolatePackage(
  pkg: LoadablePackage | undefined,
  options: { readonly guard: boolean },
): IsolatePackage {
  if (pkg === undefined)
    return { manifest: {}, shell: true, modules: { [PACKAGE_MODULES.info]: { json: null } } };
  const manifest = checkManifest(pkg.hash, pkg.manifest);
  verifyPackage({ hash: pkg.hash, code: pkg.code, manifest });
  const guard = options.guard ? guardNames(pkg.code) : undefined;
  const { code, map } = edited(pkg, manifest, guard);
  const wasm = embeddedWasm(pkg.code).map((bytes, i) => [`package-${i}.wasm`, bytes] as const);
  const hashes = Object.fromEntries(wasm.map(([name, bytes]) => [name, hashBytes(bytes)]));
  const info: PackageInfo = { hash: pkg.hash, manifest, guard, wasm: hashes };
  return {
    manifest,
    // Whatever defines a script task names that option.
    shell: /\bscript\b/.test(pkg.code),
    modules: {
      [PACKAGE_MODULES.code]: { js: code },
      [PACKAGE_MODULES.info]: { json: info },
      [PACKAGE_MODULES.map]: { text: map ?? "" },
      ...Object.fromEntries(wasm.map(([name, { buffer }]) => [name, { wasm: buffer }])),
    },
  };
}

function checkManifest(hash: string, manifest: unknown): PackageManifest {
  const refuse = (what: string, fields: Record<string, unknown> = {}): never => {
    throw new PackageError(`Cannot load package ${hash}: ${what}`, {
      hint: "Build the package again from its source.",
      fields: { hash, ...fields },
    });
  };
  if (typeof manifest !== "object" || manifest === null) return refuse("it has no manifest");
  const { entry, tasks, codeHash, network } = manifest as Partial<Record<keyof PackageManifest, unknown>>;
  if (typeof entry !== "string" || typeof codeHash !== "string" || !Array.isArray(tasks))
    return refuse("its manifest is malformed");
  if (network !== undefined && network !== true && !isTexts(network))
    return refuse("its manifest asks for the network in a way that can't be read");
  for (const task of tasks as unknown[]) {
    if (typeof task !== "object" || task === null) return refuse("its manifest is malformed");
    const { fullname, version, canonical, hash: claimed } = task as Partial<PackageTask>;
    const words = version === undefined ? ["source", canonical] : ["version", version];
    if (typeof fullname !== "string" || !isTexts(words)) return refuse("its manifest is malformed");
    // A task's hash is a cache key, so one that its own words don't give was made up.
    if (claimed !== hashStruct(["Task", fullname, ...words]))
      return refuse(`the hash of its task ${fullname} is not that of its code`, { task: fullname });
  }
  return manifest as PackageManifest;
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function edited(
  { hash, code, map }: LoadablePackage,
  manifest: PackageManifest,
  guard: PackageInfo["guard"],
): { code: string; map: string | undefined } {
  const sites = findSites(code);
  for (const { specifier, dynamic } of sites.imports) if (!dynamic) checkImport(hash, specifier);
  const edits = relocate(sites, map, ENGINE_MODULES, placesBelow(manifest.entry));
  if (guard !== undefined) edits.push(...guardEdits(code, guard));
  const empty = JSON.stringify({ version: 3, sources: [], names: [], mappings: "" });
  const result = applyEdits(code, map ?? empty, edits);
  const lines = [result.code];
  // At the end, so that lines keep their numbers.
  if (guard !== undefined)
    lines.push(`import { tick as ${guard.tick} } from ${JSON.stringify(GUARD_MODULE)};`);
  lines.push(`//# sourceURL=${packageUrl(hash)}`, "");
  return { code: lines.join("\n"), map: map === undefined ? undefined : result.map };
}

function checkImport(hash: string, specifier: string): void {
  if (ENGINE_MODULES.has(specifier) || specifier.startsWith("node:")) return;
  const isEngine = specifier.startsWith("redun/") || specifier.startsWith("cloudflare:");
  const hint = isEngine
    ? "Workflows on an instance may import redun alone of the engine's modules."
    : 'Build the package with npm: "inline", so that npm packages are part of it.';
  throw new PackageError(`Cannot load package ${hash}: it imports ${specifier}, which is not here`, {
    hint,
    fields: { hash, specifier },
  });
}
