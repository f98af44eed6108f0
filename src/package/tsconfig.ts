import { dirname, isAbsolute, join } from "./paths.ts";
import { longestPattern, matched } from "./patterns.ts";
import { findNpmFolder, type Sources, splitSpecifier } from "./sources.ts";

/** The configuration of TypeScript that counts for a workflow. */
export interface Tsconfig {
  readonly compilerOptions: Readonly<Record<string, unknown>>;
  /** The files that it comes from, the nearest first. */
  readonly files: readonly string[];
  /** The folder that `paths` are relative to, and names of modules too if it is `baseUrl`. */
  readonly base?: { readonly folder: string; readonly isBaseUrl: boolean };
}

interface Raw {
  readonly compilerOptions?: Readonly<Record<string, unknown>>;
  readonly extends?: string | readonly string[];
}

/** Reads the `tsconfig.json` nearest to a folder, with those that it extends. */
export function readTsconfig(sources: Sources, from: string): Tsconfig | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const path = join(folder, "tsconfig.json");
    if (sources.read(path) !== undefined) return read(sources, path, []);
    if (dirname(folder) === folder) return undefined;
  }
}

function read(sources: Sources, path: string, outer: readonly string[]): Tsconfig {
  const raw = parseJsonc(sources.read(path) ?? "");
  const files = [path];
  let inherited: Readonly<Record<string, unknown>> = {};
  let base: Tsconfig["base"];
  for (const name of [raw.extends ?? []].flat()) {
    const extended = findExtended(sources, name, dirname(path));
    if (extended === undefined || extended === path || outer.includes(extended)) continue;
    const found = read(sources, extended, [...outer, path]);
    inherited = { ...inherited, ...found.compilerOptions };
    base = found.base ?? base;
    files.push(...found.files);
  }
  const { baseUrl, paths } = raw.compilerOptions ?? {};
  if (typeof baseUrl === "string") base = { folder: join(dirname(path), baseUrl), isBaseUrl: true };
  else if (paths !== undefined && !base?.isBaseUrl) base = { folder: dirname(path), isBaseUrl: false };
  const compilerOptions = { ...inherited, ...raw.compilerOptions };
  return { compilerOptions, files, ...(base === undefined ? {} : { base }) };
}

/** The files that `paths` and `baseUrl` say a module's name may mean, in the order in which they are tried. */
export function pathsOf({ compilerOptions, base }: Tsconfig, specifier: string): string[] {
  if (base === undefined) return [];
  const { paths } = compilerOptions;
  const table = typeof paths === "object" && paths !== null ? paths : {};
  const key = longestPattern(Object.keys(table), specifier);
  const rest = key === undefined ? "" : matched(key, specifier)!;
  const targets = key === undefined ? [] : (table as Record<string, unknown>)[key];
  const found = (Array.isArray(targets) ? targets : [])
    .filter((target) => typeof target === "string" && (base.isBaseUrl || target.startsWith(".")))
    .map((target) =>
      join(
        base.folder,
        target.replace("*", () => rest),
      ),
    );
  return base.isBaseUrl ? [...found, join(base.folder, specifier)] : found;
}

function findExtended(sources: Sources, name: string, folder: string): string | undefined {
  let base = join(folder, name);
  if (!name.startsWith(".") && !isAbsolute(name)) {
    const [owner, subpath] = splitSpecifier(name);
    const npm = findNpmFolder(sources, folder, owner);
    if (npm === undefined) return undefined;
    base = join(npm, subpath === "" ? "tsconfig.json" : `.${subpath}`);
  }
  return [base, `${base}.json`].find((path) => sources.read(path) !== undefined);
}

const STRING = String.raw`("(?:\\.|[^"\\])*")`;
const COMMENT: RegExp = new RegExp(String.raw`${STRING}|//[^\n]*|/\*[^]*?\*/`, "g");
const TRAILING_COMMA: RegExp = new RegExp(String.raw`${STRING}|,(?=\s*[}\]])`, "g");

/** JSON with comments and trailing commas. What is not that counts as empty; the bundler tells of it. */
function parseJsonc(text: string): Raw {
  const keepString = (_: string, string?: string): string => string ?? "";
  try {
    return JSON.parse(text.replace(COMMENT, keepString).replace(TRAILING_COMMA, keepString)) as Raw;
  } catch {
    return {};
  }
}
