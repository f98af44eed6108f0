import { AsyncLocalStorage } from "node:async_hooks";
import { FileError } from "../file/errors.ts";
import type { ByteRange, FileEntry, FileStat, FileSystem } from "../file/file-system.ts";

/**
 * The files of whichever repository is at work. Objects of several repositories share one isolate, and with it the one
 * table of file systems by scheme, so each has what it does see its own files only.
 *
 * A file system that is entered must have `copy` and `touch`.
 */
export class ScopedFileSystem implements FileSystem {
  readonly name: string;
  readonly schemes: readonly string[];
  readonly #current: AsyncLocalStorage<FileSystem> = new AsyncLocalStorage();

  constructor(name: string, schemes: readonly string[]) {
    this.name = name;
    this.schemes = schemes;
  }

  /** Does something, and all that follows from it, with the files of one repository. */
  enter<T>(files: FileSystem, work: () => T): T {
    return this.#current.run(files, work);
  }

  #files(path: string): FileSystem {
    const files = this.#current.getStore();
    if (files === undefined) throw new FileError("file", "use", path, "no repository is at work");
    return files;
  }

  async stat(path: string): Promise<FileStat | undefined> {
    return await this.#files(path).stat(path);
  }

  async isDir(path: string): Promise<boolean> {
    return await this.#files(path).isDir(path);
  }

  async hash(path: string): Promise<string> {
    return await this.#files(path).hash(path);
  }

  async list(path: string): Promise<FileEntry[]> {
    return await this.#files(path).list(path);
  }

  async glob(pattern: string): Promise<FileEntry[]> {
    return await this.#files(pattern).glob(pattern);
  }

  async read(path: string, range?: ByteRange): Promise<Uint8Array<ArrayBuffer>> {
    return await this.#files(path).read(path, range);
  }

  async stream(path: string, range?: ByteRange): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    return await this.#files(path).stream(path, range);
  }

  async write(path: string, data: Uint8Array | ReadableStream<Uint8Array>): Promise<void> {
    await this.#files(path).write(path, data);
  }

  async remove(path: string): Promise<void> {
    await this.#files(path).remove(path);
  }

  async mkdir(path: string): Promise<void> {
    await this.#files(path).mkdir(path);
  }

  async rmdir(path: string, options?: { readonly recursive?: boolean }): Promise<void> {
    await this.#files(path).rmdir(path, options);
  }

  async copy(source: string, target: string): Promise<void> {
    await this.#files(source).copy!(source, target);
  }

  async touch(path: string): Promise<void> {
    await this.#files(path).touch!(path);
  }
}
