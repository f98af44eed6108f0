import { InvalidPathError } from "./errors.ts";
import { ContentFile, type CopyOptions, File, IFile } from "./file.ts";
import { stagingCodec } from "./file-codec.ts";
import { Files, filesCodec } from "./file-set.ts";
import type { FileEntry } from "./file-system.ts";
import { fileSystemFor } from "./file-systems.ts";
import { hashFileSet } from "./hash-file.ts";
import { mapConcurrently } from "./map-concurrently.ts";
import { baseName, dirName, folderPath, joinPath, stagedPath } from "./path.ts";
import { shellCopy } from "./shell.ts";
import { Staging } from "./staging.ts";

/** How many files are copied at once; each may hold a buffer and two connections. */
const COPIES_AT_ONCE = 16;

/**
 * A folder with all files below it, at any depth. Its hash covers them all, so it is no longer valid when one is
 * added, removed or changed. Files with a leading dot count; empty folders don't.
 *
 * @example
 * ```ts
 * import { Dir } from "redun";
 *
 * const out = new Dir("out");
 * await out.file("a.txt").write("hello");
 * ```
 */
export class Dir extends Files {
  /** As it was given, without slashes at its end. */
  readonly path: string;

  /**
   * @param path - a local path or a URL
   * @param hash - the hash, if it is on record
   */
  constructor(path: string | URL, hash?: string) {
    const text = path instanceof URL ? path.href : path;
    super(text, hash);
    this.path = folderPath(text);
  }

  get [Symbol.toStringTag](): string {
    return "Dir";
  }

  protected get key(): string {
    return this.path;
  }

  protected async entries(): Promise<FileEntry[]> {
    return await fileSystemFor(this.path).list(this.path);
  }

  /** The file at a path below this folder. */
  file(relativePath: string): File {
    return new File(joinPath(this.path, relativePath));
  }

  /** The folder at a path below this folder. */
  dir(relativePath: string): this {
    return this.at(joinPath(this.path, relativePath));
  }

  /** Another folder of the same class. */
  at(path: string | URL): this {
    return new (this.constructor as new (path: string | URL) => this)(path);
  }

  /**
   * The path of something below this folder, seen from it.
   *
   * @throws InvalidPathError if it is not below
   */
  relPath(file: string | { readonly path: string }): string {
    const path = typeof file === "string" ? file : file.path;
    const prefix = joinPath(this.path, "");
    if (!path.startsWith(prefix)) {
      throw new InvalidPathError("shorten", path, `it is not below ${this.path}`);
    }
    return path.slice(prefix.length);
  }

  /** Whether there is such a folder; in an object store, whether there is a file below it. */
  async exists(): Promise<boolean> {
    return await fileSystemFor(this.path).isDir(this.path);
  }

  /** Makes the folder and those above it, if they are missing. */
  async mkdir(): Promise<void> {
    await fileSystemFor(this.path).mkdir(this.path);
  }

  /**
   * Removes the folder; nothing happens if there is none.
   *
   * @throws FileError if it is not empty and `recursive` is not set
   */
  async rmdir(options: { readonly recursive?: boolean } = {}): Promise<void> {
    await fileSystemFor(this.path).rmdir(this.path, options);
  }

  /**
   * Copies all files below to another folder, also between file systems. What else is there stays.
   *
   * @param target - a path makes a folder of the same class as this one
   * @returns the target, its hash up to date
   */
  async copyTo(target: string | URL, options?: CopyOptions): Promise<this>;
  async copyTo<D extends Dir>(target: D, options?: CopyOptions): Promise<D>;
  async copyTo(target: string | URL | Dir, options: CopyOptions = {}): Promise<Dir> {
    const copy = target instanceof Dir ? target : this.at(target);
    if (copy.path !== this.path) {
      const files = await this.files();
      // A folder without files is a folder all the same where folders are real.
      if (files.length === 0 && (await this.exists())) await copy.mkdir();
      await mapConcurrently(files, COPIES_AT_ONCE, (file) =>
        // An IFile computes no hash, which nobody needs here.
        new IFile(file.path).copyTo(new IFile(joinPath(copy.path, this.relPath(file))), options),
      );
    }
    await copy.updateHash();
    return copy;
  }

