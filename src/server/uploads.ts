import type { Backend } from "../backend/backend.ts";
import type { FileSystem } from "../file/file-system.ts";
import { hashFileSet } from "../file/hash-file.ts";
import { mapConcurrently } from "../file/map-concurrently.ts";
import { joinPath } from "../file/path.ts";
import { hashStream, hashStruct } from "../value/hash.ts";
import { ApiError } from "./api-error.ts";
import type { UploadedFile } from "./api-types.ts";
import type { NotedUpload, UploadLedger } from "./upload-ledger.ts";

/** Where a repository keeps the files that clients send. */
export interface UploadsOptions {
  readonly files: FileSystem;
  /** The folder, as the tasks that run for the repository name it. */
  readonly folder: string;
  /** Largest file, in bytes. Default 5 GiB. */
  readonly maxSize?: number | undefined;
  /** Most bytes of all files together. Default 100 GiB. */
  readonly maxUploads?: number | undefined;
  /** After so many days without being asked for, a file goes that no record is about. Default 30. */
  readonly uploadDays?: number | undefined;
}

/** What {@link Uploads} know of what is sent, and of what is recorded. */
export interface UploadsParts {
  readonly ledger: UploadLedger;
  readonly backend: Pick<Backend, "find" | "getValues">;
  /** Told of what could not be removed. */
  readonly onFault?: ((error: unknown) => void) | undefined;
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
const MAX_UPLOADS = 100 * 1024 ** 3;
const DAYS = 30;
const DAY = 86_400_000;
/** Milliseconds from one search for files that may go to the next, and how many are looked at. */
const SWEEP_INTERVAL = 3_600_000;
const SWEEP = 100;
const COPIES = 8;
/** Bytes of a name. File systems take 255, some of which are needed while the file comes. */
const LONGEST_NAME = 200;

/**
 * The files that clients send to a repository, for executions to read. A file lies at `HASH/NAME` in one folder, by the
 * hash of its content (the first 40 hex digits of its SHA-512), which is checked when it comes. So it is sent once, and
 * never changes. A folder lies at `HASH/NAME/…`, by the hash of the paths and hashes of its files.
 *
 * When a file comes, some old ones are looked for that may go: those that no record is about, which were sent in vain or
 * in parts of folders, and that nobody has asked for in a while.
 */
export class Uploads {
  private readonly files: FileSystem;
  private readonly folder: string;
  private readonly maxSize: number;
  private readonly maxUploads: number;
  private readonly lasting: number;
  private readonly parts: UploadsParts;
  /** Bytes of what comes just now. */
  private coming = 0;
  private lastSweep = 0;

  constructor(options: UploadsOptions, parts: UploadsParts) {
    this.files = options.files;
    this.folder = options.folder;
    this.maxSize = options.maxSize ?? MAX_SIZE;
    this.maxUploads = options.maxUploads ?? MAX_UPLOADS;
    this.lasting = (options.uploadDays ?? DAYS) * DAY;
    this.parts = parts;
  }

  /** A file that is here, if it is. @throws ApiError if the name is none */
  async find(hash: string, name: string): Promise<UploadedFile | undefined> {
    const path = this.pathOf(hash, name);
    const stat = await this.files.stat(path);
    if (stat === undefined) return undefined;
    const found = { path, hash: await this.files.hash(path), size: stat.size };
    this.parts.ledger.note({ ...found, place: `${hash}/${name}` });
    return found;
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
    const arrival = this.arrival();
    const check = this.checked(hash, arrival, (error) => {
      flaw = error;
    });
    try {
      await this.files.write(this.pathOf(hash, name), body.pipeThrough(check));
      const added = (await this.find(hash, name))!;
      arrival.end();
      await this.sweepNowAndThen();
      return added;
    } catch (error) {
      // A file system tells of a failed stream in its own words.
      throw flaw ?? error;
    } finally {
      arrival.end();
    }
  }

