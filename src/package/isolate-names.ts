import type { GuardNames } from "./guard-names.ts";
import type { PackageManifest } from "./types.ts";

/** What the module `package-info` says to the isolate's runtime. */
export interface PackageInfo {
  readonly hash: string;
  readonly manifest: PackageManifest;
  /** The names that were used to guard its code, if it is. */
  readonly guard: GuardNames | undefined;
  /** Hashes of the WebAssembly modules that stand in its code, by the names under which they are beside it. */
  readonly wasm: Readonly<Record<string, string>>;
}

/** Names of the modules of a package in an isolate. */
export const PACKAGE_MODULES = {
  code: "package.js",
  info: "package-info",
  map: "package-map",
} as const;
