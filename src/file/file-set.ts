import { hasCode } from "../errors/redun-error.ts";
import { HASH_LENGTH } from "../value/hash.ts";
import { FileNotFoundError, InvalidPathError } from "./errors.ts";
import { ContentFile, File, IFile } from "./file.ts";
import { hashedCodec } from "./file-codec.ts";
import type { FileEntry } from "./file-system.ts";
import { fileSystemFor } from "./file-systems.ts";
import { hashFileSet } from "./hash-file.ts";
import { mapConcurrently } from "./map-concurrently.ts";

/** How many files are hashed at once: enough to hide the latency of a store, few enough for any limit on handles. */
const HASHES_AT_ONCE = 64;

/** What a {@link FileSet} and a `Dir` have in common: a hash over those of the files that are there. */
export abstract class Files implements AsyncIterable<File> {
  #hash: string | undefined;
  #recorded: readonly File[] | undefined;

  /** @param key - the path or pattern */
  constructor(key: string, hash?: string) {
    if (typeof key !== "string" || key === "") {
      throw new InvalidPathError("name files", JSON.stringify(key), "a path is a string that is not empty");
    }
    if (hash !== undefined && hash.length !== HASH_LENGTH) {
      throw new InvalidPathError("name the files", key, `their hash is not ${HASH_LENGTH} hex digits`);
    }
    this.#hash = hash;
  }

  /** The class in hashes and on display. */
  abstract get [Symbol.toStringTag](): string;

  /** The path or pattern, with which the class makes up the hash. */
  protected abstract get key(): string;

  /** Looks for the files. */
  protected abstract entries(): Promise<FileEntry[]>;

  /** Makes a file of this family out of what was found. */
  protected make(entry: FileEntry): File {
    return new File(entry.path, entry.hash);
  }

  /** The files as they are now, sorted by path; never folders. */
  async files(): Promise<File[]> {
    const files = (await this.entries()).map((entry) => this.make(entry));
    return files.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  }

  /** The files as they are now, one by one in order of their paths. */
  async *[Symbol.asyncIterator](): AsyncGenerator<File, void, void> {
    yield* await this.files();
  }

  /** The hash if it has been computed or was on record. */
  get knownHash(): string | undefined {
    return this.#hash;
  }

  /** The files, with their hashes, as they were when last looked at by this object; `undefined` if it never has. */
  get recordedFiles(): readonly File[] | undefined {
    return this.#recorded;
  }

  /** The hash; computed from the files as they are now if not known yet. */
  async hash(): Promise<string> {
    return this.#hash ?? (await this.updateHash());
  }

  /** Computes the hash anew. */
  async updateHash(): Promise<string> {
    this.#hash = await this.currentHash();
    return this.#hash;
  }

  /** The hash of the files as they are now, leaving the known one alone. */
  async currentHash(): Promise<string> {
    const files = await this.files();
    const hashes = await mapConcurrently(files, HASHES_AT_ONCE, (file) => file.hash());
    this.#recorded = files;
    return hashFileSet(this[Symbol.toStringTag], this.key, hashes);
  }

  /** Whether no file was added, removed or changed. A set not hashed yet is valid, and gets its hash. */
  async isValid(): Promise<boolean> {
    if (this.#hash === undefined) {
      await this.updateHash();
      return true;
    }
    try {
      return this.#hash === (await this.currentHash());
    } catch (error) {
      // A file that went away between listing and hashing is a change.
      if (error instanceof FileNotFoundError) return false;
      throw error;
    }
  }

  /** The path or pattern, so that it can be put into a message. */
  toString(): string {
    return this.key;
  }

  toJSON(): string {
    return this.key;
  }
}

/** Makes and installs the codec of a class of file sets. The files are recorded as values of their own. */
export function filesCodec<T extends Files>(
  type: string,
  field: keyof T & string,
  make: new (key: string, hash?: string) => T,
): void {
  hashedCodec(type, field, make, {
    subvalues: (value: T) => value.recordedFiles ?? [],
    // A result that comes from another process has its hash, but not the files that are to be recorded with it. If
    // they are out of reach from here, the result stands all the same.
    postprocess: async (value: T) => {
      if (value.recordedFiles !== undefined) return value;
      try {
        await value.isValid();
      } catch (error) {
        if (value.knownHash === undefined || !hasCode(error, "unknown-scheme")) throw error;
      }
      return value;
    },
  });
}

/**
 * The files that match a pattern, now and whenever it is looked at again: `*` and `?` within a name, `**` for any
 * depth, `[a-z]`, `{a,b}`. A name with a leading dot matches only if the pattern spells the dot out.
 *
 * @example List the tables below a folder
 * ```ts
 * import { FileSet } from "redun";
 *
 * for await (const file of new FileSet("data/2024-*.csv")) console.log(file.path);
 * ```
 */
export class FileSet extends Files {
  readonly pattern: string;

  /**
   * @param pattern - of one file system, such as `s3://bucket/reads/*.fastq`
   * @param hash - the hash, if it is on record
   */
  constructor(pattern: string, hash?: string) {
    super(pattern, hash);
    this.pattern = pattern;
  }

  get [Symbol.toStringTag](): string {
    return "FileSet";
  }

  protected get key(): string {
    return this.pattern;
  }

  protected async entries(): Promise<FileEntry[]> {
    return await fileSystemFor(this.pattern).glob(this.pattern);
  }
}

/** A {@link FileSet} of which only the pattern is hashed, so it is always valid. */
export class IFileSet extends FileSet {
  constructor(pattern: string) {
    super(pattern, hashFileSet("IFileSet", pattern, []));
  }

  override get [Symbol.toStringTag](): string {
    return "IFileSet";
  }

  protected override make(entry: FileEntry): File {
    return new IFile(entry.path);
  }

  override async currentHash(): Promise<string> {
    return hashFileSet("IFileSet", this.pattern, []);
  }
}

/** A {@link FileSet} of {@link ContentFile}s. */
export class ContentFileSet extends FileSet {
  override get [Symbol.toStringTag](): string {
    return "ContentFileSet";
  }

  protected override make(entry: FileEntry): File {
    return new ContentFile(entry.path);
  }
}

filesCodec("FileSet", "pattern", FileSet);
filesCodec("IFileSet", "pattern", IFileSet);
filesCodec("ContentFileSet", "pattern", ContentFileSet);

/** Whether a value is a {@link FileSet} or of a class derived from it. */
export function isFileSet(value: unknown): value is FileSet {
  return value instanceof FileSet;
}
