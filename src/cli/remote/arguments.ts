import { fileSystemFor, schemeOf } from "../../file/file-systems.ts";
import type { Json } from "../../value/json.ts";
import { leaves } from "../../value/nested.ts";
import { codecOf } from "../../value/registry.ts";
import { decodeValue, encodeValue } from "../../value/value.ts";
import { RedunClientError } from "../client-error.ts";
import { findFile } from "../find-record.ts";
import type { Output } from "../output.ts";
import { registerFileSystems } from "../runtime.ts";
import type { Connection } from "./connect.ts";

/** Options of {@link encodeArguments}. */
export interface ArgumentOptions {
  /** Whether files of this machine are sent. */
  readonly upload: boolean;
  /** Arguments that were recorded on the server, so that the files in them are its own. */
  readonly recorded: readonly unknown[];
  readonly output: Output;
}

/** A file, or several, as an encoding names them. */
export interface FileRef {
  /** Name of the type, such as `redun.File`. */
  readonly type: string;
  /** Path, or pattern. */
  readonly path: string;
  readonly hash: string;
}

/**
 * The arguments of a call as the server takes them.
 *
 * @throws RedunClientError that names the files that only this machine has, unless they are to be sent
 */
export async function encodeArguments(
  connection: Connection,
  args: readonly unknown[],
  { upload, recorded, output }: ArgumentOptions,
): Promise<Json[]> {
  registerFileSystems();
  const waiting: Promise<void>[] = [];
  for (const leaf of leaves(args)) {
    if ((typeof leaf !== "object" && typeof leaf !== "function") || leaf === null) continue;
    const refreshed = codecOf(leaf)?.refresh?.(leaf);
    if (refreshed !== undefined) waiting.push(refreshed);
  }
  await Promise.all(waiting);
  const encoded = args.map(encode);
  const known = new Set(filesIn(recorded.map(encode)).map(({ hash }) => hash));
  const bare = filesIn(encoded).filter(({ path, hash }) => schemeOf(path) === "file" && !known.has(hash));
  if (bare.length === 0) return encoded;
  const there = await recordedFiles(connection, bare);
  const local = bare.filter((file) => !there.has(keyOf(file)));
  const absent = await Promise.all(local.map(({ path }) => isAbsent(path)));
  if (absent.includes(true))
    throw nowhere(
      local.filter((_, i) => absent[i]),
      connection.target.url,
    );
  if (local.length > 0 && !upload) throw unreachable(local, connection.target.url);
  if (local.length > 0) {
    const { uploadFiles } = await import("./upload.ts");
    for (const [key, file] of await uploadFiles(connection, local, output)) there.set(key, file);
  }
  return encoded.map((arg) => withFiles(arg, there));
}

/** What tells files of an encoding apart. */
export const keyOf = ({ type, path }: FileRef): string => `${type} ${path}`;

/** Those of some files that are not on this machine, while the server has a record of them, such as a task's output. */
async function recordedFiles(
  { records }: Connection,
  files: readonly FileRef[],
): Promise<Map<string, unknown>> {
  const found = new Map<string, unknown>();
  for (const file of files) {
    if (file.type !== "redun.File" || (await fileSystemFor(file.path).stat(file.path)) !== undefined)
      continue;
    const record = await findFile(records, file.path);
    const [value] = record === undefined ? [] : await records.getValues([record.valueHash]);
    if (value?.type === file.type) found.set(keyOf(file), decodeValue(value.text));
  }
  return found;
}

const encode = (arg: unknown, i: number): Json =>
  JSON.parse(encodeValue(arg, `argument ${i + 1}`).text) as Json;

async function isAbsent(path: string): Promise<boolean> {
  const system = fileSystemFor(path);
  return (await system.stat(path)) === undefined && !(await system.isDir(path)) && !/[*?[{]/.test(path);
}

const shown = (files: readonly FileRef[]): string =>
  files
    .slice(0, 5)
    .map(({ path }) => path)
    .join(", ") + (files.length > 5 ? ` and ${files.length - 5} more` : "");

function unreachable(files: readonly FileRef[], url: string): RedunClientError {
  return new RedunClientError(
    `Cannot run on the server ${url}: it can't read ${shown(files)} of this machine`,
    {
      hint: "Send files with --upload, or name ones that it can read: of an http address, or made by its own tasks.",
      fields: { paths: files.map(({ path }) => path) },
    },
  );
}

function nowhere(files: readonly FileRef[], url: string): RedunClientError {
  return new RedunClientError(
    `Cannot run on the server ${url}: this machine has no ${shown(files)}, and the server has made or read no such file`,
    { hint: "Check the path.", fields: { paths: files.map(({ path }) => path) } },
  );
}

const FILE_TYPES: ReadonlySet<unknown> = new Set([
  "redun.File",
  "redun.Dir",
  "redun.FileSet",
  "redun.IFile",
  "redun.IDir",
  "redun.ContentFile",
  "redun.ContentDir",
  "redun.ContentFileSet",
]);

/** The file that a part of an encoding stands for, if it stands for one. */
function fileOf(json: Json): FileRef | undefined {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return undefined;
  const { $: tagged } = json as { $?: Json };
  if (!Array.isArray(tagged) || !FILE_TYPES.has(tagged[0])) return undefined;
  const data = tagged[1] as { path?: string; pattern?: string; hash: string };
  return { type: String(tagged[0]), path: data.path ?? data.pattern ?? "", hash: data.hash };
}

/** Every file in an encoding, once. */
export function filesIn(json: Json): FileRef[] {
  const found = new Map<string, FileRef>();
  const parts: Json[] = [json];
  // It grows while it is gone through.
  for (const next of parts) {
    const file = fileOf(next);
    if (file !== undefined) found.set(keyOf(file), file);
    else if (typeof next === "object" && next !== null)
      for (const part of Object.values(next)) parts.push(part);
  }
  return [...found.values()];
}

/** An encoding with files in the place of others. */
function withFiles(json: Json, sent: ReadonlyMap<string, unknown>): Json {
  const file = fileOf(json);
  const other = file === undefined ? undefined : sent.get(keyOf(file));
  if (other !== undefined) return JSON.parse(encodeValue(other).text) as Json;
  if (typeof json !== "object" || json === null) return json;
  if (Array.isArray(json)) return json.map((item) => withFiles(item, sent));
  return Object.fromEntries(Object.entries(json).map(([key, item]) => [key, withFiles(item, sent)]));
}
