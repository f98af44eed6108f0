import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { PackageManifest } from "./types.ts";

/** What is kept beside a local copy of a package. */
export interface LocalCopy {
  readonly hash: string;
  readonly manifest: PackageManifest;
  /** Hash of the copy's own text. */
  readonly checksum: string;
  /** The engine that the copy's imports lead to. */
  readonly engine: string;
  /** The folder from which npm packages were resolved. */
  readonly from: string;
}

/** Where the local copy of a package is. */
export function packageFile(dir: string, hash: string): string {
  return join(dir, "packages", `${hash}.mjs`);
}

export function sidecarFile(path: string): string {
  return path.replace(/\.mjs$/, ".json");
}

const here = import.meta.url;
/** Run from source, modules are found beside this one; installed, the package's own `exports` name them. */
const fromSource = here.endsWith(".ts");

/** Names the copy of the engine that this process runs. */
export const ENGINE: string = new URL(fromSource ? ".." : ".", here).href;

let installed: { readonly folder: string; readonly exports: Record<string, unknown> } | undefined;

/** The package that this module is installed in. */
function findInstalled(): NonNullable<typeof installed> {
  for (let folder = dirname(fileURLToPath(here)); ; folder = dirname(folder)) {
    const file = join(folder, "package.json");
    const found = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>) : {};
    if (found.name === "redun" || dirname(folder) === folder) {
      return { folder, exports: (found.exports ?? {}) as Record<string, unknown> };
    }
  }
}

/** The module of the running engine that an import of `redun` or `redun/…` means. */
export function engineModule(specifier: string): string {
  const subpath = specifier.slice("redun".length);
  if (fromSource) {
    const module = subpath === "" ? "index" : subpath.slice(1);
    const file = new URL(`../${module}.ts`, here);
    return existsSync(file) ? file.href : new URL(`../${module}/index.ts`, here).href;
  }
  installed ??= findInstalled();
  const target = targetOf(installed.exports, `.${subpath}`);
  return target === undefined ? specifier : pathToFileURL(join(installed.folder, target)).href;
}

function targetOf(exports: Record<string, unknown>, key: string): string | undefined {
  const pick = (entry: unknown): string | undefined => {
    if (typeof entry === "string") return entry;
    const conditions = (entry ?? {}) as Record<string, unknown>;
    return pick(conditions.import ?? conditions.default ?? conditions.node ?? undefined) ?? undefined;
  };
  if (Object.hasOwn(exports, key)) return pick(exports[key]);
  for (const [pattern, entry] of Object.entries(exports)) {
    const [head, tail] = pattern.split("*");
    if (tail !== undefined && key.startsWith(head!) && key.endsWith(tail)) {
      return pick(entry)?.replaceAll("*", key.slice(head!.length, key.length - tail.length));
    }
  }
  return undefined;
}

export function readSidecar(path: string): LocalCopy | undefined {
  try {
    return JSON.parse(readFileSync(sidecarFile(path), "utf8")) as LocalCopy;
  } catch {
    return undefined;
  }
}

/** Makes a folder and those above it. */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    // Making several folders at once hides that the disk is read-only.
    if ((error as NodeJS.ErrnoException).code === "ENOENT" && existsSync(dirname(path))) mkdirSync(path);
    throw error;
  }
}

/** Writes a file so that readers see the old or the new one, never a part. */
export function replaceFile(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, text);
  renameSync(temporary, path);
}
