/** Files among the arguments of a run on an instance, which must be in its reach. */
import { Dir, isDir } from "../../src/file/dir.ts";
import { File, isFile } from "../../src/file/file.ts";
import { schemeOf } from "../../src/file/file-systems.ts";
import type { SentFile } from "../../src/server/api-types.ts";
import type { RepoClient } from "../../src/server/client.ts";
import { FieldError } from "../lib/arguments.ts";
import { getTabEngine } from "../state/engine.ts";
import { fileName } from "../state/files.ts";
import type { Place } from "../state/place.ts";
import { ask, repoOf } from "./connections.ts";

/** Schemes of files that are in this browser. Paths without one are in its storage, too. */
const IN_TAB: ReadonlySet<string> = new Set(["opfs", "picked", "file"]);
const ON_THE_WEB: ReadonlySet<string> = new Set(["http", "https"]);

/** A file or folder as the instance can read it: sent there if it is in this browser only. @throws FieldError if it can't be */
export async function fileThere(
  file: File | Dir,
  at: Extract<Place, { kind: "instance" }>,
): Promise<File | Dir> {
  const scheme = schemeOf(file.path);
  if (IN_TAB.has(scheme)) {
    if (!(await file.exists()))
      throw new FieldError(
        `There is no ${file.path} in this tab, from which it would be sent to the instance.`,
      );
    return ask(at.instance, () => send(repoOf(at), file));
  }
  if (ON_THE_WEB.has(scheme)) return file;
  throw new FieldError(
    `${file.path} can't be given to an instance: only files of this tab and of the Web can. Have the workflow name it.`,
  );
}

async function send(repo: RepoClient, file: File | Dir): Promise<File | Dir> {
  if (isFile(file)) {
    const { path, hash } = await sendFile(repo, file.path);
    return new File(path, hash);
  }
  const inside = await file.files();
  if (inside.length === 0) throw new FieldError(`${file.path} holds no files.`);
  const files: { path: string; hash: string; name: string }[] = [];
  for (const one of inside) {
    const { content, name } = await sendFile(repo, one.path);
    files.push({ path: file.relPath(one), hash: content, name });
  }
  const { path, hash } = await repo.uploadFolder(fileName(file.path) || "folder", files);
  return new Dir(path, hash);
}

async function sendFile(repo: RepoClient, path: string): Promise<SentFile> {
  return repo.sendFile(fileName(path), await (await getTabEngine()).readFile(path));
}

/** @throws FieldError if a text or a part of data names a file that is in this browser only */
export function checkTexts(value: unknown): void {
  if (isFile(value) || isDir(value)) return;
  if (typeof value === "string") {
    if (/\b(opfs|picked):\/\//.test(value))
      throw new FieldError("This names a file of this tab, which tasks on an instance can't read.");
  } else if (typeof value === "object" && value !== null)
    for (const part of Object.values(value)) checkTexts(part);
}
