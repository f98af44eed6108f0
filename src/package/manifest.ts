import { PackageError } from "../errors/errors.ts";
import { hashBytes, hashStruct } from "../value/hash.ts";
import type { CodePackage, PackageManifest } from "./types.ts";

/**
 * The content hash of a package: one hash over its code and its manifest. The source map and what the build
 * says about itself don't count.
 */
export function packageHash(code: string, manifest: PackageManifest): string {
  return hashStruct(["Package", hashBytes(code), hashBytes(canonicalJson(manifest))]);
}

/**
 * Checks that a package is what its hash says, for one that came from elsewhere.
 *
 * @throws `PackageError` if it is not
 */
export function verifyPackage(pkg: Pick<CodePackage, "hash" | "code" | "manifest">): void {
  const { format } = pkg.manifest as { format?: unknown };
  if (format !== 1) {
    throw new PackageError(`Cannot load package ${pkg.hash}: its format ${String(format)} is unknown`, {
      hint: "Use a newer version of redun, or build the package again.",
      fields: { hash: pkg.hash, format },
    });
  }
  const actual = packageHash(pkg.code, pkg.manifest);
  if (actual === pkg.hash) return;
  throw new PackageError(`Cannot load package ${pkg.hash}: its content has the hash ${actual}`, {
    hint: "It was changed or damaged. Build it again from its source.",
    fields: { hash: pkg.hash, actual },
  });
}

/** JSON with sorted keys and without spaces. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => {
    if (typeof item !== "object" || item === null || Array.isArray(item)) return item;
    const entries = Object.entries(item).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    // A plain assignment would lose a key of this name.
    return entries.some(([key]) => key === "__proto__")
      ? Object.assign(Object.create(null), Object.fromEntries(entries))
      : Object.fromEntries(entries);
  });
}
