import { FileError, FilePermissionError } from "../file/errors.ts";
import type { ByteRange, FileEntry, FileStat, FileSystem } from "../file/file-system.ts";
import { registerFileSystem } from "../file/file-systems.ts";
import { hashFileByEtag } from "../file/hash-file.ts";
import { baseName, joinPath } from "../file/path.ts";
import { globMatcher, splitGlob } from "./glob.ts";

/** What is at a path of a picked file, or why nothing can be read there. */
export type PickedFound =
  | { readonly kind: "file"; readonly file: globalThis.File }
  | { readonly kind: "folder" }
  /**
   * `gone`: nobody holds such a file any more. `missing`: there is no such file in a folder that was picked. `changed`:
   * it is no longer what was picked. `permission`: the browser wants the user to allow it again.
   */
  | { readonly kind: "gone" | "missing" | "changed" | "permission" };

/** A file below a folder that was picked. */
export interface PickedEntry {
  /** Whole, with its scheme. */
  readonly path: string;
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly lastModified: number;
}

/** Who holds the files that the user picked. */
export interface PickedSource {
  findPicked(path: string): Promise<PickedFound>;
  /** Every file at any depth below a folder; none if nothing is there. */
  listPicked(folder: string): Promise<readonly PickedEntry[]>;
}

/**
 * Files and folders of the user's own disk that they gave to a page, read in place: `picked://3f2a9c1d5e6b7a80/data.csv`
 * is a file as it was when it was picked, `picked://folder/data/a.csv` one in a folder as it is now. Nothing is copied,
 * and only the parts that are asked for are read.
 *
 * A file's hash is by its path, size and time of change. The path of a file holds what identifies it, so that picking
 * the unchanged file again gives an equal value.
 */
export class PickedFileSystem implements FileSystem {
  readonly name = "picked";
  readonly schemes: readonly string[] = ["picked"];
  readonly #source: PickedSource;

  constructor(source: PickedSource) {
    this.#source = source;
  }

  /** @throws FileError where nobody can tell, because the file is no longer within reach */
  async stat(path: string): Promise<FileStat | undefined> {
    const found = await this.#source.findPicked(path);
    if (found.kind === "folder" || found.kind === "missing") return undefined;
    if (found.kind !== "file") throw failure(found.kind, "look up", path);
    const { size, lastModified } = found.file;
    return { size, etag: etagOf(found.file), mtime: `${lastModified}000000` };
  }

  /** @throws FileError as {@link stat} does */
  async isDir(path: string): Promise<boolean> {
    const { kind } = await this.#source.findPicked(path);
    if (kind === "gone" || kind === "permission") throw failure(kind, "look up", path);
    return kind === "folder";
  }

  async hash(path: string): Promise<string> {
    const found = await this.#source.findPicked(path);
    return hashFileByEtag("picked", path, found.kind === "file" ? etagOf(found.file) : undefined);
  }

  /** @throws FileError where nobody can tell, rather than have a folder pass for an empty one */
  async list(path: string): Promise<FileEntry[]> {
    if (!(await this.isDir(path))) return [];
    const entries = await this.#source.listPicked(path);
    return entries.map((entry) => ({
      path: entry.path,
      hash: hashFileByEtag("picked", entry.path, etagOf(entry)),
    }));
  }

  async glob(pattern: string): Promise<FileEntry[]> {
    const { base, rest } = splitGlob(pattern);
    const matches = await globMatcher(rest);
    const start = joinPath(base, "").length;
    return (await this.list(base)).filter((entry) => matches(entry.path.slice(start)));
  }

  async read(path: string, range?: ByteRange): Promise<Uint8Array<ArrayBuffer>> {
    const blob = slice(await this.blob(path), range);
    try {
      return new Uint8Array(await blob.arrayBuffer());
    } catch (error) {
      throw isUnreadable(error) ? failure("changed", "read", path, error) : error;
    }
  }

  async stream(path: string, range?: ByteRange): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    const reader = slice(await this.blob(path), range)
      .stream()
      .getReader();
    return new ReadableStream<Uint8Array<ArrayBuffer>>(
      {
        async pull(controller) {
          try {
            const { done, value } = await reader.read();
            if (done) controller.close();
            else controller.enqueue(value);
          } catch (error) {
            throw isUnreadable(error) ? failure("changed", "read", path, error) : error;
          }
        },
        cancel: (reason) => reader.cancel(reason),
      },
      { highWaterMark: 0 },
    );
  }

  /** The file itself, of which slices are read as they are asked for. @throws FileError that says what to do */
  async blob(path: string): Promise<globalThis.File> {
    const found = await this.#source.findPicked(path);
    if (found.kind === "file") return found.file;
    if (found.kind === "folder") throw new FileError("file", "read", path, "it is a folder");
    throw failure(found.kind, "read", path);
  }

  write(path: string, data: Uint8Array | ReadableStream<Uint8Array>): Promise<void> {
    if (data instanceof ReadableStream) void data.cancel().catch(() => {});
    return refuse("write", path);
  }

  remove(path: string): Promise<void> {
    return refuse("remove", path);
  }

  mkdir(path: string): Promise<void> {
    return refuse("make the folder", path);
  }

  rmdir(path: string): Promise<void> {
    return refuse("remove the folder", path);
  }
}

const etagOf = ({ size, lastModified }: { size: number; lastModified: number }): string =>
  `"${size}-${lastModified}"`;

function slice(file: globalThis.File, range: ByteRange | undefined): Blob {
  if (range === undefined) return file;
  return file.slice(range.offset, range.length === undefined ? undefined : range.offset + range.length);
}

/** What browsers say of a file that has changed, or is gone, since a page got hold of it. */
const isUnreadable = (error: unknown): boolean =>
  ["NotReadableError", "NotFoundError"].includes((error as Error).name);

type Reason = Exclude<PickedFound["kind"], "file" | "folder">;

function failure(reason: Reason, verb: string, path: string, cause?: unknown): FileError {
  const name = baseName(path);
  const options = (hint: string) => ({ hint, cause, fields: { reason } });
  switch (reason) {
    case "gone":
      return new FileError(
        "file-not-found",
        verb,
        path,
        "no page that is open holds it any more",
        options(`Pick ${name} again, or keep a copy in this browser.`),
      );
    case "missing":
      return new FileError(
        "file-not-found",
        verb,
        path,
        "there is no such file in the folder that was picked",
        options("Was it renamed or removed since?"),
      );
    case "changed":
      return new FileError(
        "file",
        verb,
        path,
        "it has changed since it was picked, or was removed",
        options(`Pick ${name} again.`),
      );
    case "permission":
      return new FilePermissionError(
        verb,
        path,
        "the browser wants you to allow it again",
        options(`Allow it among the files of this app, or pick ${name} again.`),
      );
  }
}

async function refuse(verb: string, path: string): Promise<never> {
  throw new FilePermissionError(verb, path, "what was picked can only be read", {
    hint: "Write to a path without a scheme, which is in this browser's own storage.",
  });
}

/** Makes `picked://` paths work. @param source - who holds the files */
export function registerPickedFileSystem(source: PickedSource): PickedFileSystem {
  const fileSystem = new PickedFileSystem(source);
  registerFileSystem(fileSystem);
  return fileSystem;
}
