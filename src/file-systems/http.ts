import { FileError, FileNotFoundError, FilePermissionError } from "../file/errors.ts";
import type { ByteRange, FileEntry, FileStat, FileSystem } from "../file/file-system.ts";
import { registerFileSystem } from "../file/file-systems.ts";
import { hashFileBySize } from "../file/hash-file.ts";
import { splitGlob } from "./glob.ts";

/** How {@link HttpFileSystem} reaches the Web. */
export interface HttpFileSystemOptions {
  /** Stands in for the global `fetch`. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Sent with every request, such as `authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Files on the Web, `http://` and `https://`: to be read, not written. A file's hash is by its URL and size, so a
 * change that keeps the size goes unnoticed.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#name-range-requests
 */
export class HttpFileSystem implements FileSystem {
  readonly name = "http";
  readonly schemes: readonly string[] = ["http", "https"];
  readonly #fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(options: HttpFileSystemOptions = {}) {
    // Looked up at each call, so that a test or a page may replace it; and it must be called as a plain function.
    this.#fetch = options.fetch ?? ((url, init) => fetch(url, init));
    this.#headers = options.headers ?? {};
  }

  async stat(path: string): Promise<FileStat | undefined> {
    // Compression on the way would make content-length something else than the size. Browsers don't let us ask.
    const head = await this.#request("measure", path, {
      method: "HEAD",
      headers: { "accept-encoding": "identity" },
    });
    if (isMissing(head)) return undefined;
    const etag = head.headers.get("etag");
    const found = (size: number): FileStat => (etag === null ? { size } : { size, etag });
    const length = head.headers.get("content-length");
    if (head.ok && length !== null && !head.headers.has("content-encoding")) return found(Number(length));

    // Many a server answers HEAD with an error, or without a length, but serves ranges.
    const first = await this.#request("measure", path, { headers: { range: "bytes=0-0" } });
    if (isMissing(first)) return undefined;
    const total = /\/(\d+)$/.exec(first.headers.get("content-range") ?? "")?.[1];
    if (total !== undefined && (first.status === 206 || first.status === 416)) {
      await first.body?.cancel();
      return found(Number(total));
    }
    await check("measure", path, first);
    let size = 0;
    for (const reader = first.body?.getReader(); reader !== undefined; ) {
      const { done, value } = await reader.read();
      if (done) break;
      size += value.length;
    }
    return found(size);
  }

  async isDir(_path: string): Promise<boolean> {
    return false;
  }

  async hash(path: string): Promise<string> {
    return hashFileBySize(path, (await this.stat(path))?.size);
  }

  async list(path: string): Promise<FileEntry[]> {
    throw new FileError("file", "list", path, "the Web has no folders", {
      hint: "Name each file, or copy them to a file system first.",
    });
  }

  async glob(pattern: string): Promise<FileEntry[]> {
    const isPlain = !/[*[{]/.test(splitGlob(pattern).rest);
    if (!isPlain) return await this.list(pattern);
    return (await this.stat(pattern)) === undefined ? [] : [{ path: pattern }];
  }

  async read(path: string, range?: ByteRange): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array(await new Response(await this.stream(path, range)).arrayBuffer());
  }

  async stream(path: string, range?: ByteRange): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    if (range?.length === 0) return new Blob([]).stream();
    const response = await this.#request("read", path, range && { headers: { range: rangeHeader(range) } });
    if (range !== undefined && response.status === 416) {
      await response.body?.cancel();
      return new Blob([]).stream();
    }
    await check("read", path, response);
    const body = response.body ?? new Blob([]).stream();
    // A server is free to ignore the range and send all.
    return range === undefined || response.status === 206 ? body : body.pipeThrough(part(range));
  }

  async write(path: string, data: Uint8Array | ReadableStream<Uint8Array>): Promise<void> {
    const error = readOnly("write", path);
    if (data instanceof ReadableStream) await data.cancel(error);
    throw error;
  }

  async remove(path: string): Promise<void> {
    throw readOnly("remove", path);
  }

  async mkdir(path: string): Promise<void> {
    throw readOnly("make the folder", path);
  }

  async rmdir(path: string): Promise<void> {
    throw readOnly("remove the folder", path);
  }

  async #request(verb: string, path: string, init: RequestInit = {}): Promise<Response> {
    try {
      return await this.#fetch(path, {
        ...init,
        headers: { ...this.#headers, ...(init.headers as Record<string, string> | undefined) },
      });
    } catch (error) {
      const reason = (error as Error).cause instanceof Error ? (error as Error).cause : error;
      const state = `no answer (${(reason as Error).message})`;
      const hint = (reason as { hint?: string }).hint ?? crossOriginHint(path);
      throw new FileError("file", verb, path, state, { cause: error, hint });
    }
  }
}

/** A browser doesn't say whether a server of another site gave no answer, or one that pages may not read. */
function crossOriginHint(path: string): string | undefined {
  const { origin } = (globalThis as { location?: { origin: string } }).location ?? {};
  if (origin === undefined || new URL(path).origin === origin) return undefined;
  return "In a browser, a server of another site must allow its files to be read from here (CORS). Ask it to send Access-Control-Allow-Origin, or download the file and add it to this site's files.";
}

function isMissing(response: Response): boolean {
  return response.status === 404 || response.status === 410;
}

async function check(verb: string, path: string, response: Response): Promise<void> {
  if (response.ok) return;
  await response.body?.cancel();
  const { status, statusText } = response;
  const fields = { status };
  if (isMissing(response)) throw new FileNotFoundError(verb, path, { fields });
  const state = `the server answered ${status}${statusText && ` ${statusText}`}`;
  if (status === 401 || status === 403) throw new FilePermissionError(verb, path, state, { fields });
  throw new FileError("file", verb, path, state, { fields });
}

function readOnly(verb: string, path: string): FileError {
  return new FilePermissionError(verb, path, "files on the Web are read-only here", {
    hint: "Write to a file of another file system.",
  });
}

function rangeHeader({ offset, length }: ByteRange): string {
  return `bytes=${offset}-${length === undefined ? "" : offset + length - 1}`;
}

/** Lets a part of a stream through. */
function part({
  offset,
  length = Infinity,
}: ByteRange): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  let skip = offset;
  let left = length;
  return new TransformStream({
    transform(chunk, controller) {
      const piece = chunk.subarray(skip, skip + left);
      skip = Math.max(0, skip - chunk.length);
      left -= piece.length;
      if (piece.length > 0) controller.enqueue(piece);
      if (left <= 0) controller.terminate();
    },
  });
}

/** Makes `http://` and `https://` paths work. */
export function registerHttpFileSystem(options: HttpFileSystemOptions = {}): HttpFileSystem {
  const fileSystem = new HttpFileSystem(options);
  registerFileSystem(fileSystem);
  return fileSystem;
}
