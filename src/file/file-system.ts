/** What is known of a file without reading it. */
export interface FileStat {
  /** Bytes. */
  readonly size: number;
  /** When the content last changed: nanoseconds since 1970 in decimal digits. */
  readonly mtime?: string;
  /** The store's own name for this version of the content, quotes included. */
  readonly etag?: string;
}

/** A part of a file. */
export interface ByteRange {
  /** The first byte, from 0. */
  readonly offset: number;
  /** At most so many bytes; by default all that follow. */
  readonly length?: number;
}

/** A file that a listing found. */
export interface FileEntry {
  /** In the form of the path that was listed: below `data` it is `data/a.txt`, never an absolute path. */
  readonly path: string;
  /** What {@link FileSystem.hash} would say, where the listing already knows. */
  readonly hash?: string;
}

/** How a shell command copies. */
export interface ShellCopyOptions {
  /** Copies a folder. */
  readonly recursive?: boolean;
  /** The store is mounted where the command runs. Those that cannot be ignore it. */
  readonly asMount?: boolean;
}

/**
 * A place where files are: a disk, a bucket, the memory. Paths are whole, with their scheme.
 *
 * Failures are a `FileNotFoundError`, a `FilePermissionError` or another `FileError`, with the path.
 * Folders may be real or, as in object stores, no more than a common prefix of files.
 */
export interface FileSystem {
  /** What errors and listings call it, such as `s3`. */
  readonly name: string;

  /** The URL schemes it serves, in lower case without the colon. A bare path counts as `file`. */
  readonly schemes: readonly string[];

  /** @returns what is known of the file, or `undefined` if there is none, or a folder, at the path */
  stat(path: string): Promise<FileStat | undefined>;

  /** Whether the path is a folder; in an object store, whether there is any file below it. */
  isDir(path: string): Promise<boolean>;

  /**
   * A cheap stand-in for the content, which changes whenever the content is thought to: made of size and time, or
   * of a store's version. A missing file has a hash too. Must not be answered from a cache.
   *
   * @returns 40 hex digits, the hash of a pre-image that holds the path; see `hash-file.ts`
   */
  hash(path: string): Promise<string>;

  /** Every file at any depth below a folder, those with a leading dot too; none if it is missing. No order. */
  list(path: string): Promise<FileEntry[]>;

  /**
   * The files, never folders, that match a pattern: `*` and `?` within a name, `**` for any depth, `[a-z]` and
   * `{a,b}`. A leading dot must be spelled out. No order.
   */
  glob(pattern: string): Promise<FileEntry[]>;

  /** The content, whole or in part. A range beyond the end gives what there is. */
  read(path: string, range?: ByteRange): Promise<Uint8Array<ArrayBuffer>>;

  /** Like {@link read} for files larger than memory. Rejects if there is no file. */
  stream(path: string, range?: ByteRange): Promise<ReadableStream<Uint8Array<ArrayBuffer>>>;

  /**
   * Creates or replaces a file, and the folders above it. All or nothing: no reader and no crash sees a part, and if
   * the stream fails, the file is as before and the promise rejects. A stream is consumed or cancelled in any case.
   */
  write(path: string, data: Uint8Array | ReadableStream<Uint8Array>): Promise<void>;

  /** Removes a file; nothing happens if there is none. */
  remove(path: string): Promise<void>;

  /** Makes a folder and those above it; nothing happens if it exists or if the store needs no folders. */
  mkdir(path: string): Promise<void>;

  /**
   * Removes a folder; nothing happens if there is none.
   *
   * @throws FileError if it holds something and `recursive` is not set
   */
  rmdir(path: string, options?: { readonly recursive?: boolean }): Promise<void>;

  /** Copies a file within the file system without carrying its content here, all or nothing like {@link write}. */
  copy?(source: string, target: string): Promise<void>;

  /** Sets a file's time to now, creating an empty one if there is none. Without it a touch rewrites the file. */
  touch?(path: string): Promise<void>;

  /** The path by which programs on this machine open the file. Only local file systems have it. */
  localPath?(path: string): string;

  /**
   * A shell command that copies between this file system and a local path, or within this file system. `null` stands
   * for stdin as source and stdout as target, and never goes with `recursive`. Without it, `redun fs cp` does the job.
   *
   * @returns the command with its paths quoted
   */
  shellCopy?(source: string | null, target: string | null, options?: ShellCopyOptions): string;
}
