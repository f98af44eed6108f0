import { randomUUID } from "node:crypto";
import type { BigIntStats } from "node:fs";
import * as fs from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { FileError, FileNotFoundError, FilePermissionError } from "../file/errors.ts";
import type { ByteRange, FileEntry, FileStat, FileSystem } from "../file/file-system.ts";
import { registerFileSystem } from "../file/file-systems.ts";
import { hashLocalFile } from "../file/hash-file.ts";
import { joinPath } from "../file/path.ts";
import { splitGlob } from "./glob.ts";
import { readHandle, streamHandle, writeHandle } from "./local-handle.ts";
import { isTemporary, temporaryName, walkFiles } from "./local-walk.ts";

/** Nanoseconds in a millisecond. */
const MILLISECOND = 1_000_000n;

/**
 * The files of this machine, by bare paths or `file:` URLs; relative ones start at the working directory.
 *
 * A file's hash is by its path, size and time of change. Times count in whole milliseconds, since that is all that
 * Deno knows, and the same file has to have the same hash in every runtime. Replacing a file through this class
 * always moves its time on, however quickly one write follows another.
 *
 * Symbolic links are followed: to read, to list, and to write, which replaces what a link points to.
 */
export class LocalFileSystem implements FileSystem {
  readonly name = "local";
  readonly schemes: readonly string[] = ["file"];

  async stat(path: string): Promise<FileStat | undefined> {
    const stat = await statOrMissing("look at", path);
    return stat === undefined || stat.isDirectory() ? undefined : toFileStat(stat);
  }

  async isDir(path: string): Promise<boolean> {
    return (await statOrMissing("look at", path))?.isDirectory() ?? false;
  }

  async hash(path: string): Promise<string> {
    const stat = await statOrMissing("hash", path);
    return hashLocalFile(path, stat && toFileStat(stat));
  }

  async list(path: string): Promise<FileEntry[]> {
    const found = await attempt("list", path, () => walkFiles(this.localPath(path)));
    return found.map((name) => ({ path: joinPath(path, isUrl(path) ? urlEncode(name) : name) }));
  }

  async glob(pattern: string): Promise<FileEntry[]> {
    const { base, rest } = splitGlob(pattern);
    const { glob } = await import("tinyglobby");
    const found = await attempt("list", pattern, () =>
      glob(rest, { cwd: base === "" ? "." : this.localPath(base), expandDirectories: false }),
    );
    return found
      .filter((name) => !isTemporary(name))
      .map((name) => ({ path: joinPath(base, isUrl(pattern) ? urlEncode(name) : name) }));
  }

