import { dirname, isAbsolute, join } from "./paths.ts";
import { findNpmFolder, type Sources, splitSpecifier } from "./sources.ts";

/** The configuration of TypeScript that counts for a workflow. */
export interface Tsconfig {
  readonly compilerOptions: Readonly<Record<string, unknown>>;
  /** The files that it comes from, the nearest first. */
  readonly files: readonly string[];
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
  for (const name of [raw.extends ?? []].flat()) {
    const base = findBase(sources, name, dirname(path));
    if (base === undefined || base === path || outer.includes(base)) continue;
    const found = read(sources, base, [...outer, path]);
    inherited = { ...inherited, ...found.compilerOptions };
    files.push(...found.files);
  }
  return { compilerOptions: { ...inherited, ...raw.compilerOptions }, files };
}

function findBase(sources: Sources, name: string, folder: string): string | undefined {
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
