import { schemeOf } from "../file/file-systems.ts";
import { joinPath } from "../file/path.ts";
import type { OpfsFileSystem } from "../file-systems/opfs.ts";
import { type PickedEntry, PickedFileSystem, type PickedFound } from "../file-systems/picked.ts";
import type { EngineFiles, FileEntry, Picked, PickedItem } from "./engine-api.ts";
import type { PickedFiles } from "./picked-files.ts";

/** The files of a repository, for pages: those in its storage, and those that the user picked. */
export class HostedFiles implements EngineFiles {
  private readonly stored: OpfsFileSystem;
  private readonly picked: PickedFiles;
  private readonly pickedFiles: PickedFileSystem;

  constructor(stored: OpfsFileSystem, picked: PickedFiles) {
    this.stored = stored;
    this.picked = picked;
    this.pickedFiles = new PickedFileSystem(picked);
  }

  async listFiles(folder: string): Promise<readonly FileEntry[]> {
    if (isPicked(folder)) return folderEntries(folder, await this.listPicked(folder));
    return this.stored.entries(folder);
  }

  async readFile(path: string, start?: number, end?: number): Promise<Blob> {
    const file = await (isPicked(path) ? this.pickedFiles : this.stored).blob(path);
    return file.slice(start, end, file.type);
  }

  async addFile(path: string, data: Blob): Promise<string> {
    const target = path.includes("://") ? path : `opfs://${path}`;
    await this.stored.write(target, data);
    return target;
  }

  async removeFile(path: string): Promise<void> {
    if (isPicked(path)) await this.picked.forget(path);
    else await this.stored.remove(path);
  }

  pick(item: PickedItem): Promise<string> {
    return this.picked.pick(item);
  }

  picks(): Promise<readonly Picked[]> {
    return this.picked.picks();
  }

  findPicked(path: string): Promise<PickedFound> {
    return this.picked.findPicked(path);
  }

  listPicked(folder: string): Promise<readonly PickedEntry[]> {
    return this.picked.listPicked(folder);
  }
}

const isPicked = (path: string): boolean => schemeOf(path) === "picked";

/** What is in a folder itself, of the files at any depth below it. */
function folderEntries(folder: string, below: readonly PickedEntry[]): FileEntry[] {
  const prefix = joinPath(folder, "");
  const found = new Map<string, FileEntry>();
  for (const { path, size } of below) {
    const [name = "", ...rest] = path.slice(prefix.length).split("/");
    const isFolder = rest.length > 0;
    found.set(name, { path: prefix + name, size: isFolder ? 0 : size, isFolder });
  }
  return [...found.values()].sort(
    (a, b) => Number(b.isFolder) - Number(a.isFolder) || (a.path < b.path ? -1 : 1),
  );
}
