import type { BuildFailure, BuildOptions as EsbuildOptions, Message } from "esbuild";
import { PackageError } from "../errors/errors.ts";
import { dirname, join, toPosix } from "./paths.ts";
import { type Imports, importsPlugin } from "./resolve.ts";
import type { Sources } from "./sources.ts";
import { readTsconfig, type Tsconfig } from "./tsconfig.ts";
import type { Esbuild } from "./types.ts";

/** What one run of esbuild gave. */
export interface Bundle {
  readonly code: string;
  readonly map: string;
  readonly imports: Imports;
  /** Absolute paths. */
  readonly inputs: string[];
  readonly warnings: string[];
}

/** How to bundle. */
export interface BundleOptions {
  readonly root: string;
  readonly npm: "external" | "inline";
  readonly lowerAsync: boolean;
  readonly esbuild: Esbuild;
  readonly sources: Sources;
}

/** Syntax that not every supported runtime or the analysis knows; esbuild replaces it. */
const LOWERED = { decorators: false, using: false, "import-defer": false, "import-source": false };
const LOWERED_ASYNC = { "async-await": false, "async-generator": false, "for-await": false };

/**
 * Bundles a workflow into one ES module. Bundling joins the modules' scopes, so that afterwards each name of
 * the top level means one thing, however the modules imported it.
 */
export async function bundle(entry: string, options: BundleOptions): Promise<Bundle> {
  const { root, npm, sources } = options;
  const conditions = npm === "inline" ? ["workerd", "worker", "browser", "module"] : ["node", "module"];
  const tsconfig = readTsconfig(sources, dirname(toPosix(entry)));
  const imports: Imports = { marks: new Map(), npm: new Map(), inputs: new Set() };
  const settings: EsbuildOptions & { write: false; metafile: true } = {
    entryPoints: [entry],
    absWorkingDir: root,
    // Paths in the source map are relative to this file's folder. Nothing is written.
    outfile: join(root, "package.mjs"),
    bundle: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions,
    target: "esnext",
    supported: { ...LOWERED, ...(options.lowerAsync ? LOWERED_ASYNC : {}) },
    // `"sideEffects": false` would drop a module that is imported only for the tasks that it defines.
    ignoreAnnotations: true,
    legalComments: "none",
    charset: "utf8",
    sourcemap: "external",
    sourcesContent: true,
    logLevel: "silent",
    plugins: [importsPlugin(sources, { npm, conditions, tsconfig }, imports)],
    ...(sources.virtual ? { tsconfigRaw: rawTsconfig(tsconfig) } : {}),
  };
  const result = await options.esbuild.build(settings).catch((error: unknown) => {
    const [first] = (error as Partial<BuildFailure>).errors ?? [];
    throw first ? buildError(entry, first, error as BuildFailure) : error;
  });
  const text = (suffix: string): string =>
    result.outputFiles.find((file) => file.path.endsWith(suffix))?.text ?? "";
  const inputs = new Set(imports.inputs);
  for (const name of Object.keys(result.metafile.inputs)) {
    if (!/^[a-z-]{2,}:/.test(name)) inputs.add(join(root, name));
  }
  for (const name of tsconfig?.files ?? []) inputs.add(name);
  const manifest = nearestManifest(entry, sources);
  if (manifest !== undefined) inputs.add(manifest);
  return {
    code: text(".mjs"),
    map: text(".map"),
    imports,
    inputs: [...inputs].sort(),
    warnings: result.warnings.map(describe),
  };
}

/** The configuration as esbuild takes it where it can't read it itself. */
function rawTsconfig(tsconfig: Tsconfig | undefined): string {
  return JSON.stringify({ compilerOptions: tsconfig?.compilerOptions ?? {} });
}

/** The `package.json` that esbuild reads without naming it as an input. */
function nearestManifest(entry: string, sources: Sources): string | undefined {
  for (let folder = dirname(toPosix(entry)); ; folder = dirname(folder)) {
    const path = join(folder, "package.json");
    if (sources.read(path) !== undefined) return path;
    if (dirname(folder) === folder) return undefined;
  }
}

function describe({ text, location }: Message): string {
  return location ? `${location.file}:${location.line}:${location.column + 1}: ${text}` : text;
}

function buildError(entry: string, first: Message, failure: BuildFailure): PackageError {
  const { text, location } = first;
  const shown = location ? frame(location) : undefined;
  const others = failure.errors.slice(1).map((message) => `\n${describe(message)}`);
  const { hint } = (first.detail ?? {}) as { readonly hint?: string };
  return new PackageError(
    `Cannot build ${entry}: ${describe(first)}${shown === undefined ? "" : `\n\n${shown}`}${others.join("")}`,
    {
      cause: failure,
      hint,
      fields: {
        text,
        ...(location
          ? { file: location.file, line: location.line, column: location.column + 1, frame: shown }
          : {}),
      },
    },
  );
}

/** The line of an error with a mark under the wrong place. */
function frame({ line, column, length, lineText }: NonNullable<Message["location"]>): string {
  const label = ` ${line} | `;
  // esbuild counts columns in UTF-8 bytes.
  const before = new TextDecoder().decode(new TextEncoder().encode(lineText).subarray(0, column));
  const indent = before.replace(/[^\t]/g, " ");
  return `${label}${lineText}\n${" ".repeat(label.length - 2)}| ${indent}${"^".repeat(Math.max(1, length))}`;
}
