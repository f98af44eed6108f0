import { HASH_LENGTH, hashBytes, hashStream } from "../value/hash.ts";
import {
  concatStreams,
  type FileData,
  lazyStream,
  type TextEncoding,
  toWritable,
  writableThrough,
} from "./data.ts";
import { FileNotFoundError, InvalidPathError } from "./errors.ts";
import { fileCodec, stagingCodec } from "./file-codec.ts";
import type { ByteRange } from "./file-system.ts";
import { fileSystemFor } from "./file-systems.ts";
import { hashContentFile, hashIFile } from "./hash-file.ts";
import { baseName, dirName, stagedPath } from "./path.ts";
import { shellCopy } from "./shell.ts";
import { Staging } from "./staging.ts";

/** Up to this size a file is hashed in one piece, for which runtimes have faster functions than for a stream. */
const HASH_WHOLE_BELOW = 1 << 20;

/**
 * A file, by its path: something that tasks take and return, and that the cache watches. Its hash stands for the
 * path, size and time (or the store's version) of the file, so a task reruns when a file that it read has changed,
 * and one whose output was altered or deleted runs again.
 *
 * The hash is computed when it is first needed and then kept. Writing through this object updates it; reading never
 * does, nor do changes made behind its back, for which there is {@link updateHash}.
 *
 * @example Read one file, write another
 * ```ts
 * import { File, task } from "redun";
 *
 * const shout = task("demo.shout", async (input: File) => {
 *   const output = new File("out/shout.txt");
 *   await output.write((await input.text()).toUpperCase());
 *   return output;
 * });
 * ```
 */
export class File {
  /** As it was given: a bare local path, or a URL such as `s3://bucket/key`. */
  readonly path: string;
  #hash: string | undefined;

  /**
   * @param path - a local path or a URL
   * @param hash - the hash, if it is on record: the file is then valid as long as it still has this hash
   * @throws InvalidPathError if the path is empty or not text
   */
  constructor(path: string | URL, hash?: string) {
    const text = path instanceof URL ? path.href : path;
    if (typeof text !== "string" || text === "") {
      throw new InvalidPathError("name a file", JSON.stringify(path), "a path is a string that is not empty");
    }
    if (hash !== undefined && hash.length !== HASH_LENGTH) {
      throw new InvalidPathError("name the file", text, `its hash is not ${HASH_LENGTH} hex digits`);
    }
    this.path = text;
    this.#hash = hash;
  }

  /** The hash if it has been computed or was on record. */
  get knownHash(): string | undefined {
    return this.#hash;
  }

  /** The hash; computed from the file as it is now if not known yet. A missing file has one too. */
  async hash(): Promise<string> {
    return this.#hash ?? (await this.updateHash());
  }

  /** Computes the hash anew. */
  async updateHash(): Promise<string> {
    this.#hash = await this.currentHash();
    return this.#hash;
  }

  /** The hash of the file as it is now, leaving the known one alone. */
  currentHash(): Promise<string> {
    return this.#fileSystem().hash(this.path);
  }

  /** Whether the file is still the one that was hashed. A file not hashed yet is, and gets its hash. */
  async isValid(): Promise<boolean> {
    if (this.#hash === undefined) {
      await this.updateHash();
      return true;
    }
    return this.#hash === (await this.currentHash());
  }

  /** The whole content as bytes, or a part of it. */
  async bytes(range?: ByteRange): Promise<Uint8Array<ArrayBuffer>> {
    return await this.#fileSystem().read(this.path, range);
  }

  /**
   * The whole content as text. A byte order mark is dropped.
   *
   * @param encoding - a label of the Encoding Standard, such as `utf-16le`; UTF-8 by default
   */
  async text(encoding = "utf-8"): Promise<string> {
    return new TextDecoder(encoding).decode(await this.bytes());
  }

  /** The whole content as a value that its JSON stands for. */
  async json<T = unknown>(): Promise<T> {
    return JSON.parse(await this.text()) as T;
  }

