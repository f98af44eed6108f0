import type { JobError } from "../executor/executor.ts";
import { asError, fromJobError, toJobError } from "../executor/job-error.ts";
import { InvalidPathError } from "../file/errors.ts";
import type { ByteRange, FileEntry, FileStat, FileSystem } from "../file/file-system.ts";
import { schemeOf } from "../file/file-systems.ts";

/**
 * A file system that is in another isolate. {@link RpcFileSystem} asks; the function that {@link serveFileSystem} makes
 * answers, behind one method of an object that the runtime's RPC carries.
 *
 * @module
 */

/** An answer. Errors are data, since RPC keeps little of them. */
export type FileReply =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: JobError };

/** What the other side is asked to do. */
export type FileOperation =
  | "stat"
  | "isDir"
  | "hash"
  | "list"
  | "glob"
  | "read"
  | "stream"
  | "write"
  | "remove"
  | "mkdir"
  | "rmdir"
  | "copy"
  | "touch";

/** The way to the other side, such as the stub of an object. */
export interface FilePort {
  call(operation: FileOperation, args: readonly unknown[]): Promise<FileReply>;
}

/** Content of up to so many bytes goes in one message, which may have at most 32 MiB. */
const AT_ONCE = 8 << 20;

/** So much content is gathered at a time, for all messages together; what comes beyond it is sent as it is read. */
const GATHERED = 32 << 20;

/** Longest path, in characters. */
const LONGEST_PATH = 4096;

/** The files of another isolate. */
export class RpcFileSystem implements FileSystem {
  readonly name: string;
  readonly schemes: readonly string[];
  readonly #port: () => FilePort;

  /** @param port - gives the way there, at each call */
  constructor(name: string, schemes: readonly string[], port: () => FilePort) {
    this.name = name;
    this.schemes = schemes;
    this.#port = port;
  }

  stat(path: string): Promise<FileStat | undefined> {
    return this.#ask("stat", path);
  }

  isDir(path: string): Promise<boolean> {
    return this.#ask("isDir", path);
  }

  hash(path: string): Promise<string> {
    return this.#ask("hash", path);
  }

  list(path: string): Promise<FileEntry[]> {
    return this.#ask("list", path);
  }

  glob(pattern: string): Promise<FileEntry[]> {
    return this.#ask("glob", pattern);
  }

  async read(path: string, range?: ByteRange): Promise<Uint8Array<ArrayBuffer>> {
    const content = await this.#ask<Uint8Array<ArrayBuffer> | ReadableStream>("read", path, range);
    return content instanceof Uint8Array
      ? content
      : new Uint8Array(await new Response(content).arrayBuffer());
  }

  stream(path: string, range?: ByteRange): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    return this.#ask("stream", path, range);
  }

  async write(path: string, data: Uint8Array | ReadableStream<Uint8Array>): Promise<void> {
    if (data instanceof Uint8Array && data.length <= AT_ONCE) return await this.#ask("write", path, data);
    const source = watch(
      data instanceof Uint8Array ? new Blob([data as Uint8Array<ArrayBuffer>]).stream() : data,
    );
    try {
      await this.#ask("write", path, source.stream);
    } catch (error) {
      // The other side knows only that the stream broke off.
      throw source.failure()?.error ?? error;
    } finally {
      await source.cancel();
    }
  }

  remove(path: string): Promise<void> {
    return this.#ask("remove", path);
  }

  mkdir(path: string): Promise<void> {
    return this.#ask("mkdir", path);
  }

  rmdir(path: string, options?: { readonly recursive?: boolean }): Promise<void> {
    return this.#ask("rmdir", path, options);
  }

  copy(source: string, target: string): Promise<void> {
    return this.#ask("copy", source, target);
  }

  touch(path: string): Promise<void> {
    return this.#ask("touch", path);
  }

  async #ask<T>(operation: FileOperation, ...args: readonly unknown[]): Promise<T> {
    const reply = await this.#port().call(operation, args);
    if (!reply.ok) throw fromJobError(reply.error);
    return reply.value as T;
  }
}

/** A stream whose failure is remembered, as it does not reach the other side. */
function watch(source: ReadableStream<Uint8Array>): {
  readonly stream: ReadableStream<Uint8Array>;
  failure(): { readonly error: Error } | undefined;
  cancel(): Promise<void>;
} {
  const reader = source.getReader();
  let failure: { readonly error: Error } | undefined;
  let ended = false;
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          ended = done;
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          failure = { error: asError(error) };
          ended = true;
          controller.error(error);
        }
      },
      async cancel(reason) {
        ended = true;
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
  return {
    stream,
    failure: () => failure,
    cancel: async () => {
      if (!ended) await reader.cancel();
    },
  };
}

