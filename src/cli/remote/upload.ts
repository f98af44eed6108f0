import { openAsBlob } from "node:fs";
import { Dir } from "../../file/dir.ts";
import { File } from "../../file/file.ts";
import { fileSystemFor } from "../../file/file-systems.ts";
import { mapConcurrently } from "../../file/map-concurrently.ts";
import { baseName } from "../../file/path.ts";
import type { SentFile } from "../../server/api-types.ts";
import { RedunClientError } from "../client-error.ts";
import type { Output } from "../output.ts";
import { plural } from "../text.ts";
import { type FileRef, keyOf } from "./arguments.ts";
import type { Connection } from "./connect.ts";

/** Files that are sent at once. */
const AT_ONCE = 4;
/** Files in one folder at most. */
const MOST_FILES = 10_000;

/**
 * Sends files of this machine to the server, those that it does not have yet.
 *
 * @returns what stands for them there, by type and path
 * @throws RedunClientError if one is missing, or is of a kind that can't be sent
 */
export async function uploadFiles(
  { repo }: Connection,
  files: readonly FileRef[],
  output: Output,
): Promise<Map<string, File | Dir>> {
  let count = 0;
  let bytes = 0;
  const send = async (path: string): Promise<SentFile> => {
    const blob = await openAsBlob(localPath(path));
    const sent = await repo.sendFile(baseName(path), blob);
    if (sent.isNew) {
      count++;
      bytes += blob.size;
    }
    return sent;
  };
  const sendFolder = async (path: string): Promise<Dir> => {
    const folder = new Dir(path);
    const inside = await folder.files();
    if (inside.length === 0 || inside.length > MOST_FILES) {
      const why = inside.length === 0 ? "it is empty or missing" : `it has more than ${MOST_FILES} files`;
      throw new RedunClientError(`Cannot send the folder ${path}: ${why}`);
    }
    const parts = await mapConcurrently(inside, AT_ONCE, async (file) => {
      const { content, name } = await send(file.path);
      return { path: folder.relPath(file), hash: content, name };
    });
    const { path: there, hash } = await repo.uploadFolder(baseName(path) || "folder", parts);
    return new Dir(there, hash);
  };
  const sent = new Map<string, File | Dir>();
  for (const file of files) {
    const { type, path } = file;
    const key = keyOf(file);
    if (type === "redun.Dir") sent.set(key, await sendFolder(path));
    else if (type !== "redun.File") {
      throw new RedunClientError(
        `Cannot send ${path}: it is a ${type.replace("redun.", "")}, not a File or Dir`,
      );
    } else {
      const { path: there, hash } = await send(path);
      sent.set(key, new File(there, hash));
    }
  }
  output.log(
    count === 0
      ? "The server has the files already"
      : `Sent ${plural(count, "file")} (${plural(bytes, "byte")})`,
  );
  return sent;
}

const localPath = (path: string): string => fileSystemFor(path).localPath?.(path) ?? path;
