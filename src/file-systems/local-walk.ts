import { readdir, realpath, stat } from "node:fs/promises";
import { join } from "node:path";

/** Ends the name of a file that is being written, which is no file yet to anybody else. */
const TEMPORARY = ".redun-tmp";
/** The engine's own folder in a project, which changes whenever anything runs. */
const OWN_FOLDER = ".redun";

/** A name for a file while it is being written. It is hidden, and short enough whatever the name is. */
export function temporaryName(name: string, unique: string): string {
  return `.${name.slice(0, 60)}.${unique}${TEMPORARY}`;
}

/** Whether a path is that of a file being written, or left over by a crash. */
export function isTemporary(path: string): boolean {
  return path.endsWith(TEMPORARY);
}

interface Folder {
  /** Relative to the start, with a slash at its end unless empty. */
  readonly prefix: string;
  readonly real: string;
  readonly parent: Folder | undefined;
}

/**
 * The paths, relative to a folder, of all files below it; none if there is no such folder. Links are followed, but
 * never in circles. Left out are broken links, files being written, and a `.redun` folder below the start.
 */
export async function walkFiles(start: string): Promise<string[]> {
  const files: string[] = [];
  let real: string;
  try {
    real = await realpath(start);
  } catch (error) {
    if (isMissing(error)) return files;
    throw error;
  }
  const pending: Folder[] = [{ prefix: "", real, parent: undefined }];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    const found = await readFolder(folder);
    for (const { name, isFolder, target } of found) {
      if (!isFolder) files.push(folder.prefix + name);
      else if (!isAbove(target, folder)) {
        pending.push({ prefix: `${folder.prefix}${name}/`, real: target, parent: folder });
      }
    }
  }
  return files;
}

interface Found {
  readonly name: string;
  readonly isFolder: boolean;
  /** The real path of a folder. */
  readonly target: string;
}

async function readFolder(folder: Folder): Promise<Found[]> {
  const found: Found[] = [];
  let entries: Awaited<ReturnType<typeof list>>;
  try {
    entries = await list(folder.real);
  } catch (error) {
    // Removed since its parent was read.
    if (isMissing(error)) return found;
    throw error;
  }
  for (const entry of entries) {
    const { name } = entry;
    const path = join(folder.real, name);
    if (entry.isDirectory()) {
      if (name !== OWN_FOLDER) found.push({ name, isFolder: true, target: path });
    } else if (!entry.isSymbolicLink()) {
      if (!isTemporary(name)) found.push({ name, isFolder: false, target: path });
    } else {
      const link = await follow(path);
      if (link !== undefined) found.push({ name, ...link });
    }
  }
  return found;
}

function list(path: string): Promise<import("node:fs").Dirent[]> {
  return readdir(path, { withFileTypes: true });
}

async function follow(path: string): Promise<Omit<Found, "name"> | undefined> {
  try {
    const target = await realpath(path);
    return { isFolder: (await stat(target)).isDirectory(), target };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Whether a folder is one that the walk is in, or holds one, so that entering it would go in circles. */
function isAbove(real: string, from: Folder): boolean {
  const prefix = real.endsWith("/") ? real : `${real}/`;
  for (let folder: Folder | undefined = from; folder !== undefined; folder = folder.parent) {
    if (folder.real === real || folder.real.startsWith(prefix)) return true;
  }
  return false;
}

function isMissing(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP";
}
