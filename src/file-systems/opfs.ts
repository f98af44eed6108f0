import { FileError, FileNotFoundError, InvalidPathError } from "../file/errors.ts";
import type { ByteRange, FileEntry, FileStat, FileSystem } from "../file/file-system.ts";
import { registerFileSystem } from "../file/file-systems.ts";
import { hashFileByEtag } from "../file/hash-file.ts";
import { folderPath, joinPath } from "../file/path.ts";
import { globMatcher, splitGlob } from "./glob.ts";

/** Options of an {@link OpfsFileSystem}. */
export interface OpfsFileSystemOptions {
  /** The folder of the origin's private file system that paths are below. Default `files`. */
  readonly folder?: string;
  /** The schemes served. Default `opfs` alone; with `file`, bare paths are below the folder too. */
  readonly schemes?: readonly string[];
  /** The folder itself, opened beforehand where nothing else of the storage is to be within reach later. */
  readonly directory?: Promise<FileSystemDirectoryHandle>;
}

/** Opens the folder that paths are below, making it where there is none. */
export async function openOpfsFolder(folder = "files"): Promise<FileSystemDirectoryHandle> {
  let directory = await navigator.storage.getDirectory();
  for (const part of folder.split("/"))
    directory = await directory.getDirectoryHandle(part, { create: true });
  return directory;
}

/**
 * Files on the browser's private file system, `opfs://any/path`, of a page or a worker. A file's hash is by its size and
 * the time of its last change; the file system sees to it that no two contents have the same time.
 *
 * Of several that write one file at once, in whichever threads, each writes a copy of its own; the last to end wins, and
 * readers see the whole of one or the other.
 */
export class OpfsFileSystem implements FileSystem {
  readonly name = "opfs";
  readonly schemes: readonly string[];
  readonly #folder: string;
  readonly #root: Promise<FileSystemDirectoryHandle> | undefined;
  // Taken here, as a worker may withhold it later.
  readonly #locks: LockManager | undefined = navigator.locks;

  constructor(options: OpfsFileSystemOptions = {}) {
    this.#folder = options.folder ?? "files";
    this.schemes = options.schemes ?? ["opfs"];
    this.#root = options.directory;
    // Whoever needs it hears of its failure.
    this.#root?.catch(() => {});
  }

  async stat(path: string): Promise<FileStat | undefined> {
    const file = await this.#find("look up", path);
    return file && { size: file.size, etag: etagOf(file), mtime: `${file.lastModified}000000` };
  }

