/** The repository's own files. */
import { type ReadonlySignal, signal } from "@preact/signals";
import type { FileEntry } from "../../src/browser/engine-api.ts";
import { getEngine } from "./engine.ts";

/** The folder of all files. */
export const FILES_ROOT = "opfs://";

const changes = signal(0);

/** Changes whenever the app added or removed a file. */
export const fileChanges: ReadonlySignal<number> = changes;

/** Copies files that the user gave into the repository. @returns their paths */
export async function addFiles(files: readonly File[]): Promise<string[]> {
  const engine = await getEngine();
  const paths: string[] = [];
  for (const file of files) paths.push(await engine.addFile(file.webkitRelativePath || file.name, file));
  if (paths.length > 0) changes.value++;
  return paths;
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
  if (path.startsWith(FILES_ROOT)) return path;
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
