/** The repository's own files. */
import { type ReadonlySignal, signal } from "@preact/signals";
import type { Engine, FileEntry, Picked, PickedItem } from "../../src/browser/engine-api.ts";
import { filesOfFolder } from "../lib/given.ts";
import { getEngine } from "./engine.ts";
import { readSetting, writeSetting } from "./settings.ts";

/** The folder of all files. */
export const FILES_ROOT = "opfs://";
/** What the paths of picked files begin with. */
export const PICKED_ROOT = "picked://";

const changes = signal(0);

/** Changes whenever the app added or removed a file. */
export const fileChanges: ReadonlySignal<number> = changes;

const COPIES = "keep-copies";
const copies = signal(readSetting(COPIES) !== undefined);

/** Whether files that the user gives are copied. Otherwise they are read where they are. */
export const keepsCopies: ReadonlySignal<boolean> = copies;

/** Decides that for what is given from now on. */
export function setKeepsCopies(on: boolean): void {
  copies.value = on;
  writeSetting(COPIES, on ? "yes" : undefined);
}

/**
 * Takes files and folders that the user gave.
 *
 * @param folder - of the storage to copy to; by default the user has decided whether there is to be a copy
 * @returns their paths
 */
export async function takeItems(items: readonly PickedItem[], folder?: string): Promise<string[]> {
  const engine = await getEngine();
  const paths: string[] = [];
  for (const item of items) {
    const isCopied = folder !== undefined || copies.value;
    paths.push(isCopied ? await copyItem(engine, item, folder ?? FILES_ROOT) : await engine.pick(item));
  }
  if (paths.length > 0) changes.value++;
  return paths;
}

/** Copies something into the storage. @returns its path there */
async function copyItem(engine: Engine, item: PickedItem, folder: string): Promise<string> {
  const place = (name: string): string => (folder.endsWith("/") ? folder : `${folder}/`) + name;
  if (item.kind === "file") return engine.addFile(place(item.file.name), item.file);
  for await (const { path, file } of filesOfFolder(item))
    await engine.addFile(place(`${item.name}/${path}`), file);
  return place(item.name);
}

/** Copies what was picked into the storage. @returns its path there */
export async function copyPicked({ path, isFolder }: Picked): Promise<string> {
  const engine = await getEngine();
  const target = FILES_ROOT + fileName(path);
  if (!isFolder) await engine.addFile(target, await engine.readFile(path));
  else
    for (const entry of await engine.listPicked(path))
      await engine.addFile(target + entry.path.slice(path.length), await engine.readFile(entry.path));
  changes.value++;
  return target;
}

/** Puts a text into the storage as a file. @returns its path */
export async function keepSample(name: string, text: string): Promise<string> {
  const path = await (await getEngine()).addFile(name, new Blob([text]));
  changes.value++;
  return path;
}

/** What was picked, the latest first. */
export async function listPicks(): Promise<readonly Picked[]> {
  return (await getEngine()).picks();
}

/** Has the user allow again that something picked on an earlier visit is read. To be called when they have clicked. */
export async function allowPicked({ handle }: Picked): Promise<void> {
  const asked = handle as
    | { requestPermission?(options: { mode: "read" }): Promise<PermissionState> }
    | undefined;
  await asked?.requestPermission?.({ mode: "read" });
  changes.value++;
}

/** What is at a path: a file, or the entries of a folder. */
export async function lookAt(
  path: string,
): Promise<{ readonly isFile: boolean; readonly entries: FileEntry[] }> {
  if (path === FILES_ROOT) return { isFile: false, entries: await listFiles(path) };
  if (path.startsWith(PICKED_ROOT)) {
    const { kind } = await (await getEngine()).findPicked(path);
    // What is not there any more says so when it is read.
    return kind === "folder"
      ? { isFile: false, entries: await listFiles(path) }
      : { isFile: true, entries: [] };
  }
  const parent = path.slice(0, path.lastIndexOf("/"));
  const siblings = await listFiles(parent === "opfs:/" ? FILES_ROOT : parent);
  const isFile = siblings.some((entry) => entry.path === path && !entry.isFolder);
  return { isFile, entries: isFile ? [] : await listFiles(path) };
}

/** What is in a folder, folders first. */
export async function listFiles(folder: string): Promise<FileEntry[]> {
  const entries = await (await getEngine()).listFiles(folder);
  return [...entries].sort((a, b) => Number(b.isFolder) - Number(a.isFolder) || (a.path < b.path ? -1 : 1));
}

/** A file's content, or the beginning of it. */
export async function readFile(path: string, end?: number): Promise<Blob> {
  const engine = await getEngine();
  return end === undefined ? engine.readFile(path) : engine.readFile(path, 0, end);
}

/** Removes a file for good. */
export async function removeFile(path: string): Promise<void> {
  await (await getEngine()).removeFile(path);
  changes.value++;
}

/** Where a file that a task names is here: bare paths are below the same folder. Others are elsewhere. */
export function repositoryPath(path: string): string | undefined {
  if (path.startsWith(FILES_ROOT) || path.startsWith(PICKED_ROOT)) return path;
  return path.includes("://") ? undefined : FILES_ROOT + path.replace(/^(?:\.?\/)+/, "");
}

/** The last part of a path. */
export function fileName(path: string): string {
  const trimmed = path.replace(/\/+$/, "");
  return trimmed.slice(trimmed.lastIndexOf("/") + 1);
}

/** Lets the browser save a blob. */
export function saveBlob(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser has begun to read by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
