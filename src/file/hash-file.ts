/** The pre-images of every hash that has to do with files, in one place. */
import { hashStruct } from "../value/hash.ts";
import type { FileStat } from "./file-system.ts";

/** The hash of a local file, by size and time; `undefined` for a missing one. */
export function hashLocalFile(path: string, stat: FileStat | undefined): string {
  return hashStruct(["File", "local", path, stat?.size ?? -1, stat?.mtime ?? "-1"]);
}

/** The hash of a file of which only the size is known, as over HTTP; `undefined` for a missing one. */
export function hashFileBySize(path: string, size: number | undefined): string {
  return hashStruct(["File", "fsspec", path, String(size ?? -1)]);
}

/**
 * The hash of a file in a store that names versions.
 *
 * @param store - the store's name in the pre-image: `s3`, `az`, …
 * @param etag - its version with quotes, or `undefined` for a missing file
 */
export function hashFileByEtag(store: string, path: string, etag: string | undefined): string {
  return hashStruct(["File", store, path, etag ?? ""]);
}

/** The hash of an `IFile`, which its path alone decides. */
export function hashIFile(path: string): string {
  return hashStruct(["IFile", path]);
}

/** The hash of a `ContentFile`. @param contentHash - `hashBytes` of the content */
export function hashContentFile(path: string, contentHash: string): string {
  return hashStruct(["ContentFile", path, contentHash]);
}

/**
 * The hash of a set of files.
 *
 * @param tag - the class: `Dir`, `FileSet`, `ContentDir`, …
 * @param key - the folder's path, or the pattern
 */
export function hashFileSet(tag: string, key: string, fileHashes: readonly string[]): string {
  return hashStruct([tag, key, ...[...fileHashes].sort()]);
}

/** The hash of a pair for staging. @param type - its type name, such as `redun.StagingFile` */
export function hashStaging(type: string, localPath: string, remotePath: string): string {
  return hashStruct([type, localPath, remotePath]);
}
