import type { FileSystem } from "../file/file-system.ts";
import { hashFileSet } from "../file/hash-file.ts";
import { mapConcurrently } from "../file/map-concurrently.ts";
import { joinPath } from "../file/path.ts";
import { hashStream, hashStruct } from "../value/hash.ts";
import { ApiError } from "./api-error.ts";
import type { UploadedFile } from "./api-types.ts";

/** Where a repository keeps the files that clients send. */
export interface UploadsOptions {
  readonly files: FileSystem;
  /** The folder, as the tasks that run for the repository name it. */
  readonly folder: string;
  /** Largest file, in bytes. Default 5 GiB. */
  readonly maxSize?: number | undefined;
}

/** A file of a folder that was sent. */
export interface FolderPart {
  /** Path below the folder, with `/`. */
  readonly path: string;
  /** Hash of the content. */
  readonly hash: string;
  /** Name under which it was sent. */
  readonly name: string;
}

const MAX_SIZE = 5 * 1024 ** 3;
const COPIES = 8;
/** Bytes of a name. File systems take 255, some of which are needed while the file comes. */
const LONGEST_NAME = 200;

/**
 * The files that clients send to a repository, for executions to read. A file lies at `HASH/NAME` in one folder, by the
 * hash of its content (the first 40 hex digits of its SHA-512), which is checked when it comes. So it is sent once, and
 * never changes. A folder lies at `HASH/NAME/…`, by the hash of the paths and hashes of its files.
 */
export class Uploads {
  private readonly files: FileSystem;
  private readonly folder: string;
  private readonly maxSize: number;

  constructor({ files, folder, maxSize = MAX_SIZE }: UploadsOptions) {
    this.files = files;
    this.folder = folder;
    this.maxSize = maxSize;
  }

  /** A file that is here, if it is. @throws ApiError if the name is none */
  async find(hash: string, name: string): Promise<UploadedFile | undefined> {
    const path = this.pathOf(hash, name);
    const stat = await this.files.stat(path);
    return stat === undefined ? undefined : { path, hash: await this.files.hash(path), size: stat.size };
  }

  /**
   * Takes a file, unless it is here already.
   *
   * @throws ApiError if the name is none, the file is too large, or its content is not what the hash says
   */
  async add(hash: string, name: string, body: ReadableStream<Uint8Array>): Promise<UploadedFile> {
    const known = await this.find(hash, name);
    if (known !== undefined) {
      await body.cancel();
      return known;
    }
    let flaw: ApiError | undefined;
    const check = this.checked(hash, (error) => {
      flaw = error;
    });
    try {
      await this.files.write(this.pathOf(hash, name), body.pipeThrough(check));
    } catch (error) {
      // A file system tells of a failed stream in its own words.
      throw flaw ?? error;
    }
    return (await this.find(hash, name))!;
  }

  /** Puts files that were sent together in a folder. */
  async addFolder(name: string, parts: readonly FolderPart[]): Promise<UploadedFile> {
    checkPaths(parts.map(({ path }) => path));
    const sorted = [...parts].sort((a, b) => (a.path < b.path ? -1 : 1));
    const hash = hashStruct(["Upload", ...sorted.map(({ path, hash: content }) => [path, content])]);
    const folder = this.pathOf(hash, name);
    const copied = await mapConcurrently(sorted, COPIES, (part) => this.copyPart(folder, part));
    const hashes = copied.map((file) => file.hash);
    const size = copied.reduce((sum, file) => sum + file.size, 0);
    return { path: folder, hash: hashFileSet("Dir", folder, hashes), size };
  }

  private async copyPart(folder: string, part: FolderPart): Promise<UploadedFile> {
    const source = this.pathOf(part.hash, part.name);
    const target = joinPath(folder, part.path);
    const stat = await this.files.stat(source);
    if (stat === undefined) {
      throw new ApiError(404, "not-found", `There is no file ${part.name} of the hash ${part.hash} here`, {
        hint: "Send it first with PUT …/uploads/:hash/:name.",
      });
    }
    // What is there is the same, and keeps its time, by which caches know it.
    if ((await this.files.stat(target))?.size !== stat.size) {
      if (this.files.copy !== undefined) await this.files.copy(source, target);
      else await this.files.write(target, await this.files.stream(source));
    }
    return { path: target, hash: await this.files.hash(target), size: stat.size };
  }

  private pathOf(hash: string, name: string): string {
    checkName(name);
    return joinPath(joinPath(this.folder, hash), name);
  }

  /** Passes bytes on as long as they may be those of the hash. */
  private checked(
    hash: string,
    onFlaw: (error: ApiError) => void,
  ): TransformStream<Uint8Array, Uint8Array<ArrayBuffer>> {
    const hashing = hashStream();
    const fail = (error: ApiError): never => {
      onFlaw(error);
      throw error;
    };
    let size = 0;
    return new TransformStream({
      transform: (chunk, controller) => {
        size += chunk.byteLength;
        if (size > this.maxSize) {
          const message = `Cannot take the file: it is larger than ${this.maxSize} bytes`;
          fail(new ApiError(413, "too-large", message));
        }
        hashing.update(chunk);
        controller.enqueue(chunk as Uint8Array<ArrayBuffer>);
      },
      flush: () => {
        const actual = hashing.digest();
        if (actual === hash) return;
        const message = `Cannot take the file: its hash is ${actual}, not ${hash}`;
        fail(new ApiError(422, "wrong-hash", message, { hint: "It was changed on the way; send it again." }));
      },
    });
  }
}

/** @throws ApiError if a name could mean another place than a file in its folder */
function checkName(name: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be in a name
  const isPlain = name !== "" && name !== "." && name !== ".." && !/[/\\\x00-\x1f\x7f]/.test(name);
  if (isPlain && new TextEncoder().encode(name).length <= LONGEST_NAME) return;
  throw new ApiError(
    400,
    "invalid-request",
    `Cannot take a file named ${JSON.stringify(name.slice(0, 200))}`,
    {
      hint: `A name has 1 to ${LONGEST_NAME} bytes as UTF-8, none of them a slash or a control character.`,
    },
  );
}

/** @throws ApiError unless the paths can be those of the files of one folder */
function checkPaths(paths: readonly string[]): void {
  const all = new Set<string>();
  for (const path of paths) {
    for (const name of path.split("/")) checkName(name);
    if (all.has(path)) throw notOneFolder(path, "it is there twice");
    all.add(path);
  }
  for (const path of paths) {
    for (let at = path.indexOf("/"); at > 0; at = path.indexOf("/", at + 1))
      if (all.has(path.slice(0, at))) throw notOneFolder(path, `${path.slice(0, at)} is a file`);
  }
}

const notOneFolder = (path: string, why: string): ApiError =>
  new ApiError(400, "invalid-request", `Cannot make a folder with ${path}: ${why}`);
