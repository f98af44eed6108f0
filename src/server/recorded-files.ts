import type { Backend } from "../backend/backend.ts";
import type { ByteRange, FileSystem } from "../file/file-system.ts";
import { schemeOf } from "../file/file-systems.ts";
import { baseName } from "../file/path.ts";
import { ApiError } from "./api-error.ts";

/** A file that an execution made or read, open. */
export interface OpenFile {
  /** The last part of its path. */
  readonly name: string;
  /** Bytes of the whole file. */
  readonly size: number;
  /** Its content, or the part of it that was asked for. */
  readonly body: ReadableStream<Uint8Array>;
}

/**
 * Opens a file that is recorded as a value. What is not recorded is not to be read, since a path may lead anywhere.
 *
 * @param hash - of the value
 * @throws ApiError if there is no such value, it is no file, it is kept elsewhere, or it has changed since
 */
export async function openRecordedFile(
  backend: Backend,
  files: FileSystem | undefined,
  hash: string,
  range?: ByteRange,
): Promise<OpenFile> {
  const [value] = await backend.getValues([hash]);
  if (value?.file == null)
    throw new ApiError(404, "not-found", `There is no file ${hash} in this repository`);
  const path = value.file;
  if (files === undefined || !files.schemes.includes(schemeOf(path))) {
    throw new ApiError(422, "file-elsewhere", `Cannot send ${path}: this server does not keep such files`, {
      hint: "Read it from where it is.",
    });
  }
  const stat = await files.stat(path);
  if (stat === undefined) {
    throw new ApiError(410, "file-gone", `Cannot send ${path}: there is no such file any more`, {
      hint: "Run its task again to make it anew.",
    });
  }
  if ((await files.hash(path)) !== hash) {
    throw new ApiError(409, "file-changed", `Cannot send ${path}: it has changed since it was recorded`, {
      hint: "Look for the value of the file as it is now, or run its task again.",
    });
  }
  return { name: baseName(path), size: stat.size, body: await files.stream(path, range) };
}

/** The part that a header `Range` of one range of bytes asks for; others are ignored, as HTTP allows. */
export function parseRange(header: string | undefined): { offset: number; length?: number } | undefined {
  const match = /^bytes=(\d{1,15})-(\d{0,15})$/.exec(header ?? "");
  if (match === null) return undefined;
  const offset = Number(match[1]);
  if (match[2] === "") return { offset };
  const length = Number(match[2]) - offset + 1;
  return length > 0 ? { offset, length } : undefined;
}