/**
 * Answers what a {@link RpcFileSystem} asks. Whoever asks is not trusted: what is no operation, no path of the schemes
 * or no content is refused.
 *
 * @param schemes - those that may be asked for
 */
export function serveFileSystem(
  fileSystem: FileSystem,
  schemes: readonly string[],
): (operation: unknown, args: unknown) => Promise<FileReply> {
  const gathering = { left: GATHERED };
  const path = (value: unknown): string => {
    if (typeof value !== "string" || value.length > LONGEST_PATH || value.includes("\0"))
      throw new InvalidPathError("open", String(value).slice(0, 100), "it is not a path");
    const scheme = schemeOf(value);
    if (!schemes.includes(scheme))
      throw new InvalidPathError("open", value, `paths of the scheme ${scheme} can't be used from here`);
    return value;
  };
  const answer = (operation: unknown, args: readonly unknown[]): Promise<unknown> => {
    const [first, second] = args;
    switch (operation) {
      case "stat":
      case "isDir":
      case "hash":
      case "list":
      case "glob":
      case "remove":
      case "mkdir":
        return fileSystem[operation](path(first));
      case "read":
        return readSome(fileSystem, path(first), range(second), gathering);
      case "stream":
        return fileSystem.stream(path(first), range(second));
      case "write":
        return fileSystem.write(path(first), content(second));
      case "rmdir":
        return fileSystem.rmdir(path(first), { recursive: isRecursive(second) });
      case "copy":
        return copy(fileSystem, path(first), path(second));
      case "touch":
        return touch(fileSystem, path(first));
      default:
        throw new TypeError(`There is no operation ${String(operation).slice(0, 100)} on files`);
    }
  };
  return async (operation, args) => {
    try {
      if (!Array.isArray(args)) throw new TypeError("An operation on files needs a list of arguments");
      return { ok: true, value: await answer(operation, args) };
    } catch (error) {
      const { value, record } = toJobError(error);
      const { stack: _ours, ...rest } = record;
      return { ok: false, error: { value, record: rest } };
    }
  };
}

function range(value: unknown): ByteRange | undefined {
  if (value === undefined) return undefined;
  const { offset, length } = (value ?? {}) as Partial<ByteRange>;
  const isCount = (n: unknown): n is number => typeof n === "number" && n >= 0 && !Number.isNaN(n);
  if (!isCount(offset) || (length !== undefined && !isCount(length)))
    throw new TypeError("A range of bytes has an offset, and may have a length, of 0 or more");
  return length === undefined ? { offset } : { offset, length };
}

function content(value: unknown): Uint8Array | ReadableStream<Uint8Array> {
  if (value instanceof Uint8Array || value instanceof ReadableStream) return value;
  throw new TypeError("The content of a file is bytes or a stream of bytes");
}

function isRecursive(options: unknown): boolean {
  return (options as { recursive?: unknown } | null | undefined)?.recursive === true;
}

async function copy(fileSystem: FileSystem, source: string, target: string): Promise<void> {
  if (fileSystem.copy !== undefined) await fileSystem.copy(source, target);
  else await fileSystem.write(target, await fileSystem.stream(source));
}

async function touch(fileSystem: FileSystem, path: string): Promise<void> {
  if (fileSystem.touch !== undefined) return await fileSystem.touch(path);
  const exists = (await fileSystem.stat(path)) !== undefined;
  await fileSystem.write(path, exists ? await fileSystem.read(path) : new Uint8Array());
}

/**
 * The content as bytes, or if there is much of it as a stream.
 *
 * @param gathering - bytes that all who read may gather yet
 */
async function readSome(
  fileSystem: FileSystem,
  path: string,
  part: ByteRange | undefined,
  gathering: { left: number },
): Promise<Uint8Array | ReadableStream> {
  const reader = (await fileSystem.stream(path, part)).getReader();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  const letGo = (): Uint8Array | undefined => {
    const chunk = chunks.shift();
    gathering.left += chunk?.length ?? 0;
    return chunk;
  };
  try {
    for (let size = 0; size <= AT_ONCE && gathering.left > 0; ) {
      const { done, value } = await reader.read();
      if (done) {
        const content = new Uint8Array(await new Blob(chunks).arrayBuffer());
        while (letGo());
        return content;
      }
      chunks.push(value);
      size += value.length;
      gathering.left -= value.length;
    }
  } catch (error) {
    while (letGo());
    throw error;
  }
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const chunk = letGo() ?? (await reader.read()).value;
        if (chunk === undefined) controller.close();
        else controller.enqueue(chunk);
      },
      async cancel(reason) {
        while (letGo());
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
