import { InvalidPathError } from "./errors.ts";
import type { ShellCopyOptions } from "./file-system.ts";
import { fileSystemFor, schemeOf } from "./file-systems.ts";

/** A word as a POSIX shell reads it back unchanged, quoted only if it has to be. */
export function shellQuote(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", `'"'"'`)}'`;
}

/** A local path as an argument: quoted, and never taken for an option. */
function localArgument(path: string): string {
  return shellQuote(path.startsWith("-") ? `./${path}` : path);
}

function copyLocal(source: string | null, target: string | null, recursive: boolean): string {
  if (source === null) return target === null ? "cat" : `cat > ${localArgument(target)}`;
  if (target === null) return `cat ${localArgument(source)}`;
  return `cp ${recursive ? "-r " : ""}${localArgument(source)} ${localArgument(target)}`;
}

/** The path as local programs take it: a `file:` URL becomes a plain path. */
function plain(path: string | null): string | null {
  if (path === null || !/^file:\/\//i.test(path)) return path;
  return decodeURIComponent(new URL(path).pathname);
}

/** The shell command that makes the folder of a local path, with those above it; empty if there is none to make. */
export function shellMakeFolder(path: string): string {
  if (schemeOf(path) !== "file") return "";
  const local = plain(path)!.replace(/\/+$/, "");
  const end = local.lastIndexOf("/");
  return end <= 0 ? "" : `mkdir -p ${localArgument(local.slice(0, end))}`;
}

/**
 * The shell command that copies a file or a folder from one place to another, for scripts.
 *
 * @param source - a path of any scheme, or `null` for stdin
 * @param target - a path of any scheme, or `null` for stdout
 * @returns the command with its paths quoted; empty if both paths are the same
 * @throws InvalidPathError if a folder would be copied from stdin or to stdout
 */
export function shellCopy(
  source: string | null,
  target: string | null,
  options: ShellCopyOptions = {},
): string {
  const recursive = options.recursive ?? false;
  if (recursive && (source === null || target === null)) {
    throw new InvalidPathError(
      "copy",
      source ?? target ?? "a folder",
      "a folder can't come from stdin or go to stdout",
    );
  }
  if (source !== null && source === target) return "";
  const from = source === null ? "file" : schemeOf(source);
  const to = target === null ? "file" : schemeOf(target);
  if (from === "file" && to === "file") return copyLocal(plain(source), plain(target), recursive);

  const reader = from === "file" || source === null ? undefined : fileSystemFor(source);
  const writer = to === "file" || target === null ? undefined : fileSystemFor(target);
  if (reader === undefined || writer === undefined || reader === writer) {
    const rendered = (reader ?? writer)?.shellCopy?.(plain(source), plain(target), options);
    if (rendered !== undefined) return rendered;
  } else if (!recursive && reader.shellCopy !== undefined && writer.shellCopy !== undefined) {
    return `(${reader.shellCopy(source, null, options)}) | (${writer.shellCopy(null, target, options)})`;
  }
  const words = [source ?? "-", target ?? "-"].map((path) =>
    path === "-" ? path : schemeOf(path) === "file" ? localArgument(path) : shellQuote(path),
  );
  return `redun fs cp ${recursive ? "--recursive " : ""}${words.join(" ")}`;
}