  async read(path: string, range?: ByteRange): Promise<Uint8Array<ArrayBuffer>> {
    const local = this.localPath(path);
    return await attempt("read", path, async () => {
      if (range === undefined) {
        const bytes = await fs.readFile(local);
        return new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length);
      }
      const handle = await fs.open(local, "r");
      try {
        return await readHandle(handle, range);
      } finally {
        await handle.close();
      }
    });
  }

  async stream(path: string, range?: ByteRange): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    const handle = await attempt("read", path, () => fs.open(this.localPath(path), "r"));
    return streamHandle(handle, (error) => translate("read", path, error), range);
  }

  async write(path: string, data: Uint8Array | ReadableStream<Uint8Array>): Promise<void> {
    try {
      await this.#replace("write", path, async (target, flag, mode) => {
        const handle = await fs.open(target, flag, mode);
        try {
          await writeHandle(handle, data);
        } finally {
          await handle.close();
        }
      });
    } catch (error) {
      // Whoever feeds the stream has to learn that nobody reads on.
      if (data instanceof ReadableStream && !data.locked) await data.cancel(error).catch(() => {});
      throw error;
    }
  }

  async copy(source: string, target: string): Promise<void> {
    const from = this.localPath(source);
    // Looked at first, so that an error is about the file that it names.
    const stat = await statOrMissing("copy", source);
    if (stat === undefined) throw new FileNotFoundError("copy", source);
    await this.#replace("copy to", target, async (to, flag) => {
      if (flag === "w") return await fs.copyFile(from, to);
      await fs.copyFile(from, to, fs.constants.COPYFILE_FICLONE);
      // The copy has the source's permissions; but whoever makes a file may write it again.
      if ((stat.mode & 0o200n) === 0n) await fs.chmod(to, Number(stat.mode & 0o777n) | 0o200);
    });
  }

  async touch(path: string): Promise<void> {
    const local = this.localPath(path);
    const before = await statOrMissing("touch", path);
    if (before === undefined) return await this.write(path, new Uint8Array());
    await attempt("touch", path, async () => {
      const now = new Date();
      await fs.utimes(local, now, now);
      await advance(local, before, await fs.stat(local, { bigint: true }));
    });
  }

  async remove(path: string): Promise<void> {
    await attempt("remove", path, () => fs.unlink(this.localPath(path)).catch(ignoreMissing));
  }

  async mkdir(path: string): Promise<void> {
    await attempt("make the folder", path, () => fs.mkdir(this.localPath(path), { recursive: true }));
  }

  async rmdir(path: string, options: { readonly recursive?: boolean } = {}): Promise<void> {
    const local = this.localPath(path);
    await attempt("remove the folder", path, async () => {
      if (!options.recursive) return await fs.rmdir(local).catch(ignoreMissing);
      const stat = await fs.lstat(local).catch(ignoreMissing);
      if (stat !== undefined && !stat.isDirectory()) await fs.rmdir(local);
      await fs.rm(local, { recursive: true, force: true });
    });
  }

  localPath(path: string): string {
    return isUrl(path) ? fileURLToPath(path) : path;
  }

  /**
   * Lets `produce` fill a new file beside the target and then puts it in the target's place. What is no regular file
   * (a terminal, a pipe), or is in a folder that takes no new files, is written directly.
   */
  async #replace(
    verb: string,
    path: string,
    produce: (target: string, flag: "wx" | "w", mode: number) => Promise<void>,
  ): Promise<void> {
    await attempt(verb, path, async () => {
      const target = await resolveLink(this.localPath(path));
      const before = target.stat;
      if (before !== undefined) {
        if (!before.isFile()) return await produce(target.path, "w", 0o666);
        // Renaming over a file asks for no permission to write it, so ask here.
        await fs.access(target.path, fs.constants.W_OK);
      }
      const folder = dirname(target.path);
      const temporary = join(folder, temporaryName(basename(target.path), randomUUID()));
      const mode = before === undefined ? 0o666 : Number(before.mode & 0o777n);
      try {
        await produce(temporary, "wx", mode).catch(async (error: unknown) => {
          if (before !== undefined || !isSystemError(error, "ENOENT")) throw error;
          // Making the folders above only when they turn out to be missing saves a call for every other file.
          await fs.mkdir(folder, { recursive: true });
          await produce(temporary, "wx", mode);
        });
        if (before !== undefined) await succeed(temporary, before);
        await fs.rename(temporary, target.path);
      } catch (error) {
        await fs.rm(temporary, { force: true }).catch(() => {});
        if (before !== undefined && isSystemError(error, "EACCES") && error.path === temporary) {
          return await produce(target.path, "w", mode);
        }
        throw error;
      }
    });
  }
}

/** Makes bare paths and `file:` URLs work. */
export function registerLocalFileSystem(): LocalFileSystem {
  const fileSystem = new LocalFileSystem();
  registerFileSystem(fileSystem);
  return fileSystem;
}

function isUrl(path: string): boolean {
  return /^file:\/\//i.test(path);
}

function urlEncode(name: string): string {
  return name.split("/").map(encodeURIComponent).join("/");
}

