import { existsSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { PackageError } from "../errors/errors.ts";
import { hashBytes } from "../value/hash.ts";
import { type LoadedPackage, loadedPackage, registerPackage } from "./loaded.ts";
import { engineModule, packageFile, readSidecar } from "./local-copy.ts";
import type { CodePackage } from "./types.ts";

export type { LoadedPackage } from "./loaded.ts";
export { packageFile } from "./local-copy.ts";

/** Where a package is loaded. */
export interface LoadOptions {
  /** The configuration's folder; the local copy goes to `packages` in it. */
  readonly dir: string;
  /** The folder from which the npm packages that it imports are found. Default: the working directory. */
  readonly from?: string;
}

/**
 * Imports a package and registers its tasks with the hashes that its manifest gives them.
 *
 * @throws PackageError if the package is not what its hash says; whatever its code throws
 */
export async function loadPackage(pkg: CodePackage, options: LoadOptions): Promise<LoadedPackage> {
  const { writePackage } = await import("./write-package.ts");
  return loadPackageFile(await writePackage(pkg, options.dir, options.from ?? process.cwd()));
}

/** Loads a package of which a local copy was made before. @throws PackageError if there is none */
export function loadPackageByHash(hash: string, dir: string): Promise<LoadedPackage> {
  return loadPackageFile(packageFile(dir, hash));
}

/** Loads a local copy of a package by its path. */
export async function loadPackageFile(path: string): Promise<LoadedPackage> {
  const sidecar = readSidecar(path);
  if (sidecar === undefined || !existsSync(path)) {
    throw new PackageError(`Cannot load the code package ${path}: there is no such package`, {
      hint: "Run the workflow again to build it.",
    });
  }
  const known = loadedPackage(sidecar.hash);
  if (known !== undefined) return known;
  if (hashBytes(readFileSync(path)) !== sidecar.checksum) {
    throw new PackageError(
      `Cannot load the code package ${sidecar.hash}: its local copy ${path} was changed or damaged`,
      {
        hint: `Delete ${path} and run the workflow again.`,
        fields: { hash: sidecar.hash, path },
      },
    );
  }
  // Stack traces then show the lines of the user's own files.
  (process as { setSourceMapsEnabled?(on: boolean): void }).setSourceMapsEnabled?.(true);
  // The engine's own tasks are not the package's, even if its code is the first to import them.
  await import(engineModule("redun"));
  return registerPackage(sidecar, () => import(pathToFileURL(path).href) as Promise<Record<string, unknown>>);
}
