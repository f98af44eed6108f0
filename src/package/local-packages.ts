import { PackageError } from "../errors/errors.ts";
import type { StoredPackage } from "./types.ts";

/** Options of {@link localPackages}. */
export interface LocalPackagesOptions {
  /** Gives a package by its hash, if there is one. */
  readonly source: (hash: string) => Promise<StoredPackage | undefined>;
  /** The folder in which local copies are made, under `packages`. */
  readonly dir: string;
  /** The folder from which npm packages are found that the code imports. Default: the same. */
  readonly from?: string | undefined;
}

/**
 * Copies of packages on this machine, each made when it is asked for and not there.
 *
 * @returns gives the path of a package's module; rejects with a PackageError if there is no such package, or if it is
 *   not what its hash says
 */
export function localPackages(options: LocalPackagesOptions): (hash: string) => Promise<string> {
  const { source, dir, from = dir } = options;
  /** Those that are being made. */
  const copies = new Map<string, Promise<string>>();
  const copy = async (hash: string): Promise<string> => {
    const pkg = await source(hash);
    if (pkg === undefined) {
      throw new PackageError(`Cannot load the code package ${hash}: there is no such package here`, {
        hint: "Build the workflow and send its package again.",
        fields: { hash },
      });
    }
    if (pkg.hash !== hash) {
      throw new PackageError(`Cannot load the code package ${hash}: what is stored is ${pkg.hash}`, {
        hint: "Build the workflow and send its package again.",
        fields: { hash, actual: pkg.hash },
      });
    }
    const { writePackage } = await import("./write-package.ts");
    return writePackage(pkg, dir, from);
  };
  return (hash) => {
    let path = copies.get(hash);
    if (path === undefined) {
      path = copy(hash).finally(() => copies.delete(hash));
      copies.set(hash, path);
    }
    return path;
  };
}
