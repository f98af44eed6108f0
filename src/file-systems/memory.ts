import { FileError, FileNotFoundError } from "../file/errors.ts";
import type { ByteRange, FileEntry, FileStat, FileSystem } from "../file/file-system.ts";
import { registerFileSystem } from "../file/file-systems.ts";
import { hashFileByEtag } from "../file/hash-file.ts";
import { joinPath } from "../file/path.ts";
import { hashBytes } from "../value/hash.ts";
import { globMatcher, splitGlob } from "./glob.ts";

/** Streams hand out so many bytes at a time. */
const CHUNK = 1 << 16;

interface Entry {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly etag: string;
}

/**
 * Files in memory, `memory://any/path`, for tests and for what need not outlive the program. A file's hash is by its
 * content. Folders exist while something is below them, or when they were made.
 */
export class MemoryFileSystem implements FileSystem {
  readonly name = "memory";
  readonly schemes: readonly string[] = ["memory"];
  // Keys are paths without the scheme and outer slashes.
  readonly #files = new Map<string, Entry>();
  readonly #folders = new Set<string>();

  async stat(path: string): Promise<FileStat | undefined> {
    const file = this.#files.get(keyOf(path));
    return file && { size: file.bytes.length, etag: file.etag };
  }

  async isDir(path: string): Promise<boolean> {
    const key = keyOf(path);
    if (key === "" || this.#folders.has(key)) return true;
    return this.#below(path).next().done === false;
  }

  async hash(path: string): Promise<string> {
    return hashFileByEtag("memory", path, this.#files.get(keyOf(path))?.etag);
  }

  async list(path: string): Promise<FileEntry[]> {
    return [...this.#below(path)];
  }

  async glob(pattern: string): Promise<FileEntry[]> {
    const { base, rest } = splitGlob(pattern);
    const matches = await globMatcher(rest);
    const start = joinPath(base, "").length;
    return [...this.#below(base)].filter((entry) => matches(entry.path.slice(start)));
  }

  async read(path: string, range?: ByteRange): Promise<Uint8Array<ArrayBuffer>> {
    return this.#slice("read", path, range).slice();
  }

  async stream(path: string, range?: ByteRange): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    const bytes = this.#slice("read", path, range);
    let offset = 0;
    return new ReadableStream(
      {
        pull: (controller) => {
          if (offset < bytes.length) controller.enqueue(bytes.slice(offset, offset + CHUNK));
          offset += CHUNK;
          if (offset >= bytes.length) controller.close();
        },
      },
      { highWaterMark: 0 },
    );
  }

  async write(path: string, data: Uint8Array | ReadableStream<Uint8Array>): Promise<void> {
    const key = keyOf(path);
    const bytes =
      data instanceof Uint8Array
        ? data.slice()
        : new Uint8Array(await new Response(data as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer());
    if (key === "" || (await this.isDir(path))) throw new FileError("file", "write", path, "it is a folder");
    this.#files.set(key, { bytes, etag: `"${hashBytes(bytes)}"` });
  }

  async remove(path: string): Promise<void> {
    this.#files.delete(keyOf(path));
  }

  async mkdir(path: string): Promise<void> {
    const parts = keyOf(path).split("/");
    for (let depth = 1; depth <= parts.length; depth++) {
      const folder = parts.slice(0, depth).join("/");
      if (this.#files.has(folder))
        throw new FileError("file", "make the folder", path, `${folder} is a file`);
      this.#folders.add(folder);
    }
  }

  async rmdir(path: string, options: { readonly recursive?: boolean } = {}): Promise<void> {
    const key = keyOf(path);
    const inside = (other: string): boolean => key === "" || other.startsWith(`${key}/`);
    if (!options.recursive && [...this.#files.keys(), ...this.#folders].some(inside)) {
      throw new FileError("file", "remove the folder", path, "it is not empty", {
        hint: "Pass { recursive: true } to remove all that is in it.",
      });
    }
    for (const file of this.#files.keys()) if (inside(file)) this.#files.delete(file);
    for (const folder of this.#folders) if (folder === key || inside(folder)) this.#folders.delete(folder);
  }

  async copy(source: string, target: string): Promise<void> {
    await this.write(target, this.#slice("copy", source));
  }

  *#below(path: string): Generator<FileEntry, void, void> {
    const key = keyOf(path);
    const prefix = key === "" ? "" : `${key}/`;
    for (const [name, file] of this.#files) {
      if (!name.startsWith(prefix)) continue;
      const found = joinPath(path, name.slice(prefix.length));
      yield { path: found, hash: hashFileByEtag("memory", found, file.etag) };
    }
  }

  #slice(verb: string, path: string, range?: ByteRange): Uint8Array<ArrayBuffer> {
    const file = this.#files.get(keyOf(path));
    if (file === undefined) throw new FileNotFoundError(verb, path);
    if (range === undefined) return file.bytes;
    const { offset, length = Infinity } = range;
    return file.bytes.subarray(offset, Math.min(offset + length, file.bytes.length));
  }
}

function keyOf(path: string): string {
  return path.replace(/^memory:\/\/\/*/i, "").replace(/\/+$/, "");
}

/** Makes `memory://` paths work, with one memory for the whole program, empty at first. */
export function registerMemoryFileSystem(): MemoryFileSystem {
  const fileSystem = new MemoryFileSystem();
  registerFileSystem(fileSystem);
  return fileSystem;
}