  async isDir(path: string): Promise<boolean> {
    return (await this.#directory("look up", partsOf("look up", path))) !== undefined;
  }

  async hash(path: string): Promise<string> {
    const file = await this.#find("hash", path);
    return hashFileByEtag("opfs", path, file && etagOf(file));
  }

  async list(path: string): Promise<FileEntry[]> {
    const directory = await this.#directory("list", partsOf("list", path));
    const found: FileEntry[] = [];
    if (directory !== undefined) await collect(directory, folderPath(path), found);
    return found;
  }

  async glob(pattern: string): Promise<FileEntry[]> {
    const { base, rest } = splitGlob(pattern);
    const matches = await globMatcher(rest);
    const start = joinPath(base, "").length;
    return (await this.list(base)).filter((entry) => matches(entry.path.slice(start)));
  }

  async read(path: string, range?: ByteRange): Promise<Uint8Array<ArrayBuffer>> {
    const blob = slice(await this.#open(path), range);
    try {
      return new Uint8Array(await blob.arrayBuffer());
    } catch (error) {
      throw failure("read", path, error);
    }
  }

  async stream(path: string, range?: ByteRange): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    return slice(await this.#open(path), range).stream();
  }

  /** The file itself, of which slices are read as they are asked for. @throws FileNotFoundError */
  blob(path: string): Promise<File> {
    return this.#open(path);
  }

  /** What is in a folder itself, folders before files and by name; nothing if it is missing. */
  async entries(path: string): Promise<{ path: string; size: number; isFolder: boolean }[]> {
    const directory = await this.#directory("list", partsOf("list", path));
    const found: { path: string; size: number; isFolder: boolean }[] = [];
    if (directory === undefined) return found;
    for await (const [name, handle] of directory.entries()) {
      const isFolder = handle.kind === "directory";
      if (isScratch(name)) continue;
      const size = isFolder ? 0 : (await (handle as FileSystemFileHandle).getFile()).size;
      found.push({ path: joinPath(folderPath(path), name), size, isFolder });
    }
    return found.sort((a, b) => Number(b.isFolder) - Number(a.isFolder) || (a.path < b.path ? -1 : 1));
  }

  async write(path: string, data: Uint8Array | ReadableStream<Uint8Array> | Blob): Promise<void> {
    const stream = data instanceof ReadableStream ? data : undefined;
    let written: FileSystemWritableFileStream | undefined;
    try {
      const parts = partsOf("write", path);
      const name = parts.pop();
      if (name === undefined || (await this.isDir(path))) {
        throw new FileError("file", "write", path, "it is a folder");
      }
      const directory = (await this.#directory("write", parts, true))!;
      const existed = (await find(directory, name)) !== undefined;
      const handle = await directory.getFileHandle(name, { create: true });
      try {
        // What is written goes to a copy, which takes the file's place when it is closed.
        const copy = await handle.createWritable();
        written = copy;
        const size = await fill(copy, data as Blob | Uint8Array<ArrayBuffer>);
        await this.#alone([...parts, name], async () => {
          const { lastModified } = await handle.getFile();
          await untilLater(lastModified);
          // It has the time of its last change, which has to be later than that of what it replaces.
          await copy.truncate(size);
          await copy.close();
        });
      } catch (error) {
        await written?.abort().catch(() => {});
        // Another writer may have finished meanwhile.
        const left = existed ? undefined : await find(directory, name);
        if (left?.size === 0) await directory.removeEntry(name).catch(() => {});
        throw error;
      }
    } catch (error) {
      await stream?.cancel(error).catch(() => {});
      throw failure("write", path, error);
    }
  }

  async remove(path: string): Promise<void> {
    const parts = partsOf("remove", path);
    const name = parts.pop();
    if (name === undefined || (await this.isDir(path))) {
      throw new FileError("file", "remove", path, "it is a folder");
    }
    const directory = await this.#directory("remove", parts);
    await directory?.removeEntry(name).catch((error) => {
      if (!isMissing(error)) throw failure("remove", path, error);
    });
  }

  async mkdir(path: string): Promise<void> {
    await this.#directory("make the folder", partsOf("make the folder", path), true);
  }

  async rmdir(path: string, options: { readonly recursive?: boolean } = {}): Promise<void> {
    const parts = partsOf("remove the folder", path);
    const directory = await this.#directory("remove the folder", parts);
    if (directory === undefined) return;
    const { recursive = false } = options;
    if (!recursive && !(await directory.keys().next()).done) {
      throw new FileError("file", "remove the folder", path, "it is not empty", {
        hint: "Pass { recursive: true } to remove all that is in it.",
      });
    }
    const name = parts.pop();
    try {
      if (name !== undefined) {
        await (await this.#directory("remove the folder", parts))!.removeEntry(name, { recursive });
      } else for await (const key of directory.keys()) await directory.removeEntry(key, { recursive });
    } catch (error) {
      throw failure("remove the folder", path, error);
    }
  }

  async copy(source: string, target: string): Promise<void> {
    await this.write(target, (await this.#open(source)).stream());
  }

  /** Does something to a file that nobody else does at the time, in this thread or another. */
  async #alone(parts: readonly string[], work: () => Promise<void>): Promise<void> {
    if (this.#locks === undefined) await work();
    else await this.#locks.request(`redun-file ${[this.#folder, ...parts].join("/")}`, work);
  }

  async #find(verb: string, path: string): Promise<File | undefined> {
    const parts = partsOf(verb, path);
    const name = parts.pop();
    if (name === undefined) return undefined;
    const directory = await this.#directory(verb, parts);
    return directory && find(directory, name);
  }

  async #open(path: string): Promise<File> {
    const file = await this.#find("read", path);
    if (file !== undefined) return file;
    if (await this.isDir(path)) throw new FileError("file", "read", path, "it is a folder");
    throw new FileNotFoundError("read", path);
  }

  /** A folder by its parts, or `undefined` if there is none, or a file in its place. */
  async #directory(
    verb: string,
    parts: readonly string[],
    create = false,
  ): Promise<FileSystemDirectoryHandle | undefined> {
    try {
      let directory = await (this.#root ?? openOpfsFolder(this.#folder));
      for (const part of parts) directory = await directory.getDirectoryHandle(part, { create });
      return directory;
    } catch (error) {
      if (!create && (isMissing(error) || isMismatch(error))) return undefined;
      throw failure(verb, parts.join("/"), error);
    }
  }
}

/** Writes all of the data to the beginning of a copy. @returns how many bytes there were */
async function fill(
  copy: FileSystemWritableFileStream,
  data: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array<ArrayBuffer>> | Blob,
): Promise<number> {
  if (!(data instanceof ReadableStream)) {
    await copy.write(data);
    return data instanceof Blob ? data.size : data.length;
  }
  const reader = data.getReader();
  try {
    let size = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return size;
      await copy.write(value);
      size += value.length;
    }
  } finally {
    // The lock goes, so that a stream that was not read to its end can be cancelled.
    reader.releaseLock();
  }
}

async function find(directory: FileSystemDirectoryHandle, name: string): Promise<File | undefined> {
  try {
    return await (await directory.getFileHandle(name)).getFile();
  } catch (error) {
    if (isMissing(error) || isMismatch(error)) return undefined;
    throw error;
  }
}

async function collect(
  directory: FileSystemDirectoryHandle,
  path: string,
  found: FileEntry[],
): Promise<void> {
  for await (const [name, handle] of directory.entries()) {
    const below = joinPath(path, name);
    if (handle.kind === "directory") await collect(handle as FileSystemDirectoryHandle, below, found);
    else if (!isScratch(name)) found.push({ path: below });
  }
}

/** Chromium keeps what is being written beside the file. */
const isScratch = (name: string): boolean => name.endsWith(".crswap");

const isMissing = (error: unknown): boolean => (error as Error).name === "NotFoundError";
const isMismatch = (error: unknown): boolean => (error as Error).name === "TypeMismatchError";

const etagOf = ({ size, lastModified }: File): string => `"${size}-${lastModified}"`;

function slice(file: File, range: ByteRange | undefined): Blob {
  if (range === undefined) return file;
  return file.slice(range.offset, range.length === undefined ? undefined : range.offset + range.length);
}

/** The names that lead to a path. @throws InvalidPathError for one that the browser admits nowhere */
function partsOf(verb: string, path: string): string[] {
  const parts = path
    .replace(/^[a-z][a-z0-9+.-]*:\/\//i, "")
    .split("/")
    .filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw new InvalidPathError(verb, path, "it leads out of its folder");
  return parts;
}

/** The browser counts time in milliseconds; a file's next content comes in another one. */
async function untilLater(time: number): Promise<void> {
  // A time far ahead is that of a clock that was set back since.
  while (Date.now() <= time && time - Date.now() < 1000)
    await new Promise((resolve) => setTimeout(resolve, 1));
}

function failure(verb: string, path: string, error: unknown): unknown {
  if (!(error instanceof DOMException) && !(error instanceof TypeError)) return error;
  if (error.name === "NotFoundError") return new FileNotFoundError(verb, path, { cause: error });
  if (error.name === "TypeMismatchError") {
    return new FileError(
      "file",
      verb,
      path,
      "a file is where a folder should be, or a folder where a file should",
      {
        cause: error,
      },
    );
  }
  if (error.name === "QuotaExceededError") {
    return new FileError("file", verb, path, "there is no space left for this site", {
      hint: "Remove files or repositories that are not needed, or free space on the disk.",
      cause: error,
    });
  }
  return new FileError("file", verb, path, error.message, { cause: error });
}

/** Makes `opfs://` paths work, and others if so asked. */
export function registerOpfsFileSystem(options: OpfsFileSystemOptions = {}): OpfsFileSystem {
  const fileSystem = new OpfsFileSystem(options);
  registerFileSystem(fileSystem);
  return fileSystem;
}
