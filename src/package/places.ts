import { dirname, join } from "./paths.ts";

/** What `import.meta` says of a source file. */
export interface ModulePlace {
  readonly url: string;
  readonly filename: string;
  readonly dirname: string;
}

/**
 * Where the sources of a package are said to be, where it is loaded from no file of its own: the root of its build is
 * taken for the root of the disk.
 *
 * @param entry - the manifest's
 */
export function placesBelow(entry: string): (source: string) => ModulePlace {
  const folder = dirname(join("/", entry));
  return (source) => {
    const filename = join(folder, source);
    return { url: `file://${encodeURI(filename)}`, filename, dirname: dirname(filename) };
  };
}

/** The name that stack traces give to the code of a package that is loaded from no file. */
export function packageUrl(hash: string): string {
  return `redun:///packages/${hash}.mjs`;
}
