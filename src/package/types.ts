/** The type of a task's parameter, as far as a command line or a form needs to know it. */
export type ParameterType =
  | { kind: "number" | "bigint" | "string" | "boolean" | "Date" | "File" | "Dir" }
  | { kind: "enum"; values: string[] }
  | { kind: "array"; element: ParameterType }
  | { kind: "json"; text: string };

/** A parameter of a task, read from the TypeScript source. */
export interface PackageParameter {
  name: string;
  type: ParameterType;
  /** Whether a call may leave it out: `x?`, a default, or a type that admits `undefined`. */
  optional: boolean;
  /** The default's source text. */
  default?: string;
  /** The text of its `@param` tag. */
  doc?: string;
  rest?: boolean;
}

/** A task of a package whose name the analysis can tell without running it. */
export interface PackageTask {
  fullname: string;
  name: string;
  /** Empty for none. */
  namespace: string;
  hash: string;
  version?: string;
  /** The TypeScript text of the task's function, as its author wrote it. */
  source: string;
  /** The text that was hashed: the function and everything of the package it refers to, in canonical form. */
  canonical: string;
  /** The defining file, relative to the folder of the entry. */
  file: string;
  /** Counts from 1. */
  line: number;
  parameters: PackageParameter[];
  doc?: string;
  async: boolean;
  script?: boolean;
}

/** What a code package says about itself. It travels with the code and is part of the package's hash. */
export interface PackageManifest {
  format: 1;
  /** The entry module, relative to the root of the build. */
  entry: string;
  /** The string that the entry exports as `redunNamespace`. */
  namespace?: string;
  /**
   * What the entry exports as `redunNetwork`: the hosts that its tasks want to reach where the operator must agree;
   * `*.` stands for any subdomains, and `true` for every host. Without it, none.
   */
  network?: true | string[];
  tasks: PackageTask[];
  /** The tasks that the code makes of plain functions, by `asTask` and `applyFunc`; none if it is missing. */
  functions?: PackageTask[];
  /** npm packages in use and their versions; several versions of one are joined by `, `. */
  dependencies: Record<string, string>;
  /** The module specifiers that the code imports when it runs. */
  externals: string[];
  /** The identity of all the package's own code, for tasks whose names are known only at run time. */
  codeHash: string;
}

/** A bundled workflow: one ES module and its manifest, addressed by their hash. */
export interface CodePackage {
  hash: string;
  manifest: PackageManifest;
  /** The text of one ES module. */
  code: string;
  /** A version 3 source map of `code`. */
  map?: string;
  /** The absolute paths of the files that were read: a change of one may change the package. */
  inputs: string[];
  /** Doubtful things that don't keep the package from running. */
  warnings?: string[];
}

/** A package without what only its build needs. */
export type StoredPackage = Pick<CodePackage, "hash" | "code" | "manifest" | "map">;

/** The part of esbuild's API that a build needs, so that esbuild-wasm can be passed in. */
export type Esbuild = Pick<typeof import("esbuild"), "build">;

/** Options of `buildPackage`. */
export interface BuildOptions {
  /** The folder that paths in the package are relative to. Defaults to the entry's folder. */
  root?: string;
  /** Whether npm packages stay imports (`external`, the default) or become part of the code. */
  npm?: "external" | "inline";
  /**
   * Turns async functions into generators, each step of which runs inside the function that
   * `globalThis[Symbol.for("redun.capture")]` returned when the async function was called. It stands
   * in for `AsyncLocalStorage` in browsers.
   */
  lowerAsync?: boolean;
  /** The esbuild to use. By default the native one is imported. */
  esbuild?: Esbuild;
  /** Files by path (absolute, or relative to the root) to build from instead of the disk. */
  files?: Record<string, string>;
}
