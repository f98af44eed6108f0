import type { R2Bucket, R2Object, R2ObjectBody, R2UploadedPart } from "@cloudflare/workers-types";
import { FileError, FileNotFoundError, InvalidPathError } from "../file/errors.ts";
import type { ByteRange, FileEntry, FileStat, FileSystem } from "../file/file-system.ts";
import { registerFileSystem } from "../file/file-systems.ts";
import { hashFileByEtag } from "../file/hash-file.ts";
import { folderPath, joinPath } from "../file/path.ts";
import { globMatcher, splitGlob } from "./glob.ts";
import { piecesOf } from "./pieces.ts";

/**
 * Bytes of one part of a large upload. R2 wants all parts but the last to be equal, of 5 MB at least, and 10,000 at
 * most, so that a file has up to 80 GB.
 *
 * @see https://developers.cloudflare.com/r2/objects/multipart-objects/
 */
const PART = 8 * 1024 * 1024;

/** Bytes that R2 takes in one go; somewhat less than 5 GiB. */
const WHOLE = 4_000_000_000;

/** Bytes of the longest key. */
const LONGEST_KEY = 1024;

/** Options of an {@link R2FileSystem}. */
export interface R2FileSystemOptions {
  readonly bucket: R2Bucket;
  /** The schemes served. Default `r2` alone; with `file`, bare paths are in the bucket too. */
  readonly schemes?: readonly string[];
  /** The part of the bucket that paths are below, such as `repos/mine/files`; no path leads out of it. Default all. */
  readonly prefix?: string;
  /** Files that one request lists at most, from 1 to 1,000, the default. */
  readonly pageSize?: number;
}

/**
 * Files in a bucket of Cloudflare's R2, `r2://any/path`, through a Worker's binding. A file's hash is by its path and
 * etag. Folders are no more than what names of files have in common: an empty one does not exist.
 *
 * @see https://developers.cloudflare.com/r2/api/workers/workers-api-reference/
 */
export class R2FileSystem implements FileSystem {
  readonly name = "r2";
  readonly schemes: readonly string[];
  readonly #bucket: R2Bucket;
  /** Empty, or with a slash at its end. */
  readonly #prefix: string;
  readonly #pageSize: number;

  constructor(options: R2FileSystemOptions) {
    this.#bucket = options.bucket;
    this.schemes = options.schemes ?? ["r2"];
    const prefix = partsOf("use", options.prefix ?? "").join("/");
    this.#prefix = prefix && `${prefix}/`;
    this.#pageSize = options.pageSize ?? 1000;
  }

  async stat(path: string): Promise<FileStat | undefined> {
    const found = await this.#head("look up", path);
    return found && { size: found.size, etag: found.httpEtag, mtime: `${found.uploaded.getTime()}000000` };
  }

