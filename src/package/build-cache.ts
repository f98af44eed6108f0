import { readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { hashBytes } from "../value/hash.ts";
import { type LoadedPackage, loadPackageFile } from "./load.ts";
import { ENGINE, makeFolder, packageFile, readSidecar, replaceFile } from "./local-copy.ts";

/** A file as it was when a package was built from it. */
type Stamp = readonly [path: string, mtime: number, size: number];

interface CacheEntry {
  readonly engine: string;
  readonly version: string;
  readonly hash: string;
  readonly inputs: readonly Stamp[];
  /** Files whose mere coming into being would change the build. */
  readonly absent: readonly string[];
  readonly warnings: readonly string[];
}

/** How to build and load a workflow. */
export interface BuildCacheOptions {
  /** The configuration's folder. */
  readonly dir: string;
  /** Version of the engine; another one builds again. */
  readonly version: string;
}

export interface BuiltWorkflow {
  readonly package: LoadedPackage;
  readonly path: string;
  readonly warnings: readonly string[];
  /** Whether the build was spared. */
  readonly cached: boolean;
}

/** A file system's clock may tick this rarely, in milliseconds; a file as young as this may still change unseen. */
const CLOCK_TICK = 20;

/**
 * Builds a workflow and loads it, or only loads it if none of its files has changed since it was built.
 *
 * @param entry - absolute path
 */
export async function loadWorkflow(entry: string, options: BuildCacheOptions): Promise<BuiltWorkflow> {
  const file = join(options.dir, "cache", `${hashBytes(entry)}.json`);
  const entryOfCache = readEntry(file);
  if (entryOfCache !== undefined && isFresh(entryOfCache, entry, options)) {
    const path = packageFile(options.dir, entryOfCache.hash);
    return { package: await loadPackageFile(path), path, warnings: entryOfCache.warnings, cached: true };
  }
  const start = Date.now();
  const [{ buildPackage }, { writePackage }] = await Promise.all([
    import("./index.ts"),
    import("./write-package.ts"),
  ]);
  const pkg = await buildPackage(entry);
  const path = await writePackage(pkg, options.dir, dirname(entry));
  const inputs = [...new Set([entry, ...pkg.inputs])].flatMap((input): Stamp[] => {
    const stamp = stampOf(input);
    return stamp === undefined ? [] : [stamp];
  });
  const { warnings = [] } = pkg;
  const settled = inputs.every(([, mtime]) => mtime < start - CLOCK_TICK);
  if (settled) {
    const absent = absentFiles(entry, new Set(pkg.inputs));
    const cached: CacheEntry = {
      engine: ENGINE,
      version: options.version,
      hash: pkg.hash,
      inputs,
      absent,
      warnings,
    };
    makeFolder(dirname(file));
    replaceFile(file, JSON.stringify(cached));
  }
  return { package: await loadPackageFile(path), path, warnings, cached: false };
}

function readEntry(file: string): CacheEntry | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as CacheEntry;
  } catch {
    return undefined;
  }
}

function isFresh(cached: CacheEntry, entry: string, { dir, version }: BuildCacheOptions): boolean {
  if (cached.engine !== ENGINE || cached.version !== version) return false;
  const copy = readSidecar(packageFile(dir, cached.hash));
  if (copy?.engine !== ENGINE || copy.from !== dirname(entry)) return false;
  if (cached.absent.some((path) => stampOf(path) !== undefined)) return false;
  return cached.inputs.every(([path, mtime, size]) => {
    const now = stampOf(path);
    return now !== undefined && now[1] === mtime && now[2] === size;
  });
}

function stampOf(path: string): Stamp | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? undefined : [path, stat.mtimeMs, stat.size];
}

/** Configuration that would count if it were nearer to the entry than what counts now. */
function absentFiles(entry: string, inputs: ReadonlySet<string>): string[] {
  const absent: string[] = [];
  for (const name of ["tsconfig.json", "package.json"]) {
    for (let folder = dirname(entry); ; folder = dirname(folder)) {
      const path = join(folder, name);
      if (inputs.has(path)) break;
      absent.push(path);
      if (dirname(folder) === folder) break;
    }
  }
  return absent;
}
