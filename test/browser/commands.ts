/** What tests in a browser have done in Node. */
import { globSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { BrowserCommand } from "vitest/node";
import { buildPackage, type PackageManifest } from "../../src/package/index.ts";

declare module "vitest/browser" {
  interface BrowserCommands {
    listExamples(): Promise<string[]>;
    readTexts(folder: string): Promise<Record<string, string>>;
    buildInNode(path: string): Promise<NodeBuild>;
  }
}

/** A package as the command line builds it. */
export interface NodeBuild {
  /** Absolute path. */
  readonly entry: string;
  readonly hash: string;
  readonly manifest: PackageManifest;
  /** The texts of everything that it takes to build it with its npm packages inline. */
  readonly files: Record<string, string>;
}

const root: string = join(import.meta.dirname, "../..");

/** The paths of the example workflows, from the root of the project. */
export const listExamples: BrowserCommand<[]> = (): string[] =>
  globSync("examples/*/workflow.ts", { cwd: root }).sort();

/** The texts of the files of a folder, by its name and theirs. @param folder - from the root of the project */
export const readTexts: BrowserCommand<[folder: string]> = (_, folder): Record<string, string> => {
  const path = join(root, folder);
  return Object.fromEntries(
    readdirSync(path).map((name) => [`${basename(path)}/${name}`, readFileSync(join(path, name), "utf8")]),
  );
};

export const buildInNode: BrowserCommand<[path: string]> = async (_, path): Promise<NodeBuild> => {
  const entry = join(root, path);
  const [pkg, inline] = await Promise.all([buildPackage(entry), buildPackage(entry, { npm: "inline" })]);
  const files: Record<string, string> = {};
  for (const input of [...pkg.inputs, ...inline.inputs, ...manifests(inline.inputs)]) {
    files[input] ??= readFileSync(input, "utf8");
  }
  return { entry, hash: pkg.hash, manifest: pkg.manifest, files };
};

/** The `package.json` of each npm package that files are of. */
function manifests(inputs: readonly string[]): string[] {
  const folders = inputs.flatMap(
    (input) => /^.*\/node_modules\/(@[^/]+\/)?[^/]+(?=\/)/.exec(input)?.[0] ?? [],
  );
  return [...new Set(folders)].map((folder) => join(folder, "package.json"));
}
