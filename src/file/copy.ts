import { Dir } from "./dir.ts";
import { InvalidPathError } from "./errors.ts";
import { type CopyOptions, IFile } from "./file.ts";

/** Where {@link copyPath} reads and writes what has no path, and how. */
export interface CopyPathOptions extends CopyOptions {
  /** Copies a folder. */
  readonly recursive?: boolean;
  /** Stands in for a source that is `null`. */
  readonly stdin?: ReadableStream<Uint8Array>;
  /** Stands in for a target that is `null`. It is closed at the end. */
  readonly stdout?: WritableStream<Uint8Array>;
}

/**
 * Copies a file, or with `recursive` a folder, between any two places.
 *
 * @param source - a path, or `null` for `options.stdin`
 * @param target - a path, or `null` for `options.stdout`
 * @throws InvalidPathError if a folder would be copied from stdin or to stdout
 */
export async function copyPath(
  source: string | null,
  target: string | null,
  options: CopyPathOptions = {},
): Promise<void> {
  const { recursive, stdin, stdout, ...copyOptions } = options;
  if (source !== null && target !== null) {
    if (recursive) await new Dir(source).copyTo(new Dir(target), copyOptions);
    else await new IFile(source).copyTo(new IFile(target), copyOptions);
    return;
  }
  if (recursive) {
    throw new InvalidPathError(
      "copy",
      source ?? target ?? "a folder",
      "a folder can't come from stdin or go to stdout",
    );
  }
  const input = source === null ? stdin : new IFile(source).stream();
  if (input === undefined) throw new InvalidPathError("copy", "stdin", "there is none here");
  if (target !== null) return await new IFile(target).write(input);
  if (stdout === undefined) throw new InvalidPathError("copy", "stdout", "there is none here");
  await input.pipeTo(stdout);
}