  /** Puts files that were sent together in a folder. */
  async addFolder(name: string, parts: readonly FolderPart[]): Promise<UploadedFile> {
    checkPaths(parts.map(({ path }) => path));
    const sorted = [...parts].sort((a, b) => (a.path < b.path ? -1 : 1));
    const hash = hashStruct(["Upload", ...sorted.map(({ path, hash: content }) => [path, content])]);
    const folder = this.pathOf(hash, name);
    const arrival = this.arrival();
    try {
      const copied = await mapConcurrently(sorted, COPIES, (part) => this.copyPart(folder, part, arrival));
      const hashes = copied.map((file) => file.hash);
      const size = copied.reduce((sum, file) => sum + file.size, 0);
      const added = { path: folder, hash: hashFileSet("Dir", folder, hashes), size };
      this.parts.ledger.note({ ...added, place: `${hash}/${name}/` });
      return added;
    } finally {
      arrival.end();
    }
  }

  private async copyPart(folder: string, part: FolderPart, arrival: Arrival): Promise<UploadedFile> {
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
      arrival.take(stat.size);
      if (this.files.copy !== undefined) await this.files.copy(source, target);
      else await this.files.write(target, await this.files.stream(source));
    }
    return { path: target, hash: await this.files.hash(target), size: stat.size };
  }

  private pathOf(hash: string, name: string): string {
    checkName(name);
    return joinPath(joinPath(this.folder, hash), name);
  }

  /** Counts what comes, until it is noted or has failed. */
  private arrival(): Arrival {
    let taken = 0;
    return {
      take: (size) => {
        taken += size;
        this.coming += size;
        const { size: there } = this.parts.ledger;
        if (there + this.coming <= this.maxUploads) return;
        throw new ApiError(
          413,
          "uploads-full",
          `Cannot take the file: files that were sent to this repository may take ${this.maxUploads} bytes, and take ${there}`,
          { hint: "Ask the operator of the server for more (max_uploads)." },
        );
      },
      end: () => {
        this.coming -= taken;
        taken = 0;
      },
    };
  }

  private async sweepNowAndThen(): Promise<void> {
    if (Date.now() - this.lastSweep < SWEEP_INTERVAL) return;
    this.lastSweep = Date.now();
    try {
      await this.sweep();
    } catch (error) {
      this.parts.onFault?.(error);
    }
  }

  /** Removes some files that no record is about and nobody has asked for in a while. */
  async sweep(): Promise<void> {
    const { ledger } = this.parts;
    for (const upload of ledger.unused(this.lasting, SWEEP)) {
      // Whether it is still recorded is asked again after as long a while.
      if (await this.isRecorded(upload)) ledger.note(upload);
      else if (ledger.forget(upload, this.lasting)) await this.remove(upload);
    }
  }

  private async isRecorded({ place, hash }: NotedUpload): Promise<boolean> {
    const { backend } = this.parts;
    const [value] = await backend.getValues([hash]);
    if (value !== undefined) return true;
    const path = joinPath(this.folder, place);
    const filePaths = [place.endsWith("/") ? `${path}*` : path];
    return (await backend.find({ type: "Value", filePaths, limit: 1 })).length > 0;
  }

  private async remove({ place }: NotedUpload): Promise<void> {
    const path = joinPath(this.folder, place.replace(/\/$/, ""));
    if (place.endsWith("/")) await this.files.rmdir(path, { recursive: true });
    else await this.files.remove(path);
    // The folder of the hash may hold the content under other names.
    await this.files.rmdir(joinPath(this.folder, place.split("/", 1)[0]!)).catch(() => {});
  }

  /** Passes bytes on as long as they may be those of the hash. */
  private checked(
    hash: string,
    arrival: Arrival,
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
        try {
          arrival.take(chunk.byteLength);
        } catch (error) {
          fail(error as ApiError);
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

interface Arrival {
  /** @throws ApiError with status 413 if there is no room for so many more bytes */
  take(size: number): void;
  end(): void;
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
