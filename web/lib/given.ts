/**
 * Files and folders that the user gives a page: dropped, or chosen in a dialogue of the browser. Where the browser has
 * handles they come with them, so that they can be read on later visits as well.
 *
 * @module
 */
import type { PickedItem } from "../../src/browser/engine-api.ts";

/** What only some browsers have. */
interface HandleSources {
  showOpenFilePicker?(options: { multiple: boolean }): Promise<FileSystemFileHandle[]>;
  showDirectoryPicker?(options: { mode: "read" }): Promise<FileSystemDirectoryHandle>;
}

interface HandleItem {
  getAsFileSystemHandle?(): Promise<FileSystemHandle | null>;
}

const sources = globalThis as HandleSources;

/** What was dropped. To be called while the event is handled. */
export async function droppedItems(transfer: DataTransfer): Promise<PickedItem[]> {
  // All of it is gone when the event is over, so it is asked for at once.
  const asked = [...transfer.items]
    .filter(({ kind }) => kind === "file")
    .map((item) => ({
      handle: handleOf(item),
      entry: item.webkitGetAsEntry() ?? undefined,
      file: item.getAsFile() ?? undefined,
    }));
  const items = await Promise.all(
    asked.map(async ({ handle, entry, file }): Promise<PickedItem | undefined> => {
      const known = await handle;
      if (known !== undefined) return itemOfHandle(known);
      if (entry?.isDirectory)
        return {
          kind: "folder",
          name: entry.name,
          files: await filesOfEntry(entry as FileSystemDirectoryEntry, ""),
        };
      return file && { kind: "file", file };
    }),
  );
  return items.filter((item) => item !== undefined);
}

async function handleOf(item: DataTransferItem & HandleItem): Promise<FileSystemHandle | undefined> {
  try {
    return (await item.getAsFileSystemHandle?.()) ?? undefined;
  } catch {
    // What a script put there has none.
    return undefined;
  }
}

async function itemOfHandle(handle: FileSystemHandle): Promise<PickedItem> {
  if (handle.kind === "directory")
    return { kind: "folder", name: handle.name, handle: handle as FileSystemDirectoryHandle };
  const file = handle as FileSystemFileHandle;
  return { kind: "file", file: await file.getFile(), handle: file };
}

type FolderFile = { readonly path: string; readonly file: File };

async function filesOfEntry(folder: FileSystemDirectoryEntry, prefix: string): Promise<FolderFile[]> {
  const reader = folder.createReader();
  const found: FolderFile[] = [];
  for (;;) {
    const entries = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (entries.length === 0) return found;
    for (const entry of entries) {
      const path = prefix + entry.name;
      if (entry.isDirectory)
        found.push(...(await filesOfEntry(entry as FileSystemDirectoryEntry, `${path}/`)));
      else {
        const file = await new Promise<File>((resolve, reject) =>
          (entry as FileSystemFileEntry).file(resolve, reject),
        );
        found.push({ path, file });
      }
    }
  }
}

/** Opens the browser's dialogue for files, if it has one that gives handles. @returns nothing if it has none */
export async function chooseFiles(multiple: boolean): Promise<PickedItem[] | undefined> {
  if (sources.showOpenFilePicker === undefined) return undefined;
  const handles = await chosen(sources.showOpenFilePicker({ multiple }));
  return Promise.all((handles ?? []).map(itemOfHandle));
}

/** Opens the browser's dialogue for a folder, if it has one that gives handles. @returns nothing if it has none */
export async function chooseFolder(): Promise<PickedItem[] | undefined> {
  if (sources.showDirectoryPicker === undefined) return undefined;
  const handle = await chosen(sources.showDirectoryPicker({ mode: "read" }));
  return handle === undefined ? [] : [await itemOfHandle(handle)];
}

async function chosen<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if ((error as Error).name === "AbortError") return undefined;
    throw error;
  }
}

/** What a field for files holds. */
export function itemsOfInput({ files, webkitdirectory }: HTMLInputElement): PickedItem[] {
  const all = [...(files ?? [])];
  if (!webkitdirectory) return all.map((file) => ({ kind: "file", file }));
  const [name] = (all[0]?.webkitRelativePath ?? "").split("/");
  if (!name) return [];
  const inside = all.map((file) => ({ path: file.webkitRelativePath.slice(name.length + 1), file }));
  return [{ kind: "folder", name, files: inside }];
}

/** All files of a folder that was given, at any depth. */
export async function* filesOfFolder(item: PickedItem & { kind: "folder" }): AsyncGenerator<FolderFile> {
  if (item.handle === undefined) yield* item.files;
  else yield* filesOfHandle(item.handle, "");
}

async function* filesOfHandle(folder: FileSystemDirectoryHandle, prefix: string): AsyncGenerator<FolderFile> {
  for await (const [name, handle] of folder.entries()) {
    const path = prefix + name;
    if (handle.kind === "directory") yield* filesOfHandle(handle as FileSystemDirectoryHandle, `${path}/`);
    else yield { path, file: await (handle as FileSystemFileHandle).getFile() };
  }
}
