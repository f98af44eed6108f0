import { existsSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { PackageError } from "../errors/errors.ts";
import { taskRegistry } from "../task/registry.ts";
import type { Task } from "../task/task.ts";
import { hashBytes } from "../value/hash.ts";
import { engineModule, packageFile, readSidecar } from "./local-copy.ts";
import type { CodePackage, PackageManifest } from "./types.ts";

export { packageFile } from "./local-copy.ts";

/** Where a package is loaded. */
export interface LoadOptions {
  /** The configuration's folder; the local copy goes to `packages` in it. */
  readonly dir: string;
  /** The folder from which the npm packages that it imports are found. Default: the working directory. */
  readonly from?: string;
}

/** A code package whose tasks are registered in this process. */
export interface LoadedPackage {
  readonly hash: string;
  readonly manifest: PackageManifest;
  /** Those that its code defined, under their fullnames. */
  readonly tasks: readonly Task[];
  readonly exports: Readonly<Record<string, unknown>>;
}

const loaded = new Map<string, LoadedPackage>();

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
  const known = loaded.get(sidecar.hash);
  if (known !== undefined) {
    // Another package may have defined tasks of the same names meanwhile.
    for (const task of known.tasks) if (taskRegistry.get(task.fullname) !== task) taskRegistry.add(task);
    return known;
  }
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
  const before = new Set(taskRegistry.all());
  const exports = (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  const tasks = taskRegistry.all().filter((task) => !before.has(task)) as Task[];
  attachManifest(tasks, sidecar.hash, sidecar.manifest);
  const result: LoadedPackage = { hash: sidecar.hash, manifest: sidecar.manifest, tasks, exports };
  loaded.set(sidecar.hash, result);
  return result;
}

function attachManifest(tasks: readonly Task[], hash: string, manifest: PackageManifest): void {
  const described = new Map(manifest.tasks.map((task) => [task.fullname, task]));
  for (const { fullname, definition } of tasks) {
    const task = described.get(fullname);
    if (task !== undefined) definition.attach(task, hash);
    else definition.attachCode(manifest.codeHash, hash);
  }
  taskRegistry.changed();
}
