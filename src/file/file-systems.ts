/**
 * Owns the one table of file systems by scheme. It knows where the missing ones come from, and holds none itself.
 */
import { UnknownSchemeError } from "../errors/errors.ts";
import type { FileSystem } from "./file-system.ts";

const byScheme = new Map<string, FileSystem>();

const providers: Readonly<Record<string, string>> = {
  file: "redun/node",
  http: "redun",
  https: "redun",
  memory: "redun",
  opfs: "redun/browser",
  picked: "redun/browser",
  s3: "redun/file-systems/s3",
  r2: "redun/cloudflare",
  gs: "redun/file-systems/gcs",
  az: "redun/file-systems/azure",
};

/**
 * The scheme of a path: what comes before `://`, in lower case, or `file` for a bare path.
 *
 * @example
 * ```ts
 * import { schemeOf } from "redun";
 *
 * schemeOf("s3://bucket/key"); // "s3"
 * schemeOf("data/a.txt"); // "file"
 * ```
 */
export function schemeOf(path: string): string {
  return /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(path)?.[1]?.toLowerCase() ?? "file";
}

/** Makes a file system serve its schemes, in place of any that served them before. */
export function registerFileSystem(fileSystem: FileSystem): void {
  for (const scheme of fileSystem.schemes) byScheme.set(scheme, fileSystem);
}

/** The schemes that have a file system, sorted. */
export function registeredSchemes(): string[] {
  return [...byScheme.keys()].sort();
}

/**
 * The file system that serves a path.
 *
 * @throws UnknownSchemeError if none is registered for its scheme; the hint names the module that has one
 */
export function fileSystemFor(path: string): FileSystem {
  const scheme = schemeOf(path);
  const fileSystem = byScheme.get(scheme);
  if (fileSystem === undefined) {
    throw new UnknownSchemeError(
      scheme,
      path,
      Object.hasOwn(providers, scheme) ? providers[scheme] : undefined,
    );
  }
  return fileSystem;
}