function toFileStat(stat: BigIntStats): FileStat {
  return { size: Number(stat.size), mtime: String((stat.mtimeNs / MILLISECOND) * MILLISECOND) };
}

/**
 * Moves a file's time past that of its former self, by a millisecond if the clock has not moved on by itself.
 *
 * @param now - the file as it is
 */
async function advance(path: string, before: BigIntStats, now: BigIntStats): Promise<void> {
  const earlier = before.mtimeNs / MILLISECOND;
  if (now.mtimeNs / MILLISECOND > earlier) return;
  // Seconds as a floating-point number are inexact, so aim at the middle of the millisecond.
  const seconds = (Number(earlier) + 1.5) / 1000;
  await fs.utimes(path, seconds, seconds);
}

/** Gives a new file the permissions of the one whose place it takes, and a later time. */
async function succeed(path: string, before: BigIntStats): Promise<void> {
  const now = await fs.stat(path, { bigint: true });
  if ((now.mode & 0o777n) !== (before.mode & 0o777n)) await fs.chmod(path, Number(before.mode & 0o777n));
  await advance(path, before, now);
}

interface Target {
  readonly path: string;
  /** What is there, if anything is. */
  readonly stat: BigIntStats | undefined;
}

/** Where a path leads through links, also if nothing is there yet. */
async function resolveLink(path: string): Promise<Target> {
  let target = path;
  // As many links as Linux follows.
  for (let links = 0; links < 40; links++) {
    const stat = await fs.lstat(target, { bigint: true }).catch(ignoreMissing);
    if (!stat?.isSymbolicLink()) return { path: target, stat };
    const end = await fs.stat(target, { bigint: true }).catch(ignoreMissing);
    // The links of open pipes, such as /dev/stdout, lead to names that are none.
    if (end !== undefined && !end.isFile()) return { path: target, stat: end };
    const next = await fs.readlink(target);
    target = next.startsWith("/") ? next : join(dirname(target), next);
  }
  return { path: target, stat: await fs.stat(target, { bigint: true }) };
}

async function statOrMissing(verb: string, path: string): Promise<BigIntStats | undefined> {
  const local = isUrl(path) ? fileURLToPath(path) : path;
  return await attempt(verb, path, () => fs.stat(local, { bigint: true }).catch(ignoreMissing));
}

interface SystemError extends Error {
  readonly code: string;
  readonly path?: string;
}

function isSystemError(error: unknown, ...codes: readonly string[]): error is SystemError {
  const code = (error as { code?: unknown } | undefined)?.code;
  return error instanceof Error && typeof code === "string" && (codes.length === 0 || codes.includes(code));
}

function ignoreMissing(error: unknown): undefined {
  if (!isSystemError(error, "ENOENT", "ENOTDIR")) throw error;
}

/** Runs file operations, so that what the system says of them becomes an error of ours that names the path. */
async function attempt<T>(verb: string, path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw translate(verb, path, error);
  }
}

const states: Readonly<Record<string, string>> = {
  EISDIR: "it is a folder",
  ENOTDIR: "a part of its path is not a folder",
  ENOTEMPTY: "it is not empty",
  EEXIST: "something else is there",
  ENOSPC: "the disk is full",
  EMFILE: "too many files are open",
  ELOOP: "its symbolic links go in circles",
  ENAMETOOLONG: "its name is too long",
};

function translate(verb: string, path: string, error: unknown): unknown {
  if (!isSystemError(error) || error instanceof FileError || !error.code.startsWith("E")) return error;
  const options = { cause: error, fields: { errno: error.code } };
  switch (error.code) {
    case "ENOENT":
      return new FileNotFoundError(verb, path, options);
    case "EACCES":
    case "EPERM":
      return new FilePermissionError(verb, path, "permission denied", options);
    case "EROFS":
      return new FilePermissionError(verb, path, "the disk is read-only", options);
    default:
      return new FileError("file", verb, path, states[error.code] ?? error.message, options);
  }
}