  /** The content as a stream, opened when it is first read. A missing file fails then. */
  stream(range?: ByteRange): ReadableStream<Uint8Array<ArrayBuffer>> {
    return lazyStream(async () => await this.#fileSystem().stream(this.path, range));
  }

  /** The lines of a text file one by one, without their line ends, holding no more than a chunk in memory. */
  async *lines(encoding = "utf-8"): AsyncGenerator<string, void, void> {
    const decoder = new TextDecoder(encoding);
    const reader = this.stream().getReader();
    let rest = "";
    try {
      for (;;) {
        const { done, value } = await reader.read();
        const lines = (rest + decoder.decode(value, { stream: !done })).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) yield line.endsWith("\r") ? line.slice(0, -1) : line;
        if (done) break;
      }
      if (rest !== "") yield rest;
    } finally {
      await reader.cancel();
    }
  }

  /**
   * Replaces the content, all or nothing, creating the folders above; then updates the hash.
   *
   * @throws InvalidPathError if an encoding is given with data that is not text
   */
  async write(data: FileData, options: { readonly encoding?: TextEncoding } = {}): Promise<void> {
    await this.#fileSystem().write(this.path, toWritable(this.path, data, options.encoding));
    await this.updateHash();
  }

  /**
   * A stream to write the content to, bytes or text. The file changes when the stream is closed, all or nothing, and
   * the hash is updated once then. An aborted stream leaves the file as it was.
   *
   * @param options - with `append`, what is written follows the present content, which is copied first
   */
  writable(options: { readonly append?: boolean } = {}): WritableStream<Uint8Array | string> {
    return writableThrough(
      async (data) => {
        const fileSystem = this.#fileSystem();
        const extend = options.append && (await fileSystem.stat(this.path)) !== undefined;
        await fileSystem.write(this.path, extend ? concatStreams(this.stream(), data) : data);
      },
      () => this.updateHash(),
    );
  }

  /** Whether there is a file, or a folder, at the path. */
  async exists(): Promise<boolean> {
    return (await this.isFile()) || (await this.isDir());
  }

  /** Whether there is a file at the path, not a folder. */
  async isFile(): Promise<boolean> {
    return (await this.#fileSystem().stat(this.path)) !== undefined;
  }

  /** Whether there is a folder at the path. */
  async isDir(): Promise<boolean> {
    return await this.#fileSystem().isDir(this.path);
  }

  /** The size in bytes. @throws FileNotFoundError if there is no file */
  async size(): Promise<number> {
    const stat = await this.#fileSystem().stat(this.path);
    if (stat === undefined) throw new FileNotFoundError("measure", this.path);
    return stat.size;
  }

  /** Removes the file; nothing happens if there is none. The known hash stays, so the file is no longer valid. */
  async remove(): Promise<void> {
    await this.#fileSystem().remove(this.path);
  }

  /** Sets the file's time to now, or creates it empty; then updates the hash. */
  async touch(): Promise<void> {
    const fileSystem = this.#fileSystem();
    if (fileSystem.touch !== undefined) await fileSystem.touch(this.path);
    else await fileSystem.write(this.path, (await this.isFile()) ? await this.bytes() : new Uint8Array());
    await this.updateHash();
  }

  /**
   * Copies the content to another file, also between file systems.
   *
   * @param target - a path makes a file of the same class as this one
   * @param options - with `skipIfExists`, a file that is there already is left alone
   * @returns the target, its hash up to date
   */
  async copyTo(target: string | URL, options?: CopyOptions): Promise<this>;
  async copyTo<F extends File>(target: F, options?: CopyOptions): Promise<F>;
  async copyTo(target: string | URL | File, options: CopyOptions = {}): Promise<File> {
    const copy = target instanceof File ? target : this.at(target);
    if (copy.path !== this.path && !(options.skipIfExists && (await copy.isFile()))) {
      const from = this.#fileSystem();
      const to = copy.#fileSystem();
      if (from === to && from.copy !== undefined) await from.copy(this.path, copy.path);
      else await to.write(copy.path, await from.stream(this.path));
    }
    await copy.updateHash();
    return copy;
  }

  /**
   * Pairs this file, as the remote one, with a local one.
   *
   * @param local - a path; if it ends in `/`, a file of the same name in that folder; by default one in the working
   *   directory
   */
  stage(local?: string | File): StagingFile {
    return new StagingFile(stagedPath(local, this.path), this);
  }

  /** The shell command that copies this file. @param target - a path, or `null` for stdout */
  shellCopyTo(target: string | null, options: { readonly asMount?: boolean } = {}): string {
    return shellCopy(this.path, target, options);
  }

  /** The last part of the path. */
  basename(): string {
    return baseName(this.path);
  }

  /** The path without its last part. */
  dirname(): string {
    return dirName(this.path);
  }

  /** Another file of the same class. */
  at(path: string | URL): this {
    return new (this.constructor as new (path: string | URL) => this)(path);
  }

  /** The path, so that a file can be put into a command or a message. */
  toString(): string {
    return this.path;
  }

  toJSON(): string {
    return this.path;
  }

  get [Symbol.toStringTag](): string {
    return "File";
  }

  #fileSystem(): ReturnType<typeof fileSystemFor> {
    return fileSystemFor(this.path);
  }
}