  /**
   * Pairs this folder, as the remote one, with a local one.
   *
   * @param local - a path; if it ends in `/`, a folder of the same name in it; by default one in the working directory
   */
  stage(local?: string | Dir): StagingDir {
    return new StagingDir(stagedPath(local, this.path), this);
  }

  /** The shell command that copies this folder. */
  shellCopyTo(target: string, options: { readonly asMount?: boolean } = {}): string {
    return shellCopy(this.path, folderPath(target), { ...options, recursive: true });
  }

  /** The last part of the path. */
  basename(): string {
    return baseName(this.path);
  }

  /** The path without its last part. */
  dirname(): string {
    return dirName(this.path);
  }
}

/** A {@link Dir} of which only the path is hashed, so it is always valid. */
export class IDir extends Dir {
  constructor(path: string | URL) {
    super(path, hashFileSet("IDir", folderPath(String(path)), []));
  }

  override get [Symbol.toStringTag](): string {
    return "IDir";
  }

  protected override make(entry: FileEntry): File {
    return new IFile(entry.path);
  }

  override async currentHash(): Promise<string> {
    return hashFileSet("IDir", this.path, []);
  }

  override file(relativePath: string): IFile {
    return new IFile(joinPath(this.path, relativePath));
  }

  override stage(local?: string | Dir): IStagingDir {
    return new IStagingDir(stagedPath(local, this.path), this);
  }
}

/** A {@link Dir} of {@link ContentFile}s. */
export class ContentDir extends Dir {
  override get [Symbol.toStringTag](): string {
    return "ContentDir";
  }

  protected override make(entry: FileEntry): File {
    return new ContentFile(entry.path);
  }

  override file(relativePath: string): ContentFile {
    return new ContentFile(joinPath(this.path, relativePath));
  }

  override stage(local?: string | Dir): ContentStagingDir {
    return new ContentStagingDir(stagedPath(local, this.path), this);
  }
}

/** A pair of a local and a remote folder; see {@link Dir.stage}. */
export class StagingDir extends Staging<Dir> {
  readonly local: Dir;
  readonly remote: Dir;
  protected readonly recursive: boolean = true;

  constructor(local: string | Dir, remote: string | Dir) {
    super();
    this.local = typeof local === "string" ? this.dir(local) : local;
    this.remote = typeof remote === "string" ? this.dir(remote) : remote;
  }

  async stage(): Promise<Dir> {
    if (this.local.path !== this.remote.path) await this.remote.copyTo(this.local);
    return this.local;
  }

  async unstage(): Promise<Dir> {
    if (this.local.path !== this.remote.path) await this.local.copyTo(this.remote);
    return this.remote;
  }

  /** A folder of the class that this pair holds. */
  protected dir(path: string): Dir {
    return new Dir(path);
  }
}

/** A pair of {@link IDir}s. */
export class IStagingDir extends StagingDir {
  protected override dir(path: string): Dir {
    return new IDir(path);
  }
}

/** A pair of {@link ContentDir}s. */
export class ContentStagingDir extends StagingDir {
  protected override dir(path: string): Dir {
    return new ContentDir(path);
  }
}

filesCodec("Dir", "path", Dir);
filesCodec("IDir", "path", IDir);
filesCodec("ContentDir", "path", ContentDir);
stagingCodec("StagingDir", StagingDir);
stagingCodec("IStagingDir", IStagingDir);
stagingCodec("ContentStagingDir", ContentStagingDir);

/** Whether a value is a {@link Dir} or of a class derived from it. */
export function isDir(value: unknown): value is Dir {
  return value instanceof Dir;
}