  async isDir(path: string): Promise<boolean> {
    const prefix = this.#folderKey("look up", path);
    if (prefix === this.#prefix) return true;
    const { objects } = await attempt("look up", path, () => this.#bucket.list({ prefix, limit: 1 }));
    return objects.length > 0;
  }

  async hash(path: string): Promise<string> {
    return hashFileByEtag("r2", path, (await this.#head("hash", path))?.httpEtag);
  }

  async list(path: string): Promise<FileEntry[]> {
    const found: FileEntry[] = [];
    for await (const objects of this.#pages("list", path)) {
      for (const { key, httpEtag } of objects) {
        const below = joinPath(folderPath(path), key.slice(this.#folderKey("list", path).length));
        found.push({ path: below, hash: hashFileByEtag("r2", below, httpEtag) });
      }
    }
    return found;
  }

  async glob(pattern: string): Promise<FileEntry[]> {
    const { base, rest } = splitGlob(pattern);
    const matches = await globMatcher(rest);
    const start = joinPath(base, "").length;
    return (await this.list(base)).filter((entry) => matches(entry.path.slice(start)));
  }

  async read(path: string, range?: ByteRange): Promise<Uint8Array<ArrayBuffer>> {
    const object = await this.#open("read", path, range);
    if (object === undefined) return new Uint8Array();
    return attempt("read", path, async () => new Uint8Array(await object.arrayBuffer()));
  }

  async stream(path: string, range?: ByteRange): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    const object = await this.#open("read", path, range);
    if (object === undefined) return new Blob([]).stream();
    return object.body as unknown as ReadableStream<Uint8Array<ArrayBuffer>>;
  }

  async write(path: string, data: Uint8Array | ReadableStream<Uint8Array>): Promise<void> {
    if (data instanceof Uint8Array) {
      await attempt("write", path, async () => this.#bucket.put(this.#fileKey("write", path), data));
      return;
    }
    const reader = data.getReader();
    try {
      await this.#upload(path, piecesOf(reader, PART));
    } catch (error) {
      await reader.cancel(error).catch(() => {});
      throw error;
    }
  }

  async remove(path: string): Promise<void> {
    await attempt("remove", path, () => this.#bucket.delete(this.#fileKey("remove", path)));
  }

  /** Does nothing, since a folder is there as soon as a file is below it. */
  async mkdir(path: string): Promise<void> {
    this.#folderKey("make the folder", path);
  }

  async rmdir(path: string, options: { readonly recursive?: boolean } = {}): Promise<void> {
    const verb = "remove the folder";
    for await (const objects of this.#pages(verb, path)) {
      if (objects.length === 0) continue;
      if (options.recursive !== true) {
        throw new FileError("file", verb, path, "it is not empty", {
          hint: "Pass { recursive: true } to remove all that is in it.",
        });
      }
      await attempt(verb, path, () => this.#bucket.delete(objects.map(({ key }) => key)));
    }
  }

  async copy(source: string, target: string): Promise<void> {
    const key = this.#fileKey("write", target);
    const object = (await this.#open("copy", source))!;
    if (object.size > WHOLE) {
      await this.write(target, object.body as unknown as ReadableStream<Uint8Array>);
    } else await attempt("write", target, () => this.#bucket.put(key, object.body));
  }

  /** Only the time changes: the hash, which is by the etag, stays. */
  async touch(path: string): Promise<void> {
    if ((await this.#head("touch", path)) === undefined) await this.write(path, new Uint8Array());
    else await this.copy(path, path);
  }

  async #head(verb: string, path: string): Promise<R2Object | undefined> {
    const parts = partsOf(verb, path);
    if (parts.length === 0 || path.endsWith("/")) return undefined;
    const key = this.#keyOf(verb, path, parts);
    return (await attempt(verb, path, () => this.#bucket.head(key))) ?? undefined;
  }

  /** A file, or nothing where the range is beyond its end. @throws FileNotFoundError */
  async #open(verb: string, path: string, range?: ByteRange): Promise<R2ObjectBody | undefined> {
    if (range !== undefined) {
      const found = await this.#head(verb, path);
      if (found !== undefined && (range.offset >= found.size || range.length === 0)) return undefined;
    }
    const key = this.#fileKey(verb, path);
    const object = await attempt(verb, path, () => this.#bucket.get(key, range && { range }));
    if (object === null) throw new FileNotFoundError(verb, path);
    return object;
  }

  /** Stores a file of unknown size: in one go if it is small, else in parts that become a file when all are there. */
  async #upload(path: string, pieces: AsyncGenerator<Uint8Array<ArrayBuffer>>): Promise<void> {
    const key = this.#fileKey("write", path);
    const { value: first = new Uint8Array() } = await pieces.next();
    if (first.length < PART) {
      await attempt("write", path, () => this.#bucket.put(key, first));
      return;
    }
    const upload = await attempt("write", path, () => this.#bucket.createMultipartUpload(key));
    try {
      const parts: R2UploadedPart[] = [];
      const send = async (piece: Uint8Array): Promise<void> => {
        parts.push(await attempt("write", path, () => upload.uploadPart(parts.length + 1, piece)));
      };
      await send(first);
      for await (const piece of pieces) await send(piece);
      await attempt("write", path, () => upload.complete(parts));
    } catch (error) {
      // What is left of it costs until R2 removes it after a week.
      await upload.abort().catch(() => {});
      throw error;
    }
  }

  /** The objects below a folder, some at a time. */
  async *#pages(verb: string, path: string): AsyncGenerator<R2Object[]> {
    const prefix = this.#folderKey(verb, path);
    let cursor: string | undefined;
    do {
      const options = { prefix, limit: this.#pageSize, ...(cursor !== undefined && { cursor }) };
      const page = await attempt(verb, path, () => this.#bucket.list(options));
      yield page.objects;
      cursor = page.truncated ? page.cursor : undefined;
    } while (cursor !== undefined);
  }

  #fileKey(verb: string, path: string): string {
    const parts = partsOf(verb, path);
    if (parts.length === 0 || path.endsWith("/")) throw new FileError("file", verb, path, "it is a folder");
    return this.#keyOf(verb, path, parts);
  }

  #folderKey(verb: string, path: string): string {
    const parts = partsOf(verb, path);
    return parts.length === 0 ? this.#prefix : `${this.#keyOf(verb, path, parts)}/`;
  }

  #keyOf(verb: string, path: string, parts: readonly string[]): string {
    const key = this.#prefix + parts.join("/");
    if (new TextEncoder().encode(key).length > LONGEST_KEY) {
      throw new InvalidPathError(
        verb,
        path,
        `its name is longer than the ${LONGEST_KEY} bytes that R2 takes`,
      );
    }
    return key;
  }
}

/**
 * The names that lead to a path. Empty ones and `.` don't count, so that one file has one name.
 *
 * @throws InvalidPathError for a path that leads out of the prefix
 */
function partsOf(verb: string, path: string): string[] {
  const parts = path
    .replace(/^[a-z][a-z0-9+.-]*:\/\//i, "")
    .split("/")
    .filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw new InvalidPathError(verb, path, "it leads out of its folder");
  return parts;
}

/** @throws FileError with what R2 says, which ends with its code: `(10007)` is a missing object */
async function attempt<T>(verb: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof FileError) throw error;
    const { message } = error as Error;
    const code = /\((\d+)\)$/.exec(message)?.[1];
    if (code === "10007") throw new FileNotFoundError(verb, path, { cause: error });
    throw new FileError("file", verb, path, message, { cause: error, fields: { r2: code ?? null } });
  }
}

/**
 * Makes `r2://` paths work, and others if so asked.
 *
 * @example Keep the files of a repository apart
 * ```ts
 * import type { R2Bucket } from "@cloudflare/workers-types";
 * import { File } from "redun";
 * import { registerR2FileSystem } from "redun/cloudflare";
 *
 * export async function report(bucket: R2Bucket): Promise<string> {
 *   registerR2FileSystem({ bucket, prefix: "repos/mine/files" });
 *   return await new File("r2://reports/today.txt").text();
 * }
 * ```
 */
export function registerR2FileSystem(options: R2FileSystemOptions): R2FileSystem {
  const fileSystem = new R2FileSystem(options);
  registerFileSystem(fileSystem);
  return fileSystem;
}