/** How files are copied. */
export interface CopyOptions {
  /** Leaves a target alone that is there already. */
  readonly skipIfExists?: boolean;
}

/** A file that never changes once it is written, or whose changes do not matter: only its path is hashed. */
export class IFile extends File {
  constructor(path: string | URL) {
    super(path, hashIFile(String(path)));
  }

  override get [Symbol.toStringTag](): string {
    return "IFile";
  }

  override async currentHash(): Promise<string> {
    return hashIFile(this.path);
  }

  override stage(local?: string | File): IStagingFile {
    return new IStagingFile(stagedPath(local, this.path), this);
  }
}

/**
 * A file whose hash is that of its whole content: slower to compute, but a touched or rewritten file stays valid as
 * long as its content does. A missing one has no hash.
 */
export class ContentFile extends File {
  override get [Symbol.toStringTag](): string {
    return "ContentFile";
  }

  /** @throws FileNotFoundError if there is no file */
  override async currentHash(): Promise<string> {
    if ((await this.size()) <= HASH_WHOLE_BELOW) {
      return hashContentFile(this.path, hashBytes(await this.bytes()));
    }
    const hash = hashStream();
    const reader = this.stream().getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return hashContentFile(this.path, hash.digest());
      hash.update(value);
    }
  }

  override async isValid(): Promise<boolean> {
    try {
      return await super.isValid();
    } catch (error) {
      if (error instanceof FileNotFoundError) return false;
      throw error;
    }
  }

  override stage(local?: string | File): ContentStagingFile {
    return new ContentStagingFile(stagedPath(local, this.path), this);
  }
}

/** A pair of a local and a remote file; see {@link File.stage}. */
export class StagingFile extends Staging<File> {
  readonly local: File;
  readonly remote: File;
  protected readonly recursive: boolean = false;

  constructor(local: string | File, remote: string | File) {
    super();
    this.local = typeof local === "string" ? this.file(local) : local;
    this.remote = typeof remote === "string" ? this.file(remote) : remote;
  }

  async stage(): Promise<File> {
    if (this.local.path !== this.remote.path) await this.remote.copyTo(this.local);
    return this.local;
  }

  async unstage(): Promise<File> {
    if (this.local.path !== this.remote.path) await this.local.copyTo(this.remote);
    return this.remote;
  }

  /** A file of the class that this pair holds. */
  protected file(path: string): File {
    return new File(path);
  }
}

/** A pair of {@link IFile}s. */
export class IStagingFile extends StagingFile {
  protected override file(path: string): File {
    return new IFile(path);
  }
}

/** A pair of {@link ContentFile}s. */
export class ContentStagingFile extends StagingFile {
  protected override file(path: string): File {
    return new ContentFile(path);
  }
}

fileCodec("File", File);
fileCodec("IFile", IFile);
fileCodec("ContentFile", ContentFile);
stagingCodec("StagingFile", StagingFile);
stagingCodec("IStagingFile", IStagingFile);
stagingCodec("ContentStagingFile", ContentStagingFile);

/** Whether a value is a file of this package: a {@link File}, {@link IFile} or {@link ContentFile}. */
export function isFile(value: unknown): value is File {
  return value instanceof File;
}
